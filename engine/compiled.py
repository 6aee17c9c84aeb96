"""
A policy made ready for one run: a fast half that decides and a slow half that explains.

The fast half is one function and says only which outcome. The slow half is the reference interpreter,
runs for what is not compliant, and must come to the same outcome: a violation exists only if two
evaluators agree on it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from engine.checks.context import Context, Decide, Judgement, ResourceCheck
from engine.checks.encryption import compile_encryption
from engine.checks.idle import compile_idle
from engine.checks.readings import evidence_of, unknowns_of
from engine.checks.required_tags import compile_required_tags
from engine.checks.rule import compile_rule, truth
from engine.checks.schedule import compile_schedule
from engine.expr.compiling import code_of, compile_node
from engine.expr.fused import Code
from engine.expr.interpret import Reading, interpret
from engine.expr.leaves import called
from engine.findings import Confidence, Evidence, Outcome, Subject, Verdict
from engine.model import Resource
from engine.policy.checks import (
    Budget,
    Encryption,
    Idle,
    JobApproval,
    Quota,
    RequiredTags,
    Rule,
    Schedule,
    UnitCost,
    VectorLimits,
)
from engine.policy.model import Expression, Policy
from engine.values import Truth, Unknown, all_of, any_of, negation

OWNER_TAGS = ("owner", "Owner", "team", "Team", "created-by", "CreatedBy")
"""Where the name of a person or team to ask is looked for, most specific first."""


@dataclass(frozen=True, slots=True)
class Clause:
    """A `where` or `unless` with what it read."""

    text: str
    answer: Truth
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole decision path of one policy about one resource."""

    policy: Policy
    in_scope: Truth
    """The answer of `where`: False means that the policy has nothing to say about the resource."""
    where: Clause | None
    unless: tuple[Clause, ...]
    judgement: Judgement
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy about single resources, ready to decide."""

    policy: Policy
    decide: Callable[[Resource], Outcome | None]
    """The outcome; None where the policy has nothing to say about the resource."""
    explain: Callable[[Resource], Explanation]
    gate: Code
    """What is False about most resources and then ends the matter: `where`, or the check where there is none."""

    @property
    def gated_by_check(self) -> bool:
        """Return whether a closed gate means that the resource is compliant, and not that it is out of scope."""
        return self.policy.where is None


def compile_check(policy: Policy, context: Context) -> ResourceCheck | None:
    """Return the check of a policy about single resources; None for those about groups or spend."""
    match policy.check:
        case RequiredTags() as check:
            return compile_required_tags(check)
        case Encryption() as check:
            return compile_encryption(check, context)
        case Schedule() as check:
            return compile_schedule(check, context)
        case Idle() as check:
            return compile_idle(check, context)
        case Rule() as check:
            return compile_rule(check, policy.expressions["when"], context)
        case Quota() | Budget() | UnitCost() | JobApproval() | VectorLimits():
            return None
        case _ as never:
            assert_never(never)


def compile_policy(policy: Policy, check: ResourceCheck, context: Context) -> CompiledPolicy:
    """Return `policy` ready to decide about resources of its kinds."""
    return CompiledPolicy(
        policy,
        _decider(policy, check.decide, context),
        lambda resource: explain(policy, check, resource, context),
        code_of(policy.where.node, context.env()) if policy.where else check.code or called(check.decide),
    )


def _decider(policy: Policy, check: Decide, context: Context) -> Callable[[Resource], Outcome | None]:
    """
    Return the fast half: violated = where and check and not unless, in Kleene logic.

    Compliant resources, nearly all of them, leave after `where` and the check.
    """
    env = context.env()
    where = compile_node(policy.where.node, env) if policy.where else None
    clauses = [compile_node(clause.node, env, closed=True) for clause in policy.unless]
    compliant, violation, unknown, exempt = (
        Outcome.COMPLIANT,
        Outcome.VIOLATION,
        Outcome.UNKNOWN,
        Outcome.EXEMPT,
    )

    if where is None and not clauses:

        def simply(resource: Resource) -> Outcome | None:
            answer = check(resource)
            if answer is False:
                return compliant
            return violation if answer is True else unknown

        return simply

    def settle(resource: Resource, certain: bool) -> Outcome:
        excused = any_of(truth(clause(resource)) for clause in clauses)
        if excused is True:
            return exempt
        return violation if certain and excused is False else unknown

    def decide(resource: Resource) -> Outcome | None:
        scope = True if where is None else where(resource)
        if scope is False:
            return None
        answer = check(resource)
        if answer is False:
            return compliant
        if not clauses and scope is True:
            return violation if answer is True else unknown
        return settle(resource, answer is True and scope is True)

    return decide


def explain(policy: Policy, check: ResourceCheck, resource: Resource, context: Context) -> Explanation:
    """Return the decision path of `policy` about `resource`, by the reference interpreter."""
    where = _clause(policy.where, resource, context, closed=False) if policy.where else None
    unless = tuple(_clause(clause, resource, context, closed=True) for clause in policy.unless)
    judgement = check.judge(resource)
    scope: Truth = where.answer if where else True
    excused = any_of(clause.answer for clause in unless)
    violated = all_of((scope, judgement.violated, negation(excused)))
    outcome = _outcome(scope, judgement.violated, excused, violated)
    verdict = Verdict(
        policy=policy.name,
        subject=subject_of(resource),
        outcome=outcome,
        summary=_summary(judgement, scope, unless, outcome),
        evidence=_evidence(judgement, where, unless),
        unknowns=_unknowns(judgement, where, unless) if outcome is Outcome.UNKNOWN else (),
        classification=judgement.classification,
        confidence=judgement.confidence if outcome is Outcome.VIOLATION else Confidence.HIGH,
        actionable=judgement.actionable,
        basis=judgement.basis,
        idleness=judgement.idleness if outcome is Outcome.VIOLATION else None,
    )
    return Explanation(policy, scope, where, unless, judgement, verdict)


def _clause(expression: Expression, resource: Resource, context: Context, *, closed: bool) -> Clause:
    trace: list[Reading] = []
    answer = truth(interpret(expression.node, resource, context.env(), closed=closed, trace=trace))
    return Clause(expression.text, answer, tuple(trace))


def _outcome(scope: Truth, check: Truth, excused: Truth, violated: Truth) -> Outcome:
    if scope is False or check is False:
        return Outcome.COMPLIANT
    if excused is True:
        return Outcome.EXEMPT
    if isinstance(violated, Unknown):
        return Outcome.UNKNOWN
    return Outcome.VIOLATION if violated else Outcome.COMPLIANT


def _summary(judgement: Judgement, scope: Truth, unless: tuple[Clause, ...], outcome: Outcome) -> str:
    if outcome is Outcome.EXEMPT:
        excuse = next(clause.text for clause in unless if clause.answer is True)
        return f"exempt because {excuse}"
    if outcome is Outcome.UNKNOWN and judgement.violated is True:
        if isinstance(scope, Unknown):
            return f"{judgement.summary}, but it is not known whether the policy applies"
        return f"{judgement.summary}, but it is not known whether it is excused"
    return judgement.summary


def _evidence(judgement: Judgement, where: Clause | None, unless: tuple[Clause, ...]) -> tuple[Evidence, ...]:
    found = {e.path: e for clause in (*unless, *((where,) if where else ())) for e in evidence_of(clause.readings)}
    for piece in judgement.evidence:
        found.pop(piece.path, None)
    return (*judgement.evidence, *found.values())


def _unknowns(judgement: Judgement, where: Clause | None, unless: tuple[Clause, ...]) -> tuple[Unknown, ...]:
    clauses = (*((where,) if where else ()), *unless)
    found = [u for clause in clauses for u in unknowns_of(clause.readings, clause.answer)]
    return tuple(dict.fromkeys((*judgement.unknowns, *found)))


def subject_of(resource: Resource) -> Subject:
    """Return what a verdict says of `resource`."""
    owner = next((resource.tags[key] for key in OWNER_TAGS if resource.tags.get(key)), "")
    return Subject(
        uid=resource.uid,
        kind=resource.kind,
        id=resource.id,
        name=resource.name or resource.id,
        account=resource.account,
        region=resource.region,
        owner=owner,
    )
