"""Syncs contacts with a connector: all of them at first, and then across an update date.

Between both syncs no contact that leaves at the update date is written. The second sync has to contain each of them all the
same, and besides only contacts that were created or changed. The arguments are the connector and the folder of its virtual
environment.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from checks import PAGE, Checks, chunks, equal  # noqa: E402

HOST = os.environ["TIDEMARK"]
ALL = 1000
LEAVING = 30
STARTS = "2026-03-10T09:00:00.000Z"
# The last contact is created later than the others. A connector may read it again, because its bookmark is this instant.
BOOKMARK = "2026-03-20T09:00:00.000Z"
CHANGES = "2026-04-02T09:00:00.000Z"
# The longest time of one run of a connector, in seconds.
RUN_SECONDS = 240


def call(token, method, path, body=None):
    """Sends a request to the API and returns the response's JSON."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(HOST + path, data, headers, method=method)) as response:
        return json.load(response)


def make_account():
    """Returns the token of a new sandbox. Its clock is in the past, because connectors ask for changes until now."""
    terms = {"term": "annual", "renewal_date": "2026-11-01", "test_clock": STARTS}
    return call(os.environ["OPERATOR_TOKEN"], "POST", "/v1/accounts", {"name": "Sync", **terms})["token"]


def move_clock(token, now):
    call(token, "POST", "/v1/account/test-clock", {"now": now})


def create(token, names, **more):
    """Creates contacts and returns their ids in the order of the names."""
    ids = {}
    for part in chunks(names, PAGE):
        inputs = [{"properties": {"email": f"{name}@sync.example.org", "firstname": name, **more}} for name in part]
        for contact in call(token, "POST", "/crm/v3/objects/contacts/batch/create", {"inputs": inputs})["results"]:
            ids[contact["properties"]["firstname"]] = contact["id"]
    return [ids[name] for name in names]


def update(token, contacts, properties):
    inputs = [{"id": contact, "properties": properties} for contact in contacts]
    call(token, "POST", "/crm/v3/objects/contacts/batch/update", {"inputs": inputs})


class Connector:
    """A connector in a virtual environment, with the files between its runs."""

    def __init__(self, venv, token, folder):
        self.bin, self.folder, self.token = Path(venv) / "bin", Path(folder), token

    def file(self, name, content):
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)

    def run(self, program, *arguments):
        """Runs the program and returns the JSON lines of its output. Its log is shown if it fails."""
        environment = {**os.environ, "PYTHONPATH": str(HERE), "TIDEMARK": HOST}
        command = [str(self.bin / program), *arguments]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=RUN_SECONDS)
        lines = ended.stdout.splitlines()
        if ended.returncode != 0:
            log = (ended.stderr.splitlines() or lines)[-20:]
            raise AssertionError("\n".join(log).replace(self.token, "…") or f"exit code {ended.returncode}")
        return lines


class Singer(Connector):
    """A tap: `tap-hubspot` of Stitch or of Meltano. Both programs have this name."""

    CONFIG = {"start_date": "2020-01-01T00:00:00Z", "select_fields_by_default": "true"}

    def __init__(self, venv, token, folder, token_field, catalog_option):
        super().__init__(venv, token, folder)
        self.catalog_option = catalog_option
        self.config = self.file("config.json", {**self.CONFIG, token_field: token})
        self.state = None

    def discover(self):
        """Selects the stream of contacts, with all of its properties, and no other one."""
        catalog = json.loads("\n".join(self.run("tap-hubspot", "--config", self.config, "--discover")))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] == "contacts"
        self.catalog = self.file("catalog.json", catalog)

    def sync(self):
        """Returns the synced contacts by their ids: their marketing status."""
        state = ["--state", self.file("state.json", self.state)] if self.state else []
        lines = self.run("tap-hubspot", "--config", self.config, self.catalog_option, self.catalog, *state)
        messages = [json.loads(line) for line in lines]
        self.state = [message["value"] for message in messages if message["type"] == "STATE"][-1]
        records = [message["record"] for message in messages if message["type"] == "RECORD"]
        return {record["id"]: record_status(record) for record in records}


class Airbyte(Connector):
    """`airbyte-source-hubspot`."""

    def __init__(self, venv, token, folder):
        super().__init__(venv, token, folder)
        credentials = {"credentials_title": "Private App Credentials", "access_token": token}
        self.config = self.file("config.json", {"credentials": credentials, "start_date": "2020-01-01T00:00:00Z"})
        self.state = []

    def discover(self):
        """Checks the connection, and selects the stream of contacts.

        The catalog is not asked for: like with a token of HubSpot that may read contacts alone, that ends at companies.
        """
        checked = self.messages("CONNECTION_STATUS", "check", "--config", self.config)
        equal([status["status"] for status in checked], ["SUCCEEDED"])
        modes = ["full_refresh", "incremental"]
        stream = {"name": "contacts", "json_schema": {}, "supported_sync_modes": modes, "source_defined_cursor": True}
        chosen = {"stream": stream, "sync_mode": "incremental", "destination_sync_mode": "append", "cursor_field": ["updatedAt"]}
        self.catalog = self.file("catalog.json", {"streams": [chosen]})

    def messages(self, kind, *arguments):
        """Runs the source and returns the contents of its messages of one kind."""
        messages = [json.loads(line) for line in self.run("source-hubspot", *arguments) if line.startswith("{")]
        self.state = [message["state"] for message in messages if message["type"] == "STATE"][-1:] or self.state
        field = {"CONNECTION_STATUS": "connectionStatus"}.get(kind, kind.lower())
        return [message[field] for message in messages if message["type"] == kind]

    def sync(self):
        """Returns the synced contacts by their ids: their marketing status."""
        state = ["--state", self.file("state.json", self.state)] if self.state else []
        records = self.messages("RECORD", "read", "--config", self.config, "--catalog", self.catalog, *state)
        return {record["data"]["id"]: record_status(record["data"]) for record in records}


def record_status(record):
    """Returns the marketing status of a synced contact. Each connector has its own place for properties."""
    properties = {**record, **record.get("properties", {})}
    for name in ["hs_marketable_status", "property_hs_marketable_status", "properties_hs_marketable_status"]:
        if name in properties:
            return str(properties[name]).lower()
    return None


CONNECTORS = {
    "tap-hubspot": lambda *given: Singer(*given, "api_key", "--properties"),
    "meltano-tap-hubspot": lambda *given: Singer(*given, "access_token", "--catalog"),
    "airbyte-source-hubspot": Airbyte,
}


def main():
    name, venv = sys.argv[1:3]
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        run(checks, CONNECTORS[name](venv, make_account(), folder))
    checks.finish()


def run(checks, connector):
    token = connector.token
    leaving = create(token, [f"leaving{number}" for number in range(LEAVING)], hs_marketable_status="true")
    others = create(token, [f"other{number}" for number in range(ALL - LEAVING - 1)])
    update(token, leaving, {"hs_marketable_status": "false"})
    move_clock(token, BOOKMARK)
    [last] = create(token, ["last"])

    @checks.step("connection")
    def _():
        connector.discover()

    @checks.step(f"full sync of {ALL:,} contacts")
    def _():
        synced = connector.sync()
        equal(set(synced), {*leaving, *others, last})
        equal({synced[contact] for contact in leaving}, {"true"})

    move_clock(token, CHANGES)
    changed = others[7:9]
    update(token, changed, {"firstname": "Changed"})
    created = create(token, ["new1", "new2"])

    @checks.step("incremental sync across an update date")
    def _():
        synced = connector.sync()
        expected = {*leaving, *changed, *created}
        equal(expected - set(synced), set())
        equal(set(synced) - expected - {last}, set())
        equal({synced[contact] for contact in leaving}, {"false"})

    @checks.step("incremental sync without a change")
    def _():
        synced = connector.sync()
        equal(set(synced) - {*changed, *created}, set())


if __name__ == "__main__":
    main()
