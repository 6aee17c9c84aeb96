"""The configured store, for commands that need nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bursar.config import read_config
from bursar.stores import open_store
from engine.state.store import Store
from integrations.catalog import default_catalog


@contextmanager
def store_of(config: Path | None) -> Iterator[Store]:
    """Yield the store that the configuration at `config` names."""
    with open_store(read_config(config, default_catalog())) as store:
        yield store
