// Makes the pictures of the README: the overview, and the dialog over the contacts, in both schemes. They are written
// to the folder that the environment variable PICTURES names.

import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { seen } from './checks.mjs';
import { SCHEMES, launch, newContext } from './browser.mjs';
import { contacts, dialog, frame, headings, paths, signInWithToken } from './console.mjs';
import { forEachOf, newAccount, newMistakenForm, newSegment } from './seeds.mjs';
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

const FIRST_DAY = Date.UTC(2026, 9, 1, 12, 0);
const LAST_DAY = Date.UTC(2026, 10, 24, 13, 32);
const DAY = 86_400_000;

/** Makes an account with eight weeks of history: people come through forms, and some leave. */
async function furnish(stack) {
  const account = await newAccount(stack, { cap: 1_100, clock: new Date(FIRST_DAY).toISOString() });
  const { api } = account;
  const crowd = people();
  const pick = (count) => crowd.splice(0, count);
  const create = (group, more) => forEachOf(group, (person) => api('POST', '/v1/contacts', { ...person, ...more }));

  const readers = pick(580);
  await create(readers, { marketing: true });
  const submitUrls = [];
  for (const name of ['Newsletter', 'Winter routes webinar', 'Gear giveaway']) {
    const { submit_url: url } = await api('POST', '/v1/forms', { name });
    submitUrls.push(new URL(url).pathname);
  }

  for (let day = 1; FIRST_DAY + day * DAY < LAST_DAY; day += 1) {
    await api('POST', '/v1/account/test-clock', { now: new Date(FIRST_DAY + day * DAY).toISOString() });
    // More on some days than on others, and most through the first form.
    const arrivals = 2 + (day * 7) % 5;
    for (const [index, { email, properties }] of pick(arrivals).entries()) {
      const url = submitUrls[(index * index + day) % 4 % submitUrls.length];
      await api('POST', url, { fields: { email, ...properties } });
    }
    const leavers = readers.splice(0, 1 + (day * 3) % 4).map(({ email }) => ({ email }));
    await api('POST', '/v1/contacts/non-marketing-pending', { contacts: leavers });
  }
  await api('POST', '/v1/account/test-clock', { now: new Date(LAST_DAY).toISOString() });

  const company = 'Alpine club';
  await create(pick(81).map((person) => ({ ...person, properties: { ...person.properties, company } })),
    { source: { type: 'import', name: 'Autumn fair 2026.csv' } });
  await newSegment(account, 'Webinar and fair leads', 'company', company);
  const form = await newMistakenForm(account, 'Trip request');
  for (const { email } of pick(2)) await form.send(email);
  return account;
}

/** Opens the dialog that shows the consequence of setting a segment. */
async function openDialog(page) {
  await chooseAllOf(page, 'Webinar and fair leads');
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
  const { token } = await furnish(stack);
  for (const scheme of SCHEMES) {
    // The console's policy allows no other style than its own, so it is off here: these pages are shown, not checked.
    const context = await newContext(browser, { baseURL: stack.address, scheme, ...SIZE, bypassCSP: true });
    const page = await context.newPage();
    await signInWithToken(page, token);
    await openOverview(page);
    await take(page, `overview-${scheme}`);
    await openDialog(page);
    await take(page, `contacts-dialog-${scheme}`);
    await context.close();
  }
} finally {
  await browser.close();
  await stack.stop();
}
