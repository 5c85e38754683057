// Makes the pictures of the README: the overview, and the dialog over the contacts, in both schemes. They are written
// to the folder that the environment variable PICTURES names.

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { seen } from './checks.mjs';
import { SCHEMES, launch, newContext } from './browser.mjs';
import { contacts, dialog, frame, headings, paths, signInWithToken } from './console.mjs';
import {
  ADDRESS_FIELD, addresses, forEachOf, newAccount, newContacts, newList, newMistakenForm, newSegment, newUser,
} from './seeds.mjs';
import { startStack } from './stack.mjs';
import { chooseAllOf } from './steps.mjs';

const FOLDER = process.env.PICTURES ?? fileURLToPath(new URL('pictures', import.meta.url));
const BYTES_MAX = 200_000;
const SIZE = { width: 1_280, height: 800 };

/** The same font on every machine. */
const FONT = ':root { --sans: "Inter", sans-serif; }';

const FIRST_NAMES = `Ada Anton Ben Clara Daniel Elin Farida Gaelle Henrik Igor Jonas Kit Lea Lotte Max Mira Noor Paula
  Ruth Santi Sofia Tea Tom Uma Yara`.split(/\s+/);
const LAST_NAMES = `Adeyemi Albrecht Baker Brandt Costa Devries Ekman Ferreira Fischer Garcia Haddad Ibarra Ivanov
  Jensen Kowalczyk Lang Lindqvist Marchetti Moreau Nakamura Novak Oduya Okello Petrov Quint Rossi Solheim Steiner
  Thorne Tran Urban Varga Walker Winter Yilmaz Zhang Zeller`.split(/\s+/);

/** Returns the people of the pictures: always the same, each with another name. */
function people() {
  const count = FIRST_NAMES.length * LAST_NAMES.length;
  // A step without a common divisor with the count visits each pair of names once.
  return Array.from({ length: count }, (_, index) => {
    const place = (index * 389) % count;
    const firstname = FIRST_NAMES[place % FIRST_NAMES.length];
    const lastname = LAST_NAMES[Math.floor(place / FIRST_NAMES.length)];
    return { email: `${firstname}.${lastname}@example.org`.toLowerCase(), properties: { firstname, lastname } };
  });
}

/** A segment, and the company of its contacts. */
const SEGMENT = 'Webinar and fair leads';
const COMPANY = 'Alpine club';

/** At most so many contacts are queued in one request. */
const QUEUED_AT_ONCE = 98;

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 24, 13, 32);

/** The periods since the account began: the instant at which each begins, who comes in it, and who leaves at its end. */
const PERIODS = [
  ['2026-04-05T08:00:00Z', 3_300, 60],
  ['2026-05-01T08:00:00Z', 150, 85],
  ['2026-06-01T08:00:00Z', 170, 110],
  ['2026-07-01T08:00:00Z', 140, 95],
  ['2026-08-01T08:00:00Z', 210, 150],
  ['2026-09-01T08:00:00Z', 260, 170],
  ['2026-10-01T08:00:00Z', 342, 214],
  ['2026-11-01T08:00:00Z', 179, 348],
];

/** The own forms, and how many people each sets as marketing, besides those of `PERIODS`. */
const OWN_FORMS = [['Newsletter', 142], ['Gear giveaway', 25]];

/** The provider's form, and how many submissions it takes and rejects. */
const WEBINAR = { name: 'Winter routes webinar', taken: 86, rejected: 7 };

const LEADS = 812;

/** The sources of the leads. The first is the most frequent one. */
const SOURCES = [
  { type: 'import', name: 'Autumn fair 2026.csv' }, { type: 'integration', name: 'Shop' },
  { type: 'chatflow', name: 'Trip adviser' },
];

const moveClock = ({ api }, now) => api('POST', '/v1/account/test-clock', { now: new Date(now).toISOString() });

/** Lets people come and leave, period by period. */
async function passPeriods(account) {
  const all = addresses('reader', PERIODS.reduce((sum, [, come]) => sum + come, 0));
  let [come, gone] = [0, 0];
  for (const [index, [begins, coming, leaving]] of PERIODS.entries()) {
    if (index > 0) await moveClock(account, begins);
    await newContacts(account, all.slice(come, come + coming), { marketing: true });
    come += coming;
    for (const end = gone + leaving; gone < end;) {
      const some = all.slice(gone, Math.min(end, gone + QUEUED_AT_ONCE)).map((email) => ({ email }));
      await account.api('POST', '/v1/contacts/non-marketing-pending', { contacts: some });
      gone += some.length;
    }
  }
}

/** Creates the forms and submits them. */
async function submitForms(account) {
  const { api } = account;
  for (const [name, count] of OWN_FORMS) {
    const { submit_url: url } = await api('POST', '/v1/forms', { name });
    for (const email of addresses(name.split(' ')[0].toLowerCase(), count)) {
      await api('POST', new URL(url).pathname, { fields: { email } });
    }
  }
  const { id, send } = await newMistakenForm(account, WEBINAR.name);
  for (const email of addresses('rejected', WEBINAR.rejected)) await send(email);
  await api('PATCH', `/v1/forms/${id}`, { field_map: { [ADDRESS_FIELD]: 'email' } });
  for (const email of addresses('skier', WEBINAR.taken)) await send(email);
}

/** Creates the leads: the last ones one after the other, so that each has an instant of its own. */
async function newLeads(account, leads) {
  const create = ({ email, properties }, index) => account.api('POST', '/v1/contacts', {
    email,
    properties: { ...properties, company: COMPANY },
    source: SOURCES[index % 7 % 4 % SOURCES.length],
    ...(index % 29 === 4 && { [index % 2 ? 'bounced' : 'unsubscribed']: true }),
  });
  const last = 24;
  await forEachOf(leads.slice(0, -last), create);
  for (const [index, lead] of leads.slice(-last).entries()) {
    const before = (last - 1 - index) * 5.7 * HOUR + ((index * 37) % 60) * 60_000;
    await moveClock(account, NOW - before - HOUR);
    await create(lead, index);
  }
  await moveClock(account, NOW);
}

/** Makes an account with eight months of history, and returns the token of its admin. */
async function furnish(stack) {
  const account = await newAccount(stack, { included: 5_000, cap: 5_500, clock: PERIODS[0][0] });
  const ines = await newUser(stack, account, { name: 'Ines Varga', role: 'admin' });
  await passPeriods(ines);
  await submitForms(ines);
  const leads = people().slice(0, LEADS);
  await newLeads(ines, leads);
  await newSegment(ines, SEGMENT, 'company', COMPANY);
  await newList(ines, 'Trade fair 2024', leads.slice(0, 48).map(({ email }) => email));
  return ines.token;
}

/** Opens the dialog that shows the consequence of setting a segment. */
async function openDialog(page) {
  await chooseAllOf(page, SEGMENT);
  await contacts.set(page).click();
  await seen(dialog.root(page));
}

async function openOverview(page) {
  await page.goto(paths.overview);
  await seen(frame.heading(page, headings.overview));
}

/** Takes a picture of what the window shows, and checks its size. */
async function take(page, name) {
  await page.addStyleTag({ content: FONT });
  const path = join(FOLDER, `${name}.png`);
  await page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  const { size } = await stat(path);
  console.log(`${path}: ${size} bytes`);
  if (size > BYTES_MAX) throw new Error(`${path} is larger than ${BYTES_MAX} bytes`);
}

await mkdir(FOLDER, { recursive: true });
const stack = await startStack();
const browser = await launch();
try {
  const token = await furnish(stack);
  for (const scheme of SCHEMES) {
    // The console's policy allows no other style than its own, so it is off here: these pages are shown, not checked.
    const context = await newContext(browser, { baseURL: stack.address, scheme, ...SIZE, bypassCSP: true });
    const page = await context.newPage();
    await signInWithToken(page, token);
    await openOverview(page);
    await take(page, `overview-${scheme}`);
    await openDialog(page);
    await take(page, `dialog-${scheme}`);
    await context.close();
  }
} finally {
  await browser.close();
  await stack.stop();
}
