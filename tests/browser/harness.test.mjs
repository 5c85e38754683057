// The checks themselves: each finds the fault that it is for, and none in a page without faults.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { axe, launch, newContext, sideways, watch } from './browser.mjs';
import { CONSOLE_CSP, servePages } from './serve.mjs';

const page = (body, head = '') => `<!doctype html>
<html lang="en"><head><title>Page</title><link rel="icon" href="data:,">${head}</head>
<body><main><h1>Page</h1>${body}</main></body></html>`;

const PAGES = {
  '/good': page('<p>Nothing is wrong here.</p>'),
  '/no-label': page('<input name="q">'),
  '/wide': page('<table><tr><td>' + 'wide'.repeat(200) + '</td></tr></table>'),
  '/inline-script': page('<script>document.title = "changed"</script>'),
  '/inline-style': page('<p style="color: red">Red</p>'),
  '/missing': page('<img src="/nowhere.png" alt="">'),
  '/throws': page('', '<script src="/throws.js"></script>'),
  '/throws.js': 'throw new Error("thrown by the page")',
  '/elsewhere': page('<a href="http://localhost:9/">Elsewhere</a>'),
};

let server;
let browser;

before(async () => {
  server = await servePages(PAGES, { 'content-security-policy': CONSOLE_CSP });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Opens a page and returns it with its faults. */
async function opened(path, options = {}) {
  const context = await newContext(browser, { baseURL: server.address, ...options });
  const page = await context.newPage();
  const watched = watch(page, server.address);
  await page.goto(path, { waitUntil: 'networkidle' });
  return { page, faults: watched.faults };
}

test('a page without faults has none', async () => {
  const { page, faults } = await opened('/good', { width: 360 });
  const { violations, passed } = await axe(page);
  assert.deepEqual(violations, []);
  assert.ok(passed > 5, `only ${passed} rules passed`);
  assert.deepEqual(await sideways(page), []);
  assert.deepEqual(faults, [], 'axe-core itself keeps to the policy');
});

test('axe-core leaves nothing behind in the page', async () => {
  const { page } = await opened('/good');
  await axe(page);
  assert.equal(await page.evaluate(() => typeof axe), 'undefined');
});

test('axe-core finds a field without a label', async () => {
  const { page } = await opened('/no-label');
  const { violations } = await axe(page);
  assert.deepEqual(violations.map(({ rule }) => rule), ['label']);
});

test('a page wider than the window is found', async () => {
  const { page } = await opened('/wide', { width: 360 });
  assert.match((await sideways(page)).join('\n'), /<(td|table)/);
});

for (const [path, expected] of [
  ['/inline-script', /console: .*Content Security Policy/],
  ['/inline-style', /console: .*Content Security Policy/],
  ['/missing', /status 404: GET .*nowhere\.png/],
  ['/throws', /exception: thrown by the page/],
]) {
  test(`the fault of ${path} is found`, async () => {
    const { faults } = await opened(path);
    assert.match(faults.join('\n'), expected);
  });
}

test('a request to another origin is found', async () => {
  const { page, faults } = await opened('/elsewhere');
  await page.getByRole('link').click();
  await page.waitForTimeout(500);
  assert.match(faults.join('\n'), /request to another origin: http:\/\/localhost:9/);
});

test('without JavaScript a page is seen and its scripts do not run', async () => {
  const { page, faults } = await opened('/throws', { javaScript: false });
  assert.equal(await page.getByRole('heading').textContent(), 'Page');
  assert.deepEqual(faults, []);
});
