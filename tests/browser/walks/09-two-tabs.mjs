// Two tabs that change one contact: the second is told, and nothing that was typed is lost.

import assert from 'node:assert/strict';

import { holds, seen } from '../checks.mjs';
import { contact, paths, statuses } from '../console.mjs';
import { newAccount, newContacts } from '../seeds.mjs';
import { walk } from '../walk.mjs';

walk('two tabs that change one contact', async ({ stack, step, signedIn, tab, allow, inspect }) => {
  const account = await newAccount(stack);
  const properties = { company: 'Fjell', firstname: 'Mira' };
  const [{ id }] = await newContacts(account, ['mira@example.org'], { properties });
  const company = async () => (await account.api('GET', `/v1/contacts/${id}`)).properties.company;
  const first = await signedIn(account.token);
  const second = await tab(first);
  for (const page of [first, second]) await page.goto(paths.contact(id));

  step('the first tab saves');
  await contact.property(first, 'Company').fill('Fjell & Fjord AS');
  await contact.save(first).click();
  await holds(contact.property(first, 'Company'), 'Fjell & Fjord AS');
  assert.equal(await company(), 'Fjell & Fjord AS');

  step('the second tab is told');
  allow(second, statuses.changedMeanwhile);
  await contact.property(second, 'Company').fill('Fjell and Fjord');
  await contact.property(second, 'First name').fill('Miranda');
  await contact.save(second).click();
  await seen(contact.changedMeanwhile(second));
  await holds(contact.property(second, 'Company'), 'Fjell and Fjord');
  await holds(contact.property(second, 'First name'), 'Miranda');
  await seen(contact.currentValue(second, 'Fjell & Fjord AS'));
  assert.equal(await company(), 'Fjell & Fjord AS', 'nothing was saved yet');
  await inspect(second, 'contact, changed meanwhile');

  step('the second tab saves what was typed');
  await contact.saveMine(second).click();
  await holds(contact.property(second, 'Company'), 'Fjell and Fjord');
  assert.equal(await company(), 'Fjell and Fjord');
});
