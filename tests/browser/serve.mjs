// Small servers on free loopback ports: pages of another origin, and folders of static pages.

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

/** The content security policy that the console promises. */
export const CONSOLE_CSP = [
  "default-src 'none'", "style-src 'self'", "script-src 'self'", "connect-src 'self'", "img-src 'self' data:",
  "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
].join('; ');

const MEDIA_TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript' };

/** Starts a server. `answer` returns `{ status, type, body }` for a path. The result has its `address` and `stop`. */
async function serve(answer, headers) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://localhost');
    const { status = 200, type = MEDIA_TYPES['.html'], body } = await answer(pathname);
    response.writeHead(status, { 'content-type': type, ...headers }).end(body);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const stop = () => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
  return { address: `http://127.0.0.1:${server.address().port}`, stop };
}

const NOT_FOUND = { status: 404, body: '<!doctype html><title>Not found</title>' };

/** Serves pages by their path, such as `{ '/': '<!doctype html>…' }`. */
export function servePages(pages, headers = {}) {
  return serve((path) => (path in pages ? { body: pages[path] } : NOT_FOUND), headers);
}

/** Serves the files of a folder under the console's content security policy. */
export function serveFolder(folder) {
  const answer = async (path) => {
    // `normalize` of an absolute path can't lead out of the folder.
    const file = join(folder, normalize(decodeURIComponent(path)));
    const body = await readFile(file).catch(() => null);
    return body === null ? NOT_FOUND : { type: MEDIA_TYPES[extname(file)], body };
  };
  return serve(answer, { 'content-security-policy': CONSOLE_CSP });
}
