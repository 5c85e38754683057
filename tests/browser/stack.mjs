// The local stack as a process: started on a free port with its data in memory, seeded through the HTTP API.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const START_TIMEOUT_MS = 20_000;

/** The last line that the program prints when it is ready. */
const READY = 'Ctrl-C stops it.';

/** Returns the path of the built program. */
function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, 'target');
  return process.env.TIDEMARK_BIN ?? join(target, 'debug', 'tidemark');
}

/** An answer of the API with a status of 400 or more. */
export class Refusal extends Error {
  constructor(method, path, status, problem) {
    super(`${method} ${path} was answered ${status}: ${JSON.stringify(problem)}`);
    this.status = status;
    this.problem = problem;
  }
}

/** Reads what the program prints for its user: `export NAME=value` and the link that signs in. */
function greeting(printed) {
  const exported = (name) => printed.match(new RegExp(`export ${name}=(\\S+)`))?.[1];
  return {
    address: exported('TIDEMARK'),
    token: exported('TOKEN'),
    operatorToken: exported('OPERATOR_TOKEN'),
    signInLink: printed.match(/https?:\/\/\S*\/console\/\S+/)?.[0],
  };
}

/** Waits until the program has printed everything, and returns the text. */
function whenReady(child, program) {
  return new Promise((resolve, reject) => {
    let [printed, logged] = ['', ''];
    const fail = (why) => reject(new Error(`${program} ${why}\n${printed}${logged}`));
    const timer = setTimeout(() => fail('did not start in time'), START_TIMEOUT_MS);
    child.stderr.on('data', (bytes) => { logged += bytes; });
    child.stdout.on('data', (bytes) => {
      printed += bytes;
      if (printed.includes(READY)) {
        clearTimeout(timer);
        resolve(printed);
      }
    });
    child.once('error', (error) => { clearTimeout(timer); fail(`could not be run: ${error.message}`); });
    child.once('exit', (code) => { clearTimeout(timer); fail(`ended with ${code}`); });
  });
}

/**
 * Starts the stack. The result has its `address`, the `token` of the demo account, the `operatorToken`, the
 * `signInLink` of the console, `api` and `stop`.
 */
export async function startStack() {
  const program = binary();
  // A given operator's token would not be printed.
  const { TIDEMARK_OPERATOR_TOKEN: _, ...env } = process.env;
  const child = spawn(program, ['--listen', '127.0.0.1:0', '--in-memory'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);

  let started;
  try {
    started = greeting(await whenReady(child, program));
  } catch (error) {
    kill();
    throw error;
  }
  const logged = [];
  child.stderr.on('data', (bytes) => logged.push(String(bytes)));

  /** Sends a request with JSON and returns the body. Throws a `Refusal` for a status of 400 or more. */
  async function api(method, path, body, { token = started.token, headers = {} } = {}) {
    const response = await fetch(new URL(path, started.address), {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const answer = text === '' ? null : JSON.parse(text);
    if (!response.ok) throw new Refusal(method, path, response.status, answer);
    return answer;
  }

  async function stop() {
    process.off('exit', kill);
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => { child.once('exit', resolve); });
    child.kill('SIGTERM');
    await ended;
  }

  return { ...started, api, stop, log: () => logged.join('') };
}
