"""
The items of the one table: what their keys are, and the writes and queries over them.

| pk | sk | holds |
|---|---|---|
| `head` | `head` | the schema's version, the lineage, where the ledger ends |
| `record#<table>` | the record's key | one record: `version`, `status`, `body` |
| `live#<table>` | the record's key | the same again, as long as the record has the status that `LIVE` names |
| `ledger` | the serial in fifteen digits | one entry: `content`, `digest` |
| `lease` | the lease's name | `holder`, `token`, `expires` |

Sort keys are in order of their bytes, which is that of code points; so no index is needed for any read. What is live
is written and taken away by the commit that changes the record: it is never late, as an index of DynamoDB's would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from engine.state.ledger import Entry, Head
from engine.state.store import LIVE, Lease, Put, StateError, Stored, Table
from integrations.store.encoding import decode_entry, decode_stored, encode_body, encode_entry

Item: TypeAlias = dict[str, Any]
"""Attributes as DynamoDB's low-level API has them."""
VERSION = 2
"""Of the shape that this module describes."""
BETWEEN = 0
"""The version while a table is brought from an earlier one to this: nobody knows it, so that nobody writes."""
HEAD: Item = {"pk": {"S": "head"}, "sk": {"S": "head"}}
_NEW = "attribute_not_exists(pk)"


def record_key(table: Table, key: str) -> Item:
    return {"pk": {"S": f"record#{table.value}"}, "sk": {"S": key}}


def live_key(table: Table, key: str) -> Item:
    return {"pk": {"S": f"live#{table.value}"}, "sk": {"S": key}}


def lease_key(name: str) -> Item:
    return {"pk": {"S": "lease"}, "sk": {"S": name}}


def record_item(put: Put) -> Item:
    """Return the conditional write of a record."""
    item = record_key(put.table, put.key) | {
        "version": {"N": str(put.expected + 1)},
        "status": {"S": put.status},
        "body": {"S": encode_body(put.body)},
    }
    if put.expected == 0:
        return {"Put": {"Item": item, "ConditionExpression": _NEW}}
    return {
        "Put": {
            "Item": item,
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": {"N": str(put.expected)}},
        }
    }


def live_writes(puts: Sequence[Put]) -> Iterator[Item]:
    """Yield the writes that keep what is live beside `puts`."""
    for put in puts:
        if put.table not in LIVE:
            continue
        key = live_key(put.table, put.key)
        if put.status == LIVE[put.table]:
            yield {"Put": {"Item": record_item(put)["Put"]["Item"] | key}}
        elif put.expected:
            yield {"Delete": {"Key": key}}


def live_copy(table: Table, item: Item) -> Sequence[Item]:
    """Return the transaction that makes a record of an earlier version live, if it is still as in `item`."""
    key = {name: item[name] for name in ("pk", "sk")}
    check = {
        "Key": key,
        "ConditionExpression": "#v = :v",
        "ExpressionAttributeNames": {"#v": "version"},
        "ExpressionAttributeValues": {":v": item["version"]},
    }
    return {"ConditionCheck": check}, {"Put": {"Item": item | live_key(table, key["sk"]["S"])}}


def stored_of(table: Table, item: Item, store: str) -> Stored:
    """Return the record that `item` holds; raise `StateError` (`state-damaged`) where it holds none."""
    try:
        key, version = item["sk"]["S"], int(item["version"]["N"])
        status, body = item["status"]["S"], item["body"]["S"]
    except (KeyError, ValueError) as error:
        raise damaged("a record", store) from error
    return decode_stored(table, key, version, status, body, store)


def found_records(table: Table, status: str | None) -> dict[str, Any]:
    """Return the query for the records of a table with `status`, or for all."""
    if status is None or status != LIVE.get(table):
        return records_of(table, status)
    return {
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": "pk"},
        "ExpressionAttributeValues": {":pk": {"S": f"live#{table.value}"}},
    }


def records_of(table: Table, status: str | None) -> dict[str, Any]:
    """Return the query for the records of a table; those of other statuses are read and left out."""
    names = {"#pk": "pk"}
    values = {":pk": {"S": f"record#{table.value}"}}
    chosen = {}
    if status is not None:
        names["#s"] = "status"
        values[":s"] = {"S": status}
        chosen = {"FilterExpression": "#s = :s"}
    return {
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
        **chosen,
    }


def _serial_key(serial: int) -> str:
    return f"{serial:015d}"


def entry_write(entry: Entry) -> Item:
    """Return the write of a ledger's entry, which never replaces another."""
    item = {
        "pk": {"S": "ledger"},
        "sk": {"S": _serial_key(entry.serial)},
        "content": {"S": encode_entry(entry)},
        "digest": {"S": entry.digest},
    }
    return {"Put": {"Item": item, "ConditionExpression": _NEW}}


def entry_of(item: Item, store: str) -> Entry:
    """Return the entry that `item` holds; raise `StateError` where its serial is none."""
    try:
        serial = int(item["sk"]["S"])
    except (KeyError, ValueError) as error:
        raise damaged("an entry of the ledger", store) from error
    return decode_entry(serial, item.get("content", {}).get("S", ""), item.get("digest", {}).get("S", ""))


def entries_after(serial: int) -> dict[str, Any]:
    """Return the query for the entries with a serial above `serial`."""
    return {
        "KeyConditionExpression": "#pk = :pk AND #sk > :after",
        "ExpressionAttributeNames": {"#pk": "pk", "#sk": "sk"},
        "ExpressionAttributeValues": {":pk": {"S": "ledger"}, ":after": {"S": _serial_key(serial)}},
    }


def head_item(head: Head) -> Item:
    return HEAD | {
        "version": {"N": str(VERSION)},
        "lineage": {"S": head.lineage},
        "serial": {"N": str(head.serial)},
        "digest": {"S": head.digest},
    }


def head_of(item: Item, store: str) -> tuple[Head, int]:
    """Return where the ledger ends, and the version of the schema."""
    try:
        head = Head(item["lineage"]["S"], int(item["serial"]["N"]), item["digest"]["S"])
        return head, int(item["version"]["N"])
    except (KeyError, ValueError) as error:
        raise damaged("the end of the ledger", store) from error


def head_write(before: Head, after: Head) -> Item:
    """Return the write of where the ledger ends, if it still ends where it did."""
    return {
        "Put": {
            "Item": head_item(after),
            "ConditionExpression": "#d = :d AND #s = :s AND #v = :v",
            "ExpressionAttributeNames": {"#d": "digest", "#s": "serial", "#v": "version"},
            "ExpressionAttributeValues": {
                ":d": {"S": before.digest},
                ":s": {"N": str(before.serial)},
                ":v": {"N": str(VERSION)},
            },
        }
    }


def version_check() -> Item:
    """Return the condition that the table is of this version, for commits that leave the ledger alone."""
    return {
        "ConditionCheck": {
            "Key": HEAD,
            "ConditionExpression": "#v = :v",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": {"N": str(VERSION)}},
        }
    }


def lease_check(lease: Lease) -> Item:
    """Return the condition that `lease` is still held."""
    return {
        "ConditionCheck": {
            "Key": lease_key(lease.name),
            "ConditionExpression": "#h = :h AND #t = :t",
            "ExpressionAttributeNames": {"#h": "holder", "#t": "token"},
            "ExpressionAttributeValues": {":h": {"S": lease.holder}, ":t": {"N": str(lease.token)}},
        }
    }


def lease_of(item: Item, store: str) -> tuple[str, str, int]:
    """Return holder, expiry as it is kept, and token."""
    try:
        return item["holder"]["S"], item["expires"]["S"], int(item["token"]["N"])
    except (KeyError, ValueError) as error:
        raise damaged("a lease", store) from error


def damaged(what: str, store: str) -> StateError:
    hint = "restore the table to a point in time before; see docs/how-to/state.md"
    return StateError.of("state-damaged", f"{what} is damaged", where=store, hint=hint)
