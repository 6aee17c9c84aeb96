"""Every store there is, each as a function that opens the same state again and again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.util import find_spec

import pytest

from engine.state.store import Store
from integrations.store.dynamodb_open import open_dynamodb
from integrations.store.sql_open import open_postgres, open_sqlite
from tests.engine.state.fakes import Memory, MemoryStore

Opener = Callable[[], Store]
"""Opens one more store object over the same state."""
STORES = ("memory", "sqlite", "postgres", "dynamodb")
NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def dynamodb_client(aws_server):
    """Return a function that makes a client of the emulated DynamoDB."""
    if find_spec("py_partiql_parser") is None:
        pytest.skip("NOT TESTED: `moto[dynamodb]` is not installed, so nothing of a state in DynamoDB was tested")
    import boto3
    from botocore.config import Config

    with ExitStack() as stack:

        def make(attempts=5, endpoint=aws_server.endpoint):
            config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
            client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=endpoint, config=config)
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture(params=STORES)
def reopen(request, tmp_path) -> Iterator[Opener]:
    """Return a function that opens one more store over the same, at first empty, state."""
    with ExitStack() as stack:
        match request.param:
            case "memory":
                memory = Memory()

                def make() -> Store:
                    return MemoryStore(memory)
            case "sqlite":

                def make() -> Store:
                    return open_sqlite(tmp_path / "state.db")
            case "postgres":
                address = request.getfixturevalue("postgres_address")

                def make() -> Store:
                    return open_postgres(address)
            case _:
                client = request.getfixturevalue("dynamodb_client")
                table = f"bursar-{next(NUMBERS)}"

                def make() -> Store:
                    return open_dynamodb(client(), table)

        def opened() -> Store:
            store = make()
            stack.callback(store.close)
            return store

        yield opened


@pytest.fixture
def store(reopen) -> Store:
    """An empty store of each kind."""
    return reopen()
