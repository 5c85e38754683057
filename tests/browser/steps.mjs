// Steps that several walks take.

import { absent, focused, holds, says, seen } from './checks.mjs';
import { contacts, dialog, entries, frame, headings, job, paths, statuses } from './console.mjs';

/** Opens a page through the navigation, such as `contacts`. */
export async function goTo(page, name) {
  await frame.entry(page, entries[name]).click();
  await seen(frame.heading(page, headings[name]));
}

/** Opens the page of a contact through the table. */
export async function openContact(page, address) {
  await goTo(page, 'contacts');
  await contacts.open(page, address).click();
  await seen(frame.heading(page, address));
}

/** Ticks contacts in the table and opens the dialog that shows the consequence. */
export async function tickAndPreview(page, addresses, action) {
  await goTo(page, 'contacts');
  for (const address of addresses) await contacts.tick(page, address).check();
  await action(page).click();
  await seen(dialog.root(page));
}

/** Types the number of contacts that match, confirms, and waits for the job's page, which names those that change. */
export async function confirm(page, matching, { changing = matching } = {}) {
  await dialog.count(page).fill(String(matching));
  await dialog.confirm(page).click();
  await seen(job.heading(page, changing));
}

/** Ticks contacts, changes them, and waits until that is done. */
export async function change(page, addresses, action) {
  await tickAndPreview(page, addresses, action);
  await confirm(page, addresses.length);
  await whenDone(page);
}

/** Waits until a job is done. Without scripts the page has to be loaded again. */
export async function whenDone(page, { scripts = true } = {}) {
  for (let tries = 0; !scripts && tries < 20 && (await job.done(page).count()) === 0; tries += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  await seen(job.done(page));
}

/**
 * Ticks three contacts and sets them, with the number typed wrong and then right. `allow` expects the status of the
 * page that refuses the wrong number.
 */
export async function setThree({ step, allow, inspect }, page, addresses, { scripts = true } = {}) {
  step('tick three contacts');
  await tickAndPreview(page, addresses, contacts.set);
  await seen(dialog.becomes(page, 3));
  await says(dialog.billable(page).nth(0), 0);
  await says(dialog.billable(page).nth(1), 3);
  if (scripts) await inspect(page, 'dialog');

  step('type a wrong number');
  allow(page, statuses.wrongNumber);
  await dialog.count(page).fill('4');
  await dialog.confirm(page).click();
  await seen(dialog.wrongNumber(page, 4, 3));
  await holds(dialog.count(page), '4');
  await focused(dialog.count(page));
  if (scripts) await inspect(page, 'dialog, wrong number');

  step('type the right number');
  await confirm(page, 3);
  await whenDone(page, { scripts });
  await says(job.outcome(page, job.outcomes.set), /^3\b/);

  step('reload the result, which repeats nothing');
  await page.reload();
  await says(job.outcome(page, job.outcomes.set), /^3\b/);
  await absent(dialog.root(page));
}

/** Opens the tab of a segment among the contacts and chooses all that match. */
export async function chooseAllOf(page, segment) {
  await page.goto(paths.contacts);
  await contacts.tab(page, segment).click();
  await contacts.all(page).check();
}
