"""The deployed stack in the emulator, and what is done for the emulator where it does less than AWS."""

import json
import platform
import re
import time
import urllib.error
import urllib.request

from emulator import ROOT

DEPLOY_TIMEOUT = 600
ARCHITECTURE = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")


class Stack:
    """A stack that the commands of README.md deploy."""

    def __init__(self, emulator, config_env, name):
        self.emulator, self.config_env, self.name = emulator, config_env, name
        self.cloudformation = emulator.client("cloudformation")

    def deploy(self, *parameters, options=()):
        """Runs `sam deploy` with these parameters, and returns what it prints."""
        # SAM looks for its configuration beside the template.
        files = ["--config-file", str(ROOT / "samconfig.toml"), "--template-file", self.template()]
        command = ["sam", "deploy", "--config-env", self.config_env, *files, *options]
        if parameters:
            command += ["--parameter-overrides", *parameters]
        printed = self.emulator.run(command, DEPLOY_TIMEOUT)
        import_routes(self)
        adapt_roles(self)
        adapt_buckets(self)
        return printed

    def template(self):
        """Writes the template without gradual deployments, because the emulator has no CodeDeploy. Returns the path."""
        text = (ROOT / "infra/template.yaml").read_text()
        text = re.sub(r"(?m)^ *DeploymentPreference:.*\n", "", text)
        path = self.emulator.folder / "template.yaml"
        path.write_text(text.replace("CodeUri: ../", f"CodeUri: {ROOT}/"))
        return str(path)

    def describe(self):
        """Returns the description of the stack."""
        return self.cloudformation.describe_stacks(StackName=self.name)["Stacks"][0]

    def parameters(self):
        """Returns the values of the parameters by their names."""
        return {each["ParameterKey"]: each["ParameterValue"] for each in self.describe()["Parameters"]}

    def outputs(self):
        """Returns the outputs by their names."""
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe()["Outputs"]}

    def resources(self):
        """Returns (logical id, type, physical id) of each resource."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = (each for page in pages for each in page["StackResourceSummaries"])
        return [(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"]) for each in found]

    def physical(self, logical_id):
        """Returns the physical id of a resource."""
        return next(physical for logical, _, physical in self.resources() if logical == logical_id)

    def url(self):
        """Returns the API's address in the emulator, which serves all APIs at one address."""
        return f"{self.emulator.url}/_aws/execute-api/{self.physical('Api')}/$default"

    def call(self, method, path, token, body=None, expect=(200, 201, 202)):
        """Sends a request to the deployed API and returns the JSON of the response."""
        request = urllib.request.Request(
            self.url() + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, text = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        if status not in expect:
            raise RuntimeError(f"{method} {path} returned {status}: {text.decode(errors='replace')}")
        return json.loads(text or "null")


def import_routes(stack):
    """Makes the routes and the authorizer of the HTTP API.

    SAM describes them in the property `Body`, an OpenAPI document, which the emulator ignores. So this does what API Gateway
    does with it, from the template that CloudFormation processed.
    """
    processed = stack.cloudformation.get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    processed = processed if isinstance(processed, dict) else json.loads(processed)
    body = processed["Resources"]["Api"]["Properties"]["Body"]
    gateway, api = stack.emulator.client("apigatewayv2"), stack.physical("Api")
    for route in gateway.get_routes(ApiId=api)["Items"]:
        gateway.delete_route(ApiId=api, RouteId=route["RouteId"])
    lambdas = stack.emulator.client("lambda")
    callable_ = {
        logical: physical if kind == "AWS::Lambda::Alias"
        else lambdas.get_function_configuration(FunctionName=physical)["FunctionArn"]
        for logical, kind, physical in stack.resources() if kind in ("AWS::Lambda::Function", "AWS::Lambda::Alias")
    }

    def uri(value):
        # The value joins one function's address from parts, which name nothing else.
        (name,) = {word for word in re.findall(r"\w+", json.dumps(value)) if word in callable_}
        region = gateway.meta.region_name
        return f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{callable_[name]}/invocations"

    authorizers = {}
    for name, scheme in body["components"]["securitySchemes"].items():
        given = scheme["x-amazon-apigateway-authorizer"]
        lifetime = given.get("authorizerResultTtlInSeconds", 300)
        if not isinstance(lifetime, int):
            lifetime = int(stack.parameters()[lifetime["Ref"]])
        authorizers[name] = gateway.create_authorizer(
            ApiId=api, Name=name, AuthorizerType="REQUEST", AuthorizerUri=uri(given["authorizerUri"]),
            AuthorizerPayloadFormatVersion=str(given["authorizerPayloadFormatVersion"]),
            EnableSimpleResponses=given["enableSimpleResponses"], IdentitySource=_sources(given["identitySource"]),
            AuthorizerResultTtlInSeconds=lifetime,
        )["AuthorizerId"]
    integrations, count = {}, 0
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            target = uri(operation["x-amazon-apigateway-integration"]["uri"])
            if target not in integrations:
                made = gateway.create_integration(
                    ApiId=api, IntegrationType="AWS_PROXY", IntegrationUri=target, PayloadFormatVersion="2.0",
                )
                integrations[target] = made["IntegrationId"]
            named = [name for each in operation.get("security", []) for name in each if name in authorizers]
            security = {"AuthorizationType": "CUSTOM", "AuthorizerId": authorizers[named[0]]} if named else {}
            gateway.create_route(
                ApiId=api, RouteKey=f"{method.upper()} {path}", Target=f"integrations/{integrations[target]}", **security,
            )
            count += 1
    return count


def _sources(given):
    return given if isinstance(given, list) else [each.strip() for each in given.split(",")]


def adapt_roles(stack):
    """Rewrites the roles for the emulator, which checks each call of a function against its role.

    It asks for the action `sqs:SendMessageBatch`, which IAM does not have: AWS asks for `sqs:SendMessage`. And it does not
    know the keys of a call (`dynamodb:LeadingKeys`); tests/process holds those.
    """
    iam = stack.emulator.client("iam")
    for _, kind, role in stack.resources():
        if kind != "AWS::IAM::Role":
            continue
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            for statement in document["Statement"]:
                statement.pop("Condition", None)
                actions = statement["Action"]
                actions = [actions] if isinstance(actions, str) else actions
                if "sqs:SendMessage" in actions:
                    statement["Action"] = [*actions, "sqs:SendMessageBatch"]
            iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def adapt_buckets(stack):
    """Deletes the policies of the buckets: they refuse requests without TLS, which the emulator does not speak."""
    for _, kind, bucket in stack.resources():
        if kind == "AWS::S3::Bucket":
            stack.emulator.client("s3").delete_bucket_policy(Bucket=bucket)


def wait_until(found, what, timeout=60):
    """Repeats `found` until it returns something true, and returns it."""
    end = time.monotonic() + timeout
    while True:
        result = found()
        if result:
            return result
        if time.monotonic() > end:
            raise RuntimeError(f"{what}: not within {timeout} seconds")
        time.sleep(0.5)
