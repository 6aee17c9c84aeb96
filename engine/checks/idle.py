"""
`idle`: a window in which nothing worked, by agreeing signals and enough coverage.

Each device is judged by itself: idle only if every metric named by the policy was below its
threshold for the whole window, busy if one of them was not, unknown otherwise. Busy wins over
unknown, so that what is missing can hide work but never invent idleness: where a sample is missing
in which work could have been, nothing is idle. A machine is idle when every device it should have is
and nothing else is at work. Before anything is acted on, two independent signals have to agree.
CPU alone never proves a GPU idle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.checks.context import Context, Judgement, ResourceCheck
from engine.checks.faults import Fault, faults_of
from engine.checks.idle_basis import basis_of
from engine.checks.idle_beside import beside_of
from engine.checks.idle_devices import Device, DeviceState, Observed, classify_devices
from engine.checks.idle_evidence import evidence_of_devices
from engine.checks.idle_faults import with_faults
from engine.checks.idle_gate import gate, unknown_judgement
from engine.checks.idle_look import Look
from engine.checks.idle_spell import idleness_of
from engine.findings import NO_BASIS, Basis, Confidence, Evidence
from engine.model import Resource
from engine.policy.checks import Idle, Quantity
from engine.units import format_duration
from engine.values import Reason, Truth, Unknown

IDLE = "idle"
"""The class where memory, which would tell more, is not known."""
BY_MEMORY = frozenset({"no_process", "context_held"})
HELD_MEMORY = Quantity(value=10.0, unit="percent", text="10%")
"""Share of a device's memory above which something is loaded: a CUDA context alone takes less than 1%."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of one resource."""

    below: list[Observed]
    beside: list[Observed]
    states: Mapping[str, Device]
    faults: Mapping[str, Fault]

    def count(self, state: DeviceState) -> int:
        return sum(1 for one in self.states.values() if one.state is state)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        return (*evidence_of_devices([*self.below, *self.beside]), *(fault.evidence for fault in self.faults.values()))


def compile_idle(check: Idle, context: Context) -> ResourceCheck:
    """Return the check for one policy."""

    def looked(resource: Resource) -> tuple[Look, Judgement, Seen | None]:
        look = Look(resource, context.catalog.kinds[resource.kind], check, context)
        closed = gate(look)
        if closed is not None:
            return look, closed, None
        seen = _see(look)
        return look, of_classes(_judged(look, seen), frozenset(check.classes)), seen

    def decide(resource: Resource) -> Truth:
        return looked(resource)[1].violated

    def judge(resource: Resource) -> Judgement:
        look, judgement, seen = looked(resource)
        if seen is None:
            return judgement
        basis = basis_of(look, judgement, [*seen.below, *seen.beside])
        idleness = idleness_of(look, judgement.classification, seen.states) if judgement.violated is True else None
        return replace(judgement, basis=basis, idleness=idleness)

    return ResourceCheck(decide, judge)


def of_classes(judgement: Judgement, classes: frozenset[str]) -> Judgement:
    """
    Return `judgement` as a violation only if it is of one of `classes`; of any where there are none.

    An idle device whose memory is not known is of either class that memory tells apart: it is a violation
    where both are asked for, and where one is, unknown. So what is not known never adds a violation.
    What is broken does not comply with a policy about idleness: where it is not asked about, it is unknown.
    """
    if not classes or judgement.violated is not True or judgement.classification in classes:
        return judgement
    if judgement.classification == "faulted":
        broken = Unknown(Reason.SOURCE_ERROR, f"{judgement.summary}, not idle", "gpu.fault")
        return replace(judgement, violated=broken, unknowns=(broken,), classification="")
    if judgement.classification == IDLE and classes & BY_MEMORY:
        if classes >= BY_MEMORY:
            return judgement
        missing = Unknown(Reason.NOT_COLLECTED, "it is not known whether its memory is held", "gpu.memory_used")
        return replace(judgement, violated=missing, unknowns=(missing,), classification="")
    return replace(judgement, violated=False)


def _see(look: Look) -> Seen:
    below, beside, faults = look.below(), look.beside(), faults_of(look.resource, look.kind, look.window)
    return Seen(below, beside, with_faults(classify_devices(below, beside), faults), faults)


def _judged(look: Look, seen: Seen) -> Judgement:
    total, length = len(seen.states), format_duration(look.check.window)
    if seen.count(DeviceState.FAULTED):
        return _reported("faulted", _faulted(seen), seen, Confidence.HIGH)
    stuck = seen.count(DeviceState.STUCK)
    if stuck:
        summary = f"{stuck} of {total} devices report full use at resting power for {length}"
        return _reported("stuck", summary, seen)
    idle, busy = seen.count(DeviceState.IDLE), seen.count(DeviceState.BUSY)
    disputed, silent = seen.count(DeviceState.DISPUTED), seen.count(DeviceState.UNKNOWN)
    if busy or (disputed and idle):
        worked = busy + disputed
        if not idle:
            return Judgement(False, f"at work: {worked} of {total} devices were used", seen.evidence)
        return _reported("partly_idle", f"{idle} of {total} devices did no work for {length}, {worked} did", seen)
    if silent or disputed or not total:
        unknowns = tuple(dict.fromkeys(u for s in seen.states.values() for u in s.unknowns))
        summary = f"{silent + disputed} of {total} devices cannot be judged"
        if not idle and total > 1:
            summary = "none of its devices can be judged"
        elif total == 1:
            summary = "its use cannot be judged"
        fallback = Unknown(Reason.NOT_COLLECTED, "no device is known", "accelerator.devices")
        return unknown_judgement(summary, *(unknowns or (fallback,)), evidence=seen.evidence)
    return _idle(look, seen)


def _faulted(seen: Seen) -> str:
    broken = [name for name, device in seen.states.items() if device.state is DeviceState.FAULTED]
    what = seen.faults[broken[0]].text
    if len(broken) == 1:
        return f"device {broken[0]} is broken: {what}"
    return f"{len(broken)} of {len(seen.states)} devices are broken, device {broken[0]}: {what}"


def _reported(classification: str, summary: str, seen: Seen, confidence: Confidence = Confidence.MEDIUM) -> Judgement:
    """Return a violation that no step ever comes of."""
    return Judgement(
        True, summary, seen.evidence, classification=classification, confidence=confidence, actionable=False
    )


def _idle(look: Look, seen: Seen) -> Judgement:
    """Return the answer about what is at rest: idle, with its class, or at other work, or not known to be neither."""
    signals = {look.kind.metric_by_name[name].signal for name in look.check.below}
    what, held = _classify(look, signals)
    length, total = format_duration(look.check.window), len(seen.states)
    beside = beside_of(look, [*seen.below, *seen.beside])
    evidence = (*seen.evidence, *held, *evidence_of_devices(beside.looked))
    if beside.working:
        found = _reported(beside.classification, f"no work of its accelerators for {length}, {beside.working}", seen)
        return replace(found, evidence=evidence)
    if beside.unknowns:
        summary = f"no work of its accelerators for {length}, but {beside.lacking}"
        return unknown_judgement(summary, *beside.unknowns, evidence=evidence)
    agreed = len(signals) > 1
    phrases = {
        "context_held": f"no work for {length}, memory held",
        "no_process": f"no work for {length}, nothing loaded",
        "serving_no_traffic": f"no requests for {length}",
    }
    summary = phrases.get(what, f"no work for {length}") + ("" if total == 1 else f", all {total} devices")
    if not agreed:
        summary += f"; only the {next(iter(signals))} signal says so"
    return Judgement(
        True,
        summary,
        evidence,
        classification=what,
        confidence=Confidence.HIGH if agreed else Confidence.LOW,
        actionable=agreed,
        basis=NO_BASIS if agreed else Basis(changes=("for an act: a second signal that agrees",)),
    )


def _memory(look: Look) -> Observed | None:
    metric = next((m for m in look.kind.metrics if m.signal == "memory"), None)
    return None if metric is None else look.observe(metric, HELD_MEMORY)


def _classify(look: Look, signals: set[str]) -> tuple[str, tuple[Evidence, ...]]:
    """Return the class of an idle resource and what it rests on. It never changes whether it is idle."""
    if "requests" in signals:
        return "serving_no_traffic", ()
    memory = _memory(look)
    if memory is None:
        return IDLE, ()
    known = list(memory.known.values())
    if not known or len(known) < len(memory.readings):
        return IDLE, ()
    highest = max(known, key=lambda r: r.peak)
    metric = memory.metric
    evidence = Evidence(metric.name, round(highest.peak, 1), metric.unit, source=highest.provenance())
    return ("context_held" if highest.peak >= HELD_MEMORY.value else "no_process"), (evidence,)
