"""
Bring a table of an earlier version to this one.

DynamoDB takes no change of many items at once. So the version is first set to one that no program knows: from then
on no commit of any release goes through. Then the items are made, and at last the version is set. Whoever finds the
table in between goes on where the other stopped, or works beside it: every write may be made again.
"""

from __future__ import annotations

from functools import partial

from engine.state.store import LIVE, Table
from integrations.store.dynamodb import DynamoStore, LostRaceError, in_table
from integrations.store.dynamodb_errors import Refused
from integrations.store.dynamodb_items import BETWEEN, HEAD, VERSION, Item, live_copy, records_of

FIRST = 1
"""The version without `live#`: what was live was found among all records."""


def migrate(store: DynamoStore, version: int) -> None:
    """Bring the table of `store`, which is of `version`, to this one; nothing where it is, or is of a later one."""
    if version not in (FIRST, BETWEEN):
        return
    if version == FIRST:
        _set_version(store, FIRST, BETWEEN)
    for table, status in LIVE.items():
        for item in store.query(records_of(table, status)):
            store.again(partial(_make_live, store, table, item))
    _set_version(store, BETWEEN, VERSION)


def _make_live(store: DynamoStore, table: Table, item: Item) -> None:
    """Make a record live, unless another program has finished the migration and the record has gone on since."""
    transaction = [in_table(store.table, write) for write in live_copy(table, item)]
    try:
        store.client.transact_write_items(TransactItems=transaction)
    except store.client.exceptions.TransactionCanceledException as error:
        refused = Refused.of(error)
        if refused.by_condition(0):
            return
        if refused.lost_race:
            raise LostRaceError from error
        raise


def _set_version(store: DynamoStore, before: int, after: int) -> None:
    """Set the version, if it still is `before`: another program may be faster."""
    store.wrote(
        "update_item",
        Key=HEAD,
        UpdateExpression="SET #v = :after",
        ConditionExpression="#v = :before",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":before": {"N": str(before)}, ":after": {"N": str(after)}},
    )
