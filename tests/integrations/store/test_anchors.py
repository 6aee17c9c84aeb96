"""Anchors in a file and in S3: what was kept stays the last, whatever is done to it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.state.ledger import Head
from engine.state.store import StateError
from integrations.store.addresses import LockMode
from integrations.store.anchor_file import FileAnchor
from integrations.store.anchor_s3 import S3Anchor

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
BUCKET = "anchors"


def head(serial, lineage="ab" * 16, digest="0"):
    return Head(lineage, serial, f"{digest}{serial:063x}")


@pytest.fixture
def s3(aws, clients):
    """A client of S3 with a bucket that has Object Lock."""
    client = clients("s3")
    client.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return client


@pytest.fixture
def clients(aws):
    import boto3

    made = []

    def client(service):
        made.append(boto3.client(service, region_name="us-east-1", endpoint_url=aws.endpoint))
        return made[-1]

    yield client
    for one in made:
        one.close()


@pytest.fixture(params=["file", "s3"])
def anchor(request, tmp_path):
    """An empty anchor of each kind."""
    if request.param == "file":
        return FileAnchor(tmp_path / "anchor.jsonl")
    return S3Anchor(request.getfixturevalue("s3"), BUCKET, "bursar/anchor")


def refusal(ask, *arguments):
    with pytest.raises(StateError) as caught:
        ask(*arguments)
    (problem,) = caught.value.problems
    return problem.code, problem.message


# --- both ----------------------------------------------------------------------------------------


def test_nothing_kept(anchor):
    """Before the first head there is none."""
    assert anchor.latest() is None


def test_the_last_one(anchor):
    """The last head that was kept comes back; from an empty ledger on, and past a thousand."""
    for serial in (0, 1, 9, 10, 99, 100, 1000):
        anchor.keep(head(serial), NOW + timedelta(seconds=serial))
        assert anchor.latest() == head(serial)


def test_the_same_again(anchor):
    """A head that is kept already is fine; it is not written twice."""
    for _ in range(3):
        anchor.keep(head(5), NOW)
    assert anchor.latest() == head(5)


@pytest.mark.parametrize(
    ("later", "message"),
    [
        (head(4), "an older state was put back: it ends with entry 4, and 5 were anchored"),
        (head(5, digest="1"), "the anchored entry 5 was replaced"),
        (
            head(6, lineage="cd" * 16),
            f"this is another store than the anchored one: lineage {'cd' * 16}, not {'ab' * 16}",
        ),
    ],
)
def test_what_cannot_follow(anchor, later, message):
    """An old state that was put back does not become the one that is anchored."""
    anchor.keep(head(5), NOW)
    assert refusal(anchor.keep, later, NOW) == ("state-replaced", message)
    assert anchor.latest() == head(5)


# --- a file --------------------------------------------------------------------------------------


def test_lines_of_a_file(tmp_path):
    """Each head is one line of JSON with its time."""
    anchor = FileAnchor(tmp_path / "anchor.jsonl")
    anchor.keep(head(1), NOW)
    anchor.keep(head(2), NOW)
    lines = [json.loads(line) for line in anchor.path.read_text().splitlines()]
    assert [line["serial"] for line in lines] == [1, 2]
    assert lines[0]["at"] == "2026-11-25T12:00:00+00:00"


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_by_a_crash(tmp_path, cut):
    """A head of which only the beginning was written was never kept; the next one gets a line of its own."""
    anchor = FileAnchor(tmp_path / "anchor.jsonl")
    anchor.keep(head(1), NOW)
    whole = anchor.path.read_bytes()
    anchor.keep(head(2), NOW)
    anchor.path.write_bytes(whole + anchor.path.read_bytes()[len(whole) :][:cut])
    assert anchor.latest() == head(1)
    anchor.keep(head(3), NOW)
    assert anchor.latest() == head(3)
    assert anchor.path.read_bytes().startswith(whole)


@pytest.mark.parametrize("line", ["{}", '{"lineage": 1, "serial": "2", "digest": null}', "x}", "[}"])
def test_a_damaged_file(tmp_path, line):
    """A last line that is whole and no head is damage, never a reason to look at an earlier one."""
    anchor = FileAnchor(tmp_path / "anchor.jsonl")
    anchor.keep(head(1), NOW)
    anchor.path.write_text(anchor.path.read_text() + line + "\n")
    assert refusal(anchor.latest)[0] == "state-damaged"
    assert refusal(anchor.keep, head(2), NOW)[0] == "state-damaged"


def test_a_file_that_cannot_be_used(tmp_path):
    """A folder in its place, or no folder around it, is told."""
    assert refusal(FileAnchor(tmp_path).latest)[0] == "state-unavailable"
    assert refusal(FileAnchor(tmp_path / "no" / "anchor.jsonl").keep, head(1), NOW) == (
        "state-unavailable",
        "the anchor cannot be used: No such file or directory",
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT TESTED: a full disk; there is no /dev/full here")
def test_a_full_disk(tmp_path):
    """A head that could not be written was not kept."""

    class Blind(FileAnchor):
        """One that does not read first: what `/dev/full` is read as never ends."""

        def latest(self):
            return None

    path = tmp_path / "anchor.jsonl"
    path.symlink_to("/dev/full")
    with pytest.raises(StateError) as caught:
        Blind(path).keep(head(1), NOW)
    assert "No space left on device" in str(caught.value)


# --- S3 ------------------------------------------------------------------------------------------


def test_retention(s3):
    """Where it is asked for, an object may not be deleted before its time."""
    from botocore.exceptions import ClientError

    anchor = S3Anchor(s3, BUCKET, "a", timedelta(days=30), LockMode.COMPLIANCE)
    anchor.keep(head(1), NOW)
    version = s3.list_object_versions(Bucket=BUCKET)["Versions"][0]
    kept = s3.get_object(Bucket=BUCKET, Key=version["Key"])
    assert kept["ObjectLockMode"] == "COMPLIANCE"
    assert kept["ObjectLockRetainUntilDate"] == NOW + timedelta(days=30)
    assert json.loads(kept["Body"].read())["serial"] == 1
    with pytest.raises(ClientError):
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])


def test_a_delete_marker_hides_nothing(s3):
    """Deleting the last object, which Object Lock answers with a marker, does not bring back an earlier head."""
    anchor = S3Anchor(s3, BUCKET, "a")
    anchor.keep(head(1), NOW)
    anchor.keep(head(2), NOW)
    s3.delete_object(Bucket=BUCKET, Key=min(o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET)["Contents"]))
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 1
    assert anchor.latest() == head(2)


def test_an_overwritten_object(s3):
    """Another content under the same key changes nothing: the key says it all."""
    anchor = S3Anchor(s3, BUCKET, "a")
    anchor.keep(head(1), NOW)
    key = s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    assert anchor.latest() == head(1)


def test_something_else_in_the_folder(s3):
    """An object that is no head is damage."""
    anchor = S3Anchor(s3, BUCKET, "a")
    s3.put_object(Bucket=BUCKET, Key="a/0-readme.txt", Body=b"")
    assert refusal(anchor.latest) == ("state-damaged", "the anchor is damaged")


def test_anchors_beside_each_other(s3):
    """Prefixes keep anchors apart."""
    S3Anchor(s3, BUCKET, "a").keep(head(9), NOW)
    S3Anchor(s3, BUCKET, "ab").keep(head(3), NOW)
    assert S3Anchor(s3, BUCKET, "ab").latest() == head(3)
    assert S3Anchor(s3, BUCKET, "b").latest() is None


def test_no_bucket(s3):
    """A bucket that does not exist is told."""
    assert refusal(S3Anchor(s3, "nowhere", "a").latest) == (
        "state-unavailable",
        "the anchor cannot be used (NoSuchBucket)",
    )


def test_denied(s3, aws):
    """A denied call is told with the permissions that are needed."""
    aws.faults({"s3:*": {"denied": True}})
    assert refusal(S3Anchor(s3, BUCKET, "a").latest) == ("state-unavailable", "AWS denied the anchor")
    aws.faults({})
