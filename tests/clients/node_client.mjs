// Calls the API with `@hubspot/api-client`, the official client of Node. The first argument is its package.
import assert from 'node:assert/strict';
import { chunks, finish, step } from './checks.mjs';

const { Client } = await import(process.argv[2]);
const { TIDEMARK, TOKEN, RESTRICTED_TOKEN } = process.env;
const DOMAIN = 'clients.example.org';
const MANY = 250;
const PAGE = 100;
const TYPE = 'contacts';
const USUAL = ['createdate', 'email', 'firstname', 'hs_object_id', 'lastmodifieddate', 'lastname'];

const clientOf = (token) => new Client({ accessToken: token, basePath: TIDEMARK });
const client = clientOf(TOKEN);
const { basicApi, batchApi, searchApi } = client.crm.contacts;
const { coreApi, groupsApi, batchApi: namesApi } = client.crm.properties;
const { ownersApi } = client.crm.owners;
const ids = {};

const address = (name) => `${name}@${DOMAIN}`.toLowerCase();
const fields = (name, more) => ({ email: `${name}@${DOMAIN}`, firstname: name, lastname: 'Client', ...more });
const create = (name, more) => basicApi.create({ properties: fields(name, more), associations: [] });
const emailOf = (contact) => contact.properties.email;
const idOf = (contact) => contact.id;

// Asserts that a call is refused with this status, and returns the envelope with the members that clients require.
async function refused(call, status) {
  const error = await call.then(
    () => assert.fail('accepted'),
    (error) => error,
  );
  assert.equal(error.code, status, error.message);
  assert.ok(error.body.message && error.body.category && error.body.correlationId.length === 36, error.message);
  return error.body;
}

function find(filters, more) {
  return searchApi.doSearch({
    filterGroups: [{ filters }],
    properties: ['email'],
    sorts: [],
    limit: PAGE,
    after: '0',
    ...more,
  });
}

// Asserts that a text is an id as programs expect one: a decimal number that a double holds.
function decimal(text) {
  assert.match(text, /^\d+$/);
  assert.ok(Number.isSafeInteger(Number(text)), text);
}

function isDate(value) {
  assert.ok(value instanceof Date && !Number.isNaN(value.getTime()), `${value} is no date`);
}

await step('contacts: create', async () => {
  const contact = await create('Ada', { phone: '+44 20 1815' });
  decimal(contact.id);
  assert.equal(emailOf(contact), address('ada'));
  assert.equal(contact.properties.hs_object_id, contact.id);
  assert.equal(contact.archived, false);
  isDate(contact.createdAt);
  isDate(contact.updatedAt);
  ids.ada = contact.id;
});

await step('contacts: read', async () => {
  const usual = await basicApi.getById(ids.ada);
  assert.deepEqual(Object.keys(usual.properties).sort(), USUAL);
  const { properties } = await basicApi.getById(ids.ada, ['phone', 'hs_marketable_status', 'no_such_property']);
  assert.equal(properties.phone, '+44 20 1815');
  assert.equal(properties.hs_marketable_status, 'false');
  assert.ok(!('no_such_property' in properties));
});

const byAddress = (text) => basicApi.getById(text, undefined, undefined, undefined, false, 'email');

await step('contacts: read by address', async () => {
  assert.equal((await byAddress(address('ada'))).id, ids.ada);
  assert.equal((await byAddress(address('ada').toUpperCase())).id, ids.ada);
  const tagged = await create('grace+news');
  assert.equal((await byAddress(address('grace+news'))).id, tagged.id);
});

await step('contacts: update', async () => {
  const contact = await basicApi.update(ids.ada, { properties: { lastname: 'Lovelace', phone: '' } });
  assert.equal(contact.properties.lastname, 'Lovelace');
  assert.equal((await basicApi.getById(ids.ada, ['phone'])).properties.phone, null);
});

await step('contacts: update by address', async () => {
  const contact = await basicApi.update(address('ada'), { properties: { firstname: 'Augusta' } }, 'email');
  assert.deepEqual([contact.id, contact.properties.firstname], [ids.ada, 'Augusta']);
});

await step('contacts: read with history', async () => {
  const contact = await basicApi.getById(ids.ada, undefined, ['firstname', 'email']);
  const versions = contact.propertiesWithHistory.firstname;
  assert.deepEqual(versions.map(({ value }) => value), ['Augusta', 'Ada']);
  isDate(versions[0].timestamp);
  assert.ok(versions[0].sourceType);
});

await step('contacts: archive', async () => {
  const contact = await create('archived');
  assert.equal(await basicApi.archive(contact.id), undefined);
  await refused(basicApi.getById(contact.id), 404);
  await basicApi.archive(contact.id);
});

const people = Array.from({ length: MANY }, (_, number) => `person${String(number).padStart(3, '0')}`);

await step('contacts: batch create', async () => {
  const made = [];
  for (const part of chunks(people, PAGE)) {
    const answer = await batchApi.create({ inputs: part.map((name) => ({ properties: fields(name), associations: [] })) });
    assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObject');
    assert.equal(answer.status, 'COMPLETE');
    isDate(answer.startedAt);
    made.push(...answer.results);
  }
  const byEmail = new Map(made.map((contact) => [emailOf(contact), contact.id]));
  ids.many = people.map((name) => byEmail.get(address(name)));
  assert.equal(new Set(ids.many.filter(Boolean)).size, MANY);
});

await step('contacts: batch create, 207', async () => {
  const traced = [['trace-1', 'person000'], ['trace-2', 'traced']];
  const inputs = traced.map(([trace, name]) => ({ objectWriteTraceId: trace, properties: fields(name), associations: [] }));
  const answer = await batchApi.create({ inputs });
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObjectWithErrors');
  assert.deepEqual(answer.results.map((contact) => contact.objectWriteTraceId), ['trace-2']);
  assert.deepEqual([answer.numErrors, answer.errors[0].category], [1, 'CONFLICT']);
  assert.deepEqual(answer.errors[0].context.objectWriteTraceId, ['trace-1']);
});

const readBatch = (inputs, idProperty) =>
  batchApi.read({ inputs: inputs.map((id) => ({ id })), properties: ['email'], propertiesWithHistory: [], idProperty });

await step('contacts: batch read', async () => {
  const answer = await readBatch(ids.many.slice(0, PAGE));
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObject');
  assert.deepEqual(answer.results.map(idOf).sort(), ids.many.slice(0, PAGE).sort());
  const found = await readBatch([address('person007')], 'email');
  assert.deepEqual(found.results.map(idOf), [ids.many[7]]);
});

await step('contacts: batch read, 207', async () => {
  const answer = await readBatch([ids.many[0], '999999']);
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObjectWithErrors');
  assert.deepEqual(answer.results.map(idOf), [ids.many[0]]);
  assert.deepEqual([answer.numErrors, answer.errors[0].category], [1, 'OBJECT_NOT_FOUND']);
  assert.deepEqual(answer.errors[0].context.ids, ['999999']);
});

const updateBatch = (contacts) =>
  batchApi.update({ inputs: contacts.map((id) => ({ id, properties: { firstname: 'Changed' } })) });

await step('contacts: batch update', async () => {
  const answer = await updateBatch(ids.many.slice(0, 5));
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObject');
  assert.deepEqual(answer.results.map((contact) => contact.properties.firstname), Array(5).fill('Changed'));
});

await step('contacts: batch update, 207', async () => {
  const answer = await updateBatch([ids.many[5], '999999']);
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicObjectWithErrors');
  assert.deepEqual(answer.results.map(idOf), [ids.many[5]]);
  assert.deepEqual(answer.errors[0].context.ids, ['999999']);
});

await step('contacts: batch upsert', async () => {
  const inputs = ['person001', 'upserted'].map((name) => ({
    id: address(name),
    idProperty: 'email',
    properties: { lastname: 'Upsert' },
  }));
  const answer = await batchApi.upsert({ inputs });
  assert.equal(answer.constructor.name, 'BatchResponseSimplePublicUpsertObject');
  const isNew = Object.fromEntries(answer.results.map((contact) => [emailOf(contact), contact._new]));
  assert.deepEqual(isNew, { [address('person001')]: false, [address('upserted')]: true });
  ids.upserted = answer.results.find((contact) => contact._new).id;
});

await step('contacts: batch archive', async () => {
  assert.equal(await batchApi.archive({ inputs: [{ id: ids.upserted }, { id: '999999' }] }), undefined);
  await refused(basicApi.getById(ids.upserted), 404);
});

await step('contacts: list', async () => {
  const page = await basicApi.getPage(PAGE, undefined, ['email']);
  assert.equal(page.results.length, PAGE);
  const following = await basicApi.getPage(PAGE, page.paging.next.after);
  const first = new Set(page.results.map(idOf));
  assert.ok(!following.results.some((contact) => first.has(contact.id)));
  assert.ok(page.paging.next.link.startsWith(TIDEMARK), page.paging.next.link);
  assert.deepEqual((await basicApi.getPage(10, undefined, undefined, undefined, undefined, true)).results, []);
});

await step('contacts: list, all pages', async () => {
  const found = (await client.crm.contacts.getAll(undefined, undefined, ['email'])).map(idOf);
  assert.equal(new Set(found).size, found.length);
  const missing = ids.many.filter((id) => !found.includes(id));
  assert.deepEqual(missing, []);
});

await step('contacts: search', async () => {
  const one = await find([{ propertyName: 'email', operator: 'EQ', value: address('PERSON009') }]);
  assert.deepEqual([one.total, one.results.map(idOf), one.paging], [1, [ids.many[9]], undefined]);
  isDate(one.results[0].createdAt);
  const sorts = [{ propertyName: 'email', direction: 'DESCENDING' }];
  const changed = await find([{ propertyName: 'firstname', operator: 'EQ', value: 'changed' }], { sorts });
  assert.deepEqual(changed.results.map(idOf), ids.many.slice(0, 6).reverse());
  const filter = { propertyName: 'hs_object_id', operator: 'IN', values: ids.many.slice(0, 3) };
  const inside = await find([filter], { sorts: ['-hs_object_id'] });
  assert.deepEqual(inside.results.map(idOf), ids.many.slice(0, 3).sort((a, b) => b - a));
  const queried = await searchApi.doSearch({ query: 'person010' });
  assert.deepEqual(queried.results.map(idOf), [ids.many[10]]);
});

await step('contacts: search, all pages', async () => {
  const filters = [{ propertyName: 'email', operator: 'CONTAINS_TOKEN', value: 'person*' }];
  const found = [];
  let after = '0';
  while (after) {
    const page = await find(filters, { after, sorts: ['email'] });
    assert.equal(page.total, MANY);
    found.push(...page.results.map(idOf));
    after = page.paging?.next?.after;
  }
  assert.deepEqual(found, ids.many);
});

await step('contacts: merge', async () => {
  const [first, second] = [await create('merged1'), await create('merged2')];
  const merged = await basicApi.merge({ primaryObjectId: first.id, objectIdToMerge: second.id });
  assert.equal(emailOf(await basicApi.getById(merged.id, ['email'])), address('merged1'));
  const found = await find([{ propertyName: 'email', operator: 'EQ', value: address('merged1') }]);
  assert.deepEqual(found.results.map(idOf), [merged.id]);
  await refused(basicApi.merge({ primaryObjectId: merged.id, objectIdToMerge: merged.id }), 400);
});

await step('contacts: GDPR delete', async () => {
  const [first, second] = [await create('erased1'), await create('erased2')];
  assert.equal(await basicApi.purge({ objectId: first.id }), undefined);
  assert.equal(await basicApi.purge({ objectId: address('erased2'), idProperty: 'email' }), undefined);
  await refused(basicApi.getById(first.id), 404);
  await refused(basicApi.getById(second.id), 404);
});

await step('marketing: set and read', async () => {
  const contact = await create('marketed', { hs_marketable_status: 'true' });
  assert.equal(contact.properties.hs_marketable_status, 'true');
  const shown = ['hs_marketable_status', 'hs_marketable_until_renewal', 'hs_marketable_reason_type'];
  const { properties } = await basicApi.getById(contact.id, shown);
  assert.deepEqual(shown.slice(0, 2).map((name) => properties[name]), ['true', 'false']);
  assert.ok(properties.hs_marketable_reason_type);
  ids.marketed = contact.id;
});

await step('marketing: queue, with the warning', async () => {
  // The client has no member for warnings, so the answer is read as it was sent.
  const path = `/crm/v3/objects/contacts/${ids.marketed}`;
  const body = { properties: { hs_marketable_status: 'false' } };
  const answer = await (await client.apiRequest({ method: 'PATCH', path, body })).json();
  assert.equal(answer.properties.hs_marketable_status, 'true');
  assert.equal(answer.properties.hs_marketable_until_renewal, 'true');
  const contexts = answer.warnings.map((warning) => warning.context);
  assert.deepEqual(contexts, [{ propertyName: ['hs_marketable_until_renewal'] }]);
  const kept = await basicApi.update(ids.marketed, { properties: { hs_marketable_status: 'true' } });
  assert.equal(kept.properties.hs_marketable_until_renewal, 'false');
});

await step('marketing: read-only without the permission', async () => {
  const { crm } = clientOf(RESTRICTED_TOKEN);
  const change = { properties: { hs_marketable_status: 'true' } };
  const envelope = await refused(crm.contacts.basicApi.update(ids.ada, change), 400);
  assert.equal(envelope.errors[0].code, 'READ_ONLY_VALUE');
  const status = await crm.properties.coreApi.getByName(TYPE, 'hs_marketable_status');
  assert.equal(status.modificationMetadata.readOnlyValue, true);
});

const property = (name, more) => ({
  name,
  label: name,
  type: 'string',
  fieldType: 'text',
  groupName: 'contactinformation',
  ...more,
});
const propertyNames = async () => (await coreApi.getAll(TYPE)).results.map(({ name }) => name);

await step('properties: list', async () => {
  const { results } = await coreApi.getAll(TYPE);
  const status = results.find(({ name }) => name === 'hs_marketable_status');
  assert.equal(status.type, 'enumeration');
  assert.deepEqual(status.options.map(({ value }) => value).sort(), ['false', 'true']);
  const id = results.find(({ name }) => name === 'hs_object_id');
  assert.equal(id.modificationMetadata.readOnlyValue, true);
});

await step('properties: create', async () => {
  const options = ['s', 'm'].map((value) => ({ label: value, value, displayOrder: 1, hidden: false }));
  const made = await coreApi.create(TYPE, property('shirt', { type: 'enumeration', fieldType: 'select', options }));
  assert.deepEqual([made.name, made.options.map(({ value }) => value)], ['shirt', ['s', 'm']]);
  const worn = await basicApi.update(ids.ada, { properties: { shirt: 'm' } });
  assert.equal(worn.properties.shirt, 'm');
  const envelope = await refused(basicApi.update(ids.ada, { properties: { shirt: 'xxl' } }), 400);
  assert.equal(envelope.errors[0].code, 'INVALID_OPTION');
  await refused(coreApi.create(TYPE, property('shirt')), 409);
});

await step('properties: read', async () => {
  assert.equal((await coreApi.getByName(TYPE, 'shirt')).label, 'shirt');
  await refused(coreApi.getByName(TYPE, 'no_such_property'), 404);
});

await step('properties: update', async () => {
  assert.equal((await coreApi.update(TYPE, 'shirt', { label: 'Size of the shirt' })).label, 'Size of the shirt');
  assert.equal((await coreApi.getByName(TYPE, 'shirt')).label, 'Size of the shirt');
});

await step('properties: archive', async () => {
  assert.equal(await coreApi.archive(TYPE, 'shirt'), undefined);
  assert.ok(!(await propertyNames()).includes('shirt'));
});

await step('properties: batch create', async () => {
  const answer = await namesApi.create(TYPE, { inputs: [property('first_of_two'), property('second_of_two')] });
  assert.equal(answer.constructor.name, 'BatchResponseProperty');
  assert.deepEqual(answer.results.map(({ name }) => name), ['first_of_two', 'second_of_two']);
});

await step('properties: batch read', async () => {
  const inputs = [{ name: 'first_of_two' }, { name: 'email' }];
  const answer = await namesApi.read(TYPE, { inputs, archived: false });
  assert.deepEqual(answer.results.map(({ name }) => name).sort(), ['email', 'first_of_two']);
});

await step('properties: batch archive', async () => {
  await namesApi.archive(TYPE, { inputs: [{ name: 'first_of_two' }, { name: 'second_of_two' }] });
  assert.ok(!(await propertyNames()).includes('first_of_two'));
});

const groupNames = async () => (await groupsApi.getAll(TYPE)).results.map(({ name }) => name);

await step('property groups: create', async () => {
  const made = await groupsApi.create(TYPE, { name: 'clothes', label: 'Clothes', displayOrder: 3 });
  assert.deepEqual([made.name, made.label], ['clothes', 'Clothes']);
});

await step('property groups: list', async () => {
  const names = await groupNames();
  assert.ok(names.includes('contactinformation') && names.includes('clothes'), names.join());
});

await step('property groups: read', async () => {
  assert.equal((await groupsApi.getByName(TYPE, 'clothes')).label, 'Clothes');
});

await step('property groups: update', async () => {
  assert.equal((await groupsApi.update(TYPE, 'clothes', { label: 'Shirts' })).label, 'Shirts');
});

await step('property groups: archive', async () => {
  assert.equal(await groupsApi.archive(TYPE, 'clothes'), undefined);
  assert.ok(!(await groupNames()).includes('clothes'));
});

await step('owners: list', async () => {
  const { results } = await ownersApi.getPage(undefined, undefined, 100);
  decimal(results[0].id);
  isDate(results[0].createdAt);
  ids.owner = results[0].id;
});

await step('owners: read', async () => {
  assert.equal((await ownersApi.getById(Number(ids.owner))).id, ids.owner);
});

await step('error: 409 with the id', async () => {
  const envelope = await refused(create('ada'), 409);
  assert.equal(envelope.category, 'CONFLICT');
  assert.equal(envelope.message, `Contact already exists. Existing ID: ${ids.ada}`);
});

await step('error: 404', async () => {
  assert.equal((await refused(basicApi.getById('999999'), 404)).category, 'OBJECT_NOT_FOUND');
  await refused(basicApi.update('999999', { properties: { firstname: 'Nobody' } }), 404);
});

await step('error: 400 of properties', async () => {
  const envelope = await refused(basicApi.update(ids.ada, { properties: { no_such_property: '1', createdate: '2' } }), 400);
  assert.equal(envelope.category, 'VALIDATION_ERROR');
  const [, array] = envelope.message.match(/^Property values were not valid: (\[.*\])$/);
  const expected = { createdate: 'READ_ONLY_VALUE', no_such_property: 'PROPERTY_DOESNT_EXIST' };
  assert.deepEqual(Object.fromEntries(JSON.parse(array).map(({ name, error }) => [name, error])), expected);
  const listed = envelope.errors.map(({ context, code }) => [context.propertyName[0], code]);
  assert.deepEqual(Object.fromEntries(listed), expected);
  const invalid = await refused(basicApi.update(ids.ada, { properties: { email: 'no address' } }), 400);
  assert.equal(invalid.errors[0].code, 'INVALID_EMAIL');
});

await step('error: 400 of a batch', async () => {
  const twice = await refused(updateBatch([ids.ada, ids.ada]), 400);
  assert.equal(twice.message, `Duplicate IDs found in batch input: [${ids.ada}]. IDs must be unique`);
  const many = await refused(readBatch(ids.many.slice(0, 101)), 400);
  assert.match(many.message, /The maximum number of inputs supported in a batch/);
});

await step('error: 401', async () => {
  const stranger = clientOf(`tmk_${'0'.repeat(64)}`);
  assert.equal((await refused(stranger.crm.contacts.basicApi.getPage(), 401)).category, 'INVALID_AUTHENTICATION');
});

await step('error: 403 of other objects', async () => {
  const envelope = await refused(client.crm.deals.basicApi.getPage(), 403);
  assert.equal(envelope.category, 'MISSING_SCOPES');
  assert.ok(envelope.errors[0].context.requiredGranularScopes.length > 0);
});

finish();
