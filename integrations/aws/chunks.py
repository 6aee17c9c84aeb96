"""The bounded queue between those who read and the one who consumes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from queue import Empty, Full, Queue
from threading import Event
from time import monotonic

from engine.ports import Item

WAITING = 16
"""Chunks that may wait for the consumer before the readers pause."""
TURN = 0.1
"""Seconds after which a paused reader looks whether it is still wanted."""


class Unwanted(Exception):  # noqa: N818  # ends a reader quietly
    """The consumer has stopped."""


@dataclass
class Chunks:
    """Items on their way, some at a time."""

    chunks: Queue[list[Item]] = field(default_factory=lambda: Queue(WAITING))
    stopped: Event = field(default_factory=Event)

    def put(self, chunk: list[Item]) -> None:
        """Hand over a chunk; raise `Unwanted` where nobody waits for it any more."""
        while not self.stopped.is_set():
            with suppress(Full):
                self.chunks.put(chunk, timeout=TURN)
                return
        raise Unwanted

    def take(self, until: float = inf) -> list[Item] | None:
        """Return the next chunk, or None where there is none before `until`, in seconds of the monotonic clock."""
        try:
            return self.chunks.get(timeout=None if until == inf else max(until - monotonic(), 0))
        except Empty:
            return None

    def stop(self) -> None:
        """Want nothing any more."""
        self.stopped.set()
        with suppress(Empty):
            while True:
                self.chunks.get_nowait()
