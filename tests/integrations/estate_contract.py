"""What the engine relies on in every estate, live or recorded: checked item by item of one stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.kinds import Catalog, Kind, Type
from engine.model import Needs, Resource, Scope, ScopeReport
from engine.ports import Item
from engine.values import Unknown

TYPES: dict[Type, tuple[type, ...]] = {
    Type.BOOL: (bool,),
    Type.NUMBER: (int, float, Decimal),
    Type.STRING: (str,),
    Type.TIMESTAMP: (datetime,),
    Type.DURATION: (timedelta,),
    Type.STRINGS: (tuple,),
    Type.TAGS: (dict,),
}


def holds(items: Iterable[Item], needs: Needs, catalog: Catalog, scopes: Iterable[Scope]) -> None:
    """Assert that `items` is what an estate may answer to `needs`, with one report for each of `scopes`."""
    counted: Counter[Scope] = Counter()
    reports: dict[Scope, ScopeReport] = {}
    seen: set[str] = set()
    for item in items:
        if isinstance(item, ScopeReport):
            assert item.scope not in reports, f"a second report for {item.scope}"
            assert item.resources == counted[item.scope], item
            reports[item.scope] = item
            continue
        scope = Scope(item.account, item.region, item.kind)
        assert scope not in reports, f"{item.uid} comes after the report of its scope"
        assert item.uid not in seen, f"{item.uid} comes twice"
        assert item.kind in needs.kinds, f"nobody needs {item.uid}"
        seen.add(item.uid)
        counted[scope] += 1
        _resource_holds(item, needs, catalog.kinds[item.kind])
    assert set(reports) == set(scopes)


def _resource_holds(resource: Resource, needs: Needs, kind: Kind) -> None:
    for name, value in resource.fields.items():
        assert name in kind.field_by_name, f"{resource.uid}: {name} is not declared"
        if isinstance(value, Unknown):
            continue
        declared = kind.field_by_name[name].type
        assert isinstance(value, TYPES[declared]), f"{resource.uid}: {name} is {value!r}"
        assert isinstance(value, bool) == (declared is Type.BOOL), f"{resource.uid}: {name} is {value!r}"
        if isinstance(value, datetime):
            assert value.utcoffset() == timedelta(0), f"{resource.uid}: {name} is not UTC"
    _completeness_holds(resource, needs, kind)


def _completeness_holds(resource: Resource, needs: Needs, kind: Kind) -> None:
    """Assert that what is not a gap was read: every required field, and no group that nobody asked for."""
    for field in kind.fields:
        if field.group not in resource.gaps and not field.optional:
            assert field.name in resource.fields, f"{resource.uid}: {field.name} is attested and absent"
    groups = {field.group for field in kind.fields if field.name not in resource.fields} - {"core"}
    for group in groups - needs.kinds[resource.kind].groups - _with_core(kind):
        assert group in resource.gaps, f"{resource.uid}: {group} was not asked for and is attested"
    for metric in kind.metrics:
        if metric.name not in needs.kinds[resource.kind].metrics and metric.name not in resource.metrics:
            others = {m.name for m in kind.metrics if m.signal == metric.signal}
            asked = others & set(needs.kinds[resource.kind].metrics)
            assert asked or f"metrics.{metric.signal}" in resource.gaps, f"{resource.uid}: {metric.name} is attested"
    for gap in resource.gaps.values():
        assert gap.reason.value
    for series in (one for found in resource.metrics.values() for one in found):
        assert series.metric in kind.metric_by_name, resource.uid
        assert series.start.tzinfo is UTC, resource.uid
        assert series.step % series.interval == 0, resource.uid


def _with_core(kind: Kind) -> set[str]:
    """Return the groups that come with the listing itself, and so are complete without being asked for."""
    return {"tags"} if kind.name in ("aws.ec2.instance", "aws.ebs.volume", "aws.autoscaling.group") else set()
