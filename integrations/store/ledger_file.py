"""
A ledger in a file of its own, JSON Lines: it can be verified without the store it came from.

The first line says whose ledger it is and where it ends; then one entry a line, with its digest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from engine.errors import ConfigError
from engine.state.ledger import Entry, Head
from integrations.store.encoding import decode_entry, encode_entry

VERSION = 1
LONGEST_LINE = 16 * 1024 * 1024
"""Characters."""


def write_ledger(head: Head, entries: Iterable[Entry], out: TextIO) -> int:
    """Write the entries up to `head`; return how many."""
    first = {"bursar.ledger": VERSION, "lineage": head.lineage, "serial": head.serial, "digest": head.digest}
    out.write(json.dumps(first) + "\n")
    count = 0
    for entry in entries:
        if entry.serial > head.serial:
            break
        out.write(line_of(entry) + "\n")
        count += 1
    return count


def line_of(entry: Entry) -> str:
    """Return the entry as one line: what its digest is over, and the digest."""
    return f'{encode_entry(entry)[:-1]},"digest":{json.dumps(entry.digest)}}}'


@contextmanager
def open_ledger(path: Path) -> Iterator[tuple[Head, Iterator[Entry]]]:
    """
    Yield where the ledger in the file ends, and its entries.

    A line that is no entry comes as one that does not hold: it is for `breaks_of` to say so.

    Raises:
        ConfigError: `bad-ledger`, where the file is no exported ledger.
    """
    try:
        with path.open(encoding="utf-8", errors="replace") as text:
            yield _head(path, text.readline(LONGEST_LINE)), _entries(text)
    except OSError as error:
        raise ConfigError.of("bad-ledger", f"the file cannot be read: {error.strerror}", where=str(path)) from error


def _head(path: Path, line: str) -> Head:
    found = _parsed(line)
    match found:
        case {"bursar.ledger": 1, "lineage": str(lineage), "serial": int(serial), "digest": str(digest)}:
            return Head(lineage, serial, digest)
        case {"bursar.ledger": other}:
            said = f"the ledger is of version {other}; this release reads version {VERSION}"
        case _:
            said = "this is no exported ledger"
    raise ConfigError.of("bad-ledger", said, where=str(path), hint="`bursar audit export -o FILE` writes one")


def _entries(text: TextIO) -> Iterator[Entry]:
    last = 0
    while line := text.readline(LONGEST_LINE):
        found = _parsed(line)
        serial = found.get("serial") if isinstance(found, dict) else None
        last = serial if type(serial) is int else last + 1
        digest = found.get("digest", "") if isinstance(found, dict) else ""
        yield decode_entry(last, line, digest if isinstance(digest, str) else "")


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
