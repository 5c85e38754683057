// Everything that the walks expect of the console's pages: addresses, statuses, texts, and where their parts are. A
// part is found by its role and name, as a person and a screen reader find it. If a page changes, this file changes.

/** Where the pages are. */
export const paths = {
  overview: '/console',
  contacts: '/console/contacts',
  unengaged: '/console/contacts?state=unengaged',
  contactsOf: (segment) => `/console/contacts?segment=${segment}`,
  contact: (id) => `/console/contacts/${id}`,
  newContact: '/console/contacts/new',
  deleteContact: (id) => `/console/contacts/${id}/delete`,
  values: (id) => `/console/contacts/${id}/values`,
  eraseContact: (id) => `/console/contacts/${id}/erase`,
  segments: '/console/segments',
  segment: (id) => `/console/segments/${id}`,
  deleteSegment: (id) => `/console/segments/${id}/delete`,
  review: '/console/review',
  forms: '/console/forms',
  newForm: '/console/forms/new',
  form: (id) => `/console/forms/${id}`,
  deleteForm: (id) => `/console/forms/${id}/delete`,
  usage: '/console/usage',
  usageOf: (days) => `/console/usage?days=${days}`,
  automations: '/console/automations',
  newAutomation: '/console/automations/new',
  automation: (id) => `/console/automations/${id}`,
  deleteAutomation: (id) => `/console/automations/${id}/delete`,
  files: '/console/imports',
  newImport: '/console/imports/new',
  import: (id) => `/console/imports/${id}`,
  cancelImport: (id) => `/console/imports/${id}/cancel`,
  exports: '/console/exports',
  export: (id) => `/console/exports/${id}`,
  jobs: '/console/jobs',
  job: (id) => `/console/jobs/${id}`,
  statements: '/console/statements',
  settings: '/console/settings',
  rename: '/console/settings/name',
  user: (id) => `/console/settings/users/${id}`,
  newUser: '/console/settings/users/new',
  newToken: '/console/settings/tokens/new',
  newIntegration: '/console/settings/integrations/new',
  revokeToken: (id) => `/console/settings/tokens/${id}/revoke`,
  signIn: '/console/sign-in',
};

/** The names of the pages in the navigation. */
export const entries = {
  overview: 'Overview',
  contacts: 'Contacts',
  segments: 'Segments',
  review: 'Review',
  forms: 'Forms',
  automations: 'Automations',
  files: 'Imports and exports',
  jobs: 'Jobs',
  statements: 'Statements',
  settings: 'Settings',
};

/** The first heading of each page. */
export const headings = {
  ...entries,
  review: 'Review of marketing contacts',
  newForm: 'Create a form',
  newAutomation: 'Create an automation',
  newImport: 'Import contacts',
  usage: 'Usage over time',
  values: 'Property history',
  signIn: 'Sign in',
};

/** The statuses of pages that refuse something. */
export const statuses = {
  unknownToken: 422,
  invalid: 400,
  notAllowed: 403,
  unknown: 404,
  conflict: 409,
  wrongNumber: 409,
  changedMeanwhile: 412,
  notPossible: 422,
};

/** The states of a contact. */
export const states = { marketing: 'Marketing', leaving: 'Leaving', free: 'Non-marketing' };

/** Returns a number as the console writes it, such as `5,000`. */
export const number = (value) => value.toLocaleString('en-GB');

const exactly = (name) => ({ name, exact: true });
// A name as a text is the whole name here; one that begins or ends otherwise is a pattern.
const button = (within, name) => within.getByRole('button', exactly(name));
const link = (within, name) => within.getByRole('link', exactly(name));

/** A field by its label. */
export const field = (label) => (page) => page.getByLabel(label, { exact: true });

/** The message to which a field refers. */
export async function errorOf(control) {
  const ids = (await control.getAttribute('aria-describedby') ?? '').split(' ');
  const messages = ids.map((id) => `.error[id="${id}"], [id="${id}"] .error`);
  return control.page().locator(messages.join(', '));
}

/** What every page has. */
export const frame = {
  heading: (page, name) => page.getByRole('heading', { level: 1, ...(name && { name }) }),
  skip: (page) => link(page, 'Skip to the content'),
  main: (page) => page.getByRole('main'),
  /** An entry of the navigation. Its name may go on with a count, such as "Forms 7 rejected submissions". */
  entry: (page, name) => link(page.getByRole('navigation', exactly('Console')), new RegExp(`^${name}\\b`)),
  menu: (page) => button(page, 'Menu'),
  /** The sentence below the account's name: "4,120 of 5,000, 348 leaving". */
  usage: (page) => page.getByRole('banner').getByText(/^[\d,]+ of [\d,]+/),
  signOut: (page) => button(page, 'Sign out'),
  /** The note about what was refused. */
  alert: (page) => page.getByRole('alert'),
};

/** Returns what `frame.usage` says. */
export function usage({ marketing, limit, leaving = 0 }) {
  const part = leaving === 0 ? '(, 0 leaving)?' : `, ${number(leaving)} leaving`;
  return new RegExp(`^${number(marketing)} of ${number(limit)}${part}$`);
}

export const clock = {
  bar: (page) => page.getByRole('complementary', exactly('Sandbox clock')),
  day: (page) => button(clock.bar(page), 'Forward one day'),
  /** Its name has the date: "To 1 ms before 1 December". */
  lastMillisecond: (page) => button(clock.bar(page), /^To 1 ms before /),
  /** "To 1 December, 00:00". */
  updateDate: (page) => button(clock.bar(page), /^To \d+ \w+( \d{4})?, 00:00$/),
  instant: (page) => clock.bar(page).getByRole('time').first(),
};

export const signIn = {
  token: (page) => page.getByLabel('Token', { exact: true }),
  submit: (page) => button(page, 'Sign in'),
};

export const overview = {
  /** The numbers at the top, each the description of a term. */
  figure: (page, term) => page.locator('dl > div').filter({ has: page.getByText(term, { exact: true }) })
    .getByRole('definition').first(),
  terms: { now: 'Marketing contacts now', rest: 'Remaining after that' },
  review: (page) => link(page, /^Review before /),
  usage: (page) => link(page, 'Usage by day, and its forecast'),
  /** What leads to an automation that waits for a person. */
  decide: (page, automation) => link(page, `Decide about ${automation}`),
  /** What leads from an event to the page about it. */
  happened: (page, sentence) => link(page.getByRole('region', exactly('What happened')), sentence),
};

export const usagePage = {
  range: (page, days) => link(page.getByRole('navigation', exactly('Range')), `${number(days)} days`),
  picture: (page) => page.getByRole('img', { name: /^Usage (by day|on)/ }),
  /** A sentence of the forecast by its name. */
  forecast: (page, term) => page.locator('dl > div').filter({ has: page.getByText(term, { exact: true }) })
    .getByRole('definition'),
  days: (page) => page.getByRole('table', { name: /^Usage by day/ }).locator('tbody tr'),
};

export const automation = {
  create: (page) => link(page, 'Create an automation'),
  name: field('Name'),
  segment: (page) => page.getByLabel('Segment', { exact: true }),
  submit: (page) => button(page, 'Create it, switched off'),
  matching: (page, count, changing) =>
    page.getByText(new RegExp(`^${number(count)} contacts? match(es)? now, of which ${number(changing)} would change`)),
  count: (page) => page.getByLabel('Type the number of contacts that match now'),
  enrol: (page) => button(page, 'Switch it on and enrol them'),
  wrongNumber: (page, typed, matching) => page.getByText(`You typed ${typed}. ${matching} contacts match.`),
  brake: field('Pause above this number in an hour'),
  save: (page) => button(page, 'Save'),
  on: (page) => button(page, /^Switch it on, for changes from now on$/),
  state: (page) => frame.main(page).getByText(/^(On|Off|Paused)$/),
  contact: field('Address or id of a contact'),
  try: (page) => button(page, 'Try it'),
  result: (page) => page.getByRole('status').filter({ hasText: 'Result for' }),
  keep: (page) => button(page, 'Go on with those who wait'),
  runs: (page) => page.getByRole('table', { name: /^Contacts by day/ }).locator('tbody tr'),
  delete: (page) => link(page, 'Delete this automation'),
  confirmDelete: (page) => button(page, 'Delete this automation'),
};

export const values = {
  open: (page) => link(page, 'Property history'),
  /** The changes, newest first. */
  changes: (page) => frame.main(page).locator('section'),
  setBack: (page) => button(page, /^Set this change back/),
  note: (page) => page.getByRole('status').filter({ hasText: /^Set back:/ }),
};

export const contacts = {
  search: (page) => page.getByRole('searchbox', { name: 'Address or words' }),
  searchButton: (page) => button(page, 'Search'),
  /** A saved segment. Its name goes on with its count, if there is one. */
  tab: (page, name) => link(page.getByRole('navigation', exactly('Segments')), new RegExp(`^${name}\\b`)),
  row: (page, address) => page.getByRole('row').filter({ has: link(page, address) }),
  tick: (page, address) => page.getByRole('checkbox', exactly(address)),
  /** Those of the rows. */
  ticks: (page) => page.locator('tbody').getByRole('checkbox'),
  tickPage: (page) => page.getByRole('checkbox', { name: /^Tick the .* on this page$/ }),
  /** Its name begins with the number of contacts that are ticked. */
  ticked: (page, count) => page.getByRole('radio', exactly(`${count} ticked on this page`)),
  all: (page) => page.getByRole('radio', { name: /^all\b/ }),
  set: (page) => button(page, 'Set as marketing'),
  queue: (page) => button(page, 'Set as non-marketing'),
  saveSegment: (page) => button(page, 'Save as a segment'),
  async addToList(page) {
    await frame.main(page).getByText('More', { exact: true }).click();
    await button(page, 'Add to a list').click();
  },
  async export(page) {
    await frame.main(page).getByText('More', { exact: true }).click();
    await button(page, 'Export').click();
  },
  noMatch: (page) => page.getByText('No contact matches.'),
  open: (page, address) => link(page, address),
  state: (page, address) => contacts.row(page, address).getByText(/^(Marketing|Leaving|Non-marketing)$/),
  /** The states of all contacts of the page. */
  states: (page) => page.getByRole('row').getByText(/^(Marketing|Leaving|Non-marketing)$/),
  addCondition: (page) => button(page, 'Add a condition'),
  condition: {
    property: (page, n) => page.getByRole('combobox', { name: `Property, condition ${n}` }),
    comparison: (page, n) => page.getByRole('combobox', { name: `Comparison, condition ${n}` }),
    value: (page, n) => page.getByLabel(`Value, condition ${n}`),
    remove: (page, n) => button(page, `Remove condition ${n}`),
  },
  /** The last of them is the one that is seen: the first is for the Enter key. */
  applyFilter: (page) => button(page, 'Apply the filter').last(),
  /** Beside the disabled buttons of a user who may not change anything. */
  notAllowed: (page) => page.getByText(/^You can view contacts but not set their status\. An admin can give you /),
  /** After the attempt of such a user. */
  refusal: (page) => page.getByRole('alert').getByText(/^Nothing was changed\. You can view contacts but not set /),
};

/** The numbers of "Marketing contacts (billable)": now, after, and after the next update date. */
const billable = (within) => within.getByRole('row', { name: /^Marketing contacts \(billable\)/ }).getByRole('cell');

/** The consequence before the act. */
export const dialog = {
  root: (page) => page.getByRole('dialog'),
  heading: (page) => dialog.root(page).getByRole('heading', { level: 2 }),
  /** "812 contacts become marketing contacts now and are billable at once. …" */
  becomes: (page, count) =>
    dialog.root(page).getByText(new RegExp(`^${number(count)} contacts? becomes? (a )?marketing contacts? now`)),
  queued: (page, count) => dialog.root(page).getByText(new RegExp(`^${number(count)} contacts? (is|are) queued`)),
  tierRises: (page, before, after) =>
    dialog.root(page).getByText(`The tier rises from ${number(before)} to ${number(after)}, at once.`),
  refused: (page, count) => dialog.root(page).getByText(new RegExp(`^${number(count)} contacts? (is|are) refused`)),
  billable: (page) => billable(dialog.root(page)),
  count: (page) => dialog.root(page).getByLabel(/^Type the number of contacts/),
  wrongNumber: (page, typed, matching) =>
    dialog.root(page).getByText(new RegExp(`^You typed ${number(typed)}\\. ${number(matching)} contacts? match`)),
  countChanged: (page, now, before) => dialog.root(page).getByRole('alert')
    .getByText(`Nothing was changed: ${number(now)} contacts match now, not ${number(before)}.`),
  confirm: (page) => button(dialog.root(page), /^(Set|Queue) [\d,]+ contacts?$/),
  cancel: (page) => link(dialog.root(page), 'Cancel'),
};

export const job = {
  heading: (page, count) => frame.heading(page, new RegExp(`^(Set|Queue) ${number(count)} contacts?`)),
  progress: (page) => page.getByRole('progressbar'),
  /** What the page's script asks for the progress. */
  progressAddress: '**/progress',
  cancel: (page) => button(page, 'Cancel the rest'),
  done: (page) => frame.main(page).getByText(/^Done\b/),
  cancelled: (page) => frame.main(page).getByText(/^Cancelled\b/),
  /** The number of contacts with an outcome. */
  outcome: (page, name) => page.getByRole('row', { name: new RegExp(`^${name}`) }).getByRole('cell').first(),
  outcomes: { set: 'Set as marketing', queued: 'Queued', kept: 'Kept', unchanged: 'Unchanged', refused: 'Refused' },
  showRefused: (page, count) => link(page, `Show the ${number(count)} refused`),
  queueBack: (page) => button(page, /^Queue [\d,]+ contacts?$/),
};

export const contact = {
  /** The state in one sentence: "Leaving. Still a marketing contact until …" */
  sentence: (page, state) => frame.main(page).locator('p').filter({ hasText: new RegExp(`^\\s*${state}\\.`) }),
  /** Whether a tool reaches the contact: "Yes", or "No: " with the reasons. */
  reaches: (page, tool) => page.getByRole('row', { name: new RegExp(`^${tool}\\b`) }).getByRole('cell').last(),
  tools: { marketingEmail: 'Marketing email' },
  history: (page) => page.getByRole('table', { name: /^Changes of state/ }).getByRole('row'),
  property: (page, label) => page.getByLabel(label, { exact: true }),
  save: (page) => button(page, 'Save properties'),
  set: (page) => button(page, 'Set as marketing'),
  delete: (page) => button(page, 'Delete this contact'),
  changedMeanwhile: (page) => page.getByText(/^Nothing was saved: .* changed this contact at /),
  currentValue: (page, value) => page.getByText(`Current value: ${value}`),
  saveMine: (page) => button(page, 'Save mine'),
  unknown: (page, id) => frame.main(page).getByText(`No contact of this account has the id ${id}`),
};

export const newContact = {
  email: field('Email address'),
  submit: (page) => button(page, 'Add the contact'),
};

export const review = {
  step: (page) => page.getByRole('list', { name: 'Steps of the review' }).locator('[aria-current="step"]'),
  steps: { date: 'Date', unengaged: 'Unengaged', filters: 'Filters and lists', numbers: 'Numbers', update: 'Update' },
  choice: (page, name) => frame.main(page).getByRole('checkbox', { name: new RegExp(`^${name}`) }),
  choices: { unsubscribed: 'Unsubscribed contacts', bounced: 'Bounced contacts' },
  /** "Continue", or "Continue with 256 contacts". */
  go: (page) => button(frame.main(page), /^Continue\b/),
  /** "256 contacts will be queued." */
  willBeQueued: (page, count) => page.getByText(new RegExp(`^${number(count)} contacts? will be queued`)),
  billable: (page) => billable(page),
  count: (page) => frame.main(page).getByLabel(/^Type the number of contacts/),
  wrongNumber: (page, matching) => frame.main(page).getByText(new RegExp(`^${number(matching)} contacts match\\.`)),
  queue: (page, count) => button(frame.main(page), new RegExp(`^Queue ${number(count)} contacts?$`)),
};

export const forms = {
  create: (page) => link(page, 'Create a form').first(),
  row: (page, name) => page.getByRole('row').filter({ has: link(page, name) }),
  open: (page, name) => link(frame.main(page), name),
  switch: (page, name) => page.getByRole('switch', { name: new RegExp(`^Set who submits ${name} as marketing:`) }),
};

export const newForm = {
  name: (page) => page.getByLabel('Name', { exact: true }),
  provider: (page) => page.getByLabel('Provider', { exact: true }),
  ownForm: 'Own form',
  submit: (page) => button(page, 'Create a form'),
};

export const form = {
  /** The HTML to paste into a page. Its field for the address has the label "Email" and its button says "Subscribe". */
  snippet: (page) => page.getByRole('region', { name: 'HTML to embed' }),
  copy: (page) => button(page, 'Copy the form'),
  copied: (page) => button(page, 'Copied'),
  embedded: { address: 'Email', submit: 'Subscribe' },
  /** "311 received: 86 set, 3 kept." */
  counts: (page, received, parts) => frame.main(page).getByText(`${number(received)} received: ${parts}.`),
  goesTo: (page, field) => page.getByRole('combobox', exactly(`Goes to, field ${field}`)),
  toAddress: 'Email address',
  saveMap: (page) => button(page, 'Save the field map'),
  rejected: (page) => page.getByRole('table', { name: /^Rejected submissions/ }).locator('tbody tr'),
  /** What shows the answers of the first of them, which has one. */
  answers: (page) => form.rejected(page).first().getByText('The only answer'),
  retry: (page) => button(page, /^Retry the submission of /).first(),
  budget: field('New marketing contacts a day, at most'),
  saveSettings: (page) => button(page, 'Save the settings'),
  stillRejected: (page) => page.getByRole('alert').getByText('One stays rejected:'),
};

export const segments = {
  open: (page, name) => link(frame.main(page), name).first(),
  name: field('Name'),
  createList: (page) => button(page, 'Create the list'),
  add: field('Addresses'),
  addMembers: (page) => button(page, 'Add to the list'),
};

export const newImport = {
  open: (page) => link(page, 'Import contacts'),
  file: (page) => page.getByLabel('CSV file', { exact: true }),
  asMarketing: (page) => page.getByLabel('Set these contacts as marketing'),
  go: (page) => button(page, 'Go on to the preview'),
  sending: (page) => page.getByText(/^Sending the file: \d+ % sent$/),
  notSent: (page) => page.getByRole('alert').getByText(/^The file was not sent to its end/),
  error: (page) => page.locator('#file-e'),
};

export const importPage = {
  heading: (page, name) => frame.heading(page, `Import of ${name}`),
  /** The number of rows with an outcome. */
  outcome: (page, name) => page.getByRole('row', { name: new RegExp(`^${name}`) }).getByRole('cell').first(),
  outcomes: { new: 'New contacts', changed: 'Changed contacts', failed: 'Not imported', set: 'Set as marketing' },
  becomeMarketing: (page, count) =>
    page.getByText(`${number(count)} contacts of these rows become marketing contacts and billable at once.`),
  goesTo: (page, column) => page.getByRole('combobox', exactly(`${column} goes to`)),
  goesToOther: (page, column) => page.getByLabel(`${column} goes to another property`, { exact: true }),
  apply: (page) => button(page, 'Apply and look again'),
  applied: (page) => page.getByRole('status').getByText(/^The import is read in this way now/),
  eachRow: (page) => page.getByText('Each of these rows', { exact: true }),
  start: (page) => button(page, 'Start the import'),
  progress: (page, rows) => page.getByText(new RegExp(`^[\\d,]+ of ${number(rows)} done$`)),
  cancel: (page) => link(page, 'Cancel the rest'),
  confirmCancel: (page) => button(dialog.root(page), 'Cancel the rest'),
  done: (page) => frame.main(page).getByText(/^Done\b/),
  cancelled: (page) => frame.main(page).getByText(/^Cancelled\b/),
  failedRows: (page) => link(page, 'Download what failed'),
  allRows: (page) => link(page, 'Download all rows'),
};

export const exportPage = {
  confirm: (page) => button(dialog.root(page), 'Export'),
  done: (page) => frame.main(page).getByText(/^Done\b/),
  download: (page) => link(page, 'Download'),
};

export const statements = {
  /** The row of a closed period: its number, its dates, its counts. */
  rows: (page) => frame.main(page).getByRole('table').first().getByRole('row'),
};

export const settings = {
  mayChange: (page, user) => page.getByRole('switch', { name: new RegExp(`^${user} can set marketing status:`) }),
  cap: field('Usage never passes'),
  previewCap: (page) => button(page, 'Preview the change'),
  save: (page) => button(page, 'Save'),
  addUser: (page) => button(page, 'Add a user'),
  addIntegration: (page) => button(page, 'Add an integration'),
};

/** Opens the page with the form for a token and signs in with it. */
export async function signInWithToken(page, token) {
  await page.goto(paths.signIn);
  await signIn.token(page).fill(token);
  await signIn.submit(page).click();
  await frame.heading(page, headings.overview).waitFor();
}
