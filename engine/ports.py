"""The Protocols that edges implement. The engine knows the outside only by these."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from typing import Protocol, TypeAlias

from engine.model import Needs, Resource, ScopeReport

Item: TypeAlias = Resource | ScopeReport


class Estate(Protocol):
    """Inventory with telemetry, live or recorded."""

    @property
    def name(self) -> str:
        """For people: `AWS 123456789012 (us-east-1, us-west-2)` or a file name."""

    @property
    def taken_at(self) -> datetime:
        """The moment the estate describes, UTC: now for a live one, the recording for a snapshot."""

    def stream(self, needs: Needs) -> Iterator[Item]:
        """
        Yield the resources of every needed scope, in bounded chunks, and one report for each scope.

        A scope's report comes after its resources. What cannot be read is reported, never raised;
        only an estate of which nothing at all can be read raises `CollectError`.
        """


Zones: TypeAlias = Callable[[str], tzinfo]
"""An IANA name to a zone; raises `KeyError` when there is none."""

Progress: TypeAlias = Callable[[str, int], None]
"""A stage and how many more of its items are done; called often, must be cheap."""
