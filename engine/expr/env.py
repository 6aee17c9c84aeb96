"""What an expression may ask for beside the resource itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from engine.model import Resource
from engine.values import Unknown


@dataclass(frozen=True, slots=True)
class Env:
    """The constants of a run, as expressions see them."""

    now: datetime
    cost: Callable[[Resource], Decimal | Unknown]
    """USD an hour."""
    metric: Callable[[Resource, str, str, timedelta], float | Unknown]
    """Function, metric and window to a value."""
