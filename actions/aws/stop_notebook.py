"""Stop a SageMaker notebook instance. Its volume stays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, another, calls, effect_of, found, last, stale
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class StopNotebook:
    """Stopping the machine behind the notebook."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "stop"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.sagemaker.notebook"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(
            {
                "sagemaker:DescribeNotebookInstance",
                "sagemaker:StartNotebookInstance",
                "sagemaker:StopNotebookInstance",
            }
        )

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is in service and the one that was judged."""
        entry = self._notebook(target)
        if entry is None:
            return GONE
        state, why = entry["NotebookInstanceStatus"], another(target, entry.get("CreationTime"))
        if why:
            return Refused(why)
        if state in ("Stopped", "Stopping"):
            return Refused("it is stopped", settled=True)
        return Losses().ready(state=state) if state == "InService" else Refused(f"it is {state}")

    def _notebook(self, target: Target) -> Mapping[str, Any] | None:
        sagemaker, name = calls(self.sessions, target, "sagemaker"), last(target.resource.id)
        entry: Mapping[str, Any] | None = found(lambda: sagemaker.describe_notebook_instance(NotebookInstanceName=name))
        return entry

    def do(self, target: Target) -> None:
        """Stop it, where it runs."""
        entry = self._notebook(target)
        why = "it is gone" if entry is None else another(target, entry.get("CreationTime"))
        if entry is None or why:
            raise stale(target, why)
        if entry["NotebookInstanceStatus"] == "InService":
            sagemaker = calls(self.sessions, target, "sagemaker")
            sagemaker.stop_notebook_instance(NotebookInstanceName=last(target.resource.id))

    def verify(self, target: Target) -> Effect:
        """Return whether it has stopped."""
        return self._seen(target, ("Stopped",), ("Stopping",))

    def _seen(self, target: Target, done: tuple[str, ...], pending: tuple[str, ...]) -> Effect:
        entry = self._notebook(target)
        if entry is None or another(target, entry.get("CreationTime")):
            return Effect.GONE
        return effect_of(entry["NotebookInstanceStatus"], done, pending)

    def undo(self, target: Target) -> None:
        """Start it again."""
        entry = self._notebook(target)
        if entry is not None and entry["NotebookInstanceStatus"] == "Stopped":
            sagemaker = calls(self.sessions, target, "sagemaker")
            sagemaker.start_notebook_instance(NotebookInstanceName=last(target.resource.id))

    def undone(self, target: Target) -> Effect:
        """Return whether it is in service again."""
        return self._seen(target, ("InService",), ("Pending", "Stopping"))
