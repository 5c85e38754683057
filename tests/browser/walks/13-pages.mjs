// axe-core and the check of the width on every page, in both schemes and at both widths. The walks inspect what only
// they reach, such as the steps of the review.

import { seen } from '../checks.mjs';
import { contacts, entries, frame, paths } from '../console.mjs';
import { furnishedAccount } from '../furnished.mjs';
import { addresses, newAccount, newContacts, newList, newSegment, newUser } from '../seeds.mjs';
import { walk } from '../walk.mjs';

/** Opens pages and inspects each. `pages` are names and paths. */
async function inspectAll({ step, inspect }, page, pages) {
  for (const [name, path] of pages) {
    step(`inspect ${name}`);
    await page.goto(path);
    await seen(frame.heading(page));
    await inspect(page, name);
  }
}

walk('every page with data', async (walker) => {
  const { stack, step, open, signedIn, inspect } = walker;
  step('furnish an account');
  const account = await furnishedAccount(stack);

  const door = await open();
  await inspectAll(walker, door, [['sign-in', paths.signIn]]);

  const page = await signedIn(account.token);
  await inspectAll(walker, page, [
    ['overview', paths.overview],
    ['contacts', paths.contacts],
    ['contacts, unengaged', paths.unengaged],
    ['contact, marketing', paths.contact(account.marketing.id)],
    ['usage over time', paths.usage],
    ['usage over time, 366 days', paths.usageOf(366)],
    ['property history', paths.values(account.marketing.id)],
    ['contact, leaving', paths.contact(account.leaving.id)],
    ['contact, non-marketing', paths.contact(account.free.id)],
    ['new contact', paths.newContact],
    ['delete a contact', paths.deleteContact(account.marketing.id)],
    ['erase a contact', paths.eraseContact(account.leaving.id)],
    ['segments', paths.segments],
    ['segment', paths.segment(account.segment.id)],
    ['static list', paths.segment(account.list.id)],
    ['delete a segment', paths.deleteSegment(account.segment.id)],
    ['contacts of a static list', paths.contactsOf(account.list.id)],
    ['review', paths.review],
    ['forms', paths.forms],
    ['new form', paths.newForm],
    ['own form', paths.form(account.own.id)],
    ["provider's form", paths.form(account.provider.id)],
    ['delete a form', paths.deleteForm(account.provider.id)],
    ['automations', paths.automations],
    ['new automation', paths.newAutomation],
    ['automation, paused', paths.automation(account.automations.paused.id)],
    ['automation, off', paths.automation(account.automations.off.id)],
    ['delete an automation', paths.deleteAutomation(account.automations.off.id)],
    ['imports', paths.files],
    ['new import', paths.newImport],
    ['import, not started', paths.import(account.transfers.waiting.id)],
    ['discard an import', paths.cancelImport(account.transfers.waiting.id)],
    ['import, done', paths.import(account.transfers.imported.id)],
    ['exports', paths.exports],
    ['export, done', paths.export(account.transfers.exported.id)],
    ['jobs', paths.jobs],
    ['job, done', paths.job(account.job.id)],
    ['statements', paths.statements],
    ['settings', paths.settings],
    ['rename the account', paths.rename],
    ['new user', paths.newUser],
    ['user', paths.user(account.lea.id)],
    ['new token', paths.newToken],
    ['new integration', paths.newIntegration],
    ['revoke a token', paths.revokeToken(account.lea.tokenId)],
  ]);

  step('inspect a filter');
  await page.goto(paths.contacts);
  await contacts.addCondition(page).click();
  await seen(contacts.condition.property(page, 1));
  await inspect(page, 'contacts, filter');

  step('inspect the menu of a phone');
  const phone = await signedIn(account.token, { width: 360 });
  await frame.menu(phone).click();
  await seen(frame.entry(phone, entries.contacts));
  await inspect(phone, 'menu');
});

walk('every page of a member without the permission', async (walker) => {
  const { stack, step, signedIn } = walker;
  step('furnish an account');
  const account = await furnishedAccount(stack);
  await account.api('PATCH', `/v1/users/${account.lea.id}`, { modify_marketing_contacts: false });
  const page = await signedIn(account.lea.token);
  await inspectAll(walker, page, [
    ['overview, member', paths.overview],
    ['contacts, member', paths.contacts],
    ['contact, member', paths.contact(account.marketing.id)],
    ['new contact, member', paths.newContact],
    ['review, member', paths.review],
    ['forms, member', paths.forms],
    ['form, member', paths.form(account.own.id)],
    ['new form, member', paths.newForm],
    ['usage over time, member', paths.usage],
    ['property history, member', paths.values(account.marketing.id)],
    ['automations, member', paths.automations],
    ['new automation, member', paths.newAutomation],
    ['automation, paused, member', paths.automation(account.automations.paused.id)],
    ['automation, off, member', paths.automation(account.automations.off.id)],
    ['new import, member', paths.newImport],
    ['import, not started, member', paths.import(account.transfers.waiting.id)],
    ['job, member', paths.job(account.job.id)],
    ['settings, member', paths.settings],
  ]);
});

walk('every page of an account without contacts, which is no sandbox', async (walker) => {
  const { stack, signedIn, inspect } = walker;
  const { token } = await newAccount(stack, { name: 'New', clock: null });
  const page = await signedIn(token);
  const names = ['overview', 'contacts', 'segments', 'review', 'forms', 'automations', 'usage', 'files',
    'newImport', 'exports', 'jobs',
    'statements', 'settings'];
  await inspectAll(walker, page, names.map((name) => [`${name}, empty`, paths[name]]));

  await page.goto(paths.unengaged);
  await seen(contacts.noMatch(page));
  await inspect(page, 'contacts, none match');
});

walk('pages with long names without a space', async (walker) => {
  const { stack, step, signedIn } = walker;
  step('name everything');
  const long = 'Kestrel'.repeat(12);
  const account = await newAccount(stack, { name: long, cap: 20 });
  const properties = { firstname: long, lastname: long, company: long };
  const [contact] = await newContacts(account, addresses('person', 2), { properties, marketing: true });
  const [segment, list] = [await newSegment(account, long, 'company', long), await newList(account, long, [])];
  const form = await account.api('POST', '/v1/forms', { name: long });
  const automation = await account.api('POST', '/v1/automations',
    { name: long, enrol: { segment_id: segment.id }, action: 'set-marketing' });
  const { job } = await account.api('POST', '/v1/bulk/jobs',
    { action: 'set-non-marketing-pending', confirm_count: 2, selection: { segment_id: segment.id } });
  const user = await newUser(stack, account, { name: long.slice(0, 60) });
  const page = await signedIn(account.token);
  await inspectAll(walker, page, [
    ['overview, long names', paths.overview],
    ['contacts, long names', paths.contactsOf(list.id)],
    ['contact, long names', paths.contact(contact.id)],
    ['erase a contact, long names', paths.eraseContact(contact.id)],
    ['segments, long names', paths.segments],
    ['segment, long names', paths.segment(segment.id)],
    ['delete a segment, long names', paths.deleteSegment(segment.id)],
    ['forms, long names', paths.forms],
    ['form, long names', paths.form(form.id)],
    ['property history, long names', paths.values(contact.id)],
    ['automations, long names', paths.automations],
    ['automation, long names', paths.automation(automation.id)],
    ['delete an automation, long names', paths.deleteAutomation(automation.id)],
    ['job, long names', paths.job(job.id)],
    ['review, long names', paths.review],
    ['settings, long names', paths.settings],
    ['user, long names', paths.user(user.id)],
  ]);
});
