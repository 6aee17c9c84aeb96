"""What is kept for the whole installation, beside findings: figures, the freeze, what was accepted, what was told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from engine.state.records import PolicyFigures, ScopeFigures
from engine.state.store import Table


@dataclass(frozen=True, slots=True)
class Told:
    """What people were last told to be wrong with runs, so that they hear of it when it changes and not every time."""

    table: ClassVar[Table] = Table.SETTING
    NAME: ClassVar[str] = "told"

    troubles: tuple[str, ...]
    at: datetime
    status: str = ""

    @property
    def key(self) -> str:
        return self.NAME


@dataclass(frozen=True, slots=True)
class Figures:
    """What the breakers of the next run compare with."""

    table: ClassVar[Table] = Table.SETTING
    NAME: ClassVar[str] = "figures"

    at: datetime
    scopes: tuple[ScopeFigures, ...] = ()
    policies: tuple[PolicyFigures, ...] = ()
    status: str = ""

    @property
    def key(self) -> str:
        return self.NAME


@dataclass(frozen=True, slots=True)
class Freeze:
    """Whether anything may be done at all."""

    table: ClassVar[Table] = Table.SETTING
    NAME: ClassVar[str] = "freeze"

    frozen: bool
    by: str
    at: datetime
    reason: str = ""
    status: str = ""

    @property
    def key(self) -> str:
        return self.NAME


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A breaker that somebody has looked at and lets pass."""

    table: ClassVar[Table] = Table.SETTING

    breaker: str
    by: str
    at: datetime
    until: datetime
    reason: str = ""
    status: str = "acceptance"

    @property
    def key(self) -> str:
        return f"accepted:{self.breaker}"
