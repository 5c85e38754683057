// The end of a session: signed out, the token revoked, the link used up, and what its cookie is like.

import assert from 'node:assert/strict';

import { seen } from '../checks.mjs';
import { contacts, entries, frame, headings, paths, signIn, statuses } from '../console.mjs';
import { newAccount, newUser } from '../seeds.mjs';
import { servePages } from '../serve.mjs';
import { goTo } from '../steps.mjs';
import { walk } from '../walk.mjs';

const HOURS_MAX = 12;

/** Asserts that a page of the console leads to the form for a token. */
async function isSignedOut(page) {
  await page.goto(paths.contacts);
  await seen(frame.heading(page, headings.signIn));
  assert.equal(new URL(page.url()).pathname, paths.signIn);
}

walk('signed out', async ({ stack, step, signedIn }) => {
  const { token } = await newAccount(stack);
  const page = await signedIn(token);
  const cookies = await page.context().cookies();

  step('look at the cookie');
  assert.equal(cookies.length, 1);
  const [cookie] = cookies;
  assert.deepEqual({ httpOnly: cookie.httpOnly, sameSite: cookie.sameSite }, { httpOnly: true, sameSite: 'Strict' });
  assert.ok(cookie.expires <= Date.now() / 1_000 + HOURS_MAX * 3_600, 'it lasts longer than a session');
  assert.ok(!cookie.value.includes(token), 'it holds the token');

  step('sign out');
  await frame.signOut(page).click();
  await seen(frame.heading(page, headings.signIn));
  await isSignedOut(page);

  step('bring the cookie back, which opens nothing');
  await page.context().addCookies([cookie]);
  await isSignedOut(page);
});

walk('the token revoked', async ({ stack, step, signedIn, allow }) => {
  const account = await newAccount(stack);
  const lea = await newUser(stack, account, { name: 'Lea Winter' });
  const page = await signedIn(lea.token);
  await goTo(page, 'contacts');
  await seen(contacts.search(page));

  step('revoke the token');
  await account.api('DELETE', `/v1/tokens/${lea.tokenId}`);
  await frame.entry(page, entries.overview).click();
  await seen(frame.heading(page, headings.signIn));

  step('try the token again');
  allow(page, statuses.unknownToken);
  await signIn.token(page).fill(lea.token);
  await signIn.submit(page).click();
  await seen(frame.heading(page, headings.signIn));
  await isSignedOut(page);
});

walk('the link that signs in works once', async ({ stack, step, open, allow }) => {
  assert.ok(stack.signInLink, 'the stack prints no link to /console/');
  const first = await open();
  step('use it');
  await first.goto(stack.signInLink);
  await seen(frame.heading(first, headings.overview));

  step('use it again, elsewhere');
  const second = await open();
  allow(second, statuses.unknown);
  await second.goto(stack.signInLink);
  await seen(frame.heading(second, headings.signIn));
  await isSignedOut(second);
});

walk('a page of another origin can neither post nor frame', async ({ stack, step, signedIn, tab, allow }) => {
  const { token } = await newAccount(stack);
  const page = await signedIn(token);
  const site = await servePages({
    '/form': `<form action="${stack.address}/console/sign-out" method="post"><button>Send</button></form>`,
    '/frame': `<iframe src="${stack.address}${paths.overview}" title="Console"></iframe>`,
  });
  try {
    // It has the same cookies: browsers send them between ports of one host.
    const other = await tab(page);
    allow(other, site.address, statuses.notAllowed, statuses.unknown, /frame-ancestors/);

    step('post a form');
    await other.goto(`${site.address}/form`);
    const [answer] = await Promise.all([
      other.waitForResponse((response) => response.request().method() === 'POST'),
      other.getByRole('button').click(),
    ]);
    assert.equal(answer.status(), statuses.notAllowed);
    await page.goto(paths.overview);
    await seen(frame.heading(page, headings.overview));

    step('show the console in a frame');
    await other.goto(`${site.address}/frame`);
    await seen(other.locator('iframe'));
    assert.equal(await other.frames()[1].getByRole('heading').count(), 0);
  } finally {
    await site.stop();
  }
});
