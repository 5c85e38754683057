"""The deployment drill: README's commands against an emulated AWS account, and the functions as they are deployed.

usage: drill.py [EMULATOR]

Needs the functions in target/lambda (`infra/build x86_64`, or `arm64` on such a machine) and the tools of
infra/requirements-ci.txt beside this Python. EMULATOR is the Python that has requirements.txt of this folder, and this one
if it is not named. Everything happens on the loopback interface and in a temporary folder. The drill ends by itself: each
step has a time limit.
"""

import hashlib
import json
import os
import re
import secrets
import signal
import sys
import time
import urllib.parse

from emulator import ROOT, Emulator
from stack import ARCHITECTURE, Stack, wait_until
import tour

# The longest time of the whole drill, in seconds.
TIMEOUT = 20 * 60


class Report:
    """Prints each step with its time."""

    def __init__(self):
        self.began = time.monotonic()

    def line(self, what, seconds=None):
        """Prints a step that is done."""
        print(f"{'' if seconds is None else f'{seconds:7.1f} s':>9}  {what}", flush=True)

    def step(self, what, act):
        """Runs a step, prints it and returns its result."""
        began = time.monotonic()
        result = act()
        self.line(what, time.monotonic() - began)
        return result


def deploy(report, emulator):
    """Deploys as README.md says: once, and once more with the address. Returns the stack and the operator's token."""
    token = secrets.token_hex(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    stack = Stack(emulator, "prod", "tidemark")
    architecture = [] if ARCHITECTURE == "arm64" else [f"Architecture={ARCHITECTURE}"]
    report.step(
        "sam deploy --config-env prod --parameter-overrides OperatorTokenSha256=… " + " ".join(architecture),
        lambda: stack.deploy(f"OperatorTokenSha256={digest}", *architecture),
    )
    report.step(
        "sam deploy --config-env prod --parameter-overrides PublicUrl=…",
        lambda: stack.deploy(f"PublicUrl={stack.outputs()['ApiUrl']}"),
    )
    kept = stack.parameters()
    assert kept["Architecture"] == ARCHITECTURE and kept["PublicUrl"] == stack.outputs()["ApiUrl"], kept
    return stack, token


def walk(report, stack, operator_token):
    """Runs the tour and the parts of a deployment that it does not reach. Returns the account's token."""
    token, steps, seconds = tour.run(stack, operator_token)
    for title, each in steps:
        report.line(f"tour: {title}", each)
    report.line("the tour, all responses as in infra/README.md", seconds)
    report.step("an automation acts on a changed contact (stream, queue)", lambda: automate(stack, token, "Rome"))
    report.step("the rollover runs", lambda: roll_over(stack))
    return token


def automate(stack, token, city):
    """Creates an automation and a contact that matches, and waits until it is marketing."""
    filters = [{"propertyName": "city", "operator": "EQ", "value": city}]
    stack.call("POST", "/v1/automations", token, {
        "name": city, "enabled": True, "action": "set-marketing", "enrol": {"filterGroups": [{"filters": filters}]},
    })
    before = stack.call("GET", "/v1/usage", token)["marketing"]
    stack.call("POST", "/v1/contacts", token, {"email": f"{city.lower()}@example.org", "properties": {"city": city}})
    wait_until(lambda: stack.call("GET", "/v1/usage", token)["marketing"] == before + 1, "the automation acts")


def roll_over(stack):
    """Invokes the rollover with the event of its schedule, whose quarter of an hour the drill does not wait for."""
    event = {
        "version": "0", "id": "00000000-0000-0000-0000-000000000000", "detail-type": "Scheduled Event",
        "source": "aws.scheduler", "account": "000000000000", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": "eu-central-1", "resources": [], "detail": {},
    }
    answer = stack.emulator.client("lambda").invoke(
        FunctionName=stack.physical("MonthlyRolloverFunction"), Payload=json.dumps(event).encode(),
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


ALLOW_ALL = '{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"}]}'


def restore(report, stack, token):
    """Restores the table, deploys the same stack onto it, and compares what the API answers before and after."""
    emulator, table = stack.emulator, stack.outputs()["TableName"]
    set_policy(stack, (ROOT / "infra/stack-policy.json").read_text())
    before = state_of(stack, token)
    printed = report.step(
        f"infra/restore {table} tidemark-restored",
        lambda: emulator.run([sys.executable, "infra/restore", table, "tidemark-restored"], 120),
    )
    for line in printed.splitlines():
        report.line(f"    {line}")
    parameters = [line for line in printed.splitlines() if line.startswith("ExistingTable")]
    # What is written after the instant is not in the restored table.
    stack.call("POST", "/v1/contacts", token, {"email": "late@example.org", "marketing": True})
    set_policy(stack, ALLOW_ALL)
    report.step(
        "sam deploy --config-env prod --parameter-overrides ExistingTableArn=… ExistingTableStreamArn=…",
        lambda: stack.deploy(*parameters),
    )
    set_policy(stack, (ROOT / "infra/stack-policy.json").read_text())
    assert stack.outputs()["TableName"] == "tidemark-restored", stack.outputs()
    after = state_of(stack, token)
    assert after == before, f"{before}\nis not\n{after}"
    report.line(f"    … usage, {len(before[1])} contacts and the statements are as they were (marketing: {before[0]['marketing']})")
    report.step("the settings of the restored table", lambda: check_table(emulator, "tidemark-restored"))
    report.step("an automation acts on a contact of the restored table", lambda: automate(stack, token, "Oslo"))
    kept = stack.parameters()
    report.step("sam deploy --config-env prod", stack.deploy)
    assert stack.parameters() == kept, f"a deployment without parameters changed {kept} to {stack.parameters()}"
    assert stack.outputs()["TableName"] == "tidemark-restored", stack.outputs()
    report.line("    … keeps the parameters that it does not name")
    assert emulator.client("dynamodb").describe_table(TableName=table), "the first table is retained"
    report.line(f"    … and {table} is retained")


def set_policy(stack, policy):
    """Sets the stack's policy, as `aws cloudformation set-stack-policy` does."""
    stack.cloudformation.set_stack_policy(StackName=stack.name, StackPolicyBody=policy)


def state_of(stack, token):
    """Returns the usage, the contacts and the statements of the account."""
    usage = stack.call("GET", "/v1/usage", token)
    contacts, after = [], ""
    while True:
        page = stack.call("GET", f"/v1/contacts?limit=100{after}", token)
        contacts += page["results"]
        cursor = page.get("paging", {}).get("next", {}).get("after")
        if not cursor:
            return usage, contacts, stack.call("GET", "/v1/usage/statements", token)
        after = f"&after={urllib.parse.quote(cursor)}"


def check_table(emulator, name):
    """Fails if a table lacks what the template's table has."""
    table = emulator.client("dynamodb")
    found = table.describe_table(TableName=name)["Table"]
    assert found["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}, found
    assert found["DeletionProtectionEnabled"] is True
    assert {index["IndexName"] for index in found["GlobalSecondaryIndexes"]} == {"changed", "due", "leaving"}
    expiry = table.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}, expiry
    backups = table.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED", backups


def check_silence(stack):
    """Fails if a function logged an error or a warning, or a queue has dead letters."""
    logs, count = stack.emulator.client("logs"), 0
    for logical, kind, physical in stack.resources():
        if kind == "AWS::Logs::LogGroup":
            pages = logs.get_paginator("filter_log_events").paginate(logGroupName=physical)
            lines = [line["message"] for page in pages for line in page["events"]]
            bad = [line for line in lines if re.search(r'"level": ?"(ERROR|WARN)"|panicked', line)]
            assert not bad, f"{logical}: {bad[:3]}"
            count += len(lines)
        if kind == "AWS::SQS::Queue" and "DeadLetters" in logical:
            queue = stack.emulator.client("sqs").get_queue_attributes(
                QueueUrl=physical, AttributeNames=["ApproximateNumberOfMessages"],
            )
            assert queue["Attributes"]["ApproximateNumberOfMessages"] == "0", logical
    assert count > 100, f"only {count} log lines were found"


def stop(number, _):
    """Ends the drill, and with it the emulator, on a signal."""
    sys.exit(f"the drill was ended by {signal.Signals(number).name}")


def main():
    for number in (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, stop)
    signal.alarm(TIMEOUT)
    report = Report()
    with Emulator(*map(os.path.abspath, sys.argv[1:2])) as emulator:
        report.line(f"an emulated account at {emulator.url}")
        try:
            stack, operator_token = deploy(report, emulator)
            token = walk(report, stack, operator_token)
            restore(report, stack, token)
            report.step("no function logged an error or a warning, no queue has dead letters", lambda: check_silence(stack))
        except BaseException:
            print(emulator.log(), file=sys.stderr)
            raise
    report.line("the whole drill", time.monotonic() - report.began)


if __name__ == "__main__":
    main()
