"""What is kept of conversations in a chat: which message stands for what, and which clicks were taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from engine.state.store import Table


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """The message of a chat that asks for one approval: where it is, and what it says by now."""

    table: ClassVar[Table] = Table.MESSAGE

    approval: str
    channel: str
    """By its id; with `ts` it names the message."""
    ts: str
    at: datetime
    status: str = "open"
    """`open` as long as what it says may change; `closed` once the story is over."""
    shown: str = ""
    """A digest of what it says."""
    owner: str = ""
    """What the chat calls the owner of the resource."""
    escalated: datetime | None = None

    @property
    def key(self) -> str:
        return self.approval


@dataclass(frozen=True, slots=True)
class ClickRecord:
    """
    A click that was taken and may not be decided upon yet.

    Its key is made of the click itself, so that the same click is never taken twice.
    """

    table: ClassVar[Table] = Table.CLICK

    id: str
    approval: str
    verb: str
    """`approve`, `deny` or `snooze`."""
    user: str
    """What the chat calls whoever clicked."""
    at: datetime
    words: str = ""
    """The reason of a no; how long to snooze."""
    status: str = "new"
    """`new` or `done`."""
    outcome: str = ""

    @property
    def key(self) -> str:
        return self.id
