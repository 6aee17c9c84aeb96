"""
To end a run when the machine asks for it: after the act at hand, and before the next.

`bursar run` watches for SIGTERM, which systemd, Kubernetes and `bursar serve` send before they kill.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from engine.state.store import StateError

Thing = TypeVar("Thing")
WHY = "the process was asked to end"


@dataclass
class Stopping:
    """Whether the process was asked to end."""

    asked: bool = False

    def __call__(self) -> str:
        return WHY if self.asked else ""


def until(things: Iterable[Thing], stopping: Callable[[], str]) -> Iterator[Thing]:
    """
    Yield `things` as long as `stopping` says nothing.

    Raises:
        StateError: `run-stopped`; what was read so far is not the whole estate, and is not judged.
    """
    for thing in things:
        why = stopping()
        if why:
            hint = "nothing is lost: the next run begins anew"
            raise StateError.of("run-stopped", f"{why} before the estate was read", where="run", hint=hint)
        yield thing


@contextmanager
def watched_signals() -> Iterator[Stopping]:
    """Yield what SIGTERM sets; in a thread that receives no signals nothing is ever asked."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        stopping.asked = True

    before = signal.signal(signal.SIGTERM, ask)
    try:
        yield stopping
    finally:
        signal.signal(signal.SIGTERM, before)
