"""What every run asks for is found by key, however much else a table holds; and tables of before come to know it."""

import json
import threading
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from engine.state.ledger import Note
from engine.state.store import LIVE, Put, StateError, Table
from integrations.store.dynamodb import DynamoStore
from integrations.store.dynamodb_items import BETWEEN, HEAD, VERSION, live_key, record_item, record_key
from integrations.store.dynamodb_migration import migrate
from integrations.store.dynamodb_open import open_dynamodb
from integrations.store.sql import SqlStore
from tests.integrations.store.conftest import NUMBERS
from tests.integrations.store.test_contract import NOW

OLD = 10_000
tables = pytest.mark.parametrize("table", list(LIVE), ids=str)


def keys(store, table, status=None):
    return [one.key for one in store.scan(table, LIVE[table] if status is None else status)]


def write(store, table, key, status, expected=0, **body):
    store.commit([Put(table, key, status, body, expected)], [Note(NOW, "a", key)])


@tables
def test_what_is_live_is_found(store, table):
    """A record is found as long as it has the status, with what was written last, and again when it comes back."""
    live = LIVE[table]
    for key in ("b", "a", "c"):
        write(store, table, key, live, text=key)
    write(store, table, "d", "over")
    assert keys(store, table) == ["a", "b", "c"]
    write(store, table, "b", live, 1, text="new")
    assert [(one.version, one.body) for one in store.scan(table, live)][1] == (2, {"text": "new"})
    write(store, table, "a", "over", 1)
    assert keys(store, table) == ["b", "c"]
    assert keys(store, table, "over") == ["a", "d"]
    write(store, table, "a", live, 2)
    assert keys(store, table) == ["a", "b", "c"]
    assert [one.key for one in store.scan(table)] == ["a", "b", "c", "d"]


@tables
def test_what_was_not_written_is_not_live(store, table):
    """A commit that is refused leaves what is live as it was."""
    live = LIVE[table]
    write(store, table, "a", live)
    for put in (Put(table, "a", "over", {}, 7), Put(table, "b", live, {}, 3)):
        with pytest.raises(StateError):
            store.commit([put, Put(table, "c", live, {}, 0)])
    assert keys(store, table) == ["a"]


def fill(store):
    """Put ten thousand clicks that were dealt with into `store`, and three that were not."""
    old = [Put(Table.CLICK, f"{n:06d}", "done", {"id": str(n)}, 0) for n in range(OLD)]
    if isinstance(store, DynamoStore):
        items = [{"PutRequest": {"Item": record_item(put)["Put"]["Item"]}} for put in old]
        for start in range(0, OLD, 25):
            store.client.batch_write_item(RequestItems={store.table: items[start : start + 25]})
    else:
        for start in range(0, OLD, store.batch):
            store.commit(old[start : start + store.batch])
    for key in ("000000a", "005000a", "x"):
        write(store, Table.CLICK, key, "new")


@contextmanager
def items_read(store):
    """Yield a list that gets, for each query, how many items or rows the store itself looked at."""
    read = []
    if isinstance(store, DynamoStore):
        events = store.client.meta.events
        events.register("after-call.dynamodb.Query", lambda parsed, **_: read.append(parsed["ScannedCount"]), "count")
        yield read
        events.unregister("after-call.dynamodb.Query", unique_id="count")
    elif isinstance(store, SqlStore):
        asked = []
        listen = ("before_cursor_execute", lambda *args: asked.append(args[2:4]))
        sa.event.listen(store.engine, *listen)
        yield read
        sa.event.remove(store.engine, *listen)
        with store.engine.connect() as connection:
            read += [_rows(connection, *one) for one in asked if one[0].startswith("SELECT")]
    else:
        yield read


def _rows(connection, statement, parameters):
    """Return how many rows a statement looks at, as the database itself says; of SQLite, all where it uses no index."""
    if connection.dialect.name == "sqlite":
        (plan,) = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        by_key = "bursar_record_status (kind=? AND status=?" in plan[-1]
        return len(connection.exec_driver_sql(statement, parameters).all()) if by_key else OLD
    plan = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters).scalar_one()
    return _looked_at((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def _looked_at(node):
    below = [_looked_at(one) for one in node.get("Plans", ())]
    return max([node["Actual Rows"] + node.get("Rows Removed by Filter", 0), *below])


def test_new_clicks_among_ten_thousand(store):
    """The clicks that nobody counted are found without reading those that were, in every store."""
    fill(store)
    if isinstance(store, SqlStore) and store.engine.dialect.name == "postgresql":
        with store.engine.connect() as connection:
            connection.exec_driver_sql("ANALYZE bursar_record")
    with items_read(store) as read:
        assert keys(store, Table.CLICK) == ["000000a", "005000a", "x"]
    assert sum(read) <= 3
    with items_read(store) as read:
        assert len(keys(store, Table.CLICK, "done")) == OLD
    assert not read or sum(read) >= OLD, "the count sees what is read"


# --- DynamoDB: tables of the first version ---------------------------------------------------------


@pytest.fixture
def client(dynamodb_client):
    return dynamodb_client()


def set_version(client, table, version):
    client.update_item(
        TableName=table,
        Key=HEAD,
        UpdateExpression="SET #v = :v",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":v": {"N": str(version)}},
    )


def version_of(client, table):
    return int(client.get_item(TableName=table, Key=HEAD)["Item"]["version"]["N"])


@pytest.fixture
def old(client):
    """A table as the first version left it: records of each status, nothing live."""
    store = open_dynamodb(client, f"bursar-live-{next(NUMBERS)}")
    for table, live in LIVE.items():
        for key, status in (("a", live), ("b", "over"), ("c", live)):
            write(store, table, key, status)
            client.delete_item(TableName=store.table, Key=live_key(table, key))
    set_version(client, store.table, 1)
    return store


@pytest.mark.parametrize("create", [True, False])
def test_an_old_table(client, old, create):
    """Whoever opens it first brings it to this version; what was live is found, and the ledger is as it was."""
    head = list(old.entries())
    opened = open_dynamodb(client, old.table, create=create)
    assert version_of(client, old.table) == VERSION
    assert {table: keys(opened, table) for table in LIVE} == {table: ["a", "c"] for table in LIVE}
    assert list(opened.entries()) == head
    write(opened, Table.CLICK, "a", "done", 1)
    assert keys(opened, Table.CLICK) == ["c"]


def test_a_migration_that_died(client, old):
    """Nobody writes in between, and the next to open goes on."""
    set_version(client, old.table, BETWEEN)
    with pytest.raises(StateError) as caught:
        write(old, Table.CLICK, "d", "new")
    assert caught.value.problems[0].code == "state-version"
    assert keys(open_dynamodb(client, old.table), Table.CLICK) == ["a", "c"]
    assert version_of(client, old.table) == VERSION


def test_a_record_that_went_on(client, old):
    """A migration that comes late makes nothing live that another program has dealt with since."""

    class Slow:
        """A client that makes the migration wait until the other one has finished, and a click was counted."""

        def __getattr__(self, name):
            return getattr(client, name)

        def transact_write_items(self, **arguments):
            if version_of(client, old.table) != VERSION:
                write(open_dynamodb(client, old.table), Table.CLICK, "a", "done", 1)
            return client.transact_write_items(**arguments)

    migrate(DynamoStore(Slow(), old.table, old.name), 1)
    assert keys(open_dynamodb(client, old.table), Table.CLICK) == ["c"]


def test_many_open_it_at_once(dynamodb_client, old):
    """Of several that find an old table at once, all go on."""
    failed = []

    def opened():
        try:
            open_dynamodb(dynamodb_client(), old.table).close()
        except Exception as error:  # noqa: BLE001  (whatever it is, the test is told)
            failed.append(error)

    threads = [threading.Thread(target=opened) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert keys(old, Table.CLICK) == ["a", "c"]


def test_live_records_take_two_places(client):
    """A commit that would not fit into a transaction with what is live is refused whole, before it is tried."""
    store = open_dynamodb(client, f"bursar-live-{next(NUMBERS)}")
    puts = [Put(Table.CLICK, f"{n}", "new", {}, 0) for n in range(store.batch // 2)]
    store.commit(puts)
    more = [Put(Table.CLICK, f"more{n}", "new", {}, 0) for n in range(store.batch // 2 + 1)]
    with pytest.raises(StateError) as caught:
        store.commit(more)
    assert caught.value.problems[0].code == "state-record"
    assert len(keys(store, Table.CLICK)) == store.batch // 2
    assert client.get_item(TableName=store.table, Key=record_key(Table.CLICK, "more0")).get("Item") is None
