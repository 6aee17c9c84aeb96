"""
The stream of resources to verdicts, tallies and coverage.

Resources go through one at a time and are forgotten; only violations, unknowns and counters stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from engine.checks.context import Context
from engine.checks.quota import QuotaTotals
from engine.checks.rule import truth
from engine.compiled import CompiledPolicy, compile_check, compile_policy, subject_of
from engine.expr.compiling import compile_node
from engine.expr.fused import gate_of
from engine.findings import Outcome, Subject, Verdict
from engine.model import Resource, ScopeReport, ScopeStatus
from engine.policy.checks import Quota, check_name
from engine.policy.model import Policy
from engine.ports import Item
from engine.values import Reason, Truth, Unknown, any_of

GAP_REASONS = {
    ScopeStatus.DENIED: Reason.DENIED,
    ScopeStatus.FAILED: Reason.SOURCE_ERROR,
    ScopeStatus.PARTIAL: Reason.SOURCE_ERROR,
}
WARM = 100
"""Resources of a kind after which its gate is worth making: that takes as long as judging so many."""
SOURCES = {
    "budget": "spend by group",
    "unit_cost": "spend and units produced",
    "job_approval": "jobs waiting to start",
    "vector_limits": "vector collections",
}
"""What the checks need that no source of this release reads."""


@dataclass
class Tallies:
    """Counters of one run."""

    resources: int = 0
    scopes: list[ScopeReport] = field(default_factory=list)
    counts: dict[str, dict[Outcome, int]] = field(default_factory=dict)

    def add(self, policy: str, outcome: Outcome, times: int = 1) -> None:
        self.counts[policy][outcome] = self.counts[policy].get(outcome, 0) + times

    def excuse(self, policy: str) -> None:
        """Count one violation of `policy` as exempt instead."""
        self.counts[policy][Outcome.VIOLATION] -= 1
        if not self.counts[policy][Outcome.VIOLATION]:
            del self.counts[policy][Outcome.VIOLATION]
        self.add(policy, Outcome.EXEMPT)


@dataclass(frozen=True)
class Grouped:
    """A quota policy during a run."""

    policy: Policy
    totals: QuotaTotals
    where: Callable[[Resource], Truth]
    unless: Callable[[Resource], Truth]

    def feed(self, resource: Resource) -> None:
        """Count `resource` if it is the policy's business, or may be."""
        scope, excused = self.where(resource), self.unless(resource)
        if scope is False or excused is True:
            return
        uncertain = next((u for u in (scope, excused) if isinstance(u, Unknown)), None)
        self.totals.add(resource, uncertain)


@dataclass(frozen=True)
class Compiled:
    """All policies of a run, by what they are about."""

    single: tuple[CompiledPolicy, ...]
    grouped: tuple[Grouped, ...]
    unsupported: tuple[Policy, ...]
    """Policies whose sources do not exist yet: they answer unknown, never anything else."""


def compile_policies(policies: Sequence[Policy], context: Context) -> Compiled:
    """Return `policies` ready for one run."""
    single: list[CompiledPolicy] = []
    grouped: list[Grouped] = []
    unsupported: list[Policy] = []
    for policy in policies:
        check = compile_check(policy, context)
        if check is not None:
            single.append(compile_policy(policy, check, context))
        elif isinstance(policy.check, Quota):
            grouped.append(_grouped(policy, policy.check, context))
        else:
            unsupported.append(policy)
    return Compiled(tuple(single), tuple(grouped), tuple(unsupported))


def _grouped(policy: Policy, check: Quota, context: Context) -> Grouped:
    env = context.env()
    where = compile_node(policy.where.node, env) if policy.where else None
    clauses = [compile_node(clause.node, env, closed=True) for clause in policy.unless]
    keys = [policy.expressions[f"group_by[{n}]"] for n in range(len(check.group_by))]
    return Grouped(
        policy,
        QuotaTotals(check, keys, context),
        lambda resource: True if where is None else truth(where(resource)),
        lambda resource: any_of(truth(clause(resource)) for clause in clauses),
    )


Judged = tuple[CompiledPolicy, Resource, Verdict]


def judge_items(compiled: Compiled, items: Iterable[Item], tallies: Tallies) -> Iterator[Judged]:
    """
    Yield what is not compliant, with its policy and resource, and count everything in `tallies`.

    An exception in one policy about one resource is a defect of ours or of the policy: it becomes an
    `error` verdict and the rest of the run goes on.
    """
    for name in (*(c.policy.name for c in compiled.single), *(g.policy.name for g in compiled.grouped)):
        tallies.counts[name] = {}
    by_kind = _by_kind(compiled)
    groups = _groups_by_kind(compiled)
    nothing: tuple[()] = ()
    for item in items:
        if not isinstance(item, Resource):
            tallies.scopes.append(item)
            continue
        tallies.resources += 1
        ours = by_kind.get(item.kind)
        if ours is not None:
            ours.seen += 1
            if reached := ours.reached(item):
                yield from _judge(item, reached, tallies)
        for grouped in groups.get(item.kind, nothing):
            _feed(grouped, item)
    for ours in by_kind.values():
        for entry in ours.entries:
            passed = entry.passed + (ours.seen - entry.reached if entry.policy.gated_by_check else 0)
            if passed:
                tallies.add(entry.policy.policy.name, Outcome.COMPLIANT, passed)


@dataclass(slots=True)
class _Entry:
    """A policy about one kind, with what came of it."""

    policy: CompiledPolicy
    reached: int = 0
    """Resources that the gate let through."""
    passed: int = 0
    """Of those the compliant ones."""


@dataclass(slots=True)
class _ByKind:
    """All policies about one kind."""

    entries: list[_Entry]
    seen: int = 0
    gate: Callable[[Resource], list[int]] | None = None

    def reached(self, resource: Resource) -> list[_Entry]:
        """Return the policies that may have something to say about `resource`; the hot path of every run."""
        gate = self.gate
        if gate is None:
            if self.seen < WARM:
                return self.entries
            gate = self.gate = gate_of([entry.policy.gate for entry in self.entries])
        try:
            open_gates = gate(resource)
        except Exception:  # noqa: BLE001  (each policy then finds for itself what is wrong)
            return self.entries
        return [self.entries[position] for position in open_gates]


def _judge(resource: Resource, entries: Iterable[_Entry], tallies: Tallies) -> Iterator[Judged]:
    """Yield the verdicts about one resource that are not compliant."""
    for entry in entries:
        entry.reached += 1
        policy = entry.policy
        try:
            outcome = policy.decide(resource)
        except Exception as error:  # noqa: BLE001  (isolates policies from each other)
            verdict = _failed(policy.policy, resource, error)
        else:
            if outcome is Outcome.COMPLIANT:
                entry.passed += 1
                continue
            if outcome is None:
                continue
            verdict = _explained(policy, resource, outcome)
        tallies.add(policy.policy.name, verdict.outcome)
        yield policy, resource, verdict


def _feed(grouped: Grouped, resource: Resource) -> None:
    try:
        grouped.feed(resource)
    except Exception as error:  # noqa: BLE001  (isolates policies from each other)
        grouped.totals.fail(resource, error)


def _by_kind(compiled: Compiled) -> dict[str, _ByKind]:
    found: dict[str, _ByKind] = {}
    for policy in compiled.single:
        for kind in policy.policy.kinds:
            found.setdefault(kind.name, _ByKind([])).entries.append(_Entry(policy))
    return found


def _groups_by_kind(compiled: Compiled) -> dict[str, list[Grouped]]:
    found: dict[str, list[Grouped]] = {}
    for grouped in compiled.grouped:
        for kind in grouped.policy.kinds:
            found.setdefault(kind.name, []).append(grouped)
    return found


def _explained(policy: CompiledPolicy, resource: Resource, outcome: Outcome) -> Verdict:
    """Return the explained verdict; a disagreement of the two evaluators is an error, never a finding."""
    try:
        verdict = policy.explain(resource).verdict
    except Exception as error:  # noqa: BLE001  (isolates policies from each other)
        return _failed(policy.policy, resource, error)
    if verdict.outcome is not outcome:
        problem = f"the two evaluators disagree: {outcome.value} and {verdict.outcome.value}"
        return _error(policy.policy, subject_of(resource), problem)
    return verdict


def _failed(policy: Policy, resource: Resource, error: Exception) -> Verdict:
    return _error(policy, subject_of(resource), f"{type(error).__name__}: {error}")


def _error(policy: Policy, subject: Subject, detail: str) -> Verdict:
    return Verdict(
        policy.name,
        subject,
        Outcome.ERROR,
        f"the policy failed on this resource: {detail}",
        unknowns=(Unknown(Reason.SOURCE_ERROR, detail),),
        actionable=False,
    )


def judge_groups(compiled: Compiled, tallies: Tallies) -> Iterator[tuple[Policy, Verdict]]:
    """
    Yield what is not compliant among groups and policies without a source, after all items went through.

    Everything is counted in `tallies`.
    """
    for policy, verdict in group_verdicts(compiled, tallies):
        tallies.add(policy.name, verdict.outcome)
        if verdict.outcome is not Outcome.COMPLIANT:
            yield policy, verdict
    for policy in compiled.unsupported:
        tallies.counts[policy.name] = {Outcome.UNKNOWN: 1}
        yield policy, _without_source(policy)


def group_verdicts(compiled: Compiled, tallies: Tallies) -> Iterator[tuple[Policy, Verdict]]:
    """Yield the verdict about every group, compliant ones too; `tallies` has the scopes and is not changed."""
    for grouped in compiled.grouped:
        policy = grouped.policy
        kinds = {kind.name for kind in policy.kinds}
        gaps = [_gap(report) for report in tallies.scopes if report.scope.kind in kinds]
        for group, judgement in grouped.totals.judge([gap for gap in gaps if gap is not None]):
            yield (
                policy,
                Verdict(
                    policy.name,
                    Subject(f"group/{policy.name}/{group}", "group", group, group, "", ""),
                    _group_outcome(judgement.violated),
                    judgement.summary,
                    judgement.evidence,
                    judgement.unknowns,
                    actionable=False,
                ),
            )


def _group_outcome(violated: Truth) -> Outcome:
    if isinstance(violated, Unknown):
        return Outcome.UNKNOWN
    return Outcome.VIOLATION if violated else Outcome.COMPLIANT


def _gap(report: ScopeReport) -> Unknown | None:
    reason = GAP_REASONS.get(report.status)
    return Unknown(reason, report.detail, str(report.scope)) if reason else None


def _without_source(policy: Policy) -> Verdict:
    subject = Subject(f"policy/{policy.name}", "policy", policy.name, policy.name, "", "")
    source = SOURCES[check_name(policy.check)]
    unknown = Unknown(Reason.NOT_COLLECTED, f"no source of this release reads {source}", source)
    return Verdict(
        policy.name,
        subject,
        Outcome.UNKNOWN,
        f"{source} cannot be read by this release",
        unknowns=(unknown,),
        actionable=False,
    )
