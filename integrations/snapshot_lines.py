"""
Resources and scope reports to JSON and back: the lines of a snapshot, without the file.

Pure. What was not written by `encode_*` is refused by `decode_*` with one of `DAMAGE`; numbers that are none
become unknown values and missing samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine.model import Asked, Resource, Scope, ScopeReport, ScopeStatus, Series, Usage
from engine.values import Answer, Reason, Unknown, clean

DAMAGE = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading text that nobody wrote may end in."""


def encode_resource(resource: Resource) -> dict[str, Any]:
    """Return `resource` as JSON keeps it; empty parts are left out."""
    parts: dict[str, Any] = {
        "kind": resource.kind,
        "id": resource.id,
        "account": resource.account,
        "region": resource.region,
        "name": resource.name,
        "fields": {name: _encode(value) for name, value in resource.fields.items()},
        "tags": dict(resource.tags),
        "gaps": {group: _encode_unknown(gap) for group, gap in resource.gaps.items()},
        "metrics": {name: [_encode_series(s) for s in found] for name, found in resource.metrics.items()},
        "usage": _encode_unknown(resource.usage)
        if isinstance(resource.usage, Unknown)
        else [[u.sku, str(u.quantity), u.unit, u.role, *((u.kept,) if u.kept else ())] for u in resource.usage],
    }
    return {key: part for key, part in parts.items() if part not in ({}, [], "")}


def encode_scope(report: ScopeReport) -> dict[str, Any]:
    """Return a scope report as JSON keeps it."""
    return {
        "account": report.scope.account,
        "region": report.scope.region,
        "kind": report.scope.kind,
        "status": report.status.value,
        "resources": report.resources,
        "detail": report.detail,
        **({"metrics_asked": report.asked.metrics, "usd": str(report.asked.usd)} if report.asked.metrics else {}),
    }


def _encode_series(series: Series) -> dict[str, Any]:
    found: dict[str, Any] = {
        "device": series.device,
        "start": encode_time(series.start),
        "step": series.step,
        "interval": series.interval,
        "source": series.source,
        "values": [value if value is None or math.isfinite(value) else None for value in series.values],
    }
    if series.samples is not None:
        found["samples"] = list(series.samples)
    return found


def _encode(value: Answer) -> Any:
    match value:
        case Unknown():
            return {"$unknown": _encode_unknown(value)}
        case datetime():
            return {"$time": encode_time(value)}
        case timedelta():
            return {"$seconds": value.total_seconds()}
        case Decimal():
            return {"$decimal": str(value)}
        case float() if not math.isfinite(value):
            return _encode(clean(value, ""))
        case tuple():
            return [_encode(item) for item in value]
        case Mapping():
            return {"$map": dict(value)}
        case _:
            return value


def _encode_unknown(unknown: Unknown) -> dict[str, str]:
    found = {"reason": unknown.reason.value, "detail": unknown.detail, "path": unknown.path}
    return {key: text for key, text in found.items() if text}


def encode_time(moment: datetime) -> str:
    """Return a moment as UTC in ISO 8601."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def decode_resource(found: Mapping[str, Any]) -> Resource:
    """Return the resource that `encode_resource` wrote; raise on anything else."""
    usage = found.get("usage", ())
    return Resource(
        kind=decode_text(found["kind"]),
        id=decode_text(found["id"]),
        account=decode_text(found["account"]),
        region=decode_text(found["region"]),
        name=decode_text(found.get("name", "")),
        fields={name: _decode(value) for name, value in found.get("fields", {}).items()},
        tags={decode_text(key): decode_text(value) for key, value in found.get("tags", {}).items()},
        gaps={group: _decode_unknown(gap) for group, gap in found.get("gaps", {}).items()},
        metrics={
            name: tuple(_decode_series(name, series) for series in all_series)
            for name, all_series in found.get("metrics", {}).items()
        },
        usage=_decode_unknown(usage) if isinstance(usage, dict) else tuple(_decode_usage(*parts) for parts in usage),
    )


def decode_scope(found: Mapping[str, Any]) -> ScopeReport:
    """Return the report that `encode_scope` wrote; raise on anything else."""
    scope = Scope(decode_text(found["account"]), decode_text(found["region"]), decode_text(found["kind"]))
    asked = Asked(_whole(found.get("metrics_asked", 0)), _amount(found.get("usd", "0")))
    resources, detail = _whole(found["resources"]), decode_text(found["detail"])
    return ScopeReport(scope, ScopeStatus(found["status"]), resources, detail, asked)


def _decode_usage(sku: Any, quantity: Any, unit: Any, role: Any, kept: Any = "") -> Usage:
    return Usage(decode_text(sku), _amount(quantity), decode_text(unit), decode_text(role), decode_text(kept))


def _amount(value: Any) -> Decimal:
    amount = Decimal(decode_text(value))
    if not amount.is_finite() or amount < 0:
        raise ValueError(f"an amount of {amount}")
    return amount


def _decode_series(metric: str, found: Mapping[str, Any]) -> Series:
    samples = found.get("samples")
    step, interval = _whole(found["step"]), _whole(found["interval"])
    if not 0 < interval <= step or step % interval:
        raise ValueError(f"a series of {step} seconds, sampled every {interval}")
    return Series(
        metric=metric,
        device=decode_text(found["device"]),
        start=decode_time(found["start"]),
        step=step,
        values=_samples(found["values"]),
        interval=interval,
        source=decode_text(found["source"]),
        samples=None if samples is None else tuple(_whole(count) for count in samples),
    )


def _samples(values: Any) -> tuple[float | None, ...]:
    """Return samples; None stands for each that is none, or no number that could have been measured."""
    # By the set of their types: there may be millions.
    if not isinstance(values, list) or not {type(value) for value in values} <= {float, int, type(None)}:
        raise TypeError("a series holds numbers")
    return tuple(float(value) if value is not None and math.isfinite(value) else None for value in values)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError(f"count expected, found {value!r}")
    return value


def _decode(value: Any) -> Answer:
    match value:
        case {"$unknown": found}:
            return _decode_unknown(found)
        case {"$time": text}:
            return decode_time(text)
        case {"$seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"$decimal": text}:
            return clean(Decimal(text), "")
        case {"$map": found}:
            return {decode_text(key): decode_text(text) for key, text in found.items()}
        case list():
            return tuple(_decode(item) for item in value)  # type: ignore[misc]
        case bool() | int() | float() | str():
            return clean(value, "")
        case _:
            raise ValueError(f"unexpected {value!r}")


def _decode_unknown(found: Mapping[str, Any]) -> Unknown:
    return Unknown(Reason(found["reason"]), decode_text(found.get("detail", "")), decode_text(found.get("path", "")))


def decode_time(text: str) -> datetime:
    """Return the moment that `encode_time` wrote; raise on anything else, and on a time without a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {text}")
    return moment.astimezone(UTC)


def decode_text(value: Any) -> str:
    """Return `value` if it is text; raise otherwise."""
    if not isinstance(value, str):
        raise TypeError(f"text expected, found {value!r}")
    return value
