"""Calls the API with `hubspot-sdk`, HubSpot's newer generated client, which uses the paths with a version by date.

The client validates each response against its types and raises an error if a member is missing or has another type.
"""

import os

from hubspot_sdk import AuthenticationError, BadRequestError, ConflictError, HubSpot, NotFoundError, PermissionDeniedError

from checks import DOMAIN, MANY, PAGE, Checks, chunks, decimal, equal, refused

TYPE = "contacts"
USUAL = {"createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"}


def client_of(token):
    return HubSpot(access_token=token, base_url=os.environ["TIDEMARK"], _strict_response_validation=True)


client = client_of(os.environ["TOKEN"])
contacts, properties, owners = client.crm.objects.contacts, client.crm.properties, client.crm.owners
checks = Checks()
step = checks.step
ids = {}


def new(name, **more):
    """Returns the properties of a contact with this name."""
    return {"email": f"{name}@{DOMAIN}", "firstname": name.title(), "lastname": "Client", **more}


def create(name, **more):
    return contacts.create(properties=new(name, **more), associations=[])


def read_batch(inputs, **more):
    given = [{"id": text} for text in inputs]
    return contacts.batch.get(inputs=given, properties=["email"], properties_with_history=[], **more)


def update_batch(given):
    return contacts.batch.update(inputs=[{"id": contact, "properties": {"firstname": "Changed"}} for contact in given])


def find(filters, **more):
    request = {"filter_groups": [{"filters": filters}], "properties": ["email"], "sorts": [], "limit": PAGE, "after": "0"}
    return contacts.search(**{**request, **more})


def by_email(value):
    return [{"propertyName": "email", "operator": "EQ", "value": value}]


def ids_of(answer):
    return [one.id for one in answer.results]


def body(error):
    """Returns the envelope of a refused request, with the members that clients require."""
    envelope = error.body
    equal(envelope["status"], "error")
    assert envelope["message"] and len(envelope["correlationId"]) == 36, envelope
    return envelope


@step("contacts: create")
def _():
    contact = create("Ada", phone="+44 20 1815")
    decimal(contact.id)
    equal(contact.properties["email"], f"ada@{DOMAIN}")
    equal(contact.properties["hs_object_id"], contact.id)
    assert contact.created_at.tzinfo and contact.updated_at >= contact.created_at
    ids["ada"] = contact.id


@step("contacts: read")
def _():
    equal(set(contacts.get(ids["ada"]).properties), USUAL)
    contact = contacts.get(ids["ada"], properties=["phone", "hs_marketable_status", "no_such_property"])
    equal(contact.properties["phone"], "+44 20 1815")
    equal(contact.properties["hs_marketable_status"], "false")
    assert "no_such_property" not in contact.properties


@step("contacts: read by address")
def _():
    for address in [f"ada@{DOMAIN}", f"ADA@{DOMAIN}"]:
        equal(contacts.get(address, id_property="email").id, ids["ada"])
    tagged = create("grace+news")
    equal(contacts.get(f"grace+news@{DOMAIN}", id_property="email").id, tagged.id)


@step("contacts: update")
def _():
    equal(contacts.update(ids["ada"], properties={"lastname": "Lovelace"}).properties["lastname"], "Lovelace")
    equal(contacts.get(ids["ada"]).properties["lastname"], "Lovelace")


@step("contacts: update by address")
def _():
    contact = contacts.update(f"ada@{DOMAIN}", id_property="email", properties={"firstname": "Augusta"})
    equal((contact.id, contact.properties["firstname"]), (ids["ada"], "Augusta"))


@step("contacts: read with history")
def _():
    versions = contacts.get(ids["ada"], properties_with_history=["firstname", "email"]).properties_with_history["firstname"]
    equal([version.value for version in versions], ["Augusta", "Ada"])
    assert versions[0].timestamp >= versions[1].timestamp


@step("contacts: archive")
def _():
    contact = create("archived")
    equal(contacts.delete(contact.id), None)
    refused(lambda: contacts.get(contact.id), NotFoundError, 404)
    equal(contacts.delete(contact.id), None)


@step("contacts: batch create")
def _():
    made = {}
    for part in chunks([f"person{number:03}" for number in range(MANY)], PAGE):
        answer = contacts.batch.create(inputs=[{"properties": new(name), "associations": []} for name in part])
        equal(answer.status, "COMPLETE")
        assert answer.completed_at >= answer.started_at
        made |= {one.properties["email"]: one.id for one in answer.results}
    ids["many"] = [made[f"person{number:03}@{DOMAIN}"] for number in range(MANY)]
    equal(len(set(ids["many"])), MANY)


@step("contacts: batch create, 207")
def _():
    given = [("trace-1", "person000"), ("trace-2", "traced")]
    inputs = [{"object_write_trace_id": trace, "properties": new(name), "associations": []} for trace, name in given]
    answer = contacts.batch.create(inputs=inputs)
    equal([one.object_write_trace_id for one in answer.results], ["trace-2"])
    # The client has no member for the errors of a batch, and keeps them as they were sent.
    equal([one["category"] for one in answer.errors], ["CONFLICT"])
    equal(answer.errors[0]["context"]["objectWriteTraceId"], ["trace-1"])


@step("contacts: batch read")
def _():
    equal(set(ids_of(read_batch(ids["many"][:PAGE]))), set(ids["many"][:PAGE]))
    equal(ids_of(read_batch([f"person007@{DOMAIN}"], id_property="email")), [ids["many"][7]])


@step("contacts: batch read, 207")
def _():
    answer = read_batch([ids["many"][0], "999999"])
    equal((ids_of(answer), answer.numErrors), ([ids["many"][0]], 1))
    equal((answer.errors[0]["category"], answer.errors[0]["context"]["ids"]), ("OBJECT_NOT_FOUND", ["999999"]))


@step("contacts: batch update")
def _():
    equal([one.properties["firstname"] for one in update_batch(ids["many"][:5]).results], ["Changed"] * 5)


@step("contacts: batch update, 207")
def _():
    answer = update_batch([ids["many"][5], "999999"])
    equal((ids_of(answer), answer.errors[0]["context"]["ids"]), ([ids["many"][5]], ["999999"]))


@step("contacts: batch upsert")
def _():
    given = [f"person001@{DOMAIN}", f"upserted@{DOMAIN}"]
    inputs = [{"id": email, "id_property": "email", "properties": {"firstname": "Up", "lastname": "Sert"}} for email in given]
    results = {one.properties["email"]: one for one in contacts.batch.upsert(inputs=inputs).results}
    equal({email: one.new for email, one in results.items()}, dict(zip(given, [False, True])))
    ids["upserted"] = results[f"upserted@{DOMAIN}"].id


@step("contacts: batch archive")
def _():
    equal(contacts.batch.delete(inputs=[{"id": ids["upserted"]}, {"id": "999999"}]), None)
    refused(lambda: contacts.get(ids["upserted"]), NotFoundError, 404)


@step("contacts: list")
def _():
    page = contacts.list(limit=PAGE, properties=["email"])
    equal(len(page.results), PAGE)
    following = page.get_next_page()
    assert not set(ids_of(page)) & set(ids_of(following))
    equal(contacts.list(archived=True).results, [])


@step("contacts: list, all pages")
def _():
    found = [contact.id for contact in contacts.list(limit=PAGE)]
    equal(len(found), len(set(found)))
    assert set(ids["many"]) < set(found)


@step("contacts: search")
def _():
    answer = find(by_email(f"PERSON009@{DOMAIN}"))
    equal((answer.total, ids_of(answer)), (1, [ids["many"][9]]))
    answer = find([{"propertyName": "firstname", "operator": "EQ", "value": "changed"}], sorts=["-email"])
    equal(ids_of(answer), [ids["many"][number] for number in [5, 4, 3, 2, 0]])
    answer = find([{"propertyName": "hs_object_id", "operator": "IN", "values": ids["many"][:3]}], sorts=["-hs_object_id"])
    equal(ids_of(answer), sorted(ids["many"][:3], key=int, reverse=True))
    equal(ids_of(find([], query="person010", filter_groups=[])), [ids["many"][10]])


@step("contacts: search, all pages")
def _():
    filters = [{"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "person*"}]
    found, after = [], "0"
    while after:
        page = find(filters, after=after, sorts=["email"])
        equal(page.total, MANY)
        found += ids_of(page)
        after = page.paging.next.after if page.paging else None
    equal(found, ids["many"])


@step("contacts: merge")
def _():
    first, second = create("merged1"), create("merged2")
    merged = contacts.merge(primary_object_id=first.id, object_id_to_merge=second.id)
    equal(contacts.get(merged.id).properties["email"], f"merged1@{DOMAIN}")
    equal(ids_of(find(by_email(f"merged1@{DOMAIN}"))), [merged.id])
    refused(lambda: contacts.merge(primary_object_id=merged.id, object_id_to_merge=merged.id), BadRequestError, 400)


@step("contacts: GDPR delete")
def _():
    first, second = create("erased1"), create("erased2")
    equal(contacts.gdpr_delete(object_id=first.id), None)
    equal(contacts.gdpr_delete(object_id=f"erased2@{DOMAIN}", id_property="email"), None)
    for contact in [first, second]:
        refused(lambda: contacts.get(contact.id), NotFoundError, 404)


@step("marketing: set and read")
def _():
    contact = create("marketed", hs_marketable_status="true")
    equal(contact.properties["hs_marketable_status"], "true")
    shown = ["hs_marketable_status", "hs_marketable_until_renewal", "hs_marketable_reason_type"]
    read = contacts.get(contact.id, properties=shown).properties
    equal((read["hs_marketable_status"], read["hs_marketable_until_renewal"]), ("true", "false"))
    assert read["hs_marketable_reason_type"]
    ids["marketed"] = contact.id


@step("marketing: queue, with the warning")
def _():
    contact = contacts.update(ids["marketed"], properties={"hs_marketable_status": "false"})
    equal(contact.properties["hs_marketable_status"], "true")
    equal(contact.properties["hs_marketable_until_renewal"], "true")
    equal([warning["context"] for warning in contact.warnings], [{"propertyName": ["hs_marketable_until_renewal"]}])
    contact = contacts.update(ids["marketed"], properties={"hs_marketable_status": "true"})
    equal(contact.properties["hs_marketable_until_renewal"], "false")


@step("marketing: read-only without the permission")
def _():
    crm = client_of(os.environ["RESTRICTED_TOKEN"]).crm
    change = {"hs_marketable_status": "true"}
    error = refused(lambda: crm.objects.contacts.update(ids["ada"], properties=change), BadRequestError, 400)
    equal(body(error)["errors"][0]["code"], "READ_ONLY_VALUE")
    status = crm.properties.get("hs_marketable_status", object_type=TYPE)
    equal(status.modification_metadata.read_only_value, True)


def property_input(name, **more):
    return {"name": name, "label": name.title(), "type": "string", "field_type": "text", "group_name": "contactinformation", **more}


def property_names():
    return {one.name for one in properties.list(TYPE).results}


@step("properties: list")
def _():
    found = {one.name: one for one in properties.list(TYPE).results}
    equal(found["hs_marketable_status"].type, "enumeration")
    equal({option.value for option in found["hs_marketable_status"].options}, {"true", "false"})
    equal(found["hs_object_id"].modification_metadata.read_only_value, True)


@step("properties: create")
def _():
    options = [{"label": text.title(), "value": text, "display_order": 1, "hidden": False} for text in ["s", "m"]]
    made = properties.create(TYPE, **property_input("shirt", type="enumeration", field_type="select", options=options))
    equal((made.name, made.type, [option.value for option in made.options]), ("shirt", "enumeration", ["s", "m"]))
    equal(contacts.update(ids["ada"], properties={"shirt": "m"}).properties["shirt"], "m")
    error = refused(lambda: contacts.update(ids["ada"], properties={"shirt": "xxl"}), BadRequestError, 400)
    equal(body(error)["errors"][0]["code"], "INVALID_OPTION")
    refused(lambda: properties.create(TYPE, **property_input("shirt")), ConflictError, 409)


@step("properties: read")
def _():
    equal(properties.get("shirt", object_type=TYPE).label, "Shirt")
    refused(lambda: properties.get("no_such_property", object_type=TYPE), NotFoundError, 404)


@step("properties: update")
def _():
    equal(properties.update("shirt", object_type=TYPE, label="Size of the shirt").label, "Size of the shirt")
    equal(properties.get("shirt", object_type=TYPE).label, "Size of the shirt")


@step("properties: archive")
def _():
    equal(properties.delete("shirt", object_type=TYPE), None)
    assert "shirt" not in property_names()


@step("properties: batch create")
def _():
    inputs = [property_input("first_of_two"), property_input("second_of_two")]
    equal([one.name for one in properties.batch.create(TYPE, inputs=inputs).results], ["first_of_two", "second_of_two"])


@step("properties: batch read")
def _():
    inputs = [{"name": "first_of_two"}, {"name": "email"}]
    answer = properties.batch.get(TYPE, inputs=inputs, archived=False, data_sensitivity="non_sensitive")
    equal({one.name for one in answer.results}, {"first_of_two", "email"})


@step("properties: batch archive")
def _():
    equal(properties.batch.delete(TYPE, inputs=[{"name": "first_of_two"}, {"name": "second_of_two"}]), None)
    assert "first_of_two" not in property_names()


@step("property groups: create")
def _():
    made = properties.groups.create(TYPE, name="clothes", label="Clothes", display_order=3)
    equal((made.name, made.label), ("clothes", "Clothes"))


@step("property groups: list")
def _():
    found = {one.name for one in properties.groups.list(TYPE).results}
    assert {"contactinformation", "clothes"} <= found, found


@step("property groups: read")
def _():
    equal(properties.groups.get("clothes", object_type=TYPE).label, "Clothes")


@step("property groups: update")
def _():
    equal(properties.groups.update("clothes", object_type=TYPE, label="Shirts").label, "Shirts")


@step("property groups: archive")
def _():
    equal(properties.groups.delete("clothes", object_type=TYPE), None)
    assert "clothes" not in {one.name for one in properties.groups.list(TYPE).results}


@step("owners: list")
def _():
    found = list(owners.list(limit=100))
    decimal(found[0].id)
    ids["owner"] = found[0].id


@step("owners: read")
def _():
    equal(owners.get(int(ids["owner"])).id, ids["owner"])


@step("error: 409 with the id")
def _():
    envelope = body(refused(lambda: create("ada"), ConflictError, 409))
    equal((envelope["category"], envelope["message"]), ("CONFLICT", f"Contact already exists. Existing ID: {ids['ada']}"))


@step("error: 404")
def _():
    equal(body(refused(lambda: contacts.get("999999"), NotFoundError, 404))["category"], "OBJECT_NOT_FOUND")
    refused(lambda: contacts.update("999999", properties={"firstname": "Nobody"}), NotFoundError, 404)


@step("error: 400 of properties")
def _():
    change = {"no_such_property": "1", "createdate": "2"}
    envelope = body(refused(lambda: contacts.update(ids["ada"], properties=change), BadRequestError, 400))
    expected = {"no_such_property": "PROPERTY_DOESNT_EXIST", "createdate": "READ_ONLY_VALUE"}
    equal(envelope["category"], "VALIDATION_ERROR")
    equal({one["context"]["propertyName"][0]: one["code"] for one in envelope["errors"]}, expected)


@step("error: 400 of a batch")
def _():
    error = refused(lambda: update_batch([ids["ada"], ids["ada"]]), BadRequestError, 400)
    equal(body(error)["message"], f"Duplicate IDs found in batch input: [{ids['ada']}]. IDs must be unique")
    error = refused(lambda: read_batch(ids["many"][:101]), BadRequestError, 400)
    assert "The maximum number of inputs supported in a batch" in body(error)["message"]


@step("error: 401")
def _():
    stranger = client_of("tmk_" + "0" * 64)
    error = refused(lambda: stranger.crm.objects.contacts.list(), AuthenticationError, 401)
    equal(body(error)["category"], "INVALID_AUTHENTICATION")


@step("error: 403 of other objects")
def _():
    envelope = body(refused(lambda: client.crm.objects.deals.list(), PermissionDeniedError, 403))
    equal(envelope["category"], "MISSING_SCOPES")
    assert envelope["errors"][0]["context"]["requiredGranularScopes"]


checks.finish()
