// axe-core and the check of the width on every dialog, in both schemes and at both widths. Their wrong numbers are
// inspected by the walks that type them.

import assert from 'node:assert/strict';

import { absent, at, eventually, holds, seen } from '../checks.mjs';
import { contacts, dialog, frame, job, paths, settings, statuses } from '../console.mjs';
import { furnishedAccount } from '../furnished.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { chooseAllOf, confirm, goTo, tickAndPreview } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('every dialog', async ({ stack, step, signedIn, inspect }) => {
  step('furnish an account');
  const account = await furnishedAccount(stack);
  const page = await signedIn(account.token);
  const shown = async (name) => {
    step(`inspect ${name}`);
    await seen(dialog.heading(page));
    await inspect(page, name);
  };

  await tickAndPreview(page, [account.leads[1]], contacts.queue);
  await shown('dialog, queue');
  await dialog.cancel(page).click();
  await absent(dialog.root(page).locator('visible=true'));

  await tickAndPreview(page, addresses('gone', 2), contacts.set);
  await shown('dialog, unengaged and refused');

  await chooseAllOf(page, 'Fair leads');
  await contacts.set(page).click();
  await shown('dialog, some unchanged');

  await page.goto(paths.contacts);
  await contacts.tick(page, account.leads[1]).check();
  await contacts.addToList(page);
  await shown('dialog, add to a list');

  await page.goto(paths.contacts);
  await contacts.addCondition(page).click();
  await contacts.condition.property(page, 1).selectOption('Company');
  await contacts.condition.value(page, 1).fill('Fair');
  await contacts.applyFilter(page).click();
  await contacts.saveSegment(page).click();
  await shown('dialog, save as a segment');

  await page.goto(paths.job(account.job.id));
  await job.queueBack(page).click();
  await shown('dialog, queue back');

  await page.goto(paths.settings);
  await settings.cap(page).fill('12');
  await settings.previewCap(page).click();
  await shown('dialog, cap below the usage');
  await holds(settings.cap(page), '12');

  await page.goto(paths.settings);
  await settings.cap(page).fill('');
  await settings.previewCap(page).click();
  await shown('dialog, no cap');
});

walk('the page under a dialog after it', async ({ stack, step, signedIn, allow }) => {
  const account = await newAccount(stack);
  await newContacts(account, addresses('person', 4));
  const page = await signedIn(account.token);
  allow(page, statuses.wrongNumber);
  const under = async (path, title) => {
    await at(page, path);
    await eventually(async () => assert.ok((await page.title()).startsWith(`${title} – `), await page.title()));
    const answer = await page.reload();
    assert.equal(answer.status(), 200);
    await at(page, path);
  };

  step('close the dialog, which keeps the exception');
  await goTo(page, 'contacts');
  await contacts.all(page).check();
  await contacts.ticks(page).nth(0).uncheck();
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 3));
  await page.keyboard.press('Escape');
  await at(page, paths.contacts);
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 3));
  await dialog.cancel(page).click();
  await under(paths.contacts, 'Contacts');

  step('go back to the list, which keeps the exception too');
  await contacts.all(page).check();
  await contacts.ticks(page).nth(0).uncheck();
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 3));
  await page.goBack();
  await absent(dialog.root(page).locator('visible=true'));
  await contacts.set(page).click();
  await seen(dialog.becomes(page, 3));

  step('type a wrong number and the right one, and go back from the job');
  await dialog.count(page).fill('4');
  await dialog.confirm(page).click();
  await seen(dialog.wrongNumber(page, 4, 3));
  await confirm(page, 3);
  await page.goBack();
  await seen(dialog.heading(page));
  await page.reload();
  await seen(dialog.heading(page));

  step('close the dialog about the cap');
  await page.goto(paths.settings);
  await settings.cap(page).fill('12');
  await settings.previewCap(page).click();
  await seen(dialog.heading(page));
  await page.keyboard.press('Escape');
  await under(paths.settings, 'Settings');
});

walk('a dialog about a tier that rises', async ({ stack, step, signedIn, inspect }) => {
  step('create contacts');
  const account = await newAccount(stack, { included: 2 });
  const all = addresses('person', 3);
  await newContacts(account, all);
  const page = await signedIn(account.token);
  await tickAndPreview(page, all, contacts.set);
  await seen(dialog.tierRises(page, 2, 1_002));
  await inspect(page, 'dialog, the tier rises');
});

walk('a dialog as it is without its script', async ({ stack, step, signedIn, inspect }) => {
  step('furnish an account');
  const account = await furnishedAccount(stack);
  // Scripts that run are needed for axe-core, so the console's own is taken away instead.
  const page = await signedIn(account.token);
  await page.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await tickAndPreview(page, [account.leads[1]], contacts.queue);
  await inspect(page, 'dialog without its script');
  await dialog.cancel(page).click();
  await absent(dialog.root(page));
  await seen(frame.heading(page, 'Contacts'));
});
