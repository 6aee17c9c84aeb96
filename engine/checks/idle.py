"""
`idle`: a window in which nothing worked, by agreeing signals and enough coverage.

Each device is judged by itself: idle only if every metric named by the policy was below its
threshold for the whole window, busy if one of them was not, unknown otherwise. Busy wins over
unknown, so that a missing series can hide work but never invent idleness. A machine is idle when
every device it should have is. Two independent signals have to agree before anything is acted on,
and CPU alone never proves a GPU idle.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from engine.checks.context import Context, Judgement, ResourceCheck
from engine.checks.idle_devices import DeviceState, Observed, classify_devices
from engine.checks.idle_evidence import evidence_of_devices
from engine.findings import Confidence, Evidence
from engine.kinds import Kind, Metric
from engine.model import Resource, age_of, read_field
from engine.policy.checks import Idle
from engine.telemetry import Window, WindowReading, as_count, believable_windows
from engine.units import format_duration
from engine.values import Answer, Reason, Unknown

WORKLOAD_SIGNALS = frozenset({"compute", "power", "requests"})
"""Signals that speak of the accelerator or of the work itself. CPU, network and memory do not."""
IDLE = "idle"
"""The class where memory, which would tell more, is not known."""
BY_MEMORY = frozenset({"no_process", "context_held"})
HELD_MEMORY = 10.0
"""Percent of a device's memory above which something is loaded: a CUDA context alone takes less than 1%."""


def compile_idle(check: Idle, context: Context) -> ResourceCheck:
    """Return the check for one policy."""

    def judge(resource: Resource) -> Judgement:
        kind = context.catalog.kinds[resource.kind]
        gate = _gate(resource, kind, check, context)
        if gate is not None:
            return gate
        return of_classes(_judge_devices(resource, kind, check, context), frozenset(check.classes))

    return ResourceCheck(lambda resource: judge(resource).violated, judge)


def of_classes(judgement: Judgement, classes: frozenset[str]) -> Judgement:
    """
    Return `judgement` as a violation only if it is of one of `classes`; of any where there are none.

    An idle device whose memory is not known is of either class that memory tells apart: it is a violation
    where both are asked for, and where one is, unknown. So what is not known never adds a violation.
    """
    if not classes or judgement.violated is not True or judgement.classification in classes:
        return judgement
    if judgement.classification == IDLE and classes & BY_MEMORY:
        if classes >= BY_MEMORY:
            return judgement
        missing = Unknown(Reason.NOT_COLLECTED, "it is not known whether its memory is held", "gpu.memory_used")
        return replace(judgement, violated=missing, unknowns=(missing,), classification="")
    return replace(judgement, violated=False)


def _unknown(summary: str, *unknowns: Unknown, evidence: tuple[Evidence, ...] = ()) -> Judgement:
    return Judgement(unknowns[0], summary, evidence, unknowns)


def _gate(resource: Resource, kind: Kind, check: Idle, context: Context) -> Judgement | None:
    """Return the answer where the resource's own facts decide: not running, too new, no accelerator."""
    if "running" in kind.field_by_name:
        running = _field(resource, kind, "running", context)
        if running is False:
            return Judgement(False, "not running", (Evidence("resource.running", False),))
        if running is not True:
            return _unknown("it is not known whether it is running", _as_unknown(running, "resource.running"))
    young = _too_new(resource, kind, check.window, context)
    if young is not None:
        return _unknown("too new to be judged", young)
    return _accelerator_gate(resource, kind, check, context)


def _too_new(resource: Resource, kind: Kind, window: timedelta, context: Context) -> Unknown | None:
    """Return why the resource has not been up for a whole window, if so."""
    if "launched" in kind.field_by_name:
        path = "resource.launched"
        launched = _field(resource, kind, "launched", context)
        if not isinstance(launched, datetime) or launched.tzinfo is None:
            return _as_unknown(launched, path)
        up = context.now - launched
    else:
        age = age_of(resource, context.now)
        if isinstance(age, Unknown):
            return age
        up, path = age, "resource.age"
    if up < timedelta(0):
        return Unknown(Reason.FUTURE_TIMESTAMP, "it starts after now", path)
    if up < window:
        return Unknown(Reason.TOO_NEW, f"up for {format_duration(_to_minutes(up))}", path)
    return None


def _to_minutes(length: timedelta) -> timedelta:
    return timedelta(minutes=int(length.total_seconds() // 60))


def _accelerator_gate(resource: Resource, kind: Kind, check: Idle, context: Context) -> Judgement | None:
    """Return the answer where the policy's signals cannot speak of this machine."""
    if "accelerator.count" not in kind.field_by_name:
        return None
    answer = _field(resource, kind, "accelerator.count", context)
    count = as_count(answer)
    if count is None:
        unknown = _as_unknown(answer, "resource.accelerator.count")
        return _unknown("it is not known whether it has accelerators", unknown)
    signals = {kind.metric_by_name[name].signal for name in check.below}
    devices = {kind.metric_by_name[name].devices for name in check.below}
    if count > 0 and not signals & WORKLOAD_SIGNALS:
        return _unknown(
            "its accelerators are not looked at",
            Unknown(Reason.NOT_COLLECTED, "CPU and network never prove a GPU idle", "gpu.utilization"),
        )
    if count == 0 and devices == {"accelerator.devices"}:
        return Judgement(False, "it has no accelerator", (Evidence("resource.accelerator.count", count),))
    return None


def _judge_devices(resource: Resource, kind: Kind, check: Idle, context: Context) -> Judgement:
    window = Window.ending(context.now, check.window, float(check.coverage))
    observed = [
        Observed(
            metric=kind.metric_by_name[name],
            threshold=limit,
            readings=_read(resource, kind, kind.metric_by_name[name], window, context),
        )
        for name, limit in check.below.items()
    ]
    states = classify_devices(observed)
    evidence = evidence_of_devices(observed)
    counts = {state: sum(1 for s in states.values() if s.state is state) for state in DeviceState}
    total = len(states)
    length = format_duration(check.window)
    if counts[DeviceState.STUCK]:
        return Judgement(
            True,
            f"{counts[DeviceState.STUCK]} of {total} devices report full use at resting power for {length}",
            evidence,
            classification="stuck",
            confidence=Confidence.MEDIUM,
            actionable=False,
        )
    disputed = counts[DeviceState.DISPUTED]
    if counts[DeviceState.BUSY] or (disputed and counts[DeviceState.IDLE]):
        return _at_work(counts, total, length, evidence)
    if counts[DeviceState.UNKNOWN] or disputed or not total:
        unknowns = tuple(dict.fromkeys(u for s in states.values() for u in s.unknowns))
        known = counts[DeviceState.IDLE]
        summary = f"{counts[DeviceState.UNKNOWN] + disputed} of {total} devices cannot be judged"
        if not known and total > 1:
            summary = "none of its devices can be judged"
        elif total == 1:
            summary = "its use cannot be judged"
        fallback = Unknown(Reason.NOT_COLLECTED, "no device is known", "accelerator.devices")
        return _unknown(summary, *(unknowns or (fallback,)), evidence=evidence)
    return _idle(resource, kind, check, context, window, evidence, total)


def _at_work(counts: dict[DeviceState, int], total: int, length: str, evidence: tuple[Evidence, ...]) -> Judgement:
    idle, busy = counts[DeviceState.IDLE], counts[DeviceState.BUSY] + counts[DeviceState.DISPUTED]
    if not idle:
        return Judgement(False, f"at work: {busy} of {total} devices were used", evidence)
    return Judgement(
        True,
        f"{idle} of {total} devices did no work for {length}, {busy} did",
        evidence,
        classification="partly_idle",
        confidence=Confidence.MEDIUM,
        actionable=False,
    )


def _idle(
    resource: Resource,
    kind: Kind,
    check: Idle,
    context: Context,
    window: Window,
    evidence: tuple[Evidence, ...],
    total: int,
) -> Judgement:
    signals = {kind.metric_by_name[name].signal for name in check.below}
    agreed = len(signals) > 1
    what, memory = _classify(resource, kind, check, context, window)
    length = format_duration(check.window)
    phrases = {
        "context_held": f"no work for {length}, memory held",
        "no_process": f"no work for {length}, nothing loaded",
        "serving_no_traffic": f"no requests for {length}",
    }
    summary = phrases.get(what, f"no work for {length}") + ("" if total == 1 else f", all {total} devices")
    if not agreed:
        only = next(iter(signals))
        summary += f"; only the {only} signal says so"
    return Judgement(
        True,
        summary,
        (*evidence, *memory),
        classification=what,
        confidence=Confidence.HIGH if agreed else Confidence.LOW,
        actionable=agreed,
    )


def _classify(
    resource: Resource, kind: Kind, check: Idle, context: Context, window: Window
) -> tuple[str, tuple[Evidence, ...]]:
    """Return the class of an idle resource and what it rests on. It never changes whether it is idle."""
    if any(kind.metric_by_name[name].signal == "requests" for name in check.below):
        return "serving_no_traffic", ()
    held = next((m for m in kind.metrics if m.signal == "memory"), None)
    if held is None:
        return IDLE, ()
    readings = _read(resource, kind, held, window, context)
    known = [r for r in readings.values() if not isinstance(r, Unknown)]
    if not known or len(known) < len(readings):
        return IDLE, ()
    highest = max(known, key=lambda r: r.peak)
    evidence = Evidence(held.name, round(highest.peak, 1), held.unit, source=highest.provenance())
    return ("context_held" if highest.peak >= HELD_MEMORY else "no_process"), (evidence,)


def _read(
    resource: Resource, kind: Kind, metric: Metric, window: Window, context: Context
) -> dict[str, WindowReading | Unknown]:
    """Return the readings of `metric` by device."""
    return believable_windows(resource, kind, metric, window, now=context.now, watts=context.watts)


def _field(resource: Resource, kind: Kind, name: str, context: Context) -> Answer:
    return read_field(resource, name, kind.field_by_name[name].group, context.now)


def _as_unknown(answer: Answer, path: str) -> Unknown:
    if isinstance(answer, Unknown):
        return Unknown(answer.reason, answer.detail, path)
    return Unknown(Reason.WRONG_TYPE, repr(answer), path)
