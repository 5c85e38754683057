// The review from end to end: the unengaged and a list, six contacts of eight.

import assert from 'node:assert/strict';

import { focused, holds, say, says, seen } from '../checks.mjs';
import { frame, headings, job, overview, review, statuses, usage } from '../console.mjs';
import { addresses, newAccount, newContacts, newList } from '../seeds.mjs';
import { goTo, whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('the review from end to end', async ({ stack, step, signedIn, allow, inspect }) => {
  const account = await newAccount(stack);
  const fair = addresses('fair', 3);
  await newContacts(account, addresses('reader', 2), { marketing: true });
  await newContacts(account, addresses('gone', 2), { marketing: true, unsubscribed: true });
  await newContacts(account, addresses('dead', 1), { marketing: true, bounced: true });
  await newContacts(account, fair, { marketing: true });
  await newList(account, 'Trade fair 2024', fair);
  const page = await signedIn(account.token);

  step('begin on the overview');
  await overview.review(page).click();
  await seen(frame.heading(page, headings.review));
  await says(review.step(page), new RegExp(`^${review.steps.date}`));
  await inspect(page, 'review, step 1');
  await review.go(page).click();

  step('take the unengaged, as proposed');
  await says(review.step(page), new RegExp(`^${review.steps.unengaged}`));
  await inspect(page, 'review, step 2');
  for (const choice of Object.values(review.choices)) assert.ok(await review.choice(page, choice).isChecked(), choice);
  await review.go(page).click();

  step('add a list');
  await says(review.step(page), new RegExp(`^${review.steps.filters}`));
  await inspect(page, 'review, step 3');
  await review.choice(page, 'Trade fair 2024').check();
  await review.go(page).click();

  step('compare the numbers');
  await says(review.step(page), new RegExp(`^${review.steps.numbers}`));
  await inspect(page, 'review, step 4');
  await seen(review.willBeQueued(page, 6));
  await say(review.billable(page), [8, 8, 2]);
  await review.go(page).click();

  step('type the number');
  await says(review.step(page), new RegExp(`^${review.steps.update}`));
  await inspect(page, 'review, step 5');
  await focused(review.count(page));
  allow(page, statuses.wrongNumber);
  await review.count(page).fill('7');
  await review.queue(page, 6).click();
  await seen(review.wrongNumber(page, 6));
  await holds(review.count(page), '7');
  await inspect(page, 'review, wrong number');
  assert.equal((await account.api('GET', '/v1/usage')).leaving, 0, 'nothing is queued yet');
  await review.count(page).fill('6');
  await review.queue(page, 6).click();
  await whenDone(page);
  await says(job.outcome(page, job.outcomes.queued), /^6\b/);

  step('read again what is true now');
  await goTo(page, 'overview');
  await says(frame.usage(page), usage({ marketing: 8, limit: 1_000, leaving: 6 }));
  await says(overview.figure(page, overview.terms.rest), 2);
  const { marketing, leaving } = await account.api('GET', '/v1/usage');
  assert.deepEqual({ marketing, leaving }, { marketing: 8, leaving: 6 });
});
