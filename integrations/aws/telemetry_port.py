"""The telemetry port of the AWS estate: the inventory calls it once for each chunk of resources it has read."""

from __future__ import annotations

from typing import Protocol

from engine.model import KindNeeds, Resource


class Telemetry(Protocol):
    """Something that measures AWS resources."""

    def attach(self, resources: list[Resource], need: KindNeeds, region: str) -> list[Resource]:
        """
        Return the resources, in order, with the series that `need` asks for.

        All are of one kind and of `region`. What cannot be read becomes a gap `metrics.<signal>` of the
        resources concerned, never an exception and never an empty series.
        """
