// The frame of the Node program: steps that run one after the other, and print a line each.
import { AssertionError } from 'node:assert';

let failed = 0;

// Runs one step, and prints its name with the result.
export async function step(name, run) {
  let result = 'ok';
  try {
    await run();
  } catch (error) {
    failed += 1;
    result = `failed: ${describe(error)}`;
  }
  console.log(`${name}\t${result}`);
}

// Ends the program, with the exit code 0 only if every step was as expected.
export function finish() {
  process.exitCode = failed === 0 ? 0 : 1;
}

// Returns one line about an error. A client's error repeats its headers, so its body alone is shown.
function describe(error) {
  const reason = error.body ? JSON.stringify(error.body) : error.message;
  const place = error.stack?.match(/node_client\.mjs:(\d+)/)?.[1] ?? '?';
  const name = error instanceof AssertionError ? 'AssertionError' : error.constructor.name;
  return `line ${place}: ${name}: ${reason}`.replace(/\s+/g, ' ').slice(0, 400);
}

// Returns the items in lists of at most this size.
export function chunks(items, size) {
  return items.length === 0 ? [] : [items.slice(0, size), ...chunks(items.slice(size), size)];
}
