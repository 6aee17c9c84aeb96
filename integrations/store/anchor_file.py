"""An anchor in a file: JSON Lines, only ever appended to. Keep it on another machine's disk than the state."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.state.ledger import Head
from engine.state.store import StateError
from integrations.store.anchors import check_follows, decode_head, encode_head


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """An `Anchor` in the file at `path`."""

    path: Path

    @property
    def name(self) -> str:
        return f"file {self.path}"

    def latest(self) -> Head | None:
        """Return the last head that was kept whole; None where there is no file or nothing in it."""
        with _told(self.name):
            if not self.path.exists():
                return None
            lines = self.path.read_bytes().decode("utf-8", "replace").splitlines()
        for line in reversed(lines):
            # A line without its end was cut by a crash while it was written, and so was never kept.
            if line.strip() and "}" in line:
                return decode_head(line, self.name)
        return None

    def keep(self, head: Head, at: datetime) -> None:
        """Append `head`, on the disk when this returns; nothing where it is the last one already."""
        latest = self.latest()
        check_follows(head, latest, self.name)
        if head == latest:
            return
        with _told(self.name):
            descriptor = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                line = f"{encode_head(head, at)}\n".encode()
                _append(descriptor, line if _ended(descriptor) else b"\n" + line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _ended(descriptor: int) -> bool:
    """Return whether the file is empty or ends with a newline."""
    size = os.fstat(descriptor).st_size
    if size == 0:
        return True
    os.lseek(descriptor, -1, os.SEEK_END)
    return os.read(descriptor, 1) == b"\n"


def _append(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "see that its folder exists and may be written"
        said = f"the anchor cannot be used: {error.strerror}"
        raise StateError.of("state-unavailable", said, where=name, hint=hint) from error
