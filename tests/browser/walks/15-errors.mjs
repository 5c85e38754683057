// axe-core and the check of the width on pages that refuse something: the messages stand at their fields, and what was
// typed is still there.

import assert from 'node:assert/strict';

import { focused, holds, seen } from '../checks.mjs';
import {
  contact, contacts, dialog, errorOf, field, form, frame, newContact, newForm, paths, segments, settings, signIn,
  statuses,
} from '../console.mjs';
import { furnishedAccount } from '../furnished.mjs';
import { tickAndPreview } from '../steps.mjs';
import { walk } from '../walk.mjs';

const WRONG_ADDRESS = 'mira at example';
const NO_CONTACT = '9999999999';
const OTHER = '01k0000000000000000000000a';

/** Lets a page send what the browser itself would refuse, as one without these checks does. */
const unchecked = (page) => page.evaluate(() => {
  for (const one of document.forms) one.noValidate = true;
});

walk('fields with errors', async ({ stack, step, open, signedIn, allow, inspect }) => {
  step('furnish an account');
  const account = await furnishedAccount(stack);
  const door = await open();
  allow(door, statuses.unknownToken);
  const page = await signedIn(account.token);
  allow(page, statuses.invalid, statuses.notPossible, statuses.conflict);

  /** Fills a field of a page, sends its form, and expects the message at the field. */
  const refuse = async (name, path, [locator, value], submit) => {
    step(`inspect ${name}`);
    await page.goto(path);
    await unchecked(page);
    await locator(page).fill(value);
    await submit(page).click();
    await seen(await errorOf(locator(page)));
    assert.equal(await locator(page).getAttribute('aria-invalid'), 'true');
    await focused(locator(page));
    await holds(locator(page), value);
    await inspect(page, name);
  };

  step('inspect an unknown token');
  await door.goto(paths.signIn);
  await signIn.token(door).fill('not a token');
  await signIn.submit(door).click();
  await seen(await errorOf(signIn.token(door)));
  await focused(signIn.token(door));
  await inspect(door, 'sign-in, unknown token');

  await refuse('new contact, invalid', paths.newContact, [newContact.email, WRONG_ADDRESS], newContact.submit);
  await refuse('contact, invalid', paths.contact(account.free.id), [newContact.email, WRONG_ADDRESS], contact.save);
  await refuse('new form, invalid', paths.newForm, [newForm.name, ''], newForm.submit);
  await refuse('form, invalid', paths.form(account.own.id), [form.budget, 'ten'], form.saveSettings);
  await refuse('segments, invalid', paths.segments, [segments.name, ''], segments.createList);
  await refuse('static list, invalid', paths.segment(account.list.id), [segments.add, WRONG_ADDRESS],
    segments.addMembers);
  await refuse('cap, invalid', paths.settings, [settings.cap, 'many'], settings.previewCap);
  await refuse('account without a name', paths.rename, [field('Name'), ''], settings.save);
  await refuse('new user, invalid', paths.newUser, [field('Name'), ''], settings.addUser);
  await refuse('new integration, invalid', paths.newIntegration, [field('Name'), ''], settings.addIntegration);

  step('inspect an address that another contact has');
  await page.goto(paths.newContact);
  await newContact.email(page).fill(account.leads[0]);
  await newContact.submit(page).click();
  await seen(frame.alert(page));
  await holds(newContact.email(page), account.leads[0]);
  await inspect(page, 'new contact, address taken');

  step('inspect a filter with an error');
  await page.goto(paths.contacts);
  await contacts.addCondition(page).click();
  await contacts.condition.property(page, 1).selectOption('Created');
  await contacts.condition.comparison(page, 1).selectOption('is after or above');
  await contacts.condition.value(page, 1).fill('yesterday');
  await contacts.applyFilter(page).click();
  await seen(await errorOf(contacts.condition.value(page, 1)));
  await holds(contacts.condition.value(page, 1), 'yesterday');
  await inspect(page, 'contacts, filter with an error');

  step('inspect a selection of nothing');
  await page.goto(paths.contacts);
  await contacts.set(page).click();
  await seen(frame.alert(page));
  await inspect(page, 'contacts, nothing ticked');
});

walk('refusals of what has changed meanwhile', async ({ stack, step, signedIn, allow, inspect }) => {
  step('furnish an account');
  const account = await furnishedAccount(stack);
  const page = await signedIn(account.token);
  allow(page, statuses.conflict, statuses.changedMeanwhile);

  step('confirm a number that is not true any more');
  await page.goto(paths.contactsOf(account.segment.id));
  await contacts.all(page).check();
  await contacts.queue(page).click();
  await seen(dialog.heading(page));
  const late = await account.api('POST', '/v1/contacts', { email: 'late@example.org', properties: { company: 'Fair' } });
  await dialog.count(page).fill(String(account.leads.length));
  await dialog.confirm(page).click();
  await seen(dialog.countChanged(page, account.leads.length + 1, account.leads.length));
  await inspect(page, 'dialog, count changed');

  step('delete a contact that was changed');
  await page.goto(paths.deleteContact(account.marketing.id));
  await account.api('PATCH', `/v1/contacts/${account.marketing.id}`, { properties: { company: 'Other' } });
  await contact.delete(page).click();
  await seen(frame.alert(page));
  await inspect(page, 'delete a contact, changed meanwhile');
  assert.ok(await account.api('GET', `/v1/contacts/${account.marketing.id}`), 'the contact is still there');

  step('set a contact beyond the cap');
  await page.goto(paths.contact(late.id));
  await contact.set(page).click();
  await seen(frame.alert(page));
  await inspect(page, 'contact, cap reached');
});

walk('pages that are not there or not permitted', async ({ stack, step, signedIn, allow, inspect }) => {
  step('furnish an account');
  const account = await furnishedAccount(stack);
  const page = await signedIn(account.token);
  allow(page, statuses.unknown);
  for (const [name, path] of [
    ['unknown page', '/console/nothing'],
    ['unknown contact', paths.contact(NO_CONTACT)],
    ['unknown segment', paths.segment(`seg_${OTHER}`)],
    ['unknown form', paths.form(`frm_${OTHER}`)],
    ['unknown job', paths.job(`job_${OTHER}`)],
    ['unknown user', paths.user(`usr_${OTHER}`)],
    ['no id', paths.form('x')],
  ]) {
    step(`inspect ${name}`);
    const answer = await page.goto(path);
    assert.equal(answer.status(), statuses.unknown);
    await seen(frame.heading(page, 'Not found'));
    await inspect(page, name);
  }
  await page.goto(paths.contact(NO_CONTACT));
  await seen(contact.unknown(page, NO_CONTACT));

  step('inspect a page for admins, seen by a member');
  const leas = await signedIn(account.lea.token);
  allow(leas, statuses.notAllowed);
  const answer = await leas.goto(paths.newUser);
  assert.equal(answer.status(), statuses.notAllowed);
  await seen(frame.heading(leas, 'Not permitted'));
  await inspect(leas, 'not permitted');

  step('a link that signs in and was used');
  const door = await signedIn(account.token);
  allow(door, statuses.unknown);
  await door.goto(`${paths.signIn}/used`);
  await seen(signIn.token(door));
  await inspect(door, 'sign-in, link used');

  step('a selection of a member who lost the permission');
  await tickAndPreview(leas, [account.leads[0]], contacts.queue);
  await account.api('PATCH', `/v1/users/${account.lea.id}`, { modify_marketing_contacts: false });
  await dialog.count(leas).fill('1');
  await dialog.confirm(leas).click();
  await seen(contacts.refusal(leas));
});
