// What a walk asserts about a page. Each check waits until it holds or the time is up.

import assert from 'node:assert/strict';

const TIMEOUT_MS = 10_000;
const INTERVAL_MS = 50;

/** Waits until a locator finds something that can be seen. */
export async function seen(locator) {
  await locator.first().waitFor({ state: 'visible' });
}

/** Asserts that the page, as it is now, has nothing of the kind. */
export async function absent(locator) {
  assert.equal(await locator.count(), 0, `found, but not expected: ${locator}`);
}

/** Calls `check` until it does not throw. */
export async function eventually(check, timeout = TIMEOUT_MS) {
  const end = Date.now() + timeout;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() >= end) throw error;
      await new Promise((resolve) => { setTimeout(resolve, INTERVAL_MS); });
    }
  }
}

/** Returns a text with single spaces and no spaces around it. */
const tidy = (text) => text.replace(/\s+/g, ' ').trim();

/** Waits until an element has a text: the same one, or one that matches. */
export async function says(locator, expected) {
  await eventually(async () => {
    const text = tidy(await locator.innerText());
    if (expected instanceof RegExp) assert.match(text, expected);
    else assert.equal(text, String(expected));
  });
}

/** Waits until elements have these texts, in this order. */
export async function say(locator, expected) {
  await eventually(async () => {
    assert.deepEqual((await locator.allInnerTexts()).map(tidy), expected.map(String));
  });
}

/** Waits until a field has a value. */
export async function holds(locator, expected) {
  await eventually(async () => assert.equal(await locator.inputValue(), expected));
}

/** Waits until an element has the focus. */
export async function focused(locator) {
  await eventually(async () => {
    assert.ok(await locator.evaluate((element) => element === document.activeElement), `not focused: ${locator}`);
  });
}

/** Waits until the page's path is the expected one. */
export async function at(page, path) {
  await eventually(() => assert.equal(new URL(page.url()).pathname, path));
}
