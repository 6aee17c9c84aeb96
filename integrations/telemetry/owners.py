"""Who holds a machine, bucket by bucket: from what one origin names to series."""

from __future__ import annotations

from collections.abc import Mapping

from engine.kinds import Metric
from engine.model import Series
from integrations.telemetry.frame import Frame
from integrations.telemetry.grid import series_of

MOST = 3
"""Holders of a machine that are named one by one."""


def held_series(
    metric: Metric, origin: str, found: Mapping[str, Mapping[int, float]], frame: Frame, source: str
) -> list[Series]:
    """
    Return a series of the origin, and one for each holder that it names.

    `found` has levels by holder and bucket; those of nobody in particular stand under an empty name. In a bucket in
    which the origin said anything, whom it did not name holds nothing; in any other, nothing is known of anybody.
    """
    alive = {bucket for levels in found.values() for bucket in levels}
    length = max(frame.buckets, max(alive, default=-1) + 1)
    named = sorted(holder for holder in found if holder)
    levels: dict[str, Mapping[int, float]] = {origin: found.get("", {})}
    levels |= {holder: found[holder] for holder in named[:MOST]}
    if len(named) > MOST:
        others = [found[holder] for holder in named[MOST:]]
        levels[f"{len(others)} more"] = {n: max(one.get(n, 0.0) for one in others) for n in alive}
    return [
        series_of(metric, holder, frame, tuple(own.get(n, 0.0) if n in alive else None for n in range(length)), source)
        for holder, own in levels.items()
    ]
