"""The flight recorder: what AWS said, without what must not leave the house, and as good as AWS for reading."""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.model import Resource
from integrations.aws.estate import AwsEstate
from integrations.aws.recorder import Recorder, Replay, Sanitizer, as_json, read_lines, restored
from integrations.aws.session import AwsSettings, open_session
from tests.integrations.aws.kind_names import BUCKET, INSTANCE
from tests.integrations.aws.replayed import everything

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_recording_is_as_good_as_aws(aws, clients, tmp_path):
    """Read again from the recording, without a network, the resources are the same but for the account's number."""
    ec2 = clients("ec2")
    ec2.run_instances(ImageId="ami-12c6146b", InstanceType="g5.xlarge", MinCount=3, MaxCount=3)
    clients("s3").create_bucket(Bucket="models")
    for kind in (INSTANCE, BUCKET):
        folder = tmp_path / kind
        settings = AwsSettings(("us-east-1",), endpoint_url=aws.endpoint, access_key=("a", "b"))
        live = read(kind, settings, Recorder(folder))
        again = read(kind, AwsSettings(("us-east-1",), access_key=("a", "b")), Replay.of(read_lines(folder)))
        assert live
        assert again == live


def read(kind, settings, listener):
    settings = AwsSettings(
        settings.regions,
        endpoint_url=settings.endpoint_url,
        access_key=settings.access_key,
        listeners=(listener.listen,),
    )
    with open_session(settings) as session:
        items = list(AwsEstate(session, "123456789012", NOW).stream(everything(kind)))
    return {item.id: (item.fields, item.tags, item.gaps) for item in items if isinstance(item, Resource)}


SECRETS = {
    "SecretAccessKey": "abc",
    "Environment": {"OPENAI_API_KEY": "sk-1"},
    "UserData": "IyEvYmlu",
    "MasterUserPassword": "x",
    "HyperParameters": {"token": "y"},
    "AuthToken": "z",
    "command": ["train", "--token", "sk-1"],
    "ContainerArguments": ["--token=sk-1"],
    "ContainerEntrypoint": ["sh", "-c", "sk-1"],
    "parameters": {"token": "sk-1"},
    "environment": [{"name": "OPENAI_API_KEY", "value": "sk-1"}],
}


@pytest.mark.parametrize("key", SECRETS)
def test_secrets_are_left_out(key):
    """By the names under which services send them."""
    cleaned = Sanitizer().clean({key: SECRETS[key], "Name": "kept"})
    assert cleaned["Name"] == "kept"
    assert "REDACTED" in json.dumps(cleaned[key])
    for secret in ("abc", "sk-1", "IyEvYmlu", '"x"', '"y"', '"z"'):
        assert secret not in json.dumps(cleaned)


@given(st.lists(st.integers(0, 999999999999), max_size=5))
def test_account_numbers_are_replaced_alike(numbers):
    """The same number by the same stand-in, wherever it stands, and another by another."""
    accounts = [f"{number:012}" for number in numbers]
    cleaned = Sanitizer().clean({"Arns": [f"arn:aws:iam::{a}:role/x" for a in accounts], "Owners": accounts})
    assert [arn.split(":")[4] for arn in cleaned["Arns"]] == cleaned["Owners"]
    assert len(set(cleaned["Owners"])) == len(set(accounts))
    assert all(re.fullmatch(r"0{11}\d", owner) for owner in cleaned["Owners"])


def test_addresses_are_replaced():
    """Of machines and of people; numbers of versions are none."""
    text = "10.1.2.3 and ana@example.org with AKIAABCDEFGHIJKLMNOP on 1.2.3"
    assert Sanitizer().clean(text) == "192.0.2.1 and somebody@example.com with AKIAIOSFODNN7EXAMPLE on 1.2.3"


def test_pages_still_follow_each_other():
    """A token is replaced by the same stand-in in the answer that sends it and in the call that uses it."""
    sanitizer = Sanitizer()
    sent = sanitizer.clean({"NextToken": "opaque-1"})
    assert sanitizer.clean({"NextToken": "opaque-1"}) == sent
    assert sanitizer.clean({"NextToken": "opaque-2"}) != sent
    assert "opaque" not in json.dumps(sent)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON.filter(lambda value: "$time" not in str(value)))
def test_times_survive(value):
    """What is written as JSON is read as it was."""
    assert restored(json.loads(json.dumps(as_json(value)))) == value


def test_a_folder_that_cannot_be_written(tmp_path):
    """It is said before anything is asked."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="record"):
        Recorder(tmp_path / "file" / "folder").listen(None)
