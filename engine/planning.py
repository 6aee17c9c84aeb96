"""
Verdicts to a plan: findings with cost and savings, the steps that would be taken, and what holds them back.

`run` is the one way from policies and an estate to a `Plan`; every front door calls it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.checks.context import Context
from engine.checks.rule import truth
from engine.commitments import Ending, Used, net
from engine.evaluate import Tallies, compile_policies, judge_groups, judge_items
from engine.exemptions import Exemption, excused, in_force
from engine.expr.interpret import interpret
from engine.findings import Cost, Finding, Outcome, Verdict
from engine.ids import finding_id
from engine.limits import holds_of
from engine.model import Resource
from engine.plan import Plan, Step, Tally, Withheld
from engine.policy.checks import Idle
from engine.policy.model import Expression, Mode, Policy, PolicySet, Remediation
from engine.policy.needs import needs_of
from engine.ports import Estate, Item, Progress
from engine.savings import NOTHING, ending, gross
from engine.values import Reason, Truth, Unknown, any_of

PROTECT_TAG = "bursar/protect"
"""
A resource that carries this tag with any value but `false` is never acted on. The key's case does not matter:
whoever wrote it meant it.
"""


@dataclass(frozen=True)
class Installation:
    """What the operator decides, over any policy."""

    remediations: Mapping[str, Remediation]
    max_mode: Mode = Mode.REPORT
    protect: tuple[Expression, ...] = ()
    """Conditions over common fields and tags; a resource that meets one is never acted on."""
    exemptions: tuple[Exemption, ...] = ()
    production: tuple[Expression, ...] = ()
    """Conditions over common fields and tags; a resource that meets one is part of production."""


@dataclass
class Draft:
    """A plan while its resources stream by."""

    findings: list[Finding] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    undecided: list[Verdict] = field(default_factory=list)
    exempt: list[Verdict] = field(default_factory=list)
    endings: dict[str, Ending] = field(default_factory=dict)
    """What the findings' remediations end, by finding; empty where there are no commitments."""


def run(
    policies: PolicySet,
    estate: Estate,
    context: Context,
    installation: Installation,
    progress: Progress = lambda _stage, _done: None,
) -> Plan:
    """Return the plan of `policies` over `estate`. Reads, and changes nothing."""
    items = estate.stream(needs_of(policies))
    return plan_items(policies, counted(items, progress), estate.name, context, installation)


def counted(items: Iterable[Item], progress: Progress) -> Iterable[Item]:
    """Yield `items`, telling `progress` of each resource."""
    for item in items:
        progress("resources read", 1 if isinstance(item, Resource) else 0)
        yield item


def plan_items(
    policies: PolicySet,
    items: Iterable[Item],
    estate: str,
    context: Context,
    installation: Installation,
) -> Plan:
    """Return the plan of `policies` over the resources and scope reports in `items`."""
    compiled = compile_policies(policies.policies, context)
    tallies, draft, used = Tallies(), Draft(), Used(context.commitments)
    for judged, resource, verdict in judge_items(compiled, used.watched(items), tallies):
        take(draft, judged.policy, verdict, resource, tallies, context, installation)
    for policy, verdict in judge_groups(compiled, tallies):
        take(draft, policy, verdict, None, tallies, context, installation)
    _net(draft, context, used)
    return _assemble(policies, draft, tallies, estate, context, installation)


def _net(draft: Draft, context: Context, used: Used) -> None:
    """Lower the savings of findings and steps by what commitments go on to cost."""
    netted = net(draft.endings, context.commitments, used)
    draft.findings = [replace(f, savings=netted.get(f.id, f.savings)) for f in draft.findings]
    draft.steps = [replace(s, savings=netted.get(s.finding, s.savings)) for s in draft.steps]


def take(
    draft: Draft,
    policy: Policy,
    verdict: Verdict,
    resource: Resource | None,
    tallies: Tallies,
    context: Context,
    installation: Installation,
) -> None:
    """Put one verdict where it belongs; a violation that is exempt is no finding."""
    if verdict.outcome is not Outcome.VIOLATION:
        if verdict.outcome is Outcome.UNKNOWN and resource is not None and isinstance(policy.check, Idle):
            verdict = replace(verdict, at_stake=context.prices.cost_of(resource.usage, resource.region))
        (draft.exempt if verdict.outcome is Outcome.EXEMPT else draft.undecided).append(verdict)
        return
    env, uid = context.env(), verdict.subject.uid
    excuse, why = excused(in_force(installation.exemptions, context.now), policy.name, uid, resource, env)
    if excuse is True:
        tallies.excuse(policy.name)
        draft.exempt.append(replace(verdict, outcome=Outcome.EXEMPT, summary=why, actionable=False))
        return
    finding = _finding(policy, verdict, resource, context, installation, draft.endings)
    draft.findings.append(finding)
    if resource is not None:
        _add_steps(draft, finding, policy, resource, context, installation, why)


def _finding(
    policy: Policy,
    verdict: Verdict,
    resource: Resource | None,
    context: Context,
    installation: Installation,
    endings: dict[str, Ending],
) -> Finding:
    cost: Cost | Unknown = NOTHING
    savings: Cost | Unknown = NOTHING
    if resource is not None:
        cost = context.prices.cost_of(resource.usage, resource.region)
        if verdict.actionable:
            savings = _savings(policy, resource, context, installation, endings)
    return Finding(
        id=finding_id(policy.name, verdict.subject.uid),
        verdict=verdict,
        severity=policy.severity,
        mode=policy.mode,
        place=policy.place,
        description=policy.description,
        cost=cost,
        savings=savings,
        remediate=policy.remediate if verdict.actionable else (),
        parameters=policy.parameters if verdict.actionable else {},
        controls=policy.controls,
    )


def _savings(
    policy: Policy,
    resource: Resource,
    context: Context,
    installation: Installation,
    endings: dict[str, Ending],
) -> Cost | Unknown:
    """
    Return what all remediations of `policy` would save together; unknown where one ends a part of its charges.

    Where there are commitments, what is ended is put into `endings`, for what they leave of it.
    """
    whole: frozenset[str] = frozenset()
    partly: frozenset[str] = frozenset()
    for name in policy.remediate:
        remediation = installation.remediations[name]
        if remediation.ends_all(policy.parameters.get(name, {})):
            whole |= remediation.saves
        else:
            partly |= remediation.saves
    if partly - whole:
        return Unknown(Reason.NOT_COLLECTED, "it ends a part of the charges; how large is not known", "savings")
    if not whole:
        return NOTHING
    savings = gross(policy, resource, whole, context.prices)
    if context.commitments and isinstance(savings, Cost) and savings.hourly:
        ended = ending(policy, resource, whole, context.prices, savings)
        endings[finding_id(policy.name, resource.uid)] = ended
    return savings


def _add_steps(
    draft: Draft,
    finding: Finding,
    policy: Policy,
    resource: Resource,
    context: Context,
    installation: Installation,
    doubt: str,
) -> None:
    """Plan the finding's remediations, or say why they are withheld; `doubt` is why it may be exempt."""
    if not finding.remediate:
        return
    reason = _protection(resource, context, installation) or doubt
    savers = [name for name in finding.remediate if installation.remediations[name].saves]
    for name in finding.remediate:
        if reason:
            draft.withheld.append(Withheld(finding.id, policy.name, finding.subject, name, reason))
            continue
        remediation = installation.remediations[name]
        draft.steps.append(
            Step(
                id=f"{finding.id}-{name}",
                finding=finding.id,
                policy=policy.name,
                remediation=name,
                title=remediation.title,
                subject=finding.subject,
                mode=min(policy.mode, installation.max_mode, key=lambda mode: mode.rank),
                wanted=policy.mode,
                reversible=remediation.reversible,
                undo=remediation.undo,
                grace=policy.grace,
                approval=policy.approval,
                savings=finding.savings,
                fingerprint=fingerprint(resource, policy),
                production=_in_production(resource, context, installation),
                parameters=policy.parameters.get(name, {}),
                saves=name in savers[-1:],
                created=str(resource.fields.get("created", "")),
            )
        )


def _protection(resource: Resource, context: Context, installation: Installation) -> str:
    """Return why `resource` must not be touched, or nothing when it is certain that it may be."""
    for key, value in sorted(resource.tags.items()):
        if key.casefold() == PROTECT_TAG and value.strip().casefold() != "false":
            return f"protected by tag {key}={value}"
    if PROTECT_TAG not in resource.tags and "tags" in resource.gaps:
        return "its tags could not be read, so it is not known whether it is protected"
    answers: list[Truth] = []
    for clause in installation.protect:
        answer = truth(interpret(clause.node, resource, context.env(), closed=True))
        if answer is True:
            return f"protected by the configuration: {clause.text}"
        answers.append(answer)
    if isinstance(any_of(answers), Unknown):
        return "it is not known whether the configuration protects it"
    return ""


def _in_production(resource: Resource, context: Context, installation: Installation) -> bool:
    """Return whether `resource` is part of production; what is not known may be."""
    env = context.env()
    answers = [truth(interpret(clause.node, resource, env, closed=True)) for clause in installation.production]
    return any_of(answers) is not False


def fingerprint(resource: Resource, policy: Policy) -> str:
    """
    Return a digest of what the decision rested on, telemetry apart: the step is stale when it changes.

    Identity, every field, every tag and the policy's own text and place.
    """
    facts = {
        "uid": resource.uid,
        "fields": {name: str(value) for name, value in resource.fields.items()},
        "tags": dict(resource.tags),
        "policy": [policy.name, policy.check.model_dump_json(), *policy.remediate],
        "parameters": {name: dict(given) for name, given in policy.parameters.items()},
        "where": policy.where.text if policy.where else "",
        "unless": [clause.text for clause in policy.unless],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def order(finding: Finding) -> tuple[Decimal, Decimal, int, str, str]:
    """Return the sort key of findings: most savings first, then cost, severity, policy, id."""
    savings = finding.savings.hourly if isinstance(finding.savings, Cost) else Decimal(0)
    cost = finding.cost.hourly if isinstance(finding.cost, Cost) else Decimal(0)
    return (-savings, -cost, -finding.severity.rank, finding.verdict.policy, finding.id)


def _verdict_order(verdict: Verdict) -> tuple[str, str, str, str]:
    reason = verdict.unknowns[0].reason.value if verdict.unknowns else ""
    return (verdict.policy, reason, verdict.subject.name, verdict.subject.uid)


def _assemble(
    policies: PolicySet,
    draft: Draft,
    tallies: Tallies,
    estate: str,
    context: Context,
    installation: Installation,
) -> Plan:
    findings = sorted(draft.findings, key=order)
    position = {finding.id: number for number, finding in enumerate(findings)}
    steps = sorted(draft.steps, key=lambda step: position[step.finding])
    counts = tuple(Tally(name, dict(sorted(found.items()))) for name, found in sorted(tallies.counts.items()))
    return Plan(
        estate=estate,
        taken_at=context.now,
        policies=policies.digest,
        max_mode=installation.max_mode,
        findings=tuple(findings),
        steps=tuple(steps),
        withheld=tuple(sorted(draft.withheld, key=lambda w: (position[w.finding], w.remediation))),
        holds=holds_of(policies.policies, steps, tallies),
        undecided=tuple(sorted(draft.undecided, key=_verdict_order)),
        exempt=tuple(sorted(draft.exempt, key=_verdict_order)),
        scopes=tuple(sorted(tallies.scopes, key=lambda report: report.scope)),
        tallies=counts,
        resources=tallies.resources,
    )
