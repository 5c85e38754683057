"""Calls the API with `hubspot-api-client`, the official client of Python."""

import json
import os

from hubspot import Client
from hubspot.crm import contacts, deals, owners, properties
from hubspot.crm.contacts.exceptions import ApiException, NotFoundException, UnauthorizedException

from checks import DOMAIN, MANY, PAGE, Checks, chunks, decimal, equal, refused

HOST = os.environ["TIDEMARK"]
TYPE = "contacts"
USUAL = {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}


def client_of(token):
    """Returns a client for this token. `api_request` reads another setting of the host than the typed calls."""
    return Client.create(access_token=token, host=HOST, base_url=HOST)


client = client_of(os.environ["TOKEN"])
basic, batch, search = client.crm.contacts.basic_api, client.crm.contacts.batch_api, client.crm.contacts.search_api
core, groups, names = client.crm.properties.core_api, client.crm.properties.groups_api, client.crm.properties.batch_api
checks = Checks()
step = checks.step
ids = {}


def new(name, **more):
    """Returns the properties of a contact with this name."""
    return {"email": f"{name}@{DOMAIN}", "firstname": name.title(), "lastname": "Client", **more}


def create(name, **more):
    return basic.create(contacts.SimplePublicObjectInputForCreate(properties=new(name, **more)))


def update(contact, values, **more):
    return basic.update(contact, contacts.SimplePublicObjectInput(properties=values), **more)


def read_batch(inputs, shown, **more):
    request = contacts.BatchReadInputSimplePublicObjectId(
        inputs=[contacts.SimplePublicObjectId(id=text) for text in inputs],
        properties=shown,
        properties_with_history=[],
        **more,
    )
    return batch.read(request)


def find(filters, **more):
    request = {"filter_groups": [{"filters": filters}], "properties": ["email"], "sorts": [], "limit": PAGE, "after": "0"}
    return search.do_search(contacts.PublicObjectSearchRequest(**{**request, **more}))


def body(error):
    """Returns the envelope of a refused request, with the members that clients require."""
    envelope = json.loads(error.body)
    equal(envelope["status"], "error")
    assert envelope["message"] and len(envelope["correlationId"]) == 36, envelope
    return envelope


@step("contacts: create")
def _():
    contact = create("Ada", phone="+44 20 1815")
    assert type(contact) is contacts.SimplePublicObject
    decimal(contact.id)
    equal(contact.properties["email"], f"ada@{DOMAIN}")
    equal(contact.properties["hs_object_id"], contact.id)
    equal(contact.archived, False)
    assert contact.created_at.tzinfo and contact.updated_at >= contact.created_at
    ids["ada"] = contact.id


@step("contacts: read")
def _():
    contact = basic.get_by_id(ids["ada"])
    assert type(contact) is contacts.SimplePublicObjectWithAssociations
    equal(set(contact.properties), USUAL)
    contact = basic.get_by_id(ids["ada"], properties=["phone", "hs_marketable_status", "no_such_property"])
    equal(contact.properties["phone"], "+44 20 1815")
    equal(contact.properties["hs_marketable_status"], "false")
    assert "no_such_property" not in contact.properties


@step("contacts: read by address")
def _():
    for address in [f"ada@{DOMAIN}", f"ADA@{DOMAIN}"]:
        equal(basic.get_by_id(address, id_property="email").id, ids["ada"])
    tagged = create("grace+news")
    equal(basic.get_by_id(f"grace+news@{DOMAIN}", id_property="email").id, tagged.id)


@step("contacts: update")
def _():
    contact = update(ids["ada"], {"lastname": "Lovelace", "phone": ""})
    equal(contact.properties["lastname"], "Lovelace")
    equal(basic.get_by_id(ids["ada"], properties=["phone"]).properties["phone"], None)


@step("contacts: update by address")
def _():
    contact = update(f"ada@{DOMAIN}", {"firstname": "Augusta"}, id_property="email")
    equal((contact.id, contact.properties["firstname"]), (ids["ada"], "Augusta"))


@step("contacts: read with history")
def _():
    contact = basic.get_by_id(ids["ada"], properties_with_history=["firstname", "email"])
    versions = contact.properties_with_history["firstname"]
    equal([version.value for version in versions], ["Augusta", "Ada"])
    assert versions[0].source_type and versions[0].timestamp.tzinfo


@step("contacts: archive")
def _():
    contact = create("archived")
    equal(basic.archive(contact.id), None)
    refused(lambda: basic.get_by_id(contact.id), NotFoundException, 404)
    equal(basic.archive(contact.id), None)


@step("contacts: batch create")
def _():
    made = []
    for part in chunks([f"person{number:03}" for number in range(MANY)], PAGE):
        inputs = [contacts.SimplePublicObjectBatchInputForCreate(properties=new(name)) for name in part]
        request = contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)
        answer = batch.create(request)
        assert type(answer) is contacts.BatchResponseSimplePublicObject
        equal(answer.status, "COMPLETE")
        assert answer.completed_at >= answer.started_at
        made += answer.results
    equal(sorted(one.properties["email"] for one in made), [f"person{number:03}@{DOMAIN}" for number in range(MANY)])
    ids["many"] = [one.id for one in sorted(made, key=lambda one: one.properties["email"])]
    equal(len(set(ids["many"])), MANY)


@step("contacts: batch create, 207")
def _():
    given = [("trace-1", "person000"), ("trace-2", "traced")]
    inputs = [
        contacts.SimplePublicObjectBatchInputForCreate(object_write_trace_id=trace, properties=new(name))
        for trace, name in given
    ]
    answer = batch.create(contacts.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs))
    assert type(answer) is contacts.BatchResponseSimplePublicObjectWithErrors
    equal([one.object_write_trace_id for one in answer.results], ["trace-2"])
    equal((answer.num_errors, answer.errors[0].category), (1, "CONFLICT"))
    equal(answer.errors[0].context["objectWriteTraceId"], ["trace-1"])


@step("contacts: batch read")
def _():
    answer = read_batch(ids["many"][:PAGE], ["email"])
    assert type(answer) is contacts.BatchResponseSimplePublicObject
    equal({one.id for one in answer.results}, set(ids["many"][:PAGE]))
    answer = read_batch([f"person007@{DOMAIN}"], ["email"], id_property="email")
    equal([one.id for one in answer.results], [ids["many"][7]])


@step("contacts: batch read, 207")
def _():
    answer = read_batch([ids["many"][0], "999999"], ["email"])
    assert type(answer) is contacts.BatchResponseSimplePublicObjectWithErrors
    equal([one.id for one in answer.results], [ids["many"][0]])
    equal((answer.num_errors, answer.errors[0].category), (1, "OBJECT_NOT_FOUND"))
    equal(answer.errors[0].context["ids"], ["999999"])


def update_batch(values):
    inputs = [
        contacts.SimplePublicObjectBatchInput(id=contact, properties={"firstname": name}) for contact, name in values
    ]
    return batch.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=inputs))


@step("contacts: batch update")
def _():
    answer = update_batch([(contact, "Changed") for contact in ids["many"][:5]])
    assert type(answer) is contacts.BatchResponseSimplePublicObject
    equal([one.properties["firstname"] for one in answer.results], ["Changed"] * 5)


@step("contacts: batch update, 207")
def _():
    answer = update_batch([(ids["many"][5], "Changed"), ("999999", "Nobody")])
    assert type(answer) is contacts.BatchResponseSimplePublicObjectWithErrors
    equal([one.id for one in answer.results], [ids["many"][5]])
    equal(answer.errors[0].context["ids"], ["999999"])


@step("contacts: batch upsert")
def _():
    given = ["person001", "upserted"]
    inputs = [
        contacts.SimplePublicObjectBatchInputUpsert(
            id=f"{name}@{DOMAIN}", id_property="email", properties={"lastname": "Upsert"}
        )
        for name in given
    ]
    answer = batch.upsert(contacts.BatchInputSimplePublicObjectBatchInputUpsert(inputs=inputs))
    assert type(answer) is contacts.BatchResponseSimplePublicUpsertObject
    results = {one.properties["email"]: one for one in answer.results}
    equal({email: one.new for email, one in results.items()}, {f"person001@{DOMAIN}": False, f"upserted@{DOMAIN}": True})
    equal(results[f"person001@{DOMAIN}"].id, ids["many"][1])
    ids["upserted"] = results[f"upserted@{DOMAIN}"].id


@step("contacts: batch archive")
def _():
    inputs = [contacts.SimplePublicObjectId(id=ids["upserted"]), contacts.SimplePublicObjectId(id="999999")]
    equal(batch.archive(contacts.BatchInputSimplePublicObjectId(inputs=inputs)), None)
    refused(lambda: basic.get_by_id(ids["upserted"]), NotFoundException, 404)


@step("contacts: list")
def _():
    page = basic.get_page(limit=PAGE, properties=["email"])
    equal(len(page.results), PAGE)
    following = basic.get_page(limit=PAGE, after=page.paging.next.after)
    assert not {one.id for one in page.results} & {one.id for one in following.results}
    assert page.paging.next.link.startswith(HOST), page.paging.next.link
    equal(basic.get_page(archived=True).results, [])


@step("contacts: list, all pages")
def _():
    found = [one.id for one in client.crm.contacts.get_all(properties=["email"])]
    equal(len(found), len(set(found)))
    assert set(ids["many"]) < set(found)
    equal(len(client.crm.contacts.get_all(limit=MANY)), MANY)


@step("contacts: search")
def _():
    answer = find([{"propertyName": "email", "operator": "EQ", "value": f"PERSON009@{DOMAIN}"}])
    assert type(answer) is contacts.CollectionResponseWithTotalSimplePublicObjectForwardPaging
    equal((answer.total, [one.id for one in answer.results], answer.paging), (1, [ids["many"][9]], None))
    answer = find(
        [{"propertyName": "firstname", "operator": "EQ", "value": "changed"}],
        sorts=[{"propertyName": "email", "direction": "DESCENDING"}],
    )
    equal([one.id for one in answer.results], ids["many"][5::-1])
    answer = find([{"propertyName": "hs_object_id", "operator": "IN", "values": ids["many"][:3]}], sorts=["-hs_object_id"])
    equal([one.id for one in answer.results], sorted(ids["many"][:3], key=int, reverse=True))
    equal(find([], query="person010", filter_groups=[]).results[0].id, ids["many"][10])


@step("contacts: search, all pages")
def _():
    filters = [{"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "person*"}]
    found, after = [], "0"
    while after:
        page = find(filters, after=after, sorts=["email"])
        equal(page.total, MANY)
        found += [one.id for one in page.results]
        after = page.paging.next.after if page.paging else None
    equal(found, ids["many"])


@step("contacts: merge")
def _():
    first, second = create("merged1", phone="1"), create("merged2", phone="2")
    merged = basic.merge(contacts.PublicMergeInput(primary_object_id=first.id, object_id_to_merge=second.id))
    assert type(merged) is contacts.SimplePublicObject
    left = basic.get_by_id(merged.id, properties=["email", "hs_additional_emails"])
    equal(left.properties["email"], f"merged1@{DOMAIN}")
    answer = find([{"propertyName": "email", "operator": "EQ", "value": f"merged1@{DOMAIN}"}])
    equal([one.id for one in answer.results], [merged.id])
    refused(lambda: basic.merge(contacts.PublicMergeInput(primary_object_id=left.id, object_id_to_merge=left.id)),
            ApiException, 400)


@step("contacts: GDPR delete")
def _():
    first, second = create("erased1"), create("erased2")
    equal(basic.purge(contacts.PublicGdprDeleteInput(object_id=first.id)), None)
    equal(basic.purge(contacts.PublicGdprDeleteInput(object_id=f"erased2@{DOMAIN}", id_property="email")), None)
    for contact in [first, second]:
        refused(lambda: basic.get_by_id(contact.id), NotFoundException, 404)


@step("marketing: set and read")
def _():
    contact = create("marketed", hs_marketable_status="true")
    equal(contact.properties["hs_marketable_status"], "true")
    shown = ["hs_marketable_status", "hs_marketable_until_renewal", "hs_marketable_reason_type"]
    read = basic.get_by_id(contact.id, properties=shown).properties
    equal((read["hs_marketable_status"], read["hs_marketable_until_renewal"]), ("true", "false"))
    assert read["hs_marketable_reason_type"]
    ids["marketed"] = contact.id


@step("marketing: queue, with the warning")
def _():
    values = {"hs_marketable_status": "false"}
    # The client has no member for warnings, so the answer is read as it was sent.
    request = {"method": "PATCH", "path": f"/crm/v3/objects/contacts/{ids['marketed']}", "body": {"properties": values}}
    answer = client.api_request(request).json()
    equal(answer["properties"]["hs_marketable_status"], "true")
    equal(answer["properties"]["hs_marketable_until_renewal"], "true")
    equal([warning["context"] for warning in answer["warnings"]], [{"propertyName": ["hs_marketable_until_renewal"]}])
    contact = update(ids["marketed"], {"hs_marketable_status": "true"})
    equal(contact.properties["hs_marketable_until_renewal"], "false")


@step("marketing: read-only without the permission")
def _():
    restricted = client_of(os.environ["RESTRICTED_TOKEN"])
    request = contacts.SimplePublicObjectInput(properties={"hs_marketable_status": "true"})
    error = refused(lambda: restricted.crm.contacts.basic_api.update(ids["ada"], request), ApiException, 400)
    equal(body(error)["errors"][0]["code"], "READ_ONLY_VALUE")
    status = restricted.crm.properties.core_api.get_by_name(TYPE, "hs_marketable_status")
    equal(status.modification_metadata.read_only_value, True)


def property_input(name, **more):
    values = {"label": name.title(), "type": "string", "field_type": "text", "group_name": "contactinformation"}
    return properties.PropertyCreate(name=name, **{**values, **more})


@step("properties: list")
def _():
    found = {one.name: one for one in core.get_all(TYPE).results}
    assert type(found["email"]) is properties.ModelProperty
    equal(found["hs_marketable_status"].type, "enumeration")
    equal({option.value for option in found["hs_marketable_status"].options}, {"true", "false"})
    equal(found["hs_object_id"].modification_metadata.read_only_value, True)


@step("properties: create")
def _():
    options = [properties.OptionInput(label=text.title(), value=text, display_order=1, hidden=False) for text in ["s", "m"]]
    made = core.create(TYPE, property_input("shirt", type="enumeration", field_type="select", options=options))
    equal((made.name, made.type, [option.value for option in made.options]), ("shirt", "enumeration", ["s", "m"]))
    equal(update(ids["ada"], {"shirt": "m"}).properties["shirt"], "m")
    error = refused(lambda: update(ids["ada"], {"shirt": "xxl"}), ApiException, 400)
    equal(body(error)["errors"][0]["code"], "INVALID_OPTION")
    refused(lambda: core.create(TYPE, property_input("shirt")), properties.exceptions.ApiException, 409)


@step("properties: read")
def _():
    equal(core.get_by_name(TYPE, "shirt").label, "Shirt")
    refused(lambda: core.get_by_name(TYPE, "no_such_property"), properties.exceptions.NotFoundException, 404)


@step("properties: update")
def _():
    equal(core.update(TYPE, "shirt", properties.PropertyUpdate(label="Size of the shirt")).label, "Size of the shirt")
    equal(core.get_by_name(TYPE, "shirt").label, "Size of the shirt")


@step("properties: archive")
def _():
    equal(core.archive(TYPE, "shirt"), None)
    assert "shirt" not in {one.name for one in core.get_all(TYPE).results}


@step("properties: batch create")
def _():
    request = properties.BatchInputPropertyCreate(inputs=[property_input("first_of_two"), property_input("second_of_two")])
    answer = names.create(TYPE, request)
    assert type(answer) is properties.BatchResponseProperty
    equal([one.name for one in answer.results], ["first_of_two", "second_of_two"])


@step("properties: batch read")
def _():
    inputs = [properties.PropertyName(name=name) for name in ["first_of_two", "email"]]
    answer = names.read(TYPE, properties.BatchReadInputPropertyName(inputs=inputs, archived=False))
    equal({one.name for one in answer.results}, {"first_of_two", "email"})


@step("properties: batch archive")
def _():
    inputs = [properties.PropertyName(name=name) for name in ["first_of_two", "second_of_two"]]
    equal(names.archive(TYPE, properties.BatchInputPropertyName(inputs=inputs)), None)
    assert "first_of_two" not in {one.name for one in core.get_all(TYPE).results}


@step("property groups: create")
def _():
    made = groups.create(TYPE, properties.PropertyGroupCreate(name="clothes", label="Clothes", display_order=3))
    equal((made.name, made.label), ("clothes", "Clothes"))


@step("property groups: list")
def _():
    found = {one.name for one in groups.get_all(TYPE).results}
    assert {"contactinformation", "clothes"} <= found, found


@step("property groups: read")
def _():
    equal(groups.get_by_name(TYPE, "clothes").label, "Clothes")


@step("property groups: update")
def _():
    equal(groups.update(TYPE, "clothes", properties.PropertyGroupUpdate(label="Shirts")).label, "Shirts")


@step("property groups: archive")
def _():
    equal(groups.archive(TYPE, "clothes"), None)
    assert "clothes" not in {one.name for one in groups.get_all(TYPE).results}


@step("owners: list")
def _():
    page = client.crm.owners.owners_api.get_page(limit=100)
    assert type(page.results[0]) is owners.PublicOwner
    decimal(page.results[0].id)
    ids["owner"] = page.results[0].id


@step("owners: read")
def _():
    equal(client.crm.owners.owners_api.get_by_id(int(ids["owner"])).id, ids["owner"])


@step("error: 409 with the id")
def _():
    error = refused(lambda: create("ada"), ApiException, 409)
    envelope = body(error)
    equal((envelope["category"], envelope["message"]), ("CONFLICT", f"Contact already exists. Existing ID: {ids['ada']}"))


@step("error: 404")
def _():
    error = refused(lambda: basic.get_by_id("999999"), NotFoundException, 404)
    equal(body(error)["category"], "OBJECT_NOT_FOUND")
    refused(lambda: update("999999", {"firstname": "Nobody"}), NotFoundException, 404)


@step("error: 400 of properties")
def _():
    error = refused(lambda: update(ids["ada"], {"no_such_property": "1", "createdate": "2"}), ApiException, 400)
    envelope = body(error)
    equal(envelope["category"], "VALIDATION_ERROR")
    prefix = "Property values were not valid: "
    assert envelope["message"].startswith(prefix), envelope
    listed = json.loads(envelope["message"].removeprefix(prefix))
    expected = {"no_such_property": "PROPERTY_DOESNT_EXIST", "createdate": "READ_ONLY_VALUE"}
    equal({one["name"]: one["error"] for one in listed}, expected)
    equal({one["context"]["propertyName"][0]: one["code"] for one in envelope["errors"]}, expected)
    error = refused(lambda: update(ids["ada"], {"email": "no address"}), ApiException, 400)
    equal(body(error)["errors"][0]["code"], "INVALID_EMAIL")


@step("error: 400 of a batch")
def _():
    error = refused(lambda: update_batch([(ids["ada"], "A"), (ids["ada"], "B")]), ApiException, 400)
    equal(body(error)["message"], f"Duplicate IDs found in batch input: [{ids['ada']}]. IDs must be unique")
    error = refused(lambda: read_batch(ids["many"][:101], ["email"]), ApiException, 400)
    assert "The maximum number of inputs supported in a batch" in body(error)["message"]


@step("error: 401")
def _():
    stranger = client_of("tmk_" + "0" * 64)
    error = refused(lambda: stranger.crm.contacts.basic_api.get_page(), UnauthorizedException, 401)
    equal(body(error)["category"], "INVALID_AUTHENTICATION")


@step("error: 403 of other objects")
def _():
    error = refused(lambda: client.crm.deals.basic_api.get_page(), deals.exceptions.ForbiddenException, 403)
    equal(body(error)["category"], "MISSING_SCOPES")
    assert body(error)["errors"][0]["context"]["requiredGranularScopes"]


checks.finish()
