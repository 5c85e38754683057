// Walking with the keyboard alone.

import assert from 'node:assert/strict';

const STOPS_MAX = 80;

/** Returns the focused element's name for a message, and whether its focus can be seen. */
function describeFocus() {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const name = element.getAttribute('aria-label') ?? element.textContent.trim().slice(0, 40);
  const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  return { name: `<${element.tagName.toLowerCase()}> ${name}`, outlined };
}

/** Presses Tab until an element has the focus. Each stop on the way must show the focus. */
export async function tabTo(page, target, { key = 'Tab' } = {}) {
  const stops = [];
  for (let stop = 0; stop < STOPS_MAX; stop += 1) {
    await page.keyboard.press(key);
    const { name, outlined } = await page.evaluate(describeFocus);
    stops.push(name);
    assert.ok(outlined || name.startsWith('<body>'), `the focus cannot be seen on ${name}`);
    const reached = await target.evaluateAll((elements) => elements.includes(document.activeElement));
    if (reached) return;
  }
  assert.fail(`${target} is not reached by the keyboard. The stops were:\n${stops.join('\n')}`);
}

/** Tabs to an element and presses a key there. */
export async function pressOn(page, target, key) {
  await tabTo(page, target);
  await page.keyboard.press(key);
}

/** Tabs to a field and types. */
export async function typeInto(page, target, text) {
  await tabTo(page, target);
  await page.keyboard.type(text);
}
