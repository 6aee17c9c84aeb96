"""The configured state and anchor, opened."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bursar.config import Config
from bursar.stores import open_anchor, open_store
from engine.errors import ConfigError
from engine.state.ledger import Note
from engine.state.store import StateError
from integrations.aws.session import AwsSettings
from integrations.store.addresses import (
    DynamoAddress,
    FileAnchorAddress,
    PostgresAddress,
    S3AnchorAddress,
    SqliteAddress,
)
from tests.bursar.test_cli import loaded_by

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_sqlite(here):
    """The default is a file, made when it is first opened to be written."""
    config = Config(state=SqliteAddress(here / "bursar.db"))
    with pytest.raises(StateError), open_store(config, create=False):
        pass
    with open_store(config) as store:
        head = store.commit([], [Note(NOW, "k", "s")])
    with open_store(config, create=False) as store:
        assert store.head() == head


def test_dynamodb(account):
    """DynamoDB is asked with the credentials of the `aws` part, in the region of the address or of that part."""
    pytest.importorskip("py_partiql_parser", reason="NOT TESTED: `moto[dynamodb]` is not installed")
    settings = AwsSettings(regions=("eu-west-1", "us-east-1"), endpoint_url=account.endpoint)
    for region, expected in (("", "eu-west-1"), ("eu-central-1", "eu-central-1")):
        config = Config(state=DynamoAddress("bursar-stores", region), aws=settings)
        with open_store(config) as store:
            assert store.name == f"dynamodb bursar-stores in {expected}"
            assert store.commit([], [Note(NOW, "k", "s")]).serial == 1


def test_postgres_is_not_there(here):
    """What cannot be reached is told by its name."""
    config = Config(state=PostgresAddress("u", database="d", options=(("host", str(here)),)))
    with pytest.raises(StateError) as caught, open_store(config):
        pass
    assert caught.value.problems[0].place.file == f"postgresql u@{here}"


def test_anchors(here, account):
    """None, a file or S3, as the configuration says."""
    import boto3

    client = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    client.create_bucket(Bucket="audit")
    client.close()
    with open_store(Config(state=SqliteAddress(here / "bursar.db"))) as store:
        head = store.head()
    base = Config(aws=AwsSettings(regions=("us-east-1",), endpoint_url=account.endpoint))
    with open_anchor(base) as anchor:
        assert anchor is None
    for address in (FileAnchorAddress(here / "anchor.jsonl"), S3AnchorAddress("audit", "bursar")):
        with open_anchor(replace(base, anchor=address)) as anchor:
            anchor.keep(head, NOW)
        with open_anchor(replace(base, anchor=address)) as anchor:
            assert anchor.latest() == head


def test_without_credentials(here, monkeypatch):
    """A state in AWS without credentials or region is a mistake of the configuration."""
    monkeypatch.delenv("AWS_REGION", raising=False)
    with pytest.raises(ConfigError) as caught, open_store(Config(state=DynamoAddress("x"))):
        pass
    assert "no AWS region is named" in str(caught.value)


def test_only_what_is_used_is_loaded():
    """A state in a file loads no cloud's SDK and no driver of PostgreSQL."""
    code = (
        "from pathlib import Path; from tempfile import mkdtemp; from bursar.config import Config\n"
        "from bursar.stores import open_store; from integrations.store.addresses import SqliteAddress\n"
        "with open_store(Config(state=SqliteAddress(Path(mkdtemp()) / 'x.db'))) as store: store.head()"
    )
    assert loaded_by(code) & {"boto3", "botocore", "psycopg", "tenacity"} == set()
