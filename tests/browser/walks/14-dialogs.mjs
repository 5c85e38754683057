// axe-core and the check of the width on every dialog, in both schemes and at both widths. Their wrong numbers are
// inspected by the walks that type them.

import { absent, holds, seen } from '../checks.mjs';
import { contacts, dialog, frame, job, paths, settings } from '../console.mjs';
import { furnishedAccount } from '../furnished.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { chooseAllOf, tickAndPreview } from '../steps.mjs';
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
