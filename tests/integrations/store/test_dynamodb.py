"""DynamoDB where it fails: pages, refusals, races that are lost, items that somebody changed."""

from datetime import UTC, datetime, timedelta

import pytest

from engine.state.ledger import Note, breaks_of
from engine.state.store import Put, StateError, Table
from integrations.store.dynamodb import DynamoStore
from integrations.store.dynamodb_errors import Refused
from integrations.store.dynamodb_items import HEAD, entry_write, record_key
from integrations.store.dynamodb_open import open_dynamodb
from tests.integrations.store.conftest import NUMBERS

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@pytest.fixture
def client(dynamodb_client):
    return dynamodb_client()


@pytest.fixture
def made(client, aws_server) -> DynamoStore:
    """A store in a new table; no fault outlives the test."""
    yield open_dynamodb(client, f"bursar-own-{next(NUMBERS)}")
    aws_server.faults({})


def refusal(ask, *arguments, **named):
    """Return code, message and hint of the error."""
    with pytest.raises(StateError) as caught:
        ask(*arguments, **named)
    (problem,) = caught.value.problems
    return problem.code, problem.message, problem.hint


def put(key, size=0, status="open"):
    return Put(Table.FINDING, key, status, {"text": "x" * size}, 0)


def test_many_pages(made, aws_server):
    """What does not fit into one answer comes in several, in order, also where a filter leaves a page empty."""
    keys = [f"k{number:03d}" for number in range(40)]
    for key in keys:
        made.commit([put(key, 60_000, "last" if key == keys[-1] else "open")], [Note(NOW, "a", key)])
    aws_server.calls()
    assert [record.key for record in made.scan(Table.FINDING)] == keys
    assert len(aws_server.calls()) > 1
    assert [record.key for record in made.scan(Table.FINDING, "last")] == keys[-1:]


def test_no_table_and_none_made(client):
    """Who only reads makes no table."""
    assert refusal(open_dynamodb, client, "bursar-nowhere", create=False)[:2] == (
        "state-unavailable",
        "there is no state here yet",
    )
    assert "bursar-nowhere" not in client.list_tables()["TableNames"]


def test_the_table(client, made):
    """It scales on demand and is protected from being deleted."""
    table = client.describe_table(TableName=made.table)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"denied": True}, "AWS denied the state"),
        ({"throttled": True}, "DynamoDB throttles the state"),
        ({"error_rate": 1, "code": "ExpiredTokenException", "status": 400}, "AWS refused the credentials"),
        ({"error_rate": 1}, "the state cannot be used (InternalServerError)"),
    ],
)
def test_refusals(dynamodb_client, made, aws_server, fault, message):
    """What AWS refuses is told as such, and nothing is written."""
    once = DynamoStore(dynamodb_client(attempts=1), made.table, made.name)
    aws_server.faults({"dynamodb:*": fault})
    for ask in (lambda: once.commit([put("k")], [Note(NOW, "a", "b")]), once.head, lambda: list(once.entries())):
        code, said, hint = refusal(ask)
        assert (code, said.startswith(message), bool(hint)) == ("state-unavailable", True, True)
    aws_server.faults({})
    assert (made.get(Table.FINDING, "k"), made.head().serial) == (None, 0)


def test_not_reachable(dynamodb_client, made):
    """An address where nobody answers is told."""
    away = dynamodb_client(attempts=1, endpoint="http://127.0.0.1:9")
    code, said, _ = refusal(open_dynamodb, away, made.table)
    assert (code, said.startswith("DynamoDB cannot be reached")) == ("state-unavailable", True)


def test_too_large(made):
    """A record that is larger than an item may be is refused, and the rest of the commit with it."""
    code, said, hint = refusal(made.commit, [put("small"), put("large", 500_000)], [Note(NOW, "a", "b")])
    assert code == "state-record"
    assert said == "a record or commit is larger than DynamoDB takes (400 KB an item, 4 MB a commit)"
    assert "PostgreSQL" in hint
    assert (made.get(Table.FINDING, "small"), made.head().serial) == (None, 0)


def test_another_schema(client, made):
    """A table of a newer release is not written, also by a program that has it open."""
    client.update_item(
        TableName=made.table,
        Key=HEAD,
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":v": {"N": "99"}},
    )
    assert refusal(made.commit, [put("k")])[0] == "state-version"
    assert refusal(open_dynamodb, client, made.table)[0] == "state-version"
    assert made.get(Table.FINDING, "k") is None


@pytest.mark.parametrize("attribute", ["version", "body", "status"])
def test_a_damaged_record(client, made, attribute):
    """A record that lacks something is refused and not guessed at."""
    made.commit([put("k")])
    client.update_item(
        TableName=made.table,
        Key=record_key(Table.FINDING, "k"),
        UpdateExpression="REMOVE #a",
        ExpressionAttributeNames={"#a": attribute},
    )
    assert refusal(made.get, Table.FINDING, "k")[0] == "state-damaged"
    assert refusal(lambda: list(made.scan(Table.FINDING)))[0] == "state-damaged"


def test_tampered_entries(client, made):
    """An entry that was changed or removed is named."""
    made.commit([], [Note(NOW, "approval.granted", f"a{number}") for number in range(1, 6)])
    key = {name: entry_write(next(made.entries(1)))["Put"]["Item"][name] for name in ("pk", "sk")}
    update = {"UpdateExpression": "SET content = :c", "ExpressionAttributeValues": {":c": {"S": "{}"}}}
    client.update_item(TableName=made.table, Key=key, **update)
    assert {one.serial for one in breaks_of(made.entries(), made.head())} == {2}
    client.delete_item(TableName=made.table, Key=key)
    assert [(one.serial, one.what) for one in breaks_of(made.entries(), made.head())] == [(3, "entry 2 is missing")]


class Overtaken:
    """A client before each of whose transactions another store has appended to the ledger, `times` times."""

    def __init__(self, client, other, times):
        self.client, self.other, self.times = client, other, times

    def __getattr__(self, name):
        return getattr(self.client, name)

    def transact_write_items(self, **arguments):
        if self.times > 0:
            self.times -= 1
            self.other.commit([], [Note(NOW, "other.wrote", "x")])
        return self.client.transact_write_items(**arguments)


def test_overtaken(client, made):
    """A commit that loses the end of the ledger to others is made again behind them."""
    store = DynamoStore(Overtaken(client, made, 3), made.table, made.name)
    head = store.commit([put("k")], [Note(NOW, "a", "b")])
    assert [entry.note.kind for entry in made.entries()] == ["other.wrote"] * 3 + ["a"]
    assert list(breaks_of(made.entries(), head)) == []


def test_overtaken_for_too_long(client, made):
    """It is given up after a while, with nothing written."""
    store = DynamoStore(Overtaken(client, made, 10**6), made.table, made.name, patience=0.3)
    code, said, _ = refusal(store.commit, [put("k")], [Note(NOW, "a", "b")])
    assert (code, said) == ("state-unavailable", "other runs wrote all the time for 0 s")
    assert made.get(Table.FINDING, "k") is None
    assert {entry.note.kind for entry in made.entries()} == {"other.wrote"}


def test_a_lease_taken_between_read_and_write(client, made):
    """Of two that read a free lease at once, the later write gets none."""

    class Late(Overtaken):
        def put_item(self, **arguments):
            assert self.other.acquire("act", "other", timedelta(hours=1), NOW) is not None
            return self.client.put_item(**arguments)

    store = DynamoStore(Late(client, made, 0), made.table, made.name)
    assert store.acquire("act", "me", timedelta(hours=1), NOW) is None


@pytest.mark.parametrize(
    ("codes", "lost"),
    [
        (("None", "ConditionalCheckFailed"), True),
        (("TransactionConflict", "None"), True),
        (("ValidationError", "ConditionalCheckFailed"), False),
        (("ItemCollectionSizeLimitExceeded",), False),
        ((), False),
    ],
)
def test_which_refusals_are_races(codes, lost):
    """Only where nothing but others was in the way is it tried again."""
    assert Refused(codes).lost_race is lost
