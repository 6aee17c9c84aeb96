"""Points of an answer to series: units are checked, blanks are no samples, parts of a device become the device."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.kinds import Metric
from engine.model import Series
from engine.values import Reason, Unknown
from integrations.prometheus.exporters import BLANK, Published
from integrations.telemetry.frame import Frame
from integrations.telemetry.grid import Buckets, folded, sample_counts, series_of

Points = Sequence[tuple[float, float]]


@dataclass
class Part:
    """What came of one part of a device: the device itself, or one MIG instance."""

    values: dict[int, float] = field(default_factory=dict)
    counts: dict[int, float] = field(default_factory=dict)

    def add(self, other: Part) -> None:
        """Take over the samples of the same part under other labels; the higher number of a bucket wins."""
        for mine, more in ((self.values, other.values), (self.counts, other.counts)):
            mine.update({index: max(value, mine.get(index, value)) for index, value in more.items()})


def add_points(found: dict[int, float], points: Points, frame: Frame) -> None:
    """Put `points` into the buckets of `frame`; the higher value of a bucket wins."""
    for at, value in points:
        index = round((at - frame.start) / frame.step)
        if index >= 0 and math.isfinite(value):
            found[index] = max(value, found.get(index, value))


def device_series(
    metric: Metric, device: str, parts: Mapping[str, Part], published: Published, frame: Frame, source: str
) -> Series | Unknown | None:
    """Return the series of one device; None where it sent nothing, and why where the numbers are not what they say."""
    found: list[Series] = []
    for part in parts.values():
        values = _checked(part.values, published, metric)
        if isinstance(values, Unknown):
            return values
        if not values:
            continue
        buckets = _buckets(values, frame)
        series = series_of(metric, device, frame, buckets, source)
        if frame.per_bucket > 1:
            counts = _buckets(part.counts, frame)
            series = replace(series, samples=sample_counts(buckets, counts, frame.per_bucket))
        found.append(series)
    return folded(found) if found else None


def _checked(values: Mapping[int, float], published: Published, metric: Metric) -> dict[int, float] | Unknown:
    """Return the values in the unit of the metric, without blanks."""
    sent = {index: value for index, value in values.items() if value * published.factor < BLANK}
    scaled = {index: value * published.factor for index, value in sent.items()}
    highest = max(scaled.values(), default=0.0)
    if highest > published.most:
        detail = f"{published.series} goes up to {highest:,.0f} {metric.unit}: its unit is another one"
        return Unknown(Reason.SOURCE_ERROR, detail, metric.name)
    if published.whole and any(0 < value < 1 for value in scaled.values()):
        detail = f"{published.series} has fractions below 1: it looks like a ratio, not percent"
        return Unknown(Reason.SOURCE_ERROR, detail, metric.name)
    if published.only is not None:
        return {index: value if value in published.only else 0.0 for index, value in scaled.items()}
    return scaled


def _buckets(values: Mapping[int, float], frame: Frame) -> Buckets:
    length = max(frame.buckets, max(values, default=-1) + 1)
    return tuple(map(values.get, range(length)))
