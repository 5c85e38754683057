// A segment of 5,000 contacts set with progress, and cancelled on the way.

import assert from 'node:assert/strict';

import { absent, eventually, says, seen } from '../checks.mjs';
import { contacts, dialog, frame, job, number, usage } from '../console.mjs';
import { addresses, newAccount, newContacts, newSegment } from '../seeds.mjs';
import { chooseAllOf, confirm } from '../steps.mjs';
import { walk } from '../walk.mjs';

const COUNT = 5_000;

walk('a segment of 5,000 cancelled on the way', async ({ stack, step, signedIn, tab, inspect }) => {
  const account = await newAccount(stack, { included: 10_000 });
  step('create 5,000 contacts');
  await newContacts(account, addresses('lead', COUNT), { properties: { company: 'Fair' } });
  await newSegment(account, 'Fair leads', 'company', 'Fair');
  const page = await signedIn(account.token);

  step('choose all of the segment');
  await chooseAllOf(page, 'Fair leads');
  await contacts.set(page).click();
  await seen(dialog.becomes(page, COUNT));

  step('see the progress');
  await confirm(page, COUNT);
  // A second page, which stays as it is because its questions for the progress are not answered.
  const still = await tab(page);
  await still.route(job.progressAddress, () => {});
  await still.goto(page.url());
  const begun = await eventually(async () => {
    const done = Number(await job.progress(page).getAttribute('value'));
    assert.ok(done > 0, 'no progress');
    return done;
  });
  assert.ok(begun < COUNT, 'done before it could be cancelled');

  step('cancel the rest');
  await job.cancel(page).click();
  await seen(job.cancelled(page));
  await absent(job.progress(page));
  const { summary, state } = await account.api('GET', `/v1/bulk/jobs/${page.url().split('/').at(-1)}`);
  assert.equal(state, 'cancelled');
  assert.ok(summary.set > 0 && summary.set < COUNT, `${summary.set} of ${COUNT} were set`);

  step('read again what is true now');
  await says(job.outcome(page, job.outcomes.set), new RegExp(`^${number(summary.set)}\\b`));
  await says(frame.usage(page), usage({ marketing: summary.set, limit: 10_000 }));
  await says(job.queueBack(page), `Queue ${number(summary.set)} contacts`);

  step('inspect both pages');
  await seen(job.progress(still));
  await inspect(still, 'job, running');
  await inspect(page, 'job, cancelled');
});
