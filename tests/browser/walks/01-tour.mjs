// The tour of the README by clicking, on the demo account: its contacts are the only requests.

import assert from 'node:assert/strict';

import { eventually, says, seen } from '../checks.mjs';
import {
  clock, contact, contacts, dialog, frame, headings, job, overview, states, statements, usage,
} from '../console.mjs';
import { demoAccount, newContacts } from '../seeds.mjs';
import { change, confirm, goTo, openContact, tickAndPreview, whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

const ADA = 'ada@example.org';
const GRACE = 'grace@example.org';
const EDSGER = 'edsger@example.org';

walk('the tour by clicking', async ({ stack, step, open }) => {
  await newContacts(demoAccount(stack), [ADA, GRACE, EDSGER], { properties: { company: 'Example' } });
  const page = await open();

  step('sign in through the printed link');
  assert.ok(stack.signInLink, 'the stack prints no link to /console/');
  await page.goto(stack.signInLink);
  await seen(frame.heading(page, headings.overview));
  assert.ok(!page.url().includes(new URL(stack.signInLink).pathname), 'the secret of the link stays in the address');

  step('set two contacts');
  await change(page, [ADA, GRACE], contacts.set);
  await says(frame.usage(page), usage({ marketing: 2, limit: 1_000 }));

  step('queue one of them');
  await tickAndPreview(page, [ADA], contacts.queue);
  await seen(dialog.queued(page, 1));
  await confirm(page, 1);
  await whenDone(page);

  step('read the usage');
  await goTo(page, 'overview');
  await says(overview.figure(page, overview.terms.now), 2);
  await says(overview.figure(page, overview.terms.rest), 1);
  await says(frame.usage(page), usage({ marketing: 2, limit: 1_000, leaving: 1 }));

  step('move the clock to the last millisecond before the update date');
  await clock.lastMillisecond(page).click();
  await says(clock.instant(page), /23:59:59\.999/);
  await openContact(page, ADA);
  await seen(contact.sentence(page, states.leaving));
  await says(contact.reaches(page, contact.tools.marketingEmail), 'Yes');

  step('move it to the update date');
  await clock.updateDate(page).click();
  await goTo(page, 'overview');
  await says(overview.figure(page, overview.terms.now), 1);
  await says(frame.usage(page), usage({ marketing: 1, limit: 1_000 }));

  step('see why Ada has left');
  await openContact(page, ADA);
  await seen(contact.sentence(page, states.free));
  await says(contact.reaches(page, contact.tools.marketingEmail), /^No: /);
  await says(contact.history(page).nth(1), /Leaving Non-marketing/);

  step('read the statement of the closed period');
  await goTo(page, 'statements');
  await eventually(async () => {
    const rows = await statements.rows(page).allInnerTexts();
    assert.ok(rows.some((row) => /\b2\b.*\b1\b.*1,000/s.test(row)), rows.join('\n'));
  });

  step('set all that match a filter');
  await goTo(page, 'contacts');
  await contacts.addCondition(page).click();
  await contacts.condition.property(page, 1).selectOption('Company');
  await contacts.condition.comparison(page, 1).selectOption('is');
  await contacts.condition.value(page, 1).fill('Example');
  await contacts.applyFilter(page).click();
  await contacts.all(page).check();
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 2));
  await confirm(page, 3, { changing: 2 });
  await whenDone(page);
  await says(job.outcome(page, job.outcomes.set), /^2\b/);
  await says(job.outcome(page, job.outcomes.unchanged), /^1\b/);
  await says(frame.usage(page), usage({ marketing: 3, limit: 1_000 }));
});
