// A form made in the console, embedded in a page of another origin, submitted by the browser, and seen arriving.

import assert from 'node:assert/strict';

import { eventually, says, seen } from '../checks.mjs';
import { contact, contacts, form, forms, frame, headings, newForm, states, usage } from '../console.mjs';
import { newAccount } from '../seeds.mjs';
import { servePages } from '../serve.mjs';
import { goTo, openContact } from '../steps.mjs';
import { walk } from '../walk.mjs';

const VISITOR = 'visitor@example.org';

/** A page of somebody's site, with the HTML that the console gave. */
const siteWith = (html) => `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Our newsletter</title>
<link rel="icon" href="data:,"></head><body><h1>Our newsletter</h1>${html}</body></html>`;

walk('a form made, embedded elsewhere and submitted', async ({ stack, step, signedIn, open, allow }) => {
  const account = await newAccount(stack);
  const page = await signedIn(account.token);

  step('make the form');
  await goTo(page, 'forms');
  await forms.create(page).click();
  await seen(frame.heading(page, headings.newForm));
  await newForm.name(page).fill('Newsletter');
  await newForm.provider(page).selectOption(newForm.ownForm);
  await newForm.submit(page).click();
  await seen(frame.heading(page, 'Newsletter'));

  step('embed it in a page of another origin');
  const html = await form.snippet(page).innerText();
  assert.match(html, new RegExp(`action="${stack.address}/`));
  const site = await servePages({ '/': siteWith(html) });
  try {
    const visitor = await open({ baseURL: site.address });
    // The site itself, and what a browser asks of any site.
    allow(visitor, site.address, stack.address);
    await visitor.goto('/');

    step('submit it as a visitor');
    await visitor.getByLabel(form.embedded.address).fill(VISITOR);
    const [answer] = await Promise.all([
      visitor.waitForResponse((response) => response.request().method() === 'POST'),
      visitor.getByRole('button', { name: form.embedded.submit }).click(),
    ]);
    assert.equal(answer.status(), 200);
    assert.equal(new URL(answer.url()).origin, stack.address);
    await visitor.context().close();
  } finally {
    await site.stop();
  }

  step('see it arrive');
  await eventually(async () => {
    await page.reload();
    assert.notEqual(await form.counts(page, 1, '1 set').count(), 0);
  });
  await openContact(page, VISITOR);
  await seen(contact.sentence(page, states.marketing));
  await says(contact.history(page).nth(1), /Newsletter/);
  await says(frame.usage(page), usage({ marketing: 1, limit: 1_000 }));
  await goTo(page, 'contacts');
  await says(contacts.state(page, VISITOR), states.marketing);
});
