"""Which devices a server has series of, where they are, and under which labels they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from integrations.prometheus.exporters import Exporter, Labels, job_of, spoken, uuid_label
from integrations.telemetry.joining import Directory, Sender


@dataclass(frozen=True, slots=True)
class Listed:
    """One series, as listed."""

    name: str
    sender: Sender
    label: str
    """The label to ask for it by."""
    value: str
    raw: frozenset[str]
    """Its labels that say which device of which machine it is."""
    job: str


@dataclass(frozen=True)
class Index:
    """The series of one exporter, by the key of the resource they are in."""

    exporter: Exporter
    by_key: Mapping[str, tuple[Listed, ...]] = field(default_factory=dict)
    devices: int = 0
    keyless: int = 0
    """Of `devices`: those that do not say where they are."""


def index_of(exporter: Exporter, rows: Iterable[Mapping[str, str]], labels: Labels, directory: Directory) -> Index:
    """Return the index of what a server lists."""
    by_key: dict[str, list[Listed]] = {}
    keyed: set[object] = set()
    keyless: set[object] = set()
    for row in rows:
        listed = _listed(row, labels)
        key = directory.key_of(listed.sender)
        whom = listed.sender.device.uuid or listed.sender
        (keyed if key else keyless).add(whom)
        if key:
            by_key.setdefault(key, []).append(listed)
    lost = keyless - keyed
    return Index(exporter, {key: tuple(found) for key, found in by_key.items()}, len(keyed | keyless), len(lost))


def _listed(row: Mapping[str, str], labels: Labels) -> Listed:
    raw = labels.raw(row)
    label = uuid_label(name for name in raw if row[name]) or where_label(raw, row, labels)
    return Listed(row.get("__name__", ""), labels.sender(row), label, row.get(label, ""), frozenset(raw), job_of(row))


def where_label(raw: Iterable[str], row: Mapping[str, str], labels: Labels) -> str:
    """Return the label that says where a series without a UUID is."""
    names = (*labels.instance, *labels.provider, *labels.host)
    return next((name for wanted in names for name in sorted(raw) if wanted in spoken({name: row[name]})), "")


def jobs_of(listed: Sequence[Listed]) -> str:
    """Return who works on a device, for evidence."""
    return ", ".join(sorted({one.job for one in listed if one.job})[:3])


def named_nodes(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return the `providerID` of each node by its name in lower case; a name of two machines is none of them."""
    found: dict[str, set[str]] = {}
    for labels in rows:
        if labels.get("node") and labels.get("provider_id"):
            found.setdefault(labels["node"].lower(), set()).add(labels["provider_id"])
    return {node: next(iter(ids)) for node, ids in found.items() if len(ids) == 1}
