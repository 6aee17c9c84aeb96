"""Whether a check can judge the kinds it is asked about: their fields, metrics and units."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from engine.checks.encryption import demands_of
from engine.errors import Problem, did_you_mean
from engine.expr.patterns import compile_pattern
from engine.kinds import Kind, Metric
from engine.policy.checks import Check, Encryption, Idle, Quantity, Quota, RequiredTags, Schedule, TagRule
from engine.policy.translate import find
from engine.telemetry import FEWEST_BUCKETS
from engine.units import format_duration, percent_hint
from engine.yaml_text import MapNode, Node, ScalarNode

ENCRYPTION_FIELDS = {
    "at_rest": "encryption.at_rest",
    "key": "encryption.key",
    "in_transit": "encryption.in_transit",
    "public_access": "public_access",
    "access_logging": "access_logging",
}
"""The field that each key of an `encryption` check reads."""
UNITS = {"percent": "percent", "watt": "watt", "bytes": "bytes", "seconds": "seconds", "count": ""}
"""The unit of a threshold by the unit of its metric."""
EXAMPLES = {"percent": "{}%", "watt": "{}W", "bytes": "{}MiB", "seconds": "{}s", "count": "{}"}


def check_problems(name: str, check: Check | None, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    """
    Yield what is wrong with the check called `name`, which stands at `node`, for `kinds`.

    `check` is None where its shape is wrong already; what can be said from the text alone is said then too.
    """
    if name == "idle":
        yield from _idle_problems(check if isinstance(check, Idle) else None, kinds, node)
    match check:
        case Encryption():
            yield from _encryption_problems(check, kinds, node)
        case Schedule():
            yield from _field_problems("schedule", "running", kinds, node)
        case Quota():
            layers = [("limits",), *(("overrides", name) for name in check.overrides)]
            limits = [check.limits, *check.overrides.values()]
            for path, layer in zip(layers, limits, strict=True):
                if layer.accelerators is not None:
                    place = find(node, (*path, "accelerators"))
                    yield from _field_problems("accelerators", "accelerator.count", kinds, place)
        case RequiredTags():
            for key, rule in check.tags.items():
                yield from _pattern_problems(rule, find(node, ("tags", key, "pattern")))
        case _:
            return


def _encryption_problems(check: Encryption, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    for key, field in ENCRYPTION_FIELDS.items():
        if getattr(check, key):
            yield from _field_problems(key, field, kinds, find(node, (key,)))
    if not demands_of(check):
        hint = "add `at_rest: required`"
        yield Problem("wrong-value", "`key: any` by itself asks nothing", find(node, ("key",)).place, hint)


def _field_problems(key: str, field: str, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    for kind in kinds:
        if field not in kind.field_by_name:
            message = f"`{key}` cannot be judged for `{kind.name}`: it has no field `{field}`"
            yield Problem("unsupported-check", message, node.place, f"`bursar schema {kind.name}` lists its fields")


def _idle_problems(check: Idle | None, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    """Yield what is wrong with the metrics of an `idle` check and with what each is to stay below."""
    for part in ("below", "protect_while"):
        written = node.get(part) if isinstance(node, MapNode) else None
        if isinstance(written, MapNode):
            limits = None if check is None else getattr(check, part)
            yield from _metric_problems(check, limits, kinds, written, find(node, ("for",)), of_window=part == "below")


def _metric_problems(
    check: Idle | None,
    limits: Mapping[str, Quantity] | None,
    kinds: Sequence[Kind],
    written: MapNode,
    window: Node,
    *,
    of_window: bool,
) -> Iterator[Problem]:
    for kind in kinds:
        if not kind.metrics and of_window:
            yield Problem("unsupported-check", f"`{kind.name}` has no metrics", written.place)
    judged = [kind for kind in kinds if kind.metrics]
    for key, value in written.entries:
        lacking = [kind for kind in judged if key.text not in kind.metric_by_name]
        yield from (_unknown_metric(key, kind) for kind in lacking)
        if judged and not lacking and check is not None and limits is not None and key.text in limits:
            metric = judged[0].metric_by_name[key.text]
            yield from _threshold_problems(metric, limits[key.text], value)
            if of_window:
                yield from _window_problems(metric, check, window)


def _unknown_metric(key: ScalarNode, kind: Kind) -> Problem:
    known = tuple(kind.metric_by_name)
    hint = did_you_mean(key.text, known) or f"there are {', '.join(f'`{name}`' for name in known)}"
    return Problem("unknown-metric", f"`{key.text}` is not a metric of `{kind.name}`", key.place, hint)


def _threshold_problems(metric: Metric, threshold: Quantity, node: Node) -> Iterator[Problem]:
    if UNITS[metric.unit] != threshold.unit:
        yield _unit_problem(metric, threshold, node)
    elif not threshold.value:
        hint = f"write such as `{EXAMPLES[metric.unit].format(1)}`"
        yield Problem("wrong-value", f"`{metric.name}` is never below `{threshold.text}`", node.place, hint)


def _window_problems(metric: Metric, check: Idle, node: Node) -> Iterator[Problem]:
    least = timedelta(seconds=FEWEST_BUCKETS * metric.interval)
    if check.window < least:
        every = format_duration(timedelta(seconds=metric.interval))
        message = f"`{metric.name}` is sent every {every}: {format_duration(check.window)} of it show nothing"
        yield Problem("wrong-value", message, node.place, f"write `{format_duration(least)}` or more")


def _unit_problem(metric: Metric, threshold: Quantity, node: Node) -> Problem:
    number = f"{threshold.value:g}"
    hint = percent_hint(number) if metric.unit == "percent" else f"write `{EXAMPLES[metric.unit].format(number)}`"
    unit = "a plain number" if metric.unit == "count" else metric.unit
    return Problem("wrong-value", f"`{threshold.text}` is not in the unit of `{metric.name}`, {unit}", node.place, hint)


def _pattern_problems(rule: TagRule, node: Node) -> Iterator[Problem]:
    if not rule.pattern:
        return
    try:
        compile_pattern(rule.pattern)
    except ValueError as error:
        yield Problem("bad-regex", f"`{rule.pattern}` is not a pattern: {error}", node.place, "the syntax is RE2's")
