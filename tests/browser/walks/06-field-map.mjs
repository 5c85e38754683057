// A field map mended, and a rejected submission taken after all.

import { says, seen } from '../checks.mjs';
import { contact, form, forms, states } from '../console.mjs';
import { newAccount, newMistakenForm } from '../seeds.mjs';
import { goTo, openContact } from '../steps.mjs';
import { walk } from '../walk.mjs';

const SENDER = 'mira.solheim@example.org';

walk('a field map mended and a submission taken after all', async ({ stack, step, signedIn }) => {
  const account = await newAccount(stack);
  const { send } = await newMistakenForm(account, 'Winter routes webinar');
  await send(SENDER);
  const page = await signedIn(account.token);

  step('see the rejected submission');
  await goTo(page, 'forms');
  await forms.open(page, 'Winter routes webinar').click();
  await seen(form.rejected(page, 1));

  step('mend the field map');
  await form.goesTo(page, 1).selectOption(form.toAddress);
  await form.saveMap(page).click();
  await seen(form.rejected(page, 1));
  await says(form.goesTo(page, 1).locator('option:checked'), form.toAddress);

  step('retry');
  await form.retry(page).click();
  await seen(form.accepted(page, 1));
  await openContact(page, SENDER);
  await seen(contact.sentence(page, states.marketing));
});
