"""Whether a check can judge the kinds it is asked about: their fields, metrics and units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.errors import Problem, did_you_mean
from engine.expr.patterns import compile_pattern
from engine.kinds import Kind, Metric
from engine.policy.checks import Check, Encryption, Idle, Quantity, Quota, RequiredTags, Schedule, TagRule
from engine.policy.translate import find
from engine.yaml_text import MapNode, Node

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


def check_problems(check: Check, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    """Yield what is wrong with `check`, which stands at `node`, for `kinds`."""
    match check:
        case Idle():
            for name, threshold in check.below.items():
                yield from _metric_problems(name, threshold, kinds, node)
        case Encryption():
            for key, field in ENCRYPTION_FIELDS.items():
                if getattr(check, key):
                    yield from _field_problems(key, field, kinds, find(node, (key,)))
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


def _field_problems(key: str, field: str, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    for kind in kinds:
        if field not in kind.field_by_name:
            message = f"`{key}` cannot be judged for `{kind.name}`: it has no field `{field}`"
            yield Problem("unsupported-check", message, node.place, f"`bursar schema {kind.name}` lists its fields")


def _metric_problems(name: str, threshold: Quantity, kinds: Sequence[Kind], node: Node) -> Iterator[Problem]:
    below = find(node, ("below",))
    key = below.key(name) if isinstance(below, MapNode) else None
    for kind in kinds:
        metric = kind.metric_by_name.get(name)
        if metric is None:
            known = tuple(kind.metric_by_name)
            hint = did_you_mean(name, known) or (f"there are {', '.join(f'`{m}`' for m in known)}" if known else "")
            code = "unknown-metric" if known else "unsupported-check"
            message = f"`{name}` is not a metric of `{kind.name}`" if known else f"`{kind.name}` has no metrics"
            yield Problem(code, message, (key or below).place, hint)
        elif UNITS[metric.unit] != threshold.unit:
            yield _unit_problem(metric, threshold, find(node, ("below", name)))
            return


def _unit_problem(metric: Metric, threshold: Quantity, node: Node) -> Problem:
    number = f"{threshold.value:g}"
    hint = f"write `{EXAMPLES[metric.unit].format(number)}`"
    unit = "a plain number" if metric.unit == "count" else metric.unit
    return Problem("wrong-value", f"`{threshold.text}` is not in the unit of `{metric.name}`, {unit}", node.place, hint)


def _pattern_problems(rule: TagRule, node: Node) -> Iterator[Problem]:
    if not rule.pattern:
        return
    try:
        compile_pattern(rule.pattern)
    except ValueError as error:
        yield Problem("bad-regex", f"`{rule.pattern}` is not a pattern: {error}", node.place, "the syntax is RE2's")
