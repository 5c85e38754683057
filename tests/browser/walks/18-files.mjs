// Contacts imported from a file and exported to one: previewed, changed, started, cancelled and downloaded.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import { absent, at, eventually, says, seen } from '../checks.mjs';
import {
  contacts, dialog, exportPage, frame, headings, importPage, newImport, number, paths, statuses, usage,
} from '../console.mjs';
import { addresses, newAccount, newContacts } from '../seeds.mjs';
import { goTo } from '../steps.mjs';
import { walk } from '../walk.mjs';

const LINES = [
  'E-mail;First name;Town;Notes', 'ada@example.org;Ada;Zürich;likes "maps"', 'broken;Bob;;', 'grace@example.org;Grace;;',
];

/** The size above which a form does not take a file. */
const FORM_BYTES_MAX = 4 * 1024 * 1024;

/** The rows of a file above that size. */
const ROWS = 20_000;

/** Returns the origin of the file server, which the page of a new import names in its policy. */
async function fileOrigin(page) {
  const response = await page.goto(paths.newImport);
  return response.headers()['content-security-policy'].match(/connect-src 'self' (\S+);/)[1];
}

/** Chooses a file with these lines. */
function choose(page, name, lines) {
  return newImport.file(page).setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });
}

/** Follows a link to a file and returns its text. */
async function downloaded(page, link) {
  const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return readFile(await download.path(), 'utf8');
}

/** Waits until something is done. Without scripts the page has to be loaded again. */
async function ends(page, done, { scripts }) {
  if (scripts) return seen(done(page));
  return eventually(async () => {
    await page.reload();
    await done(page).first().waitFor({ timeout: 500 });
  });
}

async function importAndExport({ stack, step, allow, signedIn, inspect }, { scripts }) {
  const account = await newAccount(stack, { cap: 5 });
  await newContacts(account, addresses('reader', 1), { marketing: true });
  const page = await signedIn(account.token, { javaScript: scripts });
  allow(page, await fileOrigin(page));
  const look = (name) => (scripts ? inspect(page, name) : null);

  step('choose a file that is no list of contacts');
  await goTo(page, 'files');
  await newImport.open(page).click();
  await seen(frame.heading(page, headings.newImport));
  allow(page, statuses.invalid);
  await choose(page, 'towns.csv', ['Town', 'Rome']);
  await newImport.asMarketing(page).check();
  await newImport.go(page).click();
  await says(newImport.error(page), /^The file has no column with email addresses\./);
  await look('new import, refused');

  step('see how a file is read');
  await choose(page, 'spring.csv', LINES);
  await newImport.go(page).click();
  await seen(importPage.heading(page, 'spring.csv'));
  await seen(importPage.becomeMarketing(page, 2));
  await says(importPage.outcome(page, importPage.outcomes.new), 2);
  await importPage.eachRow(page).click();
  await look('import, each row');
  assert.equal((await account.api('GET', '/v1/usage')).marketing, 1);

  step('change where columns go');
  await importPage.goesTo(page, 'Notes').selectOption('Not imported');
  await importPage.goesToOther(page, 'Town').fill('Home Town');
  await importPage.apply(page).click();
  await seen(frame.alert(page));
  await look('import, a change refused');
  await importPage.goesToOther(page, 'Town').fill('home_town');
  await importPage.apply(page).click();
  await seen(importPage.applied(page));

  step('start it');
  await importPage.start(page).click();
  await ends(page, importPage.done, { scripts });
  await says(importPage.outcome(page, importPage.outcomes.failed), 1);
  await says(importPage.outcome(page, importPage.outcomes.set), 2);
  await says(frame.usage(page), usage({ marketing: 3, limit: 1_000 }));
  await look('import, imported');

  step('download what failed');
  const failed = await downloaded(page, importPage.failedRows(page));
  assert.match(failed, /broken/);
  assert.doesNotMatch(failed, /grace/);

  step('export the selection');
  await goTo(page, 'contacts');
  await contacts.tick(page, 'ada@example.org').check();
  await contacts.export(page);
  await seen(dialog.root(page));
  await look('dialog, export');
  await exportPage.confirm(page).click();
  await ends(page, exportPage.done, { scripts });
  const file = await downloaded(page, exportPage.download(page));
  assert.match(file, /ada@example\.org.*Zürich/);
  assert.doesNotMatch(file, /grace|likes/);
}

walk('contacts imported and exported', (walker) => importAndExport(walker, { scripts: true }));

walk('contacts imported and exported without JavaScript', (walker) => importAndExport(walker, { scripts: false }));

walk('a file that is too large for a form', async ({ stack, step, allow, signedIn, inspect }) => {
  const account = await newAccount(stack);
  const page = await signedIn(account.token);
  const origin = await fileOrigin(page);
  allow(page, origin);
  const people = addresses('person', ROWS).map((address) => `${address},${'Mira Sofie '.repeat(20)}`);
  const lines = ['email,firstname', ...people];
  assert.ok(lines.join('\n').length > FORM_BYTES_MAX);

  step('send it while the file server does not answer');
  await page.route(`${origin}/**`, (route) => route.abort('aborted'));
  await choose(page, 'people.csv', lines);
  await newImport.go(page).click();
  await seen(newImport.notSent(page));
  await inspect(page, 'new import, not sent');
  await page.unroute(`${origin}/**`);

  step('send it again, with progress');
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route(`${origin}/**`, async (route) => { await held; await route.continue(); });
  await newImport.go(page).click();
  await seen(newImport.sending(page));
  await inspect(page, 'new import, sending');
  release();
  await seen(importPage.heading(page, 'people.csv'));
  await says(importPage.outcome(page, importPage.outcomes.new), 100);

  step('start it, and cancel the rest');
  await importPage.start(page).click();
  await seen(importPage.progress(page, ROWS));
  await importPage.cancel(page).click();
  await seen(dialog.root(page));
  await inspect(page, 'import, running, with the question');
  await importPage.confirmCancel(page).click();
  await seen(importPage.cancelled(page));
  await absent(dialog.root(page));
  await at(page, paths.import(page.url().split('/').at(-1)));
  const { summary } = await account.api('GET', `/v1/imports/${page.url().split('/').at(-1)}`);
  assert.ok(summary.created > 0 && summary.created < ROWS, `${number(summary.created)} were created`);
  await seen(importPage.allRows(page));
});
