"""
The configured state and its anchor, opened. The one place that knows which store an address leads to.

SQLAlchemy and SDKs are loaded when a store that needs them is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, assert_never

from bursar.config import Config
from engine.state.store import Anchor, Store
from integrations.aws.session import AwsSettings
from integrations.store.addresses import (
    AnchorAddress,
    DynamoAddress,
    FileAnchorAddress,
    PostgresAddress,
    S3AnchorAddress,
    SqliteAddress,
)


@contextmanager
def open_store(config: Config, *, create: bool = True) -> Iterator[Store]:
    """
    Yield the configured store, made where there is none and `create` says so.

    Raises:
        StateError: it cannot be used, or is of another version.
        ConfigError: what it needs is not installed, or there are no AWS credentials.
    """
    with ExitStack() as stack:
        store = _store(config, stack, create=create)
        stack.callback(store.close)
        yield store


@contextmanager
def open_anchor(config: Config) -> Iterator[Anchor | None]:
    """Yield the configured anchor; None where there is none."""
    with ExitStack() as stack:
        yield None if config.anchor is None else anchor_at(config.anchor, config.aws, stack)


def anchor_at(address: AnchorAddress, aws: AwsSettings, stack: ExitStack) -> Anchor:
    """Return the anchor at `address`, open as long as `stack`."""
    match address:
        case FileAnchorAddress(path):
            from integrations.store.anchor_file import FileAnchor

            return FileAnchor(path)
        case S3AnchorAddress():
            from integrations.store.anchor_s3 import S3Anchor

            client = _client("s3", address.region, aws, stack)
            return S3Anchor(client, address.bucket, address.prefix, address.retain, address.mode)
        case _:
            assert_never(address)


def _store(config: Config, stack: ExitStack, *, create: bool) -> Store:
    address = config.state
    match address:
        case SqliteAddress(path):
            from integrations.store.sql_open import open_sqlite

            return open_sqlite(path, create=create)
        case PostgresAddress():
            from integrations.store.sql_open import open_postgres

            return open_postgres(address, create=create)
        case DynamoAddress(table, region):
            from integrations.store.dynamodb_open import open_dynamodb

            return open_dynamodb(_client("dynamodb", region, config.aws, stack), table, create=create)
        case _:
            assert_never(address)


def _client(service: str, region: str, aws: AwsSettings, stack: ExitStack) -> Any:
    """Return a client of the state's own session; the session that reads the estate may write nothing."""
    from integrations.aws.session import open_session

    session = stack.enter_context(open_session(replace(aws, regions=(region,) if region else aws.regions)))
    return session.client(service, session.regions[0])
