"""A few open stores that the threads of the server share: each is used by one thread at a time."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field

from engine.state.store import StateError, Store

SIZE = 4


@dataclass
class StorePool:
    """Opens stores when they are needed, `size` at most, and closes all of them at the end."""

    open: Callable[[], AbstractContextManager[Store]]
    size: int = SIZE
    patience: float = 10.0
    """Seconds that a thread waits for a store."""
    _slots: queue.LifoQueue[Store | None] = field(default_factory=queue.LifoQueue)
    _opened: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self._slots.put(None)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """
        Yield a store that nobody else uses.

        Raises:
            StateError: it cannot be opened, or all are busy for too long.
        """
        try:
            store = self._slots.get(timeout=self.patience)
        except queue.Empty:
            raise StateError.of("state-unavailable", "the state is busy", where="state", hint="try again") from None
        try:
            if store is None:
                store = self._opened.enter_context(self.open())
            yield store
        finally:
            self._slots.put(store)

    def close(self) -> None:
        """Close every store that is not in use; one that is asked for later is opened anew."""
        for _ in range(self.size):
            try:
                self._slots.get_nowait()
            except queue.Empty:
                break
        self._opened.close()
        while self._slots.qsize() < self.size:
            self._slots.put(None)
