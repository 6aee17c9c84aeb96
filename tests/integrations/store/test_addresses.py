"""`state:` and `anchor:` as they are written."""

from datetime import timedelta
from pathlib import Path

import pytest

from integrations.store.addresses import (
    AddressError,
    DynamoAddress,
    FileAnchorAddress,
    LockMode,
    PostgresAddress,
    S3AnchorAddress,
    SqliteAddress,
    anchor_address,
    state_address,
)

HERE = Path("/etc/bursar")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sqlite:///bursar.db", SqliteAddress(HERE / "bursar.db")),
        ("sqlite:///data/my%20state.db", SqliteAddress(HERE / "data" / "my state.db")),
        ("sqlite:////var/lib/bursar.db", SqliteAddress(Path("/var/lib/bursar.db"))),
        ("postgresql://bursar@db.example/state", PostgresAddress("bursar", "db.example", None, "state")),
        (
            "postgres://b%40x@db:5433/state?sslmode=require",
            PostgresAddress("b@x", "db", 5433, "state", (("sslmode", "require"),)),
        ),
        (
            "postgresql:///state?host=/run/postgresql",
            PostgresAddress(database="state", options=(("host", "/run/postgresql"),)),
        ),
        ("dynamodb://bursar-state?region=eu-central-1", DynamoAddress("bursar-state", "eu-central-1")),
        ("dynamodb://Bursar_State.1", DynamoAddress("Bursar_State.1", "")),
    ],
)
def test_states(text, expected):
    """Each kind of store; relative files are beside the configuration."""
    assert state_address(text, HERE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anchor.jsonl", FileAnchorAddress(HERE / "anchor.jsonl")),
        ("/mnt/other/anchor.jsonl", FileAnchorAddress(Path("/mnt/other/anchor.jsonl"))),
        ("file:///mnt/other/anchor.jsonl", FileAnchorAddress(Path("/mnt/other/anchor.jsonl"))),
        ("s3://audit/bursar/", S3AnchorAddress("audit", "bursar")),
        (
            "s3://audit/a/b?region=eu-central-1&retain=365d&mode=compliance",
            S3AnchorAddress("audit", "a/b", "eu-central-1", timedelta(days=365), LockMode.COMPLIANCE),
        ),
    ],
)
def test_anchors(text, expected):
    """Files and S3."""
    assert anchor_address(text, HERE) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bursar.db", "`bursar.db` is not the address of a store"),
        ("mysql://x/y", "`mysql` is not a store"),
        ("sqlite://bursar.db", "the address names no file"),
        ("sqlite:///", "the address names no file"),
        ("sqlite:bursar.db", "the address names no file"),
        ("sqlite:///a.db?mode=ro", "`mode` is not a parameter of sqlite"),
        ("dynamodb://", "the address names no table"),
        ("dynamodb://table/more", "the address names no table"),
        ("dynamodb://table?regoin=x", "`regoin` is not a parameter of dynamodb"),
        ("postgresql://h:port/d", "the port is not a number"),
        ("postgresql://h/d?sslmod=require", "`sslmod` is not a parameter of postgresql"),
        ("postgresql://[h/d", "the address cannot be understood"),
    ],
)
def test_states_that_are_none(text, said):
    """What cannot be understood is told with a way out."""
    with pytest.raises(AddressError) as caught:
        state_address(text, HERE)
    assert str(caught.value) == said
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("s3://bucket", "the address names no bucket and prefix"),
        ("s3://bucket/p?retain=30", "`retain` is no length of time"),
        ("s3://bucket/p?mode=compliance", "`mode` goes with `retain`"),
        ("s3://bucket/p?retain=30d&mode=strict", "`strict` is not a mode of Object Lock"),
        ("gs://bucket/p", "`gs` is not an anchor"),
    ],
)
def test_anchors_that_are_none(text, said):
    """Likewise."""
    with pytest.raises(AddressError) as caught:
        anchor_address(text, HERE)
    assert str(caught.value).startswith(said)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text", ["postgresql://u:hunter2@h/d", "postgresql://h/d?password=hunter2", "postgresql://u:hunter2@h:port/d"]
)
def test_passwords(text):
    """A password is refused, and is in no message."""
    with pytest.raises(AddressError) as caught:
        state_address(text, HERE)
    assert str(caught.value) == "a password does not belong into the configuration"
    assert "hunter2" not in caught.value.hint
