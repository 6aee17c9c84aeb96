"""Timestamps are read quickly, and as the same moments as before."""

from datetime import UTC, datetime

import pytest
from botocore.session import Session

from integrations.aws.timestamps import read_timestamps_quickly

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def parse():
    """Return the timestamp parser that a session's clients use."""
    session = Session()
    read_timestamps_quickly(session)
    return session.get_component("response_parser_factory").create_parser("json")._timestamp_parser


@pytest.mark.parametrize(
    "sent",
    [
        NOON.timestamp(),
        int(NOON.timestamp()),
        "2026-11-23T12:00:00Z",
        "2026-11-23T12:00:00.000Z",
        "2026-11-23T13:00:00+01:00",
        "Mon, 23 Nov 2026 12:00:00 GMT",
        "20261123T120000Z",
        str(int(NOON.timestamp())),
    ],
)
def test_numbers_and_texts_are_the_same_moment(parse, sent):
    """APIs send either; all of them come with a zone."""
    assert parse(sent) == NOON


def test_numbers_are_utc(parse):
    """No detour by the local zone, which costs thirty times as much."""
    assert parse(NOON.timestamp()).tzinfo is UTC


@pytest.mark.parametrize("sent", ["2026-11-23T25:00:00Z", "soon", "never at TZ"])
def test_what_is_no_timestamp_is_none_as_before(parse, sent):
    """Nothing that botocore refuses becomes a moment."""
    with pytest.raises(ValueError, match="Invalid timestamp"):
        parse(sent)
