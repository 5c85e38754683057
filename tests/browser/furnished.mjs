// An account in which no page is empty.

import assert from 'node:assert/strict';

import { eventually } from './checks.mjs';
import {
  BEGINNING, addresses, newAccount, newContacts, newImportOf, newList, newMistakenForm, newSegment, newUser,
} from './seeds.mjs';

/** Closes one period, so that there is a statement, and leaves three contacts leaving. */
async function passMonth({ api }, readers) {
  const leave = (emails) =>
    api('POST', '/v1/contacts/non-marketing-pending', { contacts: emails.map((email) => ({ email })) });
  await leave(readers.slice(8, 10));
  await api('POST', '/v1/account/test-clock', { now: BEGINNING });
  await leave(readers.slice(0, 3));
}

/** Creates an own form with a submission, and a provider's form with two rejected ones. */
async function newForms(account) {
  const { api } = account;
  const own = await api('POST', '/v1/forms', { name: 'Newsletter', max_new_marketing_per_day: 25 });
  await api('POST', new URL(own.submit_url).pathname, { fields: { email: 'visitor@example.org' } });
  const provider = await newMistakenForm(account, 'Winter routes webinar');
  for (const name of ['mira', 'tea']) await provider.send(`${name}@example.org`);
  return { own, provider };
}

/** Creates an automation that its brake has paused, and one that is off. They have a segment of their own. */
async function newAutomations(account) {
  const { api } = account;
  const enrol = { segment_id: (await newSegment(account, 'Early birds', 'company', 'Early')).id };
  const create = (more) => api('POST', '/v1/automations', { enrol, action: 'set-marketing', ...more });
  const paused = await create({ name: 'Early birds become marketing', pause_above: 1, enabled: true });
  const off = await create({ name: 'Early birds, later', max_per_day: 100 });
  await newContacts(account, addresses('early', 2), { properties: { company: 'Early' } });
  await eventually(async () => {
    assert.equal((await api('GET', `/v1/automations/${paused.id}`)).state, 'paused');
  });
  return { paused, off };
}

/** Imports a file, leaves another import before its start, and exports all contacts. */
async function newTransfers(account) {
  const { api } = account;
  const lines = ['E-mail,First name,Notes,Email 2', 'guest@example.org,Gast,from the fair,', 'broken,Bob,,'];
  const [imported, waiting] = [
    await newImportOf(account, 'trade-fair.csv', lines, { set_marketing: true }),
    await newImportOf(account, 'spring.csv', lines, { set_marketing: true, clear_flags: true }),
  ];
  await api('POST', `/v1/imports/${imported.id}/start`);
  const exported = await api('POST', '/v1/exports', { selection: { filterGroups: [] } });
  await eventually(async () => {
    assert.equal((await api('GET', `/v1/imports/${imported.id}`)).state, 'done');
    assert.equal((await api('GET', `/v1/exports/${exported.id}`)).state, 'done');
  });
  return { imported, waiting, exported };
}

/** Makes an account in which no page is empty. Returns it with the things that have a page. */
export async function furnishedAccount(stack) {
  const account = await newAccount(stack, { cap: 20, clock: '2026-10-20T12:00:00Z' });
  const { api } = account;
  const [readers, leads] = [addresses('reader', 12), addresses('lead', 14)];
  const properties = { firstname: 'Mira', company: 'Fjell & Fjord AS' };
  const [leaving, , , marketing] = await newContacts(account, readers, { marketing: true, properties });
  await newContacts(account, addresses('unreached', 1), { marketing: true, unsubscribed: true });
  await newContacts(account, addresses('gone', 2), { unsubscribed: true, bounced: true });
  const free = (await newContacts(account, leads, { properties: { company: 'Fair' } })).at(-1);
  await passMonth(account, readers);

  const segment = await newSegment(account, 'Fair leads', 'company', 'Fair');
  const automations = await newAutomations(account);
  await api('PATCH', `/v1/contacts/${marketing.id}`, { properties: { firstname: 'Mira Sofie', company: null } });
  const list = await newList(account, 'Trade fair 2024', leads.slice(0, 4));
  const forms = await newForms(account);
  const transfers = await newTransfers(account);
  const { job } = await api('POST', '/v1/bulk/jobs',
    { action: 'set-marketing', confirm_count: leads.length, selection: { segment_id: segment.id } });
  await eventually(async () => {
    assert.equal((await api('GET', `/v1/bulk/jobs/${job.id}`)).state, 'done');
  });
  const lea = await newUser(stack, account, { name: 'Lea Winter' });
  const tom = await newUser(stack, account, { name: 'Tom Adeyemi', role: 'admin' });
  return { ...account, transfers, marketing, leaving, free, leads, segment, list, automations, ...forms, job, lea, tom };
}

