"""Asserts the exact status of every operation. Clients treat another one, even of the same class, as an error.

Each row is a request and its status. A row may name its answer, for the rows below it: `{ada}` is the id in the answer of
the row `ada`. Refusals must have HubSpot's envelope, whatever refuses them.
"""

import json
import os
import re
import urllib.error
import urllib.request

from checks import Checks, equal

HOST = os.environ["TIDEMARK"]
CONTACTS, PROPERTIES, LISTS = "/crm/v3/objects/contacts", "/crm/v3/properties/contacts", "/crm/v3/lists"
HAS_EMAIL = {"propertyName": "email", "operator": "HAS_PROPERTY"}
FORM = {
    "formType": "hubspot",
    "name": "Newsletter",
    "fieldGroups": [
        {
            "groupType": "default_group",
            "richTextType": "text",
            "fields": [
                {"objectTypeId": "0-1", "name": "email", "label": "E-mail", "required": True, "hidden": False,
                 "fieldType": "email", "validation": {"blockedEmailDomains": [], "useDefaultBlockList": False}}
            ],
        }
    ],
    "configuration": {"language": "en", "postSubmitAction": {"type": "thank_you", "value": "Thank you"}},
    "displayOptions": {"renderRawHtml": False},
    "legalConsentOptions": {"type": "none"},
}


def contact(name):
    return {"properties": {"email": f"{name}@status.example.org"}}


def property_of(name):
    return {"name": name, "label": name, "type": "string", "fieldType": "text", "groupName": "contactinformation"}


# The name of the answer or an empty text, the method, the path, the body, and the status.
ROWS = [
    ("ada", "POST", CONTACTS, contact("ada"), 201),
    ("bob", "POST", CONTACTS + "/", contact("bob"), 201),
    ("", "POST", CONTACTS, contact("ada"), 409),
    ("", "POST", CONTACTS, {"properties": {}}, 400),
    ("", "POST", CONTACTS, {"properties": []}, 400),
    ("", "POST", CONTACTS, "no JSON", 400),
    ("", "POST", CONTACTS, contact("no address of"), 400),
    ("", "GET", CONTACTS, None, 200),
    ("", "GET", "/" + CONTACTS + "/?limit=1&after=0&archived=false&associations=companies&anything=1", None, 200),
    ("", "GET", CONTACTS + "?limit=0", None, 400),
    ("", "GET", CONTACTS + "?limit=101", None, 400),
    ("", "GET", CONTACTS + "?limit=ten", None, 400),
    ("", "GET", CONTACTS + "?after=nowhere", None, 400),
    ("", "GET", CONTACTS + "/{ada}", None, 200),
    ("", "GET", "/crm/v3/objects/0-1/{ada}", None, 200),
    ("", "GET", "/crm/objects/2025-09/contact/{ada}", None, 200),
    ("", "GET", "/crm/objects/2026-09-beta/0-1/{ada}", None, 200),
    ("", "GET", CONTACTS + "/ada@status.example.org?idProperty=email", None, 200),
    ("", "GET", CONTACTS + "/ada%40status.example.org?idProperty=email", None, 200),
    ("", "GET", CONTACTS + "/1?idProperty=firstname", None, 400),
    ("", "GET", CONTACTS + "/999999", None, 404),
    ("", "GET", CONTACTS + "/no-id", None, 404),
    ("", "PATCH", CONTACTS + "/{ada}", {"properties": {"firstname": "Ada"}}, 200),
    ("", "PATCH", CONTACTS + "/{ada}", {"properties": {"email": "bob@status.example.org"}}, 409),
    ("", "PATCH", CONTACTS + "/{ada}", {"properties": {"unknown": "1"}}, 400),
    ("", "PATCH", CONTACTS + "/999999", {"properties": {"firstname": "Ada"}}, 404),
    ("", "DELETE", CONTACTS + "/999999", None, 204),
    ("cyd", "POST", CONTACTS, contact("cyd"), 201),
    ("", "DELETE", CONTACTS + "/{cyd}", None, 204),
    ("", "GET", CONTACTS + "/{cyd}", None, 404),
    ("", "POST", CONTACTS + "/batch/create", {"inputs": [contact("dan"), contact("eve")]}, 201),
    ("", "POST", CONTACTS + "/batch/create", {"inputs": [contact("fay"), contact("dan")]}, 409),
    ("", "GET", CONTACTS + "/fay@status.example.org?idProperty=email", None, 404),
    ("", "POST", CONTACTS + "/batch/create",
     {"inputs": [{**contact("fay"), "objectWriteTraceId": "1"}, {**contact("dan"), "objectWriteTraceId": "2"}]}, 207),
    ("", "POST", CONTACTS + "/batch/create", {"inputs": [contact(f"n{number}") for number in range(101)]}, 400),
    ("", "POST", CONTACTS + "/batch/create", {}, 400),
    ("", "POST", CONTACTS + "/batch/read", {"inputs": [{"id": "{ada}"}], "properties": []}, 200),
    ("", "POST", CONTACTS + "/batch/read", {"inputs": [{"id": "{ada}"}, {"id": "999999"}], "properties": []}, 207),
    ("", "POST", CONTACTS + "/batch/read", {"inputs": [{"id": "a"}], "idProperty": "firstname"}, 400),
    ("", "POST", CONTACTS + "/batch/update", {"inputs": [{"id": "{ada}", "properties": {"firstname": "A"}}]}, 200),
    ("", "POST", CONTACTS + "/batch/update", {"inputs": [{"id": "{ada}", "properties": {}}, {"id": "999999", "properties": {}}]}, 207),
    ("", "POST", CONTACTS + "/batch/update", {"inputs": [{"id": "{ada}", "properties": {}}, {"id": "{ada}", "properties": {}}]}, 400),
    ("", "POST", CONTACTS + "/batch/update",
     {"inputs": [{"id": "ada@status.example.org", "idProperty": "firstname", "properties": {}}]}, 400),
    ("", "POST", CONTACTS + "/batch/upsert",
     {"inputs": [{"id": "ada@status.example.org", "idProperty": "email", "properties": {"firstname": "A"}}]}, 200),
    ("", "POST", CONTACTS + "/batch/upsert", {"inputs": [{"id": "{ada}", "properties": {}}]}, 400),
    ("", "POST", CONTACTS + "/batch/archive", {"inputs": [{"id": "999999"}]}, 204),
    ("", "POST", CONTACTS + "/search", {}, 200),
    ("", "POST", CONTACTS + "/search", {"after": "0", "limit": 200, "sorts": ["-createdate"], "query": "ada"}, 200),
    ("", "POST", CONTACTS + "/search", {"limit": 201}, 400),
    ("", "POST", CONTACTS + "/search", {"after": "10000"}, 400),
    ("", "POST", CONTACTS + "/search", {"filters": [{"propertyName": "email", "operator": "LIKE", "value": "a"}]}, 400),
    ("", "POST", CONTACTS + "/search", {"filterGroups": [{"filters": [HAS_EMAIL]}] * 7}, 400),
    ("gil", "POST", CONTACTS, contact("gil"), 201),
    ("", "POST", CONTACTS + "/merge", {"primaryObjectId": "{ada}", "objectIdToMerge": "{gil}"}, 200),
    ("", "POST", CONTACTS + "/merge", {"primaryObjectId": "{bob}", "objectIdToMerge": "999999"}, 404),
    ("", "POST", CONTACTS + "/merge", {"primaryObjectId": "{bob}"}, 400),
    ("", "POST", CONTACTS + "/gdpr-delete", {"objectId": "eve@status.example.org", "idProperty": "email"}, 204),
    ("", "POST", CONTACTS + "/gdpr-delete", {"objectId": "eve@status.example.org", "idProperty": "email"}, 204),
    ("", "POST", CONTACTS + "/gdpr-delete", {}, 400),
    ("", "GET", PROPERTIES, None, 200),
    ("", "GET", "/crm/properties/2026-03/contact", None, 200),
    ("", "GET", "/properties/v2/contact/properties", None, 200),
    ("", "POST", PROPERTIES, property_of("colour"), 201),
    ("", "POST", PROPERTIES, property_of("colour"), 409),
    ("", "POST", PROPERTIES, {"name": "half"}, 400),
    ("", "GET", PROPERTIES + "/colour", None, 200),
    ("", "GET", PROPERTIES + "/unknown", None, 404),
    ("", "PATCH", PROPERTIES + "/colour", {"label": "Colour"}, 200),
    ("", "PATCH", PROPERTIES + "/unknown", {"label": "Colour"}, 404),
    ("", "DELETE", PROPERTIES + "/colour", None, 204),
    ("", "DELETE", PROPERTIES + "/email", None, 400),
    ("", "POST", PROPERTIES + "/batch/create", {"inputs": [property_of("one"), property_of("two")]}, 201),
    ("", "POST", PROPERTIES + "/batch/read", {"inputs": [{"name": "one"}], "archived": False}, 200),
    ("", "POST", PROPERTIES + "/batch/read", {"inputs": [{"name": "one"}, {"name": "unknown"}], "archived": False}, 207),
    ("", "POST", PROPERTIES + "/batch/archive", {"inputs": [{"name": "one"}, {"name": "two"}]}, 204),
    ("", "GET", PROPERTIES + "/groups", None, 200),
    ("", "POST", PROPERTIES + "/groups", {"name": "shop", "label": "Shop"}, 201),
    ("", "POST", PROPERTIES + "/groups", {"name": "shop", "label": "Shop"}, 409),
    ("", "GET", PROPERTIES + "/groups/shop", None, 200),
    ("", "GET", PROPERTIES + "/groups/unknown", None, 404),
    ("", "PATCH", PROPERTIES + "/groups/shop", {"label": "The shop"}, 200),
    ("", "DELETE", PROPERTIES + "/groups/shop", None, 204),
    ("owners", "GET", "/crm/v3/owners/?limit=10", None, 200),
    ("", "GET", "/crm/v3/owners/{owners}", None, 200),
    ("", "GET", "/crm/v3/owners/999999", None, 404),
    ("list", "POST", LISTS + "/", {"name": "Members", "objectTypeId": "0-1", "processingType": "MANUAL"}, 200),
    ("", "POST", LISTS, {"name": "No type"}, 400),
    ("", "GET", LISTS + "/{list}", None, 200),
    ("", "GET", LISTS + "/999999", None, 404),
    ("", "GET", LISTS + "/?listIds={list}", None, 200),
    ("", "POST", LISTS + "/search", {"query": "Members"}, 200),
    ("", "PUT", LISTS + "/{list}/memberships/add", ["{bob}"], 200),
    ("", "GET", LISTS + "/{list}/memberships", None, 200),
    ("", "PUT", LISTS + "/{list}/memberships/remove", ["{bob}"], 200),
    ("", "PUT", LISTS + "/{list}/memberships/add-and-remove", {"recordIdsToAdd": ["{bob}"], "recordIdsToRemove": []}, 200),
    ("", "PUT", LISTS + "/{list}/update-list-name?listName=Renamed", None, 200),
    ("", "DELETE", LISTS + "/{list}", None, 204),
    ("form", "POST", "/marketing/v3/forms/", FORM, 201),
    ("", "GET", "/marketing/v3/forms/", None, 200),
    ("", "GET", "/marketing/v3/forms/{form}", None, 200),
    ("", "PATCH", "/marketing/v3/forms/{form}", {"name": "Renamed"}, 200),
    ("", "DELETE", "/marketing/v3/forms/{form}", None, 204),
    ("", "GET", "/marketing/v3/forms/{form}", None, 404),
    ("", "GET", "/crm/v3/imports/", None, 200),
    ("", "GET", "/crm/v3/imports/999999", None, 404),
    ("", "GET", "/account-info/v3/details", None, 200),
    ("", "GET", "/oauth/v1/access-tokens/" + os.environ["TOKEN"], None, 200),
    ("", "GET", "/crm/v3/schemas", None, 200),
    ("", "POST", "/crm/v4/associations/contact/companies/batch/read", {"inputs": [{"id": "{ada}"}]}, 200),
    # Connectors skip what they may not read, and end at a path that is unknown.
    ("", "GET", "/crm/v3/objects/deals", None, 403),
    ("", "GET", "/crm/objects/2026-03/companies", None, 403),
    ("", "GET", "/crm/v3/properties/tickets", None, 403),
    ("", "GET", "/companies/v2/properties", None, 403),
    ("", "GET", "/properties/v1/deals/properties", None, 403),
    ("", "GET", "/crm/v3/no-such-path", None, 404),
]
ids = {}


def filled(value):
    """Returns a path or body with the ids of earlier answers."""
    text = re.sub(r"\{(\w+)\}", lambda found: str(ids.get(found[1], "{missing}")), json.dumps(value))
    return json.loads(text)


def send(method, path, body, token=os.environ["TOKEN"]):
    """Returns the status, the media type and the JSON of a response."""
    data = None if body is None else (body if isinstance(body, str) else json.dumps(filled(body))).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(HOST + filled(path), data, headers, method=method)
    try:
        response = urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        response = error
    text = response.read()
    return response.status, response.headers.get_content_type(), json.loads(text) if text else None


def check_envelope(status, answer):
    """Asserts that the answer is HubSpot's envelope of an error."""
    assert {"status", "message", "category", "correlationId"} <= set(answer), f"{status} with {answer}"
    equal(answer["status"], "error")


def id_of(answer):
    """Returns the id of an answer's object, or of the first one of several."""
    answer = answer.get("list", answer)
    answer = (answer.get("results") or [answer])[0]
    return answer.get("id") or answer.get("listId")


def check(row):
    name, method, path, body, expected = row
    status, media_type, answer = send(method, path, body)
    assert status == expected, f"{status} instead of {expected}, with {answer}"
    if status == 204:
        equal(answer, None)
        return
    equal(media_type, "application/json")
    if status >= 400:
        check_envelope(status, answer)
    elif name:
        ids[name] = id_of(answer)


def title(row):
    """Returns the request of a row, without the token, and its status."""
    _, method, path, body, status = row
    shown = "" if body is None else " " + json.dumps(body)[:60]
    return f"{method} {path.replace(os.environ['TOKEN'], 'token')}{shown} {status}"


checks = Checks()
for row in ROWS:
    checks.step(title(row))(lambda row=row: check(row))


@checks.step("every path without a token 401")
def _():
    # The check of a token has it in its path.
    paths = {path.split("?")[0] for _, _, path, _, _ in ROWS if not path.startswith("/oauth/")}
    for path in sorted(paths):
        status, _, answer = send("GET", path, None, token="tmk_unknown")
        assert status == 401, f"{path}: {status}"
        check_envelope(status, answer)


checks.finish()
