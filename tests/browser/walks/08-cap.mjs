// A cap reached: eight contacts for five places.

import assert from 'node:assert/strict';

import { say, says, seen } from '../checks.mjs';
import { contacts, dialog, frame, headings, job, states, usage } from '../console.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { confirm, tickAndPreview, whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('a cap reached', async ({ stack, step, signedIn, inspect }) => {
  const account = await newAccount(stack, { cap: 5 });
  const eight = addresses('person', 8);
  await newContacts(account, eight);
  const page = await signedIn(account.token);

  step('see who is refused before it happens');
  await tickAndPreview(page, eight, contacts.set);
  await seen(dialog.becomes(page, 5));
  await seen(dialog.refused(page, 3));
  await says(dialog.billable(page).nth(1), 5);
  await inspect(page, 'dialog, cap reached');

  step('set those for whom there are places');
  await confirm(page, 8, { changing: 5 });
  await whenDone(page);
  await says(job.outcome(page, job.outcomes.set), /^5\b/);
  await says(job.outcome(page, job.outcomes.refused), /^3\b/);
  await says(frame.usage(page), usage({ marketing: 5, limit: 1_000 }));
  assert.equal((await account.api('GET', '/v1/usage')).marketing, 5);
  await inspect(page, 'job, some refused');

  step('show those who were refused');
  await job.showRefused(page, 3).click();
  await seen(frame.heading(page, headings.contacts));
  await say(contacts.states(page), Array(3).fill(states.free));
});
