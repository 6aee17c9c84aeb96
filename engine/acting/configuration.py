"""Changes of what decides: policies and configuration, written to the ledger by the first run that works with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from engine.acting.ports import Ports, Tenure
from engine.policy.model import Mode
from engine.state.ledger import Json, Note
from engine.state.records import put, restored
from engine.state.store import Table


@dataclass(frozen=True, slots=True)
class Deciding:
    """What runs decide by."""

    table: ClassVar[Table] = Table.SETTING
    NAME: ClassVar[str] = "deciding"

    at: datetime
    policies: str
    """Digest of the policy texts."""
    configuration: str
    """Digest of the configuration file; empty where there is none."""
    max_mode: Mode
    status: str = ""

    @property
    def key(self) -> str:
        return self.NAME


def note_changes(now_deciding: Deciding, ports: Ports, tenure: Tenure) -> None:
    """Write down that policies or configuration are not those of the run before; nothing where they are."""
    stored = ports.store.get(Table.SETTING, Deciding.NAME)
    before = None if stored is None else restored(Deciding, stored)
    facts = _facts(now_deciding)
    old = {} if before is None else _facts(before.record)
    changed = {name: f"{old.get(name, 'none')} -> {value}" for name, value in facts.items() if old.get(name) != value}
    if not changed:
        return
    body: dict[str, Json] = dict(changed)
    note = Note(now_deciding.at, "configuration.changed", "configuration", ports.run, ports.actor, body)
    ports.store.commit([put(now_deciding, before.version if before else 0)], [note], tenure.current())


def _facts(deciding: Deciding) -> dict[str, str]:
    return {
        "policies": deciding.policies,
        "configuration": deciding.configuration,
        "max_mode": deciding.max_mode.value,
    }
