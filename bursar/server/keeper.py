"""Keeps the view of the store up to date, in a thread of its own: handlers take what is there and never wait for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice, takewhile

from bursar.server.history import History, finding_of
from bursar.server.pool import StorePool
from bursar.server.view import View, changed_view, read_view
from engine.errors import BursarError
from engine.state.ledger import Entry, Head
from engine.state.store import StateError, Store

INTERVAL = 2.0
"""Seconds between two looks at where the ledger ends."""
FEW = 500
"""So many new entries are followed one by one; after more, or after a run, everything is read again."""
REST = 5
"""For how many times as long as reading everything took it is not done again."""

DECISIONS = frozenset({"finding.approved", "action.undo-asked"})
"""Entries that the next run has to do something about, where a person wrote them."""


@dataclass
class Keeper:
    """The one view of a server."""

    pool: StorePool
    clock: Callable[[], datetime]
    history: History = field(default_factory=History)
    view: View | None = None
    looked: datetime | None = None
    """When the view was last found to be what the state is."""
    trouble: str = ""
    """Why the last look failed; nothing where it did not."""
    seconds: float = 0.0
    """How long reading everything took the last time."""
    ahead: Callable[[View], None] = lambda _view: None
    """Works out what pages will want of a view, before it is shown: no visitor waits for it."""
    on_decision: Callable[[], None] = lambda: None
    """Called when the ledger says that a person decided what a run is to carry out, by whichever door."""
    _wake: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _rested: float = 0.0

    def start(self) -> None:
        """Begin to look; a store that cannot be read yet is no reason not to."""
        self._thread = threading.Thread(target=self._keep, name="bursar-view", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def nudge(self) -> None:
        """Look now: something was decided."""
        self._wake.set()

    def _keep(self) -> None:
        while not self._over.is_set():
            self.look()
            self._wake.wait(INTERVAL)
            self._wake.clear()

    def look(self) -> None:
        """Bring the view to where the ledger is; remember what went wrong where that fails."""
        try:
            with self.pool.store() as store:
                current = self._look(store)
        except BursarError as error:
            self.trouble = "; ".join(problem.message for problem in error.problems)
        except Exception as error:  # noqa: BLE001  (a thread that ended would leave an old view that looks like a new one)
            self.trouble = f"a defect of the server: {type(error).__name__}: {error}"
        else:
            self.trouble = ""
            if current:
                self.looked = self.clock()

    def _look(self, store: Store) -> bool:
        """Return whether the view is what the state is."""
        head, view = store.head(), self.view
        if view is None or view.head.lineage != head.lineage or head.serial < view.head.serial:
            self._read_all(store, head)
            return True
        if head == view.head:
            return True
        news = list(islice(store.entries(view.head.serial), FEW + 1))
        if len(news) <= FEW and not any(entry.note.kind == "run.finished" for entry in news):
            self._follow(store, view, news)
        elif time.monotonic() >= self._rested:
            self._read_news(store)
        else:
            return False
        return True

    def _follow(self, store: Store, view: View, news: list[Entry]) -> None:
        head = Head(view.head.lineage, news[-1].serial, news[-1].digest)
        touched = {found for found in map(finding_of, news) if found}
        changed = changed_view(store, view, head, touched, self.clock())
        self.ahead(changed)
        self.view = changed
        self._remember(news)

    def _read_all(self, store: Store, head: Head) -> None:
        """Read everything, as after the start or where the store was replaced."""
        self.history.clear()
        self.history.first = max(0, head.serial - self.history.kept)
        self._read_news(store, self.history.first)

    def _read_news(self, store: Store, after: int | None = None) -> None:
        began = time.monotonic()
        known = self.view.head.serial if after is None and self.view is not None else after or 0
        view = read_view(store, self.clock())
        news = takewhile(lambda entry: entry.serial <= view.head.serial, store.entries(known))
        quiet = self.view is None
        self.ahead(view)
        self.seconds = time.monotonic() - began
        self.view = view
        self._remember(news, quiet=quiet)
        self._rested = time.monotonic() + REST * self.seconds

    def _remember(self, news: Iterable[Entry], *, quiet: bool = False) -> None:
        """Keep `news` as history; say so where a person decided what the next run carries out."""
        decided = False
        for entry in news:
            self.history.add(entry)
            # Of a run's own entries none is a person's.
            decided |= entry.note.kind in DECISIONS and not entry.note.run
        if decided and not quiet:
            self.on_decision()


def check(view: View | None, trouble: str) -> View:
    """Return the view; raise `StateError` where there is none yet."""
    if view is None:
        message = trouble or "the state is being read; this takes some seconds"
        raise StateError.of("state-unavailable", message, where="state", hint="try again in a moment")
    return view
