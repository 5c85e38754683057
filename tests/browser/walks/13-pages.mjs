// axe-core and the check of the width on every page, in both schemes and at both widths. The walks inspect what only
// they reach: dialogs, steps, refusals.

import { seen } from '../checks.mjs';
import { contact, contacts, entries, frame, headings, paths, signIn, statuses } from '../console.mjs';
import {
  BEGINNING, addresses, newAccount, newContacts, newList, newMistakenForm, newSegment, newUser,
} from '../seeds.mjs';
import { tickAndPreview } from '../steps.mjs';
import { walk } from '../walk.mjs';

const UNKNOWN = '9999999999';

/** Makes an account in which no page is empty. Returns the ids of what has a page. */
async function furnish(stack) {
  const account = await newAccount(stack, { cap: 20, clock: '2026-10-20T12:00:00Z' });
  const { api } = account;
  const readers = addresses('reader', 12);
  const leads = addresses('lead', 18);
  const properties = { firstname: 'Mira', company: 'Fjell & Fjord AS' };
  const [first] = await newContacts(account, readers, { marketing: true, properties });
  await newContacts(account, leads, { properties: { company: 'Fair' } });
  await newContacts(account, addresses('gone', 2), { unsubscribed: true, bounced: true });
  const leave = (emails) =>
    api('POST', '/v1/contacts/non-marketing-pending', { contacts: emails.map((email) => ({ email })) });
  await leave(readers.slice(8, 10));
  // One period is closed, so that there is a statement.
  await api('POST', '/v1/account/test-clock', { now: BEGINNING });
  await leave(readers.slice(0, 3));

  const segment = await newSegment(account, 'Fair leads', 'company', 'Fair');
  const list = await newList(account, 'Trade fair 2024', leads.slice(0, 4));
  const own = await api('POST', '/v1/forms', { name: 'Newsletter', max_new_marketing_per_day: 25 });
  await api('POST', new URL(own.submit_url).pathname, { fields: { email: 'visitor@example.org' } });
  const provider = await newMistakenForm(account, 'Winter routes webinar');
  for (const name of ['mira', 'tea']) await provider.send(`${name}@example.org`);
  const { job } = await api('POST', '/v1/bulk/jobs',
    { action: 'set-marketing', confirm_count: leads.length, selection: { segment_id: segment.id } });
  await newUser(stack, account, { name: 'Lea Winter' });
  await newUser(stack, account, { name: 'Tom Adeyemi', role: 'admin' });
  return { account, first, segment, list, own, provider, job };
}

walk('every page in both schemes and at both widths', async ({ stack, step, open, signedIn, allow, inspect }) => {
  step('furnish an account');
  const { account, first, segment, list, own, provider, job } = await furnish(stack);

  step('inspect the sign-in');
  const door = await open();
  await door.goto(paths.signIn);
  await inspect(door, 'sign-in');
  allow(door, statuses.unknownToken);
  await signIn.token(door).fill('not a token');
  await signIn.submit(door).click();
  await seen(frame.heading(door, headings.signIn));
  await inspect(door, 'sign-in, unknown token');

  const page = await signedIn(account.token);
  for (const [name, path] of [
    ['overview', paths.overview],
    ['contacts', paths.contacts],
    ['contact', paths.contact(first.id)],
    ['segments', paths.segments],
    ['segment', paths.segment(segment.id)],
    ['static list', paths.segment(list.id)],
    ['review', paths.review],
    ['forms', paths.forms],
    ['new form', paths.newForm],
    ['own form', paths.form(own.id)],
    ["provider's form", paths.form(provider.id)],
    ['jobs', paths.jobs],
    ['job, done', paths.job(job.id)],
    ['statements', paths.statements],
    ['settings', paths.settings],
  ]) {
    step(`inspect ${name}`);
    await page.goto(path);
    await seen(frame.heading(page));
    await inspect(page, name);
  }

  step('inspect a filter');
  await page.goto(paths.contacts);
  await contacts.addCondition(page).click();
  await seen(contacts.condition.property(page, 1));
  await inspect(page, 'contacts, filter');

  step('inspect an unknown contact');
  allow(page, statuses.unknown);
  await page.goto(paths.contact(UNKNOWN));
  await seen(contact.unknown(page, UNKNOWN));
  await inspect(page, 'unknown contact');

  step('inspect the dialog as it is without its script');
  const still = await signedIn(account.token);
  await still.route('**/*.js', (route) => route.fulfill({ contentType: 'text/javascript', body: '' }));
  await tickAndPreview(still, addresses('lead', 1), contacts.set);
  await inspect(still, 'dialog without its script');

  step('inspect an account without contacts, which is no sandbox');
  const { token } = await newAccount(stack, { name: 'New', clock: null });
  const empty = await signedIn(token);
  await inspect(empty, 'overview, empty');
  for (const name of ['contacts', 'segments', 'review', 'forms', 'jobs', 'statements']) {
    await empty.goto(paths[name]);
    await inspect(empty, `${name}, empty`);
  }

  step('inspect the menu of a phone');
  const phone = await signedIn(account.token, { width: 360 });
  await frame.menu(phone).click();
  await seen(frame.entry(phone, entries.contacts));
  await inspect(phone, 'menu');
});
