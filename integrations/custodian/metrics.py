"""
A `metrics` filter of theirs to a metric function, where CloudWatch is asked the same question.

Both have to ask for the same statistic: a mean of means is not the mean of maxima that is read here. Custodian
holds every period of the window against the threshold, so that only some questions are about the whole window.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from integrations.aws.metric_sources import Scale, Source
from integrations.aws.registry import AWS_KINDS
from integrations.custodian.comparing import SYMBOLS
from integrations.custodian.condition import Condition, comparison, duration
from integrations.custodian.lengths import days
from integrations.custodian.literal import shown
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import Filter, Refused, Scope
from integrations.custodian.values import OPERATORS

FUNCTIONS: Mapping[str, str] = MappingProxyType({"Maximum": "max", "Minimum": "min", "Sum": "sum"})
WINDOW = 14
"""Days that they look back where nothing is said."""
KEYS = frozenset({"type", "name", "namespace", "days", "op", "value", "statistics", "period", "period-start"})


def metric_condition(item: Filter, scope: Scope) -> Condition:
    """
    Return the condition of a `metrics` filter.

    Raises:
        Refused: where the metric is not read here, or not with that statistic.
    """
    for key in item:
        if key not in KEYS:
            reason = "what is missing is unknown here, and never a number" if key == "missing-value" else "no equal"
            raise Refused(f"`{key}` of a metric: {reason}", (key,))
    if item.get("period-start", "auto") != "auto":
        raise Refused("windows here end now, not at midnight", ("period-start",))
    name, source = _source(item, scope)
    statistic = item.get("statistics", "Average")
    if statistic != source.statistic:
        raise Refused(f"`{source.metric}` is read here as {source.statistic}, not as {statistic}", ("statistics",))
    window = days(item.get("days", WINDOW))
    if window <= timedelta(0):
        raise Refused("the window has no length", ("days",))
    operator = OPERATORS.get(item.get("op", "lt"), "")
    function = FUNCTIONS[statistic]
    _about_the_whole(function, operator, item.get("period"), window)
    value = item.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"a metric is compared with {shown(value)}", ("value",))
    metric = scope.kind.metric_by_name[name]
    unit = "%" if metric.unit == "percent" else ""
    return comparison(f"{function}(metrics.{name}, {duration(window)})", SYMBOLS[operator], f"{value}{unit}")


def _source(item: Filter, scope: Scope) -> tuple[str, Source]:
    """Return our metric that is theirs, and how it is asked for."""
    namespace = item.get("namespace") or TYPES[scope.type].namespace
    for name, source in AWS_KINDS[scope.kind.name].metrics.items():
        plain = not source.device and not source.discover and not source.fixed and source.scale is Scale.AS_SENT
        # A metric that is only sent when something happens is zero here where nothing came.
        plain = plain and not scope.kind.metric_by_name[name].event_driven
        if plain and (source.namespace, source.metric) == (namespace, item.get("name")):
            return name, source
    raise Refused(f"the metric `{namespace}/{item.get('name')}` of `{scope.kind.name}` is not read here", ("name",))


def _about_the_whole(function: str, operator: str, period: Any, window: timedelta) -> None:
    """Refuse a question about each period that is none about the whole window."""
    whole = period is None or (isinstance(period, int) and timedelta(seconds=period) >= window)
    all_below = function == "max" and operator in ("lt", "le")
    all_above = function == "min" and operator in ("gt", "ge")
    if operator not in ("lt", "le", "gt", "ge") or not (whole or all_below or all_above):
        raise Refused("each period is compared by itself, which is no question about the whole window", ("period",))
