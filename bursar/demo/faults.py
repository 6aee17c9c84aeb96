"""
Decide which calls the emulated account spoils, and how.

A fault is laid on `service:Operation`, `service:*` or `*` (the first of the three that is set and whose
region fits applies). The gateway asks about every call. Apart from `rate`, which follows the clock,
decisions depend on the order of calls alone: an `error_rate` of 0.1 spoils each tenth call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Call:
    """A request as a policy of the account would name it: `ec2`, `DescribeInstances`, `us-east-1`."""

    service: str
    operation: str
    region: str

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Spoiled:
    """What happens to a call instead of an answer."""

    reason: str
    """`throttled`, `denied` or `internal`."""
    code: str = ""
    """An error code that replaces the usual one."""
    status: int = 0
    """An HTTP status that replaces the usual one; 0 leaves it."""


@dataclass(slots=True)
class Fault:
    """One fault and what it has done so far."""

    denied: bool = False
    throttled: bool = False
    rate: float | None = None
    """Calls per second let through; `burst` may come at once. What exceeds it is throttled."""
    burst: float | None = None
    error_rate: float = 0.0
    """The share of calls that fail, 0 to 1, evenly spread; with `code` in that way, else internally."""
    latency_ms: float = 0.0
    after: int = 1
    """Only from this call on, counting from 1 the calls that the fault fits."""
    times: int | None = None
    """At most so many spoiled calls."""
    region: str | None = None
    code: str = ""
    status: int = 0
    seen: int = field(default=0, init=False)
    spoiled: int = field(default=0, init=False)
    _debt: float = field(default=0.0, init=False)
    _tokens: float | None = field(default=None, init=False)
    _filled: float = field(default=0.0, init=False)

    def decide(self, now: float) -> tuple[float, Spoiled | None]:
        """Return the seconds to wait and how the call is spoiled, if it is; `now` is monotonic seconds."""
        self.seen += 1
        if self.seen < self.after:
            return 0.0, None
        reason = self._reason(now)
        if reason and self.times is not None and self.spoiled >= self.times:
            reason = ""
        if not reason:
            return self.latency_ms / 1000, None
        self.spoiled += 1
        return self.latency_ms / 1000, Spoiled(reason, self.code, self.status)

    def _reason(self, now: float) -> str:
        if self.denied:
            return "denied"
        if self.throttled or (self.rate is not None and not self._take(now, self.rate)):
            return "throttled"
        self._debt += self.error_rate
        if self._debt > 1 - 1e-9:
            self._debt -= 1
            return "internal"
        return ""

    def _take(self, now: float, rate: float) -> bool:
        size = self.burst if self.burst is not None else max(rate, 1.0)
        tokens = size if self._tokens is None else min(size, self._tokens + (now - self._filled) * rate)
        self._filled = now
        taken = tokens >= 1
        self._tokens = tokens - 1 if taken else tokens
        return taken


class FaultTable:
    """The faults now in force."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._faults: dict[str, tuple[Fault, ...]] = {}

    def replace(self, spec: Mapping[str, Mapping[str, Any] | list[Mapping[str, Any]]]) -> None:
        """Put the faults of `spec` in the place of all others; a key holds one fault or a list."""
        self._faults = {
            key: tuple(Fault(**one) for one in (value if isinstance(value, list) else [value]))
            for key, value in spec.items()
        }

    def decide(self, call: Call) -> tuple[float, Spoiled | None]:
        """Return the seconds to wait before the call and how it is spoiled, if it is."""
        for key in (str(call), f"{call.service}:*", "*"):
            for fault in self._faults.get(key, ()):
                if fault.region in (None, call.region):
                    return fault.decide(self._clock())
        return 0.0, None
