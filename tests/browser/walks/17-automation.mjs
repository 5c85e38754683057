// An automation from its creation to its brake, the usage over time that follows, and a submission that is set back.

import assert from 'node:assert/strict';

import { absent, at, eventually, focused, holds, says, seen } from '../checks.mjs';
import { automation, contact, frame, headings, overview, paths, statuses, usagePage, values } from '../console.mjs';
import { addresses, newAccount, newContacts, newSegment } from '../seeds.mjs';
import { goTo, openContact, whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

const NAME = 'Romans become marketing';

/** Loads a page again until the check holds, because what follows from a change takes a moment. */
const reloaded = (page, check) => eventually(async () => {
  await page.reload();
  await check();
});

/** Takes an automation from its creation to its brake and on. `scripts` is false without JavaScript. */
async function automate({ stack, step, signedIn, allow, inspect }, { scripts }) {
  const account = await newAccount(stack, { cap: 40 });
  const romans = addresses('roman', 3);
  await newContacts(account, romans, { properties: { city: 'Rome' } });
  await newSegment(account, 'Romans', 'city', 'Rome');
  const page = await signedIn(account.token, { javaScript: scripts });

  step('create it, first without a trigger');
  await goTo(page, 'automations');
  await automation.create(page).click();
  await automation.name(page).fill(NAME);
  allow(page, statuses.invalid);
  await automation.submit(page).click();
  await seen(page.getByText('Choose a segment or a form.'));
  await holds(automation.name(page), NAME);
  if (scripts) await inspect(page, 'new automation, refused');
  await automation.segment(page).selectOption('Romans');
  await automation.submit(page).click();
  await seen(frame.heading(page, NAME));
  await seen(automation.matching(page, 3, 3));
  await says(automation.state(page), 'Off');
  const own = new URL(page.url()).pathname;

  step('try it with a contact');
  await automation.contact(page).fill(romans[0]);
  await automation.try(page).click();
  await says(automation.result(page), /It matches now\. .* Its turn would set it as marketing\./);
  assert.ok(!page.url().includes('@'), 'no address is in the URL');
  if (scripts) await inspect(page, 'automation, tried');

  step('enrol those who match, with a wrong number first');
  await page.goto(own);
  allow(page, statuses.wrongNumber);
  await automation.count(page).fill('7');
  await automation.enrol(page).click();
  await seen(automation.wrongNumber(page, 7, 3));
  await focused(automation.count(page));
  if (scripts) await inspect(page, 'automation, wrong number');
  await automation.count(page).fill('3');
  await automation.enrol(page).click();
  await whenDone(page, { scripts });
  if (scripts) await inspect(page, 'job that enrols');
  await eventually(async () => assert.equal((await account.api('GET', '/v1/usage')).marketing, 3));

  step('the brake stops it');
  await page.goto(own);
  await says(automation.state(page), 'On');
  await automation.brake(page).fill('1');
  await automation.save(page).click();
  await newContacts(account, addresses('late', 4), { properties: { city: 'Rome' } });
  await page.goto(paths.overview);
  // The event follows from the pause, so it appears after it.
  await reloaded(page, () => overview.happened(page, /was paused by its brake/).waitFor({ timeout: 500 }));
  await seen(overview.decide(page, NAME));
  if (scripts) await inspect(page, 'overview, paused automation');
  await overview.decide(page, NAME).click();
  await says(automation.state(page), 'Paused');

  step('let it go on');
  await automation.brake(page).fill('');
  await automation.save(page).click();
  await automation.keep(page).click();
  await eventually(async () => assert.equal((await account.api('GET', '/v1/usage')).marketing, 7));
  await page.reload();
  await says(automation.state(page), 'On');
  await seen(automation.runs(page));
  return { account, page };
}

walk('an automation, its brake and the usage that follows', async (walker) => {
  const { step, inspect } = walker;
  const { page } = await automate(walker, { scripts: true });

  step('see the usage over time');
  await goTo(page, 'overview');
  await overview.usage(page).click();
  await seen(frame.heading(page, headings.usage));
  await seen(usagePage.picture(page));
  await says(usagePage.forecast(page, 'Next update date'), /no contact leaves\. Usage stays at 7 of 1,000/);
  await says(usagePage.days(page), /7 .*Automation 7$/);
  await usagePage.range(page, 90).click();
  await says(usagePage.range(page, 90), '90 days');
  assert.equal(await usagePage.range(page, 90).getAttribute('aria-current'), 'page');
  await inspect(page, 'usage of one day');

  step('delete the automation');
  await goTo(page, 'automations');
  await page.getByRole('link', { name: NAME, exact: true }).click();
  await automation.delete(page).click();
  await automation.confirmDelete(page).click();
  await at(page, paths.automations);
  await absent(page.getByRole('link', { name: NAME, exact: true }));
});

walk('an automation without JavaScript', (walker) => automate(walker, { scripts: false }));

for (const [title, scripts] of [['set back', true], ['set back without JavaScript', false]]) {
  walk(`what a submission changed, ${title}`, async ({ stack, step, signedIn, inspect }) => {
    const account = await newAccount(stack);
    const [ada] = addresses('person', 1);
    await newContacts(account, [ada], { properties: { firstname: 'Ada', company: 'Fjell' } });
    const form = await account.api('POST', '/v1/forms', { name: 'Newsletter' });
    const long = '\u202EMallory\u05D0'.repeat(60);
    await account.api('POST', new URL(form.submit_url).pathname,
      { fields: { email: ada, firstname: 'Mallory', company: long } });
    const page = await signedIn(account.token, { javaScript: scripts });

    step('see what the submission changed');
    await openContact(page, ada);
    await values.open(page).click();
    await seen(frame.heading(page, headings.values));
    await reloaded(page, () => values.changes(page).nth(1).waitFor({ timeout: 500 }));
    await says(values.changes(page).first(), /Newsletter form\. By: a submission\./);
    if (scripts) await inspect(page, 'property history, a submission');

    step('set it back');
    await values.setBack(page).first().click();
    await says(values.note(page), 'Set back: Company, First name.');
    if (scripts) await inspect(page, 'property history, set back');
    await page.goto(paths.contacts);
    await openContact(page, ada);
    await holds(contact.property(page, 'First name'), 'Ada');
    await holds(contact.property(page, 'Company'), 'Fjell');
  });
}
