"""What a warm function keeps between its invocations, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Thing = TypeVar("Thing")
AGE = 300.0
"""Seconds after which configuration, policies and secrets are read anew."""


@dataclass
class Kept(Generic[Thing]):
    """Something that is opened when it is first asked for, and anew when it is too old."""

    open: Callable[[ExitStack], Thing]
    """Opens it; what it holds is closed with the stack."""
    clock: Callable[[], float] = time.monotonic
    age: float = AGE
    _stack: ExitStack = field(default_factory=ExitStack, repr=False)
    _found: tuple[Thing, float] | None = field(default=None, repr=False)

    def get(self) -> Thing:
        """Return it, of no more than `age`; raise what opening it raises, and keep nothing then."""
        now = self.clock()
        if self._found is not None and now - self._found[1] <= self.age:
            return self._found[0]
        self.close()
        with ExitStack() as stack:
            thing = self.open(stack)
            self._stack = stack.pop_all()
        self._found = thing, now
        return thing

    def close(self) -> None:
        """Close it, and forget it."""
        self._found = None
        self._stack.close()
