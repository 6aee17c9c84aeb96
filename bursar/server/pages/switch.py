"""The switch that stops all acting, and the breakers: what holds everything back, and lets it go on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.responses import RedirectResponse, Response

from bursar.operating import accept, is_frozen, set_freeze
from bursar.server.desk import Asked
from bursar.server.pages.said import decided, decider, reason_of, seen_of, unsaid
from bursar.server.rights import may_freeze, may_operate
from engine.acting.breakers import NAMES
from engine.acting.freeze import freeze_of
from engine.state.records import Held, Tripped, restored
from engine.state.settings import Acceptance, Freeze
from engine.state.store import StateError, Table

HOURS = (1, 4, 24, 72)
"""For how many hours a breaker may be let pass."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """A breaker that holds something back, or would."""

    name: str
    trips: tuple[Tripped, ...] = ()
    """What it holds, as the last run saw it."""
    accepted: Acceptance | None = None
    """Who lets it pass now."""
    version: int = 0
    """Of what was last decided about it."""

    @property
    def means(self) -> str:
        return NAMES[self.name]


@dataclass(frozen=True, slots=True)
class Switch:
    """What holds acting back as a whole, as it is in the store now."""

    freeze: Freeze | None
    version: int
    breakers: tuple[Breaker, ...] = ()


def switch_of(asked: Asked, trips: Iterable[Tripped]) -> Switch | None:
    """Return how the switch stands, with the breakers that tripped last; None where it cannot be read now."""
    try:
        with asked.desk.pool.store() as store:
            held = freeze_of(store)
            stored = list(store.scan(Table.SETTING, "acceptance"))
    except StateError:
        return None
    accepted = {one.record.breaker: one for one in (restored(Acceptance, each) for each in stored)}
    frozen = held.record if held is not None and held.record.frozen else None
    version = 0 if held is None else held.version
    return Switch(frozen, version, tuple(_breakers(tuple(trips), accepted, asked.desk.clock())))


def _breakers(trips: tuple[Tripped, ...], accepted: Mapping[str, Held[Acceptance]], now: datetime) -> Iterable[Breaker]:
    for name in NAMES:
        own, held = tuple(trip for trip in trips if trip.breaker == name), accepted.get(name)
        passes = held.record if held is not None and held.record.until > now else None
        if own or passes:
            yield Breaker(name, own, passes, 0 if held is None else held.version)


def freeze(asked: Asked) -> Response:
    """Stop all acting. It is never too late for that: whatever is there is written over."""
    reason = reason_of(asked)
    if not may_freeze(asked):
        return unsaid(asked, 403, "You are not one of those who may freeze: whoever may approve is.")
    if not reason:
        return unsaid(asked, 422, "Say why: everybody will see it.")
    now, by = asked.desk.clock(), decider(asked)
    return decided(asked, "/", lambda store: set_freeze(store, frozen=True, reason=reason, now=now, by=by))


def unfreeze(asked: Asked) -> Response:
    """Let acting go on, where the freeze is the one that the visitor saw."""
    reason, seen = reason_of(asked), seen_of(asked)
    if not may_operate(asked):
        return unsaid(asked, 403, "You are not one of the operators, who may let acting go on.")
    if not reason:
        return unsaid(asked, 422, "Say why: everybody will see it.")
    with asked.desk.pool.store() as store:
        if is_frozen(store) is None:
            return RedirectResponse("/", 303)
    now, by = asked.desk.clock(), decider(asked)
    return decided(asked, "/", lambda store: set_freeze(store, frozen=False, reason=reason, now=now, by=by, seen=seen))


def let_pass(asked: Asked) -> Response:
    """Let a breaker pass for some hours."""
    name, hours = asked.request.path_params["name"], asked.form.get("hours", "")
    reason, seen = reason_of(asked), seen_of(asked)
    if not may_operate(asked):
        return unsaid(asked, 403, "You are not one of the operators, who may let a breaker pass.")
    if hours not in map(str, HOURS) or not reason:
        return unsaid(asked, 422, "Say for how many hours, and why.")
    now, by, length = asked.desk.clock(), decider(asked), timedelta(hours=int(hours))
    return decided(asked, "/", lambda store: accept(store, name, length, reason, now, by, seen))
