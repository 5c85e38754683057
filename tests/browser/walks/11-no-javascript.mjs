// No JavaScript at all: contacts are set, changed and reviewed as with it.

import assert from 'node:assert/strict';

import { focused, holds, says, seen } from '../checks.mjs';
import {
  clock, contact, contacts, dialog, form, forms, frame, headings, job, overview, review, states, usage,
} from '../console.mjs';
import { ADDRESS_FIELD, addresses, newAccount, newContacts, newMistakenForm } from '../seeds.mjs';
import { confirm, goTo, openContact, setThree, whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('three contacts ticked and set without JavaScript', async (walker) => {
  const account = await newAccount(walker.stack);
  const all = addresses('person', 5);
  await newContacts(account, all);
  const page = await walker.signedIn(account.token, { javaScript: false });

  await setThree(walker, page, all.slice(0, 3), { scripts: false });

  walker.step('read again what is true now');
  await says(frame.usage(page), usage({ marketing: 3, limit: 1_000 }));
  await goTo(page, 'contacts');
  for (const address of all.slice(0, 3)) await says(contacts.state(page, address), states.marketing);
  assert.equal((await account.api('GET', '/v1/usage')).marketing, 3);
});

walk('the other acts without JavaScript', async ({ stack, step, signedIn }) => {
  const account = await newAccount(stack);
  const [ada, grace] = addresses('person', 2);
  await newContacts(account, [ada, grace], { unsubscribed: true, properties: { company: 'Fjell' } });
  const { send } = await newMistakenForm(account, 'Trip request');
  await send('sender@example.org');
  const page = await signedIn(account.token, { javaScript: false });

  step('change a property');
  await openContact(page, ada);
  await contact.property(page, 'Company').fill('Fjord');
  await contact.save(page).click();
  await holds(contact.property(page, 'Company'), 'Fjord');

  step('set all that match a filter, and leave the dialog first');
  await goTo(page, 'contacts');
  await contacts.addCondition(page).click();
  await contacts.condition.property(page, 1).selectOption('Company');
  await contacts.condition.value(page, 1).fill('Fjord');
  await contacts.applyFilter(page).click();
  await contacts.all(page).check();
  await contacts.set(page).click();
  await focused(dialog.heading(page));
  await dialog.cancel(page).click();
  await contacts.all(page).check();
  await contacts.set(page).click();
  await confirm(page, 1);
  await whenDone(page, { scripts: false });

  step('review');
  await goTo(page, 'overview');
  await overview.review(page).click();
  for (const [, name] of Object.entries(review.steps).slice(0, 4)) {
    await says(review.step(page), new RegExp(`^${name}`));
    await review.go(page).click();
  }
  await review.count(page).fill('1');
  await review.queue(page, 1).click();
  await whenDone(page, { scripts: false });
  await says(job.outcome(page, job.outcomes.queued), /^1\b/);

  step('mend a field map and retry');
  await goTo(page, 'forms');
  await forms.open(page, 'Trip request').click();
  await form.goesTo(page, ADDRESS_FIELD).selectOption(form.toAddress);
  await form.saveMap(page).click();
  await form.retry(page).click();
  await seen(form.counts(page, 1, '1 set'));

  step('move the clock');
  await clock.updateDate(page).click();
  await seen(frame.heading(page, headings.overview));
  await says(frame.usage(page), usage({ marketing: 1, limit: 1_000 }));
});
