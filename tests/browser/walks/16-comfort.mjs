// What the console's script adds: a live count, ticking a page, all that match except some, rows of a filter, copying.

import assert from 'node:assert/strict';

import { absent, focused, holds, seen } from '../checks.mjs';
import { contacts, dialog, form, paths } from '../console.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { goTo } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('a selection with a live count', async ({ stack, step, signedIn }) => {
  const account = await newAccount(stack);
  // More than one page.
  const all = addresses('person', 23);
  await newContacts(account, all);
  const page = await signedIn(account.token);
  await goTo(page, 'contacts');
  const [newest, next] = [contacts.ticks(page).nth(0), contacts.ticks(page).nth(1)];

  step('tick some, and the page');
  await seen(contacts.ticked(page, 0));
  await newest.check();
  await seen(contacts.ticked(page, 1));
  assert.ok(await contacts.tickPage(page).evaluate((box) => box.indeterminate), 'some of the page are ticked');
  await contacts.tickPage(page).check();
  await seen(contacts.ticked(page, 20));
  assert.ok(await next.isChecked());
  await contacts.tickPage(page).uncheck();
  await seen(contacts.ticked(page, 0));

  step('choose all that match, except two');
  await contacts.all(page).check();
  assert.ok(await next.isChecked());
  await newest.uncheck();
  await next.uncheck();
  assert.ok(await contacts.all(page).isChecked(), 'the selection is still all that match');
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 21));
});

walk('rows of a filter', async ({ stack, step, signedIn }) => {
  const account = await newAccount(stack);
  await newContacts(account, addresses('person', 2));
  const page = await signedIn(account.token);
  await goTo(page, 'contacts');
  await contacts.addCondition(page).click();
  await contacts.condition.property(page, 1).selectOption('Company');
  await contacts.condition.value(page, 1).fill('Fjell');

  step('add a row, which is empty');
  await contacts.addCondition(page).click();
  await focused(contacts.condition.property(page, 2));
  await holds(contacts.condition.value(page, 2), '');
  await contacts.condition.value(page, 2).fill('Fjord');

  step('remove the first row, and the second becomes the first');
  await contacts.condition.remove(page, 1).click();
  await absent(contacts.condition.value(page, 2));
  await holds(contacts.condition.value(page, 1), 'Fjord');
});

walk('the HTML of a form copied', async ({ stack, step, signedIn }) => {
  const account = await newAccount(stack);
  const { id } = await account.api('POST', '/v1/forms', { name: 'Newsletter' });
  const page = await signedIn(account.token);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(paths.form(id));

  step('copy');
  await form.copy(page).click();
  await seen(form.copied(page));
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied.trim(), (await form.snippet(page).innerText()).trim());
});
