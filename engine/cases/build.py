"""From the short form of a case to the resources an estate would send."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from engine.cases.document import ResourceDocument, moment
from engine.cases.samples import series_of
from engine.kinds import Catalog, Field, Kind, Type
from engine.model import Resource, Usage
from engine.policy.scalars import Null
from engine.units import UnitError, parse_duration
from engine.values import Answer, Reason, Unknown
from engine.yaml_text import Plain

ACCOUNT, REGION = "111122223333", "us-east-1"
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_RELATIVE = re.compile(r"now([+-])(\w+)")


class CaseError(ValueError):
    """A case that cannot be built; the message says why."""


def resource_of(
    document: ResourceDocument, fixtures: Mapping[str, ResourceDocument], catalog: Catalog, now: datetime
) -> Resource:
    """Return the resource that `document` stands for; raise `CaseError` where it stands for none."""
    whole = flattened(document, fixtures, ())
    kind = catalog.kinds.get(whole.kind)
    if kind is None:
        raise CaseError(f"`{whole.kind}` is not a kind" if whole.kind else "the resource has no `kind`")
    usage = whole.usage
    return Resource(
        kind=kind.name,
        id=whole.id or "case",
        account=whole.account or ACCOUNT,
        region=whole.region or REGION,
        name=whole.name,
        fields={name: _answer(kind, name, value, now) for name, value in whole.fields.items()},
        tags=dict(whole.tags),
        gaps={group: Unknown(reason, "said by the case") for group, reason in whole.gaps.items()},
        metrics={
            name: tuple(series_of(_metric(kind, name), device, samples, now) for device, samples in devices.items())
            for name, devices in whole.metrics.items()
        },
        usage=Unknown(usage, "said by the case")
        if isinstance(usage, Reason)
        else tuple(Usage(u.sku, u.quantity, u.unit, u.role) for u in usage or ()),
    )


def flattened(
    document: ResourceDocument, fixtures: Mapping[str, ResourceDocument], seen: tuple[str, ...]
) -> ResourceDocument:
    """Return `document` with what it takes over from its base, less what it does `without`."""
    if not document.base:
        return document
    if document.base in seen:
        raise CaseError(f"the fixtures {' → '.join((*seen, document.base))} go round")
    if document.base not in fixtures:
        raise CaseError(f"there is no fixture `{document.base}`")
    base = flattened(fixtures[document.base], fixtures, (*seen, document.base))
    parts = {name: dict(getattr(base, name)) for name in ("fields", "tags", "gaps", "metrics")}
    if "tags" in document.gaps:
        parts["tags"] = {}  # a tag call that failed brings none
    for path in document.without:
        part, _, key = path.partition(".")
        if part not in parts or key not in parts[part]:
            raise CaseError(f"`{document.base}` has no `{path}` to do without")
        del parts[part][key]
    texts = {
        name: getattr(document, name) or getattr(base, name) for name in ("kind", "id", "name", "account", "region")
    }
    merged = {name: {**part, **getattr(document, name)} for name, part in parts.items()}
    usage = base.usage if document.usage is None else document.usage
    return document.model_copy(update={**texts, **merged, "usage": usage, "base": "", "without": ()})


def _metric(kind: Kind, name: str) -> Any:
    metric = kind.metric_by_name.get(name)
    if metric is None:
        raise CaseError(f"`{name}` is not a metric of `{kind.name}`")
    return metric


def _answer(kind: Kind, name: str, value: Any, now: datetime) -> Answer:
    """Return a field's value as its collector would send it; text that does not fit stays text, and so wrong."""
    field = kind.field_by_name.get(name)
    if field is None:
        raise CaseError(f"`{name}` is not a field of `{kind.name}`")
    if isinstance(value, Null):
        return Unknown(Reason.NULL, "said by the case", f"resource.{name}")
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    if not isinstance(value, str):
        raise CaseError(f"`{name}` is neither a text nor a list")
    return _typed(field, value, now)


def _typed(field: Field, text: str, now: datetime) -> Answer:
    plain = isinstance(text, Plain)
    try:
        if plain and field.type is Type.BOOL and text in ("true", "false"):
            return text == "true"
        if plain and field.type is Type.NUMBER and _NUMBER.fullmatch(text):
            return float(Decimal(text)) if "." in text else int(text)
        if plain and field.type is Type.DURATION:
            return parse_duration(text)
        if field.type is Type.TIMESTAMP:
            relative = _RELATIVE.fullmatch(text)
            if relative is None:
                return moment(text)
            length = parse_duration(relative[2])
            return now - length if relative[1] == "-" else now + length
    except UnitError:
        return str(text)
    return str(text)
