"""What decides about a resource before its telemetry is looked at: not running, too new, nothing to look at."""

from __future__ import annotations

from datetime import datetime, timedelta

from engine.checks.context import Judgement
from engine.checks.idle_look import Look
from engine.findings import Basis, Evidence
from engine.model import age_of, read_field
from engine.telemetry import as_count
from engine.units import format_duration
from engine.values import Answer, Reason, Unknown

WORKLOAD_SIGNALS = frozenset({"compute", "power", "requests"})
"""Signals that speak of the accelerator or of the work itself. CPU, network and memory do not."""


def unknown_judgement(summary: str, *unknowns: Unknown, evidence: tuple[Evidence, ...] = ()) -> Judgement:
    """Return the answer where there is none."""
    return Judgement(unknowns[0], summary, evidence, unknowns)


def gate(look: Look) -> Judgement | None:
    """Return the answer where the resource's own facts decide."""
    if "running" in look.kind.field_by_name:
        running = _field(look, "running")
        if running is False:
            return Judgement(False, "not running", (Evidence("resource.running", False),))
        if running is not True:
            return unknown_judgement("it is not known whether it is running", _as_unknown(running, "resource.running"))
    young = _too_new(look)
    if young is not None:
        judgement = unknown_judgement("too new to be judged", young)
        whole = f"{format_duration(look.check.window)} since it was started"
        return Judgement(judgement.violated, judgement.summary, (), judgement.unknowns, basis=Basis(changes=(whole,)))
    return _accelerator_gate(look)


def _too_new(look: Look) -> Unknown | None:
    """Return why the resource has not been up for a whole window, if so."""
    now = look.context.now
    if "launched" in look.kind.field_by_name:
        path = "resource.launched"
        launched = _field(look, "launched")
        if not isinstance(launched, datetime) or launched.tzinfo is None:
            return _as_unknown(launched, path)
        up = now - launched
    else:
        age = age_of(look.resource, now)
        if isinstance(age, Unknown):
            return age
        up, path = age, "resource.age"
    if up < timedelta(0):
        return Unknown(Reason.FUTURE_TIMESTAMP, "it starts after now", path)
    if up < look.check.window:
        return Unknown(Reason.TOO_NEW, f"up for {format_duration(_to_minutes(up))}", path)
    return None


def _to_minutes(length: timedelta) -> timedelta:
    return timedelta(minutes=int(length.total_seconds() // 60))


def _accelerator_gate(look: Look) -> Judgement | None:
    """Return the answer where the policy's signals cannot speak of this machine."""
    if "accelerator.count" not in look.kind.field_by_name:
        return None
    answer = _field(look, "accelerator.count")
    count = as_count(answer)
    if count is None:
        unknown = _as_unknown(answer, "resource.accelerator.count")
        return unknown_judgement("it is not known whether it has accelerators", unknown)
    metrics = [look.kind.metric_by_name[name] for name in look.check.below]
    if count > 0 and not {metric.signal for metric in metrics} & WORKLOAD_SIGNALS:
        return unknown_judgement(
            "its accelerators are not looked at",
            Unknown(Reason.NOT_COLLECTED, "CPU and network never prove a GPU idle", "gpu.utilization"),
        )
    if count == 0 and {metric.devices for metric in metrics} == {"accelerator.devices"}:
        return Judgement(False, "it has no accelerator", (Evidence("resource.accelerator.count", count),))
    return None


def _field(look: Look, name: str) -> Answer:
    return read_field(look.resource, name, look.kind.field_by_name[name].group, look.context.now)


def _as_unknown(answer: Answer, path: str) -> Unknown:
    if isinstance(answer, Unknown):
        return Unknown(answer.reason, answer.detail, path)
    return Unknown(Reason.WRONG_TYPE, repr(answer), path)
