"""
The actions of an installation and the accounts they may act on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bursar.wiring import Choice, Setup
from engine.acting.action import Action
from engine.findings import Subject


@contextmanager
def open_actions(_choice: Choice, _setup: Setup) -> Iterator[Mapping[tuple[str, str], Action]]:
    """Yield the actions by remediation and kind, with sessions of their own."""
    yield {}


def closed_to(_setup: Setup) -> Callable[[Subject], str]:
    """Return what says why a subject may not be acted on: its account is not listed."""
    return lambda subject: f"account {subject.account} is not listed to be acted on"
