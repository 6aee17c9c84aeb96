"""
An estate recorded in a file: JSON Lines, gzip where the name ends in `.gz`.

The first line says what was recorded and when, then come resources and scope reports in the order
they were read, and the last line says how many there were, so that a cut file is noticed. Reading
streams: memory does not grow with the file. `bursar scan` writes it; `plan` and `explain` read it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from engine.errors import ConfigError, Place, Problem
from engine.model import (
    KindNeeds,
    Needs,
    Resource,
    Scope,
    ScopeReport,
    ScopeStatus,
    Series,
    Usage,
)
from engine.ports import Estate, Item, Progress
from engine.values import Answer, Reason, Unknown, clean

VERSION = 1
NOT_RECORDED = "not part of the snapshot"


# --- writing -------------------------------------------------------------------------------------


def record(
    estate: Estate, needs: Needs, path: Path, progress: Progress = lambda _stage, _done: None
) -> tuple[int, tuple[ScopeReport, ...]]:
    """
    Write all that `needs` asks of `estate` to `path`; return how many resources, and the scope reports.

    The file appears under its name only when it is complete.
    """
    partial = path.with_name(f".{path.name}.partial")
    resources = 0
    reports: list[ScopeReport] = []
    try:
        with _writer(partial, compressed=path.suffix == ".gz") as out:
            _write(out, _header(estate, needs))
            for item in estate.stream(needs):
                if isinstance(item, Resource):
                    resources += 1
                    progress("resources read", 1)
                    _write(out, {"resource": encode_resource(item)})
                else:
                    reports.append(item)
                    _write(out, {"scope": encode_scope(item)})
            _write(out, {"end": {"resources": resources, "scopes": len(reports)}})
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return resources, tuple(reports)


@contextmanager
def _writer(path: Path, *, compressed: bool) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not compressed:
        with path.open("w", encoding="utf-8") as out:
            yield out
        return
    # No name and no time in the header: the same estate gives the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed,
    ):
        import io

        with io.TextIOWrapper(packed, encoding="utf-8") as out:
            yield out


def _write(out: TextIO, value: Mapping[str, Any]) -> None:
    out.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _header(estate: Estate, needs: Needs) -> dict[str, Any]:
    kinds = {
        kind: {
            "groups": sorted(need.groups),
            "metrics": {name: length.total_seconds() for name, length in sorted(need.metrics.items())},
        }
        for kind, need in sorted(needs.kinds.items())
    }
    return {
        "bursar.snapshot": VERSION,
        "estate": estate.name,
        "taken_at": _time(estate.taken_at),
        "kinds": kinds,
    }


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
        else [[u.sku, str(u.quantity), u.unit, u.role] for u in resource.usage],
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
    }


def _encode_series(series: Series) -> dict[str, Any]:
    found: dict[str, Any] = {
        "device": series.device,
        "start": _time(series.start),
        "step": series.step,
        "interval": series.interval,
        "source": series.source,
        "values": list(series.values),
    }
    if series.samples is not None:
        found["samples"] = list(series.samples)
    return found


def _encode(value: Answer) -> Any:
    match value:
        case Unknown():
            return {"$unknown": _encode_unknown(value)}
        case datetime():
            return {"$time": _time(value)}
        case timedelta():
            return {"$seconds": value.total_seconds()}
        case Decimal():
            return {"$decimal": str(value)}
        case tuple():
            return [_encode(item) for item in value]
        case Mapping():
            return {"$map": dict(value)}
        case _:
            return value


def _encode_unknown(unknown: Unknown) -> dict[str, str]:
    found = {"reason": unknown.reason.value, "detail": unknown.detail, "path": unknown.path}
    return {key: text for key, text in found.items() if text}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- reading -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SnapshotEstate:
    """A recorded estate."""

    path: Path
    recorded: str
    """The name of the estate that was recorded."""
    taken_at: datetime
    needs: Needs
    """What was recorded."""

    @property
    def name(self) -> str:
        return f"{self.recorded}, recorded in {self.path.name}"

    def stream(self, needs: Needs) -> Iterator[Item]:
        """Yield what is recorded of `needs`; what is needed and was not recorded is a gap."""
        seen: set[str] = set()
        for item in _items(self.path):
            if isinstance(item, Resource):
                need = needs.kinds.get(item.kind)
                if need is not None:
                    yield self._limited(item, need)
            elif item.scope.kind in needs.kinds:
                seen.add(item.scope.kind)
                yield item
        for kind in sorted(set(needs.kinds) - seen):
            yield ScopeReport(Scope("", "", kind), ScopeStatus.FAILED, detail=NOT_RECORDED)

    def _limited(self, resource: Resource, need: KindNeeds) -> Resource:
        """Return `resource` with a gap for each group or metric that was not recorded."""
        recorded = self.needs.kinds.get(resource.kind, KindNeeds())
        missing = need.groups - recorded.groups - {"core"}
        gaps = dict.fromkeys(missing, Unknown(Reason.NOT_COLLECTED, NOT_RECORDED))
        return replace(resource, gaps={**resource.gaps, **gaps}) if gaps else resource


def open_snapshot(path: Path) -> SnapshotEstate:
    """Return the estate recorded in `path`; raise `ConfigError` when it is not one."""
    with _reader(path) as lines:
        header = _parse(path, 1, next(lines, ""))
    version = header.get("bursar.snapshot") if isinstance(header, dict) else None
    if version != VERSION:
        found = "no snapshot header" if version is None else f"version {version}"
        raise _bad(path, 1, f"this is not a snapshot of version {VERSION}: {found}")
    try:
        kinds = {
            kind: KindNeeds(
                frozenset(need["groups"]),
                {name: timedelta(seconds=length) for name, length in need["metrics"].items()},
            )
            for kind, need in header["kinds"].items()
        }
        return SnapshotEstate(path, header["estate"], _moment(header["taken_at"]), Needs(kinds))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _bad(path, 1, f"the header is damaged: {error!r}") from error


@contextmanager
def _reader(path: Path) -> Iterator[Iterator[str]]:
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as text:
            yield iter(text)
    except FileNotFoundError as error:
        raise ConfigError.of("bad-snapshot", "there is no such file", where=str(path)) from error
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigError.of("bad-snapshot", f"the file cannot be read: {error}", where=str(path)) from error


def _items(path: Path) -> Iterator[Item]:
    counted = {"resources": 0, "scopes": 0}
    with _reader(path) as lines:
        next(lines, "")
        for number, line in enumerate(lines, start=2):
            entry = _parse(path, number, line)
            try:
                match entry:
                    case {"resource": dict() as found}:
                        counted["resources"] += 1
                        yield decode_resource(found)
                    case {"scope": dict() as found}:
                        counted["scopes"] += 1
                        yield decode_scope(found)
                    case {"end": dict() as found} if found == counted:
                        return
                    case _:
                        raise _bad(path, number, "the line is damaged")
            except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
                raise _bad(path, number, f"the line is damaged: {error!r}") from error
    raise _bad(path, 0, "the file is cut short", "record it again with `bursar scan`")


def _parse(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(path, number, "the line is not JSON") from error


def _bad(path: Path, line: int, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem("bad-snapshot", message, Place(str(path), line, 1 if line else 0), hint)])


def decode_resource(found: Mapping[str, Any]) -> Resource:
    """Return the resource that `encode_resource` wrote; raise on anything else."""
    usage = found.get("usage", ())
    return Resource(
        kind=_text(found["kind"]),
        id=_text(found["id"]),
        account=_text(found["account"]),
        region=_text(found["region"]),
        name=_text(found.get("name", "")),
        fields={name: _decode(value) for name, value in found.get("fields", {}).items()},
        tags={_text(key): _text(value) for key, value in found.get("tags", {}).items()},
        gaps={group: _decode_unknown(gap) for group, gap in found.get("gaps", {}).items()},
        metrics={
            name: tuple(_decode_series(name, series) for series in all_series)
            for name, all_series in found.get("metrics", {}).items()
        },
        usage=_decode_unknown(usage)
        if isinstance(usage, dict)
        else tuple(Usage(_text(sku), Decimal(amount), _text(unit), _text(role)) for sku, amount, unit, role in usage),
    )


def decode_scope(found: Mapping[str, Any]) -> ScopeReport:
    """Return the report that `encode_scope` wrote; raise on anything else."""
    scope = Scope(_text(found["account"]), _text(found["region"]), _text(found["kind"]))
    return ScopeReport(scope, ScopeStatus(found["status"]), int(found["resources"]), _text(found["detail"]))


def _decode_series(metric: str, found: Mapping[str, Any]) -> Series:
    samples = found.get("samples")
    return Series(
        metric=metric,
        device=_text(found["device"]),
        start=_moment(found["start"]),
        step=int(found["step"]),
        values=tuple(None if value is None else float(value) for value in found["values"]),
        interval=int(found["interval"]),
        source=_text(found["source"]),
        samples=None if samples is None else tuple(int(count) for count in samples),
    )


def _decode(value: Any) -> Answer:
    match value:
        case {"$unknown": found}:
            return _decode_unknown(found)
        case {"$time": text}:
            return _moment(text)
        case {"$seconds": seconds}:
            return timedelta(seconds=seconds)
        case {"$decimal": text}:
            return clean(Decimal(text), "")
        case {"$map": found}:
            return dict(found)
        case list():
            return tuple(_decode(item) for item in value)  # type: ignore[misc]
        case bool() | int() | float() | str():
            return clean(value, "")
        case _:
            raise ValueError(f"unexpected {value!r}")


def _decode_unknown(found: Mapping[str, Any]) -> Unknown:
    return Unknown(Reason(found["reason"]), _text(found.get("detail", "")), _text(found.get("path", "")))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {text}")
    return moment.astimezone(UTC)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text expected, found {value!r}")
    return value
