// Three contacts ticked and set, with the number typed wrong and then right.

import assert from 'node:assert/strict';

import { says, seen } from '../checks.mjs';
import { contacts, frame, states, usage } from '../console.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { goTo, setThree } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('three contacts ticked and set', async (walker) => {
  const account = await newAccount(walker.stack);
  const all = addresses('person', 5);
  await newContacts(account, all);
  const page = await walker.signedIn(account.token);

  await setThree(walker, page, all.slice(0, 3));

  walker.step('read again what is true now');
  await says(frame.usage(page), usage({ marketing: 3, limit: 1_000 }));
  await goTo(page, 'contacts');
  for (const address of all.slice(0, 3)) await says(contacts.state(page, address), states.marketing);
  await seen(contacts.state(page, all[4]));
  await says(contacts.state(page, all[4]), states.free);
  assert.equal((await account.api('GET', '/v1/usage')).marketing, 3);
});
