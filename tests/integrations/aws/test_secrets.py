"""Secrets of Secrets Manager and Parameter Store, and a function that is called without waiting for it."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
import pytest

from bursar.secrets import read_secret
from engine.errors import ConfigError
from integrations.aws.invoking import invoke_later

HERE = Path()


@pytest.fixture
def account(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    manager = boto3.client("secretsmanager", "us-east-1", endpoint_url=aws.endpoint)
    arn = manager.create_secret(Name="both", SecretString=json.dumps({"token": "xoxb-1", "n": 7}))["ARN"]
    manager.create_secret(Name="plain", SecretString="plain text\n")
    manager.create_secret(Name="binary", SecretBinary=b"\0\1")
    parameters = boto3.client("ssm", "us-east-1", endpoint_url=aws.endpoint)
    parameters.put_parameter(Name="/bursar/signing", Value="s1gning", Type="SecureString")
    yield arn
    manager.close()
    parameters.close()


def test_secrets_by_name_and_arn(account):
    """By name, by ARN whose region counts, by key of a JSON text, and decrypted from Parameter Store; never shown."""
    for reference, text in (
        ("secretsmanager:plain", "plain text"),
        ("secretsmanager:both#token", "xoxb-1"),
        (f"secretsmanager:{account}#token", "xoxb-1"),
        ("ssm:/bursar/signing", "s1gning"),
    ):
        found = read_secret(reference, HERE, "slack.token")
        assert found.get_secret_value() == text
        assert text not in f"{found!r} {found}"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("secretsmanager:nowhere", "secretsmanager:nowhere cannot be read (ResourceNotFoundException)"),
        ("secretsmanager:both#missing", "has no text under `missing`"),
        ("secretsmanager:both#n", "has no text under `n`"),
        ("secretsmanager:plain#token", "has no text under `token`"),
        ("secretsmanager:binary", "is empty, or not text"),
        ("ssm:/nowhere", "ssm:/nowhere cannot be read (ParameterNotFound)"),
    ],
)
def test_secrets_that_cannot_be_had(account, reference, words):
    """What is wrong is told with the key and the place; the text of no secret is told, not even in the cause."""
    with pytest.raises(ConfigError) as raised:
        read_secret(reference, HERE, "slack.token")
    assert "`slack.token`: " in str(raised.value)
    assert words in str(raised.value)
    told = f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert "plain text" not in told
    assert "xoxb" not in told


def test_a_denied_secret(account, aws):
    """A role without the permission is told which it needs."""
    aws.faults({"secretsmanager:GetSecretValue": {"denied": True}})
    with pytest.raises(ConfigError, match="secretsmanager:GetSecretValue"):
        read_secret("secretsmanager:plain", HERE, "slack.token")


# --- calling a function --------------------------------------------------------------------------


@contextmanager
def lambda_service(status):
    """Yield the address of something that takes invocations, and what it took."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.path, self.headers["X-Amz-Invocation-Type"], json.loads(body)))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_function_is_called_without_waiting(monkeypatch):
    """The event arrives as an asynchronous invocation."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with lambda_service(202) as (address, taken):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", address)
        invoke_later("bursar-deferred", {"errand": "CountClick", "click": "abc"})
    assert taken == [
        ("/2015-03-31/functions/bursar-deferred/invocations", "Event", {"errand": "CountClick", "click": "abc"})
    ]


@pytest.mark.parametrize("function", ["", "bursar-deferred"])
def test_a_function_that_cannot_be_called(monkeypatch, function):
    """It is an error with a code, also where no function is named at all."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with lambda_service(403) as (address, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", address)
        with pytest.raises(ConfigError, match="not-invoked"):
            invoke_later(function, {})
