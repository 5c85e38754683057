// The frame of a walk: a stack and a browser of its own, pages that are watched, and pictures of a failure.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { launch, newContext, watch } from './browser.mjs';
import { signInWithToken } from './console.mjs';
import { inspect } from './inspect.mjs';
import { startStack } from './stack.mjs';

const FAILURES = fileURLToPath(new URL('failures/', import.meta.url));

/** Saves what each open page shows, to find out why a walk failed. */
async function keepPictures(title, pages) {
  await mkdir(FAILURES, { recursive: true });
  for (const [index, { page }] of pages.entries()) {
    if (page.isClosed()) continue;
    const name = `${FAILURES}${title.toLowerCase().replace(/\W+/g, '-')}-${index + 1}`;
    await page.screenshot({ path: `${name}.png`, fullPage: true, timeout: 5_000 }).catch(() => {});
    await writeFile(`${name}.html`, await page.content().catch(() => ''));
    console.log(`  kept ${relative('.', name)}.png and .html: ${page.url()}`);
  }
}

/**
 * Registers a walk. `steps` gets an object with:
 *
 * - `stack`, the running stack;
 * - `step(text)`, which names the step that comes, for the message of a failure;
 * - `open(options)`, which opens a watched page with cookies of its own, and `tab(page)`, one with the same cookies;
 * - `signedIn(token, options)`, which opens such a page and signs in;
 * - `allow(page, …)`, which expects statuses, origins or messages on a page;
 * - `inspect(page, name)`, which runs axe-core over a page in both schemes and at both widths.
 *
 * The walk fails if a page has a fault: see `watch` and `inspect`.
 */
export function walk(title, steps) {
  // There is no time limit for the whole: each wait has one, and the stack and the browser are stopped in any case.
  test(title, async () => {
    const stack = await startStack();
    const browser = await launch();
    const pages = [];
    let current = 'begin';

    const watched = (page) => {
      pages.push({ page, ...watch(page, stack.address) });
      return page;
    };
    const open = async (options = {}) => {
      const context = await newContext(browser, { baseURL: stack.address, ...options });
      return watched(await context.newPage());
    };
    const entry = (page) => pages.find((one) => one.page === page);
    const walker = {
      stack,
      open,
      step: (text) => { current = text; },
      tab: async (page) => watched(await page.context().newPage()),
      signedIn: async (token, options) => {
        const page = await open(options);
        await signInWithToken(page, token);
        return page;
      },
      allow: (page, ...expected) => entry(page).allow(...expected),
      inspect: async (page, name) => { entry(page).faults.push(...await inspect(page, name)); },
    };

    try {
      await steps(walker);
      current = 'look for faults of the pages';
      assert.deepEqual(pages.flatMap(({ faults }) => faults), []);
    } catch (error) {
      console.log(`  "${title}" failed at: ${current}`);
      for (const fault of pages.flatMap(({ faults }) => faults)) console.log(`  ${fault}`);
      if (stack.log()) console.log(`  the stack logged: ${stack.log()}`);
      await keepPictures(title, pages);
      throw error;
    } finally {
      await browser.close();
      await stack.stop();
    }
  });
}
