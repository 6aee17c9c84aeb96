"""Stop an RDS instance. Its storage stays; AWS starts it again after seven days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, another, calls, effect_of, found, last, stale
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class StopDatabase:
    """Stopping a database instance that stands alone."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "stop"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.rds.instance"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"rds:DescribeDBInstances", "rds:StartDBInstance", "rds:StopDBInstance"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is available, stands alone and is the one that was judged."""
        entry = self._database(target)
        if entry is None:
            return GONE
        state = entry["DBInstanceStatus"]
        why = another(target, entry.get("InstanceCreateTime"))
        if why:
            return Refused(why)
        if state in ("stopped", "stopping"):
            return Refused("it is stopped", settled=True)
        if state != "available":
            return Refused(f"it is {state}")
        why = _tied(entry)
        return Refused(why) if why else Losses().ready(state=state)

    def _database(self, target: Target) -> Mapping[str, Any] | None:
        rds, name = calls(self.sessions, target, "rds"), last(target.resource.id)
        answer = found(lambda: rds.describe_db_instances(DBInstanceIdentifier=name))
        return next(iter((answer or {}).get("DBInstances", ())), None)

    def do(self, target: Target) -> None:
        """Stop it, where it is available."""
        entry = self._database(target)
        why = "it is gone" if entry is None else another(target, entry.get("InstanceCreateTime"))
        if entry is None or why:
            raise stale(target, why)
        if entry["DBInstanceStatus"] == "available":
            calls(self.sessions, target, "rds").stop_db_instance(DBInstanceIdentifier=last(target.resource.id))

    def verify(self, target: Target) -> Effect:
        """Return whether it has stopped."""
        return self._seen(target, ("stopped",), ("stopping",))

    def _seen(self, target: Target, done: tuple[str, ...], pending: tuple[str, ...]) -> Effect:
        entry = self._database(target)
        if entry is None or another(target, entry.get("InstanceCreateTime")):
            return Effect.GONE
        return effect_of(entry["DBInstanceStatus"], done, pending)

    def undo(self, target: Target) -> None:
        """Start it again."""
        entry = self._database(target)
        if entry is not None and entry["DBInstanceStatus"] == "stopped":
            calls(self.sessions, target, "rds").start_db_instance(DBInstanceIdentifier=last(target.resource.id))

    def undone(self, target: Target) -> Effect:
        """Return whether it is available again."""
        return self._seen(target, ("available",), ("starting", "stopping"))


def _tied(entry: Mapping[str, Any]) -> str:
    """Return what the instance is a part of, which a stop would break; nothing where it stands alone."""
    if entry.get("DBClusterIdentifier"):
        return f"it belongs to the database cluster {entry['DBClusterIdentifier']}: act on that"
    if entry.get("ReadReplicaSourceDBInstanceIdentifier"):
        return f"it is a replica of {last(entry['ReadReplicaSourceDBInstanceIdentifier'])}"
    if entry.get("ReadReplicaDBInstanceIdentifiers"):
        return f"it has replicas: {', '.join(map(last, entry['ReadReplicaDBInstanceIdentifiers'][:3]))}"
    if str(entry.get("Engine", "")).startswith("sqlserver") and entry.get("MultiAZ"):
        return "RDS does not stop SQL Server in several zones"
    return ""
