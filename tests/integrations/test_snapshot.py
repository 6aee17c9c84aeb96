"""A recorded estate: what went in comes out, and a damaged file is never read as a smaller estate."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigError
from engine.model import Asked, KindNeeds, Needs, Resource, Scope, ScopeReport, ScopeStatus, Series, Usage
from engine.values import Reason, Unknown
from integrations.snapshot import open_snapshot, record
from integrations.snapshot_lines import decode_resource, encode_resource

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
KIND = "aws.ec2.instance"
NEEDS = Needs({KIND: KindNeeds(frozenset({"tags", "hardware"}), {"gpu.power": timedelta(hours=4)})})
REPORT = ScopeReport(
    Scope("1", "us-east-1", KIND),
    ScopeStatus.PARTIAL,
    1,
    "ec2:DescribeInstances failed",
    Asked(412, Decimal("0.00412")),
)
FULL = Resource(
    kind=KIND,
    id="i-1",
    account="1",
    region="us-east-1",
    name="trainer",
    fields={
        "running": True,
        "vcpus": 96,
        "accelerator.count": 0.125,
        "price": Decimal("1.10"),
        "launched": NOW - timedelta(days=1),
        "window": timedelta(hours=4),
        "types": ("a", "b"),
        "imdsv2": Unknown(Reason.DENIED, "why", "resource.imdsv2"),
    },
    tags={"owner": "ana", "": "\u202e"},
    gaps={"hardware": Unknown(Reason.DENIED, "ec2:DescribeInstanceTypes denied")},
    metrics={
        "gpu.power": (
            Series("gpu.power", "0", NOW - timedelta(hours=1), 300, (1.5, None, 2.5), 60, "cloudwatch", (5, 0, 4)),
            Series("gpu.power", "1", NOW - timedelta(hours=1), 60, (None,), 60, "cloudwatch"),
        )
    },
    usage=(
        Usage("aws.ec2.linux.on_demand:g5.xlarge", Decimal(1), "hour"),
        Usage("aws.ec2.capacity_block:p5.48xlarge", Decimal(1), "hour", kept="it is paid in advance"),
    ),
)


class Estate:
    name = "AWS 1 (us-east-1)"
    taken_at = NOW

    def __init__(self, *items, fails=False):
        self.items, self.fails = items, fails

    def stream(self, needs):
        yield from self.items
        if self.fails:
            raise OSError("cut")


@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_what_went_in_comes_out(tmp_path, name):
    """Every kind of value survives, packed or not."""
    assert record(Estate(FULL, REPORT), NEEDS, tmp_path / name) == (1, (REPORT,))
    found = open_snapshot(tmp_path / name)
    assert (found.recorded, found.taken_at, found.needs) == ("AWS 1 (us-east-1)", NOW, NEEDS)
    assert list(found.stream(NEEDS)) == [FULL, REPORT]


def test_how_sources_of_telemetry_did_is_recorded(tmp_path):
    """A source that was not read is still not read when the recording is judged."""
    failed = ScopeReport(Scope("prometheus p", "", "telemetry"), ScopeStatus.FAILED, detail="no answer")
    record(Estate(FULL, REPORT, failed), NEEDS, tmp_path / "e.jsonl")
    assert list(open_snapshot(tmp_path / "e.jsonl").stream(NEEDS)) == [FULL, REPORT, failed]


def test_the_same_estate_gives_the_same_bytes(tmp_path):
    """Nothing of when or where a file was written is in it."""
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        record(Estate(FULL, REPORT), NEEDS, tmp_path / name)
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_failed_recording_leaves_no_file(tmp_path):
    """A recording that breaks off leaves neither a file nor a part of one, and an older one as it was."""
    record(Estate(FULL, REPORT), NEEDS, tmp_path / "e.jsonl")
    before = (tmp_path / "e.jsonl").read_bytes()
    with pytest.raises(OSError, match="cut"):
        record(Estate(FULL, fails=True), NEEDS, tmp_path / "e.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["e.jsonl"]
    assert (tmp_path / "e.jsonl").read_bytes() == before


@pytest.mark.parametrize("name", ["file/e.jsonl", "file/e.jsonl.gz", "folder"])
def test_a_place_that_takes_no_file(tmp_path, name):
    """Where nothing can be written it is said which file and why; nothing is left behind."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "folder" / "full").mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"the file cannot be written: (Not a directory|File exists|Is a directory)"):
        record(Estate(FULL, REPORT), NEEDS, tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("name", ["e.jsonl", "e.jsonl.gz"])
def test_a_full_disk(tmp_path, name):
    """A disk that is full is named as the reason."""
    (tmp_path / f".{name}.partial").symlink_to("/dev/full")
    with pytest.raises(ConfigError, match="the file cannot be written: No space left on device"):
        record(Estate(FULL, REPORT), NEEDS, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_recorded_is_a_gap(tmp_path):
    """A kind or group that a new policy needs and the recording lacks is not known, and never attested absent."""
    record(Estate(FULL, REPORT), NEEDS, tmp_path / "e.jsonl")
    more = Needs({KIND: KindNeeds(frozenset({"tags", "encryption"})), "aws.s3.bucket": KindNeeds()})
    resource, report, missing = open_snapshot(tmp_path / "e.jsonl").stream(more)
    assert resource.gaps["encryption"] == Unknown(Reason.NOT_COLLECTED, "not part of the snapshot")
    assert resource.gaps["hardware"].reason is Reason.DENIED
    assert report == REPORT
    assert (missing.scope.kind, missing.status) == ("aws.s3.bucket", ScopeStatus.FAILED)


def test_only_what_is_needed_is_given(tmp_path):
    """Kinds that nobody asks for stay in the file."""
    record(Estate(FULL, REPORT), NEEDS, tmp_path / "e.jsonl")
    found = list(open_snapshot(tmp_path / "e.jsonl").stream(Needs({"aws.s3.bucket": KindNeeds()})))
    assert [item.scope.kind for item in found] == ["aws.s3.bucket"]


def refused(path) -> str:
    with pytest.raises(ConfigError) as caught:
        list(open_snapshot(path).stream(NEEDS))
    return str(caught.value)


def test_cut_files(tmp_path):
    """A file cut at any line is refused, and so is a packed one cut at any place."""
    record(Estate(FULL, REPORT), NEEDS, tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    for kept in range(len(lines)):
        (tmp_path / "cut.jsonl").write_text("".join(lines[:kept]), encoding="utf-8")
        assert "bad-snapshot" in refused(tmp_path / "cut.jsonl")
    packed = gzip.compress("".join(lines).encode())
    for kept in (0, 5, len(packed) // 2):
        (tmp_path / "cut.jsonl.gz").write_bytes(packed[:kept])
        assert "bad-snapshot" in refused(tmp_path / "cut.jsonl.gz")


@pytest.mark.parametrize(
    "line",
    [
        "null",
        "[]",
        "{}",
        '{"resource": {}}',
        '{"resource": {"kind": 1, "id": "i", "account": "1", "region": "r"}}',
        '{"resource": {"kind": "k", "id": "i", "account": "1", "region": "r", "fields": {"a": {"$time": "x"}}}}',
        '{"resource": {"kind": "k", "id": "i", "account": "1", "region": "r", "usage": [[1]]}}',
        '{"scope": {"account": "1", "region": "r", "kind": "k", "status": "fine", "resources": 1, "detail": ""}}',
        '{"scope": {"account": "1", "region": "r", "kind": "k", "status": "failed", "resources": 1, "usd": 1}}',
        '{"end": {"resources": 7, "scopes": 7}}',
        "not json",
        "[" * 100_000,
        "\x00",
    ],
)
def test_damaged_lines(tmp_path, line):
    """A line that is not what was written is refused with its number."""
    record(Estate(FULL, REPORT), NEEDS, tmp_path / "e.jsonl")
    lines = (tmp_path / "e.jsonl").read_text(encoding="utf-8").splitlines()
    lines[1] = line
    (tmp_path / "bad.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert "bad.jsonl:2:1" in refused(tmp_path / "bad.jsonl")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(tmp_path, number):
    """NaN and infinities in a file become unknown values and missing samples, never numbers."""
    text = json.dumps(encode_resource(FULL)).replace("0.125", number).replace("1.5", number, 1)
    found = decode_resource(json.loads(text))
    assert isinstance(found.fields["accelerator.count"], Unknown)


text = st.text(max_size=20)
values = st.one_of(
    st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False, allow_infinity=False), text
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(text, values, max_size=5), st.dictionaries(text, text, max_size=5), text)
def test_any_resource_survives(fields, tags, name):
    """What is written of a resource is read back as it was."""
    resource = Resource(KIND, "i", "1", "r", name, fields, tags)
    assert decode_resource(json.loads(json.dumps(encode_resource(resource)))) == resource
