// Debian's Chromium, driven by playwright-core: contexts, faults of pages, axe-core, and the check of the width.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];
const ACTION_TIMEOUT_MS = 10_000;
const NAVIGATION_TIMEOUT_MS = 20_000;

export const SCHEMES = ['light', 'dark'];
export const WIDTHS = [360, 1_440];

/** Returns the height of a window: a phone's, or a screen's. */
export const heightAt = (width) => (width < 640 ? 800 : 900);

/** Starts Chromium. playwright-core gives it a new user data directory and removes it at the end. */
export function launch() {
  return chromium.launch({ executablePath: PROGRAM, args: ARGUMENTS });
}

/**
 * Opens a context, which has cookies of its own. `javaScript` and `bypassCSP` are as in playwright-core. All that
 * checks the console leaves its content security policy in force.
 */
export async function newContext(browser, {
  baseURL, scheme = 'light', width = 1_440, height, javaScript = true, bypassCSP = false,
} = {}) {
  const context = await browser.newContext({
    baseURL,
    bypassCSP,
    colorScheme: scheme,
    javaScriptEnabled: javaScript,
    locale: 'en-GB',
    reducedMotion: 'reduce',
    // Not the account's zone: the console shows the account's, wherever its viewer is.
    timezoneId: 'America/Lima',
    viewport: { width, height: height ?? heightAt(width) },
  });
  context.setDefaultTimeout(ACTION_TIMEOUT_MS);
  context.setDefaultNavigationTimeout(NAVIGATION_TIMEOUT_MS);
  return context;
}

/**
 * Collects what goes wrong in a page: violations of its content security policy and other errors in the console,
 * exceptions, failed requests, statuses from 400 on, and requests to other origins.
 *
 * `allow(403)` expects answers of a status, `allow('http://…')` requests to an origin, and `allow(/…/)` messages.
 */
export function watch(page, origin) {
  const faults = [];
  const allowed = new Set([origin]);
  const add = (fault) => faults.push(`${fault} (in ${page.url()})`);

  page.on('console', (message) => {
    const text = message.text();
    const matters = message.type() === 'error' || text.includes('Content Security Policy');
    const isAllowed = [...allowed].some((one) => one instanceof RegExp && one.test(text));
    // The status itself is judged below.
    if (matters && !isAllowed && !text.startsWith('Failed to load resource')) add(`console: ${text}`);
  });
  page.on('pageerror', (error) => add(`exception: ${error.message}`));
  page.on('requestfailed', (request) => {
    // A page that is left ends its requests. A policy that blocks one is a message of its own.
    const reason = request.failure()?.errorText;
    if (!['net::ERR_ABORTED', 'net::ERR_BLOCKED_BY_RESPONSE'].includes(reason)) add(`failed request: ${request.method()} ${request.url()}: ${reason}`);
  });
  page.on('response', (response) => {
    const [status, method] = [response.status(), response.request().method()];
    if (status >= 400 && !allowed.has(status)) add(`status ${status}: ${method} ${response.url()}`);
  });
  page.on('request', (request) => {
    const url = new URL(request.url());
    if (url.protocol.startsWith('http') && !allowed.has(url.origin)) add(`request to another origin: ${url}`);
  });
  return { faults, allow: (...expected) => expected.forEach((one) => allowed.add(one)) };
}

const axeSource = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The stylesheets need not be loaded a second time: no rule that is on reads them. */
const RUN_AXE = `axe.run(document, { preload: false }).then(({ violations, passes, incomplete }) => JSON.stringify({
  passed: passes.length,
  undecided: incomplete.map((rule) => rule.id),
  violations: violations.map((rule) => ({
    rule: rule.id,
    help: rule.help,
    nodes: rule.nodes.map((node) => node.target.join(' ') + ': ' + node.failureSummary.replace(/\\s+/g, ' ')),
  })),
}))`;

/**
 * Loads axe-core beside a page, and calls `work` with a function that runs it. Each run returns `passed`, the number of
 * rules, `undecided`, the ids of those that need a person, and the `violations`.
 *
 * axe-core runs in a world of its own: it sees the document, but none of the page's scripts see axe-core. The debugger
 * puts it there, so the page's content security policy stays in force and needs no exception for it.
 */
export async function withAxe(page, work) {
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send('Page.getFrameTree');
    const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld',
      { frameId: frameTree.frame.id, worldName: 'axe' });
    const evaluate = async (expression) => {
      const { result, exceptionDetails } = await session.send('Runtime.evaluate',
        { expression, contextId, awaitPromise: true, returnByValue: true });
      if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
      return result.value;
    };
    // The value of the source itself is of no use here.
    await evaluate(`${await axeSource}; undefined`);
    return await work(async () => JSON.parse(await evaluate(RUN_AXE)));
  } finally {
    await session.detach();
  }
}

/** Runs axe-core over a page once. */
export const axe = (page) => withAxe(page, (run) => run());

/** Writes violations for a person, one place a line. */
export function described(violations) {
  return violations.flatMap(({ rule, help, nodes }) => nodes.map((node) => `${rule} (${help}): ${node}`)).join('\n');
}

/** Returns what makes a page scroll sideways, innermost elements first: nothing, if it does not. */
export function sideways(page) {
  return page.evaluate(() => {
    if (document.scrollingElement.scrollWidth <= innerWidth) return [];
    // An element's content may be wider than the element.
    const right = (one) => one.getBoundingClientRect().left + Math.max(one.offsetWidth ?? 0, one.scrollWidth);
    const wide = [...document.querySelectorAll('body *')].filter((one) => right(one) > innerWidth);
    const innermost = wide.filter((one) => !wide.some((other) => other !== one && one.contains(other)));
    const tag = (one) => `<${one.tagName.toLowerCase()} class="${one.getAttribute('class') ?? ''}">`;
    const named = (one) => `${tag(one)} ${one.textContent.trim().slice(0, 60)}`;
    return [`${document.scrollingElement.scrollWidth} px of ${innerWidth} px`, ...innermost.map(named)];
  });
}
