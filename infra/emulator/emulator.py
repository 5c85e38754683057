"""An emulated AWS account on this machine: it begins empty and leaves nothing."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-central-1"
# How long the emulator may take to answer, and any call to it, in seconds.
START_TIMEOUT = 60
CALL_TIMEOUT = 120
# What the template needs. Further services would open further ports.
SERVICES = (
    "apigateway,cloudformation,dynamodb,events,iam,lambda,logs,monitoring,s3,scheduler,sns,sqs,ssm,sts,cloudwatch"
)


def free_port():
    """Returns a port of the loopback interface that nothing uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Emulator:
    """A running emulator, which ends with the `with` block.

    `python` has the emulator (requirements.txt in this folder). It needs another botocore than SAM, so they cannot share one.
    """

    def __init__(self, python=sys.executable):
        self.python = python
        self.folder = Path(tempfile.mkdtemp(prefix="tidemark-drill-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        tools = Path(sys.executable).parent
        # No setting and no credentials of the surrounding shell reach the emulator or the commands.
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAM_"))},
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_ENDPOINT_URL": self.url,
            "SAM_CLI_TELEMETRY": "0",
        }
        self.process = None

    def __enter__(self):
        state = {name: str(self.folder / name) for name in ("s3", "state", "tmp")}
        (self.folder / "tmp").mkdir()
        # The functions call what `AWS_ENDPOINT_URL` names, which they inherit.
        environment = {
            **self.environment,
            "GATEWAY_PORT": str(self.port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "localhost",
            "MINISTACK_REGION": REGION,
            "S3_DATA_DIR": state["s3"],
            "STATE_DIR": state["state"],
            "TMPDIR": state["tmp"],
            "SERVICES": SERVICES,
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            # The functions get credentials of their roles, and each of their calls is checked against the role.
            "AUTH": "true",
        }
        with open(self.folder / "log", "w") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", "ministack"], env=environment, cwd=self.folder, stdout=log,
                stderr=subprocess.STDOUT, start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _wait(self):
        end = time.monotonic() + START_TIMEOUT
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("the emulator does not start:\n" + self.log()) from None
                time.sleep(0.2)

    def __exit__(self, *_):
        # The functions are processes of the same session.
        for kind in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, kind)
            except ProcessLookupError:
                break
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        """Returns the end of the emulator's own log."""
        return "\n".join((self.folder / "log").read_text(errors="replace").splitlines()[-30:])

    def client(self, service):
        """Returns a client of a service."""
        return boto3.client(
            service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=CALL_TIMEOUT, connect_timeout=5, retries={"total_max_attempts": 1}),
        )

    def run(self, command, timeout, variables=None):
        """Runs a command in the repository's root with the emulator as AWS, and returns its output."""
        process = subprocess.Popen(
            command, cwd=ROOT, env={**self.environment, **(variables or {})}, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        try:
            printed, _ = process.communicate(timeout=timeout)
        except BaseException:
            # What the command started ends with it.
            os.killpg(process.pid, signal.SIGKILL)
            printed, _ = process.communicate()
            print(f"{command[0]} did not end within {timeout} seconds:\n{printed[-6000:]}", file=sys.stderr)
            raise
        if process.returncode:
            raise RuntimeError(f"{command[:3]} ended with {process.returncode}:\n{printed[-6000:]}")
        return printed
