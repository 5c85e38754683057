// A field map mended, and a rejected submission taken after all.

import { absent, says, seen } from '../checks.mjs';
import { contact, form, forms, states, statuses } from '../console.mjs';
import { ADDRESS_FIELD, newAccount, newMistakenForm } from '../seeds.mjs';
import { goTo, openContact } from '../steps.mjs';
import { walk } from '../walk.mjs';

const SENDER = 'mira.solheim@example.org';

walk('a field map mended and a submission taken after all', async ({ stack, step, signedIn, allow, inspect }) => {
  const account = await newAccount(stack);
  const { send } = await newMistakenForm(account, 'Winter routes webinar');
  await send(SENDER);
  const page = await signedIn(account.token);

  step('see the rejected submission');
  await goTo(page, 'forms');
  await forms.open(page, 'Winter routes webinar').click();
  await seen(form.counts(page, 1, '1 rejected'));
  await form.answers(page).click();
  await seen(form.rejected(page).getByText(SENDER));

  step('retry too early');
  allow(page, statuses.invalid);
  await form.retry(page).click();
  await seen(form.stillRejected(page));
  await seen(form.rejected(page));
  await inspect(page, 'form, still rejected');

  step('mend the field map');
  await form.goesTo(page, ADDRESS_FIELD).selectOption(form.toAddress);
  await form.saveMap(page).click();
  await says(form.goesTo(page, ADDRESS_FIELD).locator('option:checked'), form.toAddress);
  await seen(form.rejected(page));

  step('retry');
  await form.retry(page).click();
  await seen(form.counts(page, 1, '1 set'));
  await absent(form.rejected(page));
  await openContact(page, SENDER);
  await seen(contact.sentence(page, states.marketing));
});
