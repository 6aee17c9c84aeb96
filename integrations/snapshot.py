"""
An estate recorded in a file: JSON Lines, gzip where the name ends in `.gz`.

The first line says what was recorded and when, then come resources and scope reports in the order
they were read, and the last line says how many there were, so that a cut file is noticed. Reading
streams: memory does not grow with the file. `bursar scan` writes it; `plan` and `explain` read it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

from engine.errors import ConfigError, Place, Problem, unreadable
from engine.model import KindNeeds, Needs, Resource, Scope, ScopeReport, ScopeStatus
from engine.ports import Estate, Item, Progress
from engine.values import Reason, Unknown
from integrations.catalog import default_catalog
from integrations.snapshot_lines import (
    DAMAGE,
    decode_resource,
    decode_scope,
    decode_text,
    decode_time,
    encode_resource,
    encode_scope,
    encode_time,
)
from integrations.telemetry.port import TELEMETRY

VERSION = 1
LONGEST_LINE = 64 * 1024 * 1024
"""Characters. A machine with eight GPUs and two weeks of minutes takes a few million."""
BROKEN = "backslashreplace"
"""Half of a surrogate pair in a tag is no UTF-8; this writes it as JSON escapes it."""
NOT_RECORDED = "not part of the snapshot"
SHORT = Unknown(Reason.NOT_COLLECTED, "the snapshot holds less of it than is needed")


# --- writing -------------------------------------------------------------------------------------


def record(
    estate: Estate, needs: Needs, path: Path, progress: Progress = lambda _stage, _done: None
) -> tuple[int, tuple[ScopeReport, ...]]:
    """
    Write all that `needs` asks of `estate` to `path`; return how many resources, and the scope reports.

    The file appears under its name only when it is complete.

    Raises:
        ConfigError: the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.partial")
    resources = 0
    reports: list[ScopeReport] = []
    try:
        with ExitStack() as opened:
            with _writing(path):
                out = opened.enter_context(_writer(partial, compressed=path.suffix == ".gz"))
                _write(out, _header(estate, needs))
            for item in estate.stream(needs):
                with _writing(path):
                    if isinstance(item, Resource):
                        resources += 1
                        progress("resources read", 1)
                        _write(out, {"resource": encode_resource(item)})
                    else:
                        reports.append(item)
                        _write(out, {"scope": encode_scope(item)})
            with _writing(path):
                _write(out, {"end": {"resources": resources, "scopes": len(reports)}})
                opened.close()
                partial.replace(path)
    finally:
        with suppress(OSError):  # a file system that takes nothing holds no partial file either
            partial.unlink(missing_ok=True)
    return resources, tuple(reports)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Turn what keeps the file from being written into a `ConfigError`; what the estate raises is another matter."""
    try:
        yield
    except OSError as error:
        message = f"the file cannot be written: {error.strerror or error}"
        raise ConfigError.of("file-unreadable", message, where=str(path)) from error


@contextmanager
def _writer(path: Path, *, compressed: bool) -> Iterator[TextIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not compressed:
        with path.open("w", encoding="utf-8", errors=BROKEN) as out:
            yield out
        return
    # No name and no time in the header: the same estate gives the same bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=6, mtime=0) as packed,
    ):
        import io

        with io.TextIOWrapper(packed, encoding="utf-8", errors=BROKEN) as out:
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
        "taken_at": encode_time(estate.taken_at),
        "kinds": kinds,
    }


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
                need, ids = needs.kinds.get(item.kind), needs.ids(Scope(item.account, item.region, item.kind))
                if need is not None and (ids is None or item.id in ids):
                    yield self._limited(item, need)
            elif item.scope.kind in needs.kinds or item.scope.kind == TELEMETRY:
                seen.add(item.scope.kind)
                if needs.covers(item.scope):
                    yield item
        for kind in sorted(set(needs.kinds) - seen):
            yield ScopeReport(Scope("", "", kind), ScopeStatus.FAILED, detail=NOT_RECORDED)

    def _limited(self, resource: Resource, need: KindNeeds) -> Resource:
        """Return `resource` with a gap for each group, and each metric and length of time, that was not recorded."""
        recorded = self.needs.kinds.get(resource.kind, KindNeeds())
        missing = need.groups - recorded.groups - {"core"}
        gaps = dict.fromkeys(missing, Unknown(Reason.NOT_COLLECTED, NOT_RECORDED))
        # A gap, and not only few samples: of some metrics no sample means that nothing happened.
        gaps.update(dict.fromkeys(_short_signals(resource.kind, need, recorded), SHORT))
        return replace(resource, gaps={**resource.gaps, **gaps}) if gaps else resource


def _short_signals(kind: str, need: KindNeeds, recorded: KindNeeds) -> Iterator[str]:
    """Yield the telemetry groups of which less was recorded than is needed."""
    declared = default_catalog().kinds.get(kind)
    known = declared.metric_by_name if declared is not None else {}
    for name, window in need.metrics.items():
        if name in known and recorded.metrics.get(name, timedelta(0)) < window:
            yield f"metrics.{known[name].signal}"


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
        return SnapshotEstate(path, decode_text(header["estate"]), decode_time(header["taken_at"]), Needs(kinds))
    except DAMAGE as error:
        raise _bad(path, 1, f"the header is damaged: {error!r}") from error


@contextmanager
def _reader(path: Path) -> Iterator[Iterator[str]]:
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as text:
            yield iter(lambda: _line(path, text), "")
    except FileNotFoundError as error:
        raise ConfigError.of("bad-snapshot", "there is no such file", where=str(path)) from error
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ConfigError.of(
            "bad-snapshot", f"the file cannot be read: {unreadable(error)}", where=str(path)
        ) from error


def _line(path: Path, text: TextIO) -> str:
    """Return the next line, or an empty string at the end; a small packed file can hold an endless one."""
    line = text.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise _bad(path, 0, f"a line is longer than {LONGEST_LINE:,} characters")
    return line


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
                        if next(lines, ""):
                            raise _bad(path, number + 1, "something follows the end of the snapshot")
                        return
                    case _:
                        raise _bad(path, number, "the line is damaged")
            except DAMAGE as error:
                raise _bad(path, number, f"the line is damaged: {error!r}") from error
    raise _bad(path, 0, "the file is cut short", "record it again with `bursar scan`")


def _parse(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _bad(path, number, "the line is not JSON") from error


def _bad(path: Path, line: int, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem("bad-snapshot", message, Place(str(path), line, 1 if line else 0), hint)])
