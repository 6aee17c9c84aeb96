"""The state, its anchor, and the clocks."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bursar.config import Config
from bursar.doctor.check import Check, State, failed
from bursar.stores import open_anchor, open_store
from engine.errors import BursarError
from engine.state.anchoring import check_anchor
from engine.state.store import Store
from integrations.store.addresses import FileAnchorAddress, SqliteAddress
from integrations.store.versions import NOTHING

PART = "state"
LEASE = "doctor"
OPEN = "make it, and let the user write there that runs Bursar"
SKEW = timedelta(seconds=30)
"""What a run holds everything for, when the store's clock is further off."""


def check_state(config: Config, now: datetime) -> Iterator[Check]:
    """Yield how the state is: reachable, writable, the one that was anchored, and of the same time."""
    try:
        with open_store(config, create=False) as store:
            yield Check(PART, "reachable", State.WELL, f"{store.name}, {store.head().serial:,} entries in the ledger")
            yield _writable(store, now)
            yield from _anchored(config, store)
            clock = store.clock()
            if clock is not None:
                yield skew(PART, clock, now, "the store's clock")
    except BursarError as error:
        if error.problems[0].message == NOTHING:
            yield from _to_be_made(config, str(error.problems[0].place))
        else:
            yield failed(PART, "reachable", error)


def _to_be_made(config: Config, name: str) -> Iterator[Check]:
    """Yield whether a run can make the state, and the file of its anchor, where neither is there yet."""
    state, anchor = config.state, config.anchor
    refused = _closed(state.path.parent) if isinstance(state, SqliteAddress) else ""
    if refused:
        yield Check(PART, "reachable", State.UNREAD, f"{name}: {refused}", OPEN)
    else:
        yield Check(PART, "reachable", State.NOTE, f"{name}: there is none yet", "`bursar run` makes it")
    if isinstance(anchor, FileAnchorAddress) and (refused := _closed(anchor.path.parent)):
        yield Check(PART, "anchor", State.UNREAD, f"file {anchor.path}: {refused}", OPEN)


def _closed(folder: Path) -> str:
    """Return why no file can be made in `folder`; empty where one can."""
    if not folder.is_dir():
        return "its folder is not there"
    return "" if os.access(folder, os.W_OK | os.X_OK) else "its folder may not be written to"


def _writable(store: Store, now: datetime) -> Check:
    """Take a lease that nobody else wants, and give it back: the least that can be written."""
    lease = store.acquire(LEASE, secrets.token_hex(4), timedelta(minutes=1), now)
    if lease is None:
        return Check(PART, "writable", State.NOTE, "another doctor is at work")
    store.release(lease)
    return Check(PART, "writable", State.WELL, "a lease was taken and given back")


def _anchored(config: Config, store: Store) -> Iterator[Check]:
    try:
        with open_anchor(config) as anchor:
            if anchor is None:
                mend = "`anchor:` keeps the ledger's ends elsewhere: docs/how-to/state.md"
                yield Check(PART, "anchor", State.NOTE, "there is none: a replaced state would not be noticed", mend)
                return
            latest = anchor.latest()
            check_anchor(store, latest)
            kept = "nothing kept yet" if latest is None else f"the ledger follows entry {latest.serial:,}"
            yield Check(PART, "anchor", State.WELL, f"{anchor.name}, {kept}")
    except BursarError as error:
        yield failed(PART, "anchor", error)


def skew(part: str, clock: datetime, now: datetime, whose: str) -> Check:
    """Return how far a clock is from ours."""
    off = abs((clock - now).total_seconds())
    if off <= SKEW.total_seconds():
        return Check(part, "clock", State.WELL, f"{whose} is {off:.0f} s from ours")
    mend = "let both set their clocks by NTP; a run holds everything until they agree"
    return Check(part, "clock", State.WRONG, f"{whose} is {off:,.0f} s from ours", mend)
