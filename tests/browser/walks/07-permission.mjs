// A permission taken from a user, who is refused on the server at once, and sees the reason.

import assert from 'node:assert/strict';

import { says, seen } from '../checks.mjs';
import { contacts, dialog, frame, paths, settings, statuses } from '../console.mjs';
import { addresses, newAccount, newContacts, newUser } from '../seeds.mjs';
import { goTo, tickAndPreview } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('a permission taken from a user', async ({ stack, step, signedIn, tab, allow, inspect }) => {
  const account = await newAccount(stack);
  const [address] = addresses('person', 1);
  await newContacts(account, [address]);
  const lea = await newUser(stack, account, { name: 'Lea Winter' });
  const [admins, leas] = [await signedIn(account.token), await signedIn(lea.token)];

  step('the user is about to set a contact, in two tabs');
  await goTo(leas, 'contacts');
  await contacts.tick(leas, address).check();
  const leasDialog = await tab(leas);
  await leasDialog.goto(paths.contacts);
  await tickAndPreview(leasDialog, [address], contacts.set);
  await dialog.count(leasDialog).fill('1');

  step('the admin takes the permission');
  await goTo(admins, 'settings');
  await says(settings.mayChange(admins, 'Lea Winter'), /On$/);
  await settings.mayChange(admins, 'Lea Winter').click();
  await says(settings.mayChange(admins, 'Lea Winter'), /Off$/);

  step('the user is refused');
  for (const [page, button] of [[leas, contacts.set(leas)], [leasDialog, dialog.confirm(leasDialog)]]) {
    allow(page, statuses.notAllowed);
    await Promise.all([
      page.waitForResponse((response) => response.status() === statuses.notAllowed),
      button.click(),
    ]);
    await seen(contacts.refusal(page));
    assert.ok(await contacts.tick(page, address).isChecked(), 'what was ticked is still ticked');
  }
  await inspect(leas, 'permission missing');

  step('the user sees the reason from now on');
  await leas.goto(paths.overview);
  await goTo(leas, 'contacts');
  await seen(contacts.notAllowed(leas));
  await inspect(leas, 'contacts, not allowed to change');
  for (const button of [contacts.set(leas), contacts.queue(leas)]) {
    assert.ok(await button.isDisabled());
    const reason = await button.getAttribute('aria-describedby');
    assert.match(await leas.locator(`#${reason}`).innerText(), /^You can view contacts but not set their status\./);
  }
  await seen(frame.usage(leas));
  assert.equal((await account.api('GET', '/v1/usage')).marketing, 0);
});
