// What the walks begin with, made through the HTTP API. Each walk has an account of its own.

/** So many requests at once are the fastest for one account: its changes write one common item. */
const REQUESTS_AT_ONCE = 6;

/** The instant at which the clocks of the walks' accounts begin. The next update date is 1 December 2026. */
export const BEGINNING = '2026-11-10T12:00:00Z';

/** Calls `work` for each item, a few at a time. Returns the results in the order of the items. */
export async function forEachOf(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
  return results;
}

/** Binds the stack's `api` to a token. */
function caller(stack, token) {
  return (method, path, body, options = {}) => stack.api(method, path, body, { token, ...options });
}

/**
 * Creates an account in Berlin's time zone. `included` is the size of its tier, `cap` its cap. It is a sandbox, unless
 * its `clock` is `null`. The result has the `token` of its admin and an `api` that uses it.
 */
export async function newAccount(stack, {
  name = 'Kestrel Outdoor', included = 1_000, cap = null, clock = BEGINNING,
} = {}) {
  const calendar = { term: 'annual', renewal_date: '2026-01-01', time_zone: 'Europe/Berlin' };
  const terms = { ...calendar, cap, tier: { included, block: 1_000 }, ...(clock && { test_clock: clock }) };
  const { account, token } = await stack.api('POST', '/v1/accounts', { name, ...terms },
    { token: stack.operatorToken });
  return { id: account.id, token, api: caller(stack, token) };
}

/** Returns the demo account, whose token the stack prints. */
export function demoAccount(stack) {
  return { token: stack.token, api: caller(stack, stack.token) };
}

/** Adds a user with a token. */
export async function newUser(stack, account, { name, role = 'member', mayChange = true }) {
  const email = `${name.toLowerCase().replace(/\W+/g, '.')}@kestrel.example`;
  const user = await account.api('POST', '/v1/users', { name, email, role, modify_marketing_contacts: mayChange });
  const { id, token } = await account.api('POST', '/v1/tokens', { user_id: user.id });
  return { ...user, token, tokenId: id, api: caller(stack, token) };
}

/** Creates contacts with these addresses. `more` are further members, the same for all. */
export function newContacts(account, addresses, more = {}) {
  return forEachOf(addresses, (email) => account.api('POST', '/v1/contacts', { email, ...more }));
}

/** Returns `count` addresses that begin with `prefix`. */
export function addresses(prefix, count) {
  return Array.from({ length: count }, (_, index) => `${prefix}.${String(index + 1).padStart(4, '0')}@example.org`);
}

/** Creates a static list of contacts. */
export function newList(account, name, emails) {
  return account.api('POST', '/v1/segments', { name, contacts: emails.map((email) => ({ email })) });
}

/** Creates a segment of the contacts whose property has this value. */
export function newSegment(account, name, propertyName, value) {
  const filters = [{ propertyName, operator: 'EQ', value }];
  return account.api('POST', '/v1/segments', { name, filterGroups: [{ filters }] });
}

/** Creates an import with its file, which does not start. `options` are those of the API. */
export async function newImportOf(account, name, lines, options = {}) {
  const created = await account.api('POST', '/v1/imports', { name, options });
  await fetch(created.upload.url, { method: 'PUT', headers: created.upload.headers, body: lines.join('\n') });
  return created;
}

/** The name of the field that holds the address in a provider's form of the walks. */
export const ADDRESS_FIELD = 'question_K1';

const SECRET = 'the-secret-of-this-form';

/**
 * Creates a provider's form whose field map takes the address for a first name, so that it rejects what is sent. The
 * result has a `send` that posts one submission to its webhook.
 */
export async function newMistakenForm(account, name) {
  const form = await account.api('POST', '/v1/forms',
    { name, provider: 'generic', secrets: [SECRET], set_marketing: true, field_map: { [ADDRESS_FIELD]: 'firstname' } });
  const hook = new URL(form.webhook_url).pathname;
  const send = (email) => account.api('POST', `${hook}?secret=${SECRET}`, { [ADDRESS_FIELD]: email });
  return { ...form, send };
}
