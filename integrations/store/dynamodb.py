"""
A store in one DynamoDB table, for installations without a database server.

Every commit is one transaction, conditional on the version of each record, on the lease and on where the ledger
ends. All reads are consistent. `integrations.store.dynamodb_open` makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from engine.state.commits import check_commit, check_key, conflict, lease_lost
from engine.state.ledger import Entry, Head, Note, chained, head_after
from engine.state.store import LIVE, Lease, Put, Stored, Table
from integrations.store.dynamodb_errors import Refused, lost_to_others, told
from integrations.store.dynamodb_items import (
    HEAD,
    VERSION,
    Item,
    entries_after,
    entry_of,
    entry_write,
    found_records,
    head_of,
    head_write,
    lease_check,
    lease_key,
    lease_of,
    live_writes,
    record_item,
    record_key,
    stored_of,
    version_check,
)
from integrations.store.leases import read_expiry, shown_expiry, taken
from integrations.store.versions import check_version, nothing_there

Result = TypeVar("Result")
BATCH = 98
"""DynamoDB takes 100 items in a transaction; one is the ledger's end and one the lease."""
PATIENCE_SECONDS = 30.0
"""For how long a commit is tried again where only the end of the ledger had moved."""


class LostRaceError(Exception):
    """The end of the ledger moved, or another transaction held an item."""


@dataclass
class DynamoStore:
    """A `Store` in the table named `table`."""

    client: Any
    """A boto3 client of DynamoDB."""
    table: str
    name: str
    batch: int = BATCH
    patience: float = PATIENCE_SECONDS

    def get(self, table: Table, key: str) -> Stored | None:
        """Return one record."""
        check_key(key, self.name)
        item = self._get(record_key(table, key))
        return None if item is None else stored_of(table, item, self.name)

    def scan(self, table: Table, status: str | None = None) -> Iterator[Stored]:
        """Yield the records of a table in order of their keys."""
        for item in self.query(found_records(table, status)):
            yield stored_of(table, item, self.name)

    def commit(self, puts: Sequence[Put], notes: Sequence[Note] = (), lease: Lease | None = None) -> Head:
        """Write all of it or nothing."""
        check_commit(puts, notes, self.batch - sum(put.table in LIVE for put in puts), self.name)
        if not puts and not notes:
            if lease is not None and not self._held(lease):
                raise lease_lost(lease, self.name)
            return self.head()
        return self.again(lambda: self._commit_once(puts, notes, lease))

    def head(self) -> Head:
        """Return where the ledger ends."""
        item = self._get(HEAD)
        if item is None:
            raise nothing_there(self.name)
        head, version = head_of(item, self.name)
        check_version(version, VERSION, self.name)
        return head

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the entries with a serial above `after`, in order."""
        for item in self.query(entries_after(after)):
            yield entry_of(item, self.name)

    def acquire(self, name: str, holder: str, ttl: timedelta, now: datetime) -> Lease | None:
        """Return a lease, or None while somebody else holds it."""
        item = self._get(lease_key(name))
        token = 1
        if item is not None:
            current, expires, last = lease_of(item, self.name)
            if taken(current, read_expiry(expires, self.name), holder, now):
                return None
            token = last + 1
        lease = Lease(name, holder, token, now + ttl)
        kept = lease_key(name) | {
            "holder": {"S": holder},
            "token": {"N": str(token)},
            "expires": {"S": shown_expiry(lease.expires)},
        }
        # Whoever acquired it since it was read has that token now.
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if item is not None:
            condition = {
                "ConditionExpression": "#t = :t",
                "ExpressionAttributeNames": {"#t": "token"},
                "ExpressionAttributeValues": {":t": {"N": str(token - 1)}},
            }
        return lease if self.wrote("put_item", Item=kept, **condition) else None

    def renew(self, lease: Lease, ttl: timedelta, now: datetime) -> Lease:
        """Return the same lease, holding until `now + ttl`."""
        renewed = replace(lease, expires=now + ttl)
        if not self._set_lease(lease, "expires", shown_expiry(renewed.expires)):
            raise lease_lost(lease, self.name)
        return renewed

    def release(self, lease: Lease) -> None:
        """Give the lease back."""
        self._set_lease(lease, "holder", "")

    def clock(self) -> datetime | None:
        """Return the time by which DynamoDB answered, to the second."""
        with told(self.name):
            answer = self.client.get_item(TableName=self.table, Key=HEAD)
        sent = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        return parsedate_to_datetime(sent).astimezone(UTC) if sent else None

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()

    def _commit_once(self, puts: Sequence[Put], notes: Sequence[Note], lease: Lease | None) -> Head:
        head = self.head()
        entries = chained(head, notes)
        after = head_after(head, entries)
        writes = [record_item(put) for put in puts]
        writes += [entry_write(entry) for entry in entries]
        writes += live_writes(puts)
        writes.append(head_write(head, after) if entries else version_check())
        if lease is not None:
            writes.append(lease_check(lease))
        try:
            self.client.transact_write_items(TransactItems=[in_table(self.table, write) for write in writes])
        except self.client.exceptions.TransactionCanceledException as error:
            refused = Refused.of(error)
            if lease is not None and refused.by_condition(len(writes) - 1):
                raise lease_lost(lease, self.name) from error
            moved = [put for number, put in enumerate(puts) if refused.by_condition(number)]
            if moved:
                raise conflict(moved, self.name) from error
            if refused.lost_race:
                raise LostRaceError from error
            raise
        return after

    def _get(self, key: Item) -> Item | None:
        with told(self.name):
            answer = self.client.get_item(TableName=self.table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found

    def query(self, wanted: dict[str, Any]) -> Iterator[Item]:
        """Yield the items of every page; a page may be empty and yet not the last one."""
        start: dict[str, Any] = {}
        while True:
            with told(self.name):
                page = self.client.query(TableName=self.table, ConsistentRead=True, **wanted, **start)
            yield from page["Items"]
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _held(self, lease: Lease) -> bool:
        item = self._get(lease_key(lease.name))
        if item is None:
            return False
        holder, _, token = lease_of(item, self.name)
        return (holder, token) == (lease.holder, lease.token)

    def _set_lease(self, lease: Lease, attribute: str, value: str) -> bool:
        return self.wrote(
            "update_item",
            Key=lease_key(lease.name),
            UpdateExpression="SET #a = :v",
            ConditionExpression="#h = :h AND #t = :t",
            ExpressionAttributeNames={"#a": attribute, "#h": "holder", "#t": "token"},
            ExpressionAttributeValues={":v": {"S": value}, ":h": {"S": lease.holder}, ":t": {"N": str(lease.token)}},
        )

    def wrote(self, call: str, **arguments: Any) -> bool:
        """Return whether a conditional write was made."""

        def once() -> bool:
            try:
                getattr(self.client, call)(TableName=self.table, **arguments)
            except self.client.exceptions.ConditionalCheckFailedException:
                return False
            except self.client.exceptions.TransactionConflictException as error:
                raise LostRaceError from error
            return True

        return self.again(once)

    def again(self, write: Callable[[], Result]) -> Result:
        """Return what `write` does, once no other write is faster."""
        retrying = Retrying(
            retry=retry_if_exception_type(LostRaceError),
            wait=wait_random_exponential(multiplier=0.02, max=1),
            stop=stop_after_delay(self.patience),
            reraise=True,
        )
        try:
            with told(self.name):
                return retrying(write)
        except LostRaceError as error:
            raise lost_to_others(self.name, self.patience) from error


def in_table(table: str, write: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return a write of a transaction over `table`."""
    return {verb: {"TableName": table, **what} for verb, what in write.items()}
