"""
From the short form of a case to the resources an estate would send.

Documents are checked by `engine.cases.check` before they come here.
"""

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
PARTS = ("fields", "tags", "gaps", "metrics")
"""What a resource takes over from its base key by key."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_RELATIVE = re.compile(r"now([+-])(\w+)")


def resource_of(
    document: ResourceDocument, fixtures: Mapping[str, ResourceDocument], catalog: Catalog, now: datetime
) -> Resource:
    """Return the resource that `document` stands for."""
    whole = flattened(document, fixtures)
    kind = catalog.kinds[whole.kind]
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
            name: tuple(
                series_of(kind.metric_by_name[name], device, samples, now) for device, samples in devices.items()
            )
            for name, devices in whole.metrics.items()
        },
        usage=Unknown(usage, "said by the case")
        if isinstance(usage, Reason)
        else tuple(Usage(u.sku, u.quantity, u.unit, u.role, u.kept) for u in usage or ()),
    )


def flattened(document: ResourceDocument, fixtures: Mapping[str, ResourceDocument]) -> ResourceDocument:
    """Return `document` with what it takes over from its base, less what it does `without`."""
    if not document.base:
        return document
    base = flattened(fixtures[document.base], fixtures)
    parts = {name: dict(getattr(base, name)) for name in PARTS}
    if "tags" in document.gaps:
        parts["tags"] = {}  # a tag call that failed brings none
    for path in document.without:
        part, _, key = path.partition(".")
        parts.get(part, {}).pop(key, None)
    texts = {
        name: getattr(document, name) or getattr(base, name) for name in ("kind", "id", "name", "account", "region")
    }
    merged = {name: {**part, **getattr(document, name)} for name, part in parts.items()}
    usage = base.usage if document.usage is None else document.usage
    return document.model_copy(update={**texts, **merged, "usage": usage, "base": "", "without": ()})


def _answer(kind: Kind, name: str, value: Any, now: datetime) -> Answer:
    """Return a field's value as its collector would send it; text that does not fit stays text, and so wrong."""
    if isinstance(value, Null):
        return Unknown(Reason.NULL, "said by the case", f"resource.{name}")
    if isinstance(value, list):
        return tuple(str(item) for item in value)
    return _typed(kind.field_by_name[name], value, now)


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
