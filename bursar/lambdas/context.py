"""What Lambda says of an invocation, and how a run ends before its time does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

RESERVE = 120
"""
Seconds that are kept back: enough to look at a resource, act, look again and write down how it ended.

A call that acts is made once and takes 70 seconds at most (connecting 10, reading 60); reads are usually done in one.
"""


class LambdaContext(Protocol):
    """The second argument of a handler."""

    function_name: str
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may go on."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Why no act is to be begun any more; called before each of them."""

    context: LambdaContext
    reserve: float = RESERVE

    def __call__(self) -> str:
        left = self.context.get_remaining_time_in_millis() / 1000
        return "" if left >= self.reserve else f"the function has {left:.0f} s left, and keeps {self.reserve:g} s back"
