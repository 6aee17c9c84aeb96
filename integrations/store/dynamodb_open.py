"""Open a store in DynamoDB: make its table where there is none, or refuse."""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import Any

from engine.state.ledger import Head, origin
from integrations.aws.refusals import code_of
from integrations.store.dynamodb import DynamoStore
from integrations.store.dynamodb_errors import told
from integrations.store.dynamodb_items import HEAD, head_item, head_of
from integrations.store.dynamodb_migration import migrate
from integrations.store.versions import nothing_there

KEYS = ("pk", "sk")


def open_dynamodb(client: Any, table: str, *, create: bool = True) -> DynamoStore:
    """
    Return the store in the table named `table`, made where there is none and `create` says so.

    A table of an earlier version is brought to this one, whoever opens it.

    Raises:
        StateError: the table cannot be used, or is of another version.
    """
    store = DynamoStore(client, table, f"dynamodb {table} in {client.meta.region_name}")
    try:
        with told(store.name):
            if not _exists(client, table):
                if not create:
                    raise nothing_there(store.name)
                _make(client, table)
            found = client.get_item(TableName=table, Key=HEAD, ConsistentRead=True).get("Item")
            if found is None and create:
                _begin(client, table)
            if found is not None:
                migrate(store, head_of(found, store.name)[1])
        store.head()
    except BaseException:
        store.close()
        raise
    return store


def _exists(client: Any, table: str) -> bool:
    try:
        client.get_item(TableName=table, Key=HEAD)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def _make(client: Any, table: str) -> None:
    """Make the table; another process may do so at the same time."""
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
            KeySchema=[{"AttributeName": KEYS[0], "KeyType": "HASH"}, {"AttributeName": KEYS[1], "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
            DeletionProtectionEnabled=True,
        )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 60})


def _begin(client: Any, table: str) -> None:
    """Write the first end of the ledger, unless another process has done so."""
    from botocore.exceptions import ClientError

    lineage = secrets.token_hex(16)
    item = head_item(Head(lineage, 0, origin(lineage)))
    try:
        client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
    except ClientError as error:
        if code_of(error) != "ConditionalCheckFailedException":
            raise
