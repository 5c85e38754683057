// One contact set with the keyboard alone, from the sign-in to the result.

import { absent, focused, says, seen } from '../checks.mjs';
import { contacts, dialog, entries, frame, headings, job, paths, signIn, usage } from '../console.mjs';
import { pressOn, tabTo, typeInto } from '../keyboard.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { whenDone } from '../steps.mjs';
import { walk } from '../walk.mjs';

walk('one contact set with the keyboard alone', async ({ stack, step, open }) => {
  const account = await newAccount(stack);
  const [address] = addresses('person', 3);
  await newContacts(account, addresses('person', 3));
  const page = await open();

  step('sign in');
  await page.goto(paths.signIn);
  await typeInto(page, signIn.token(page), account.token);
  await page.keyboard.press('Enter');
  await seen(frame.heading(page, headings.overview));

  step('skip to the content');
  await pressOn(page, frame.skip(page), 'Enter');
  await focused(frame.main(page));

  step('open the contacts');
  await page.goto(paths.overview);
  await pressOn(page, frame.entry(page, entries.contacts), 'Enter');
  await seen(frame.heading(page, headings.contacts));

  step('open the dialog and leave it again');
  await pressOn(page, contacts.tick(page, address), 'Space');
  await tabTo(page, contacts.set(page), { key: 'Shift+Tab' });
  await page.keyboard.press('Enter');
  await seen(dialog.root(page));
  await focused(dialog.heading(page));
  await page.keyboard.press('Escape');
  await absent(dialog.root(page).locator('visible=true'));
  await focused(frame.heading(page, headings.contacts));

  step('set the contact');
  await page.goto(paths.contacts);
  await pressOn(page, contacts.tick(page, address), 'Space');
  await tabTo(page, contacts.set(page), { key: 'Shift+Tab' });
  await page.keyboard.press('Enter');
  await focused(dialog.heading(page));
  await typeInto(page, dialog.count(page), '1');
  await tabTo(page, dialog.confirm(page));
  await page.keyboard.press('Enter');
  await seen(job.heading(page, 1));
  await whenDone(page);
  await says(frame.usage(page), usage({ marketing: 1, limit: 1_000 }));
});
