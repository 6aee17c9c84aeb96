"""
The whole decision about one subject: every policy that may speak about it, with all it read.

`bursar explain` calls it with a resource's id, name or uid, or with a finding's id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from engine.checks.context import Context
from engine.compiled import CompiledPolicy, Explanation
from engine.evaluate import Tallies, compile_policies, judge_groups, judge_items
from engine.findings import Cost, Verdict
from engine.ids import finding_id
from engine.model import Resource, ScopeReport, ScopeStatus
from engine.policy.model import Policy, PolicySet
from engine.ports import Item
from engine.values import Unknown

SHORTEST = 6
"""So many characters of a finding's id are enough to name it."""


@dataclass(frozen=True, slots=True)
class Explained:
    """One resource with the decision of each policy about it."""

    resource: Resource
    cost: Cost | Unknown
    explanations: tuple[Explanation, ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """All that is known about a subject."""

    resources: tuple[Explained, ...]
    groups: tuple[tuple[Policy, Verdict], ...]
    """Verdicts about groups and sources that the subject names."""
    scopes: tuple[ScopeReport, ...]
    names: tuple[str, ...]
    """Names of other resources, for a hint where nothing was found; at most a few hundred."""

    @property
    def found(self) -> bool:
        return bool(self.resources or self.groups)

    @property
    def gaps(self) -> tuple[ScopeReport, ...]:
        return tuple(s for s in self.scopes if s.status is not ScopeStatus.COMPLETE)


def explain_subject(policies: PolicySet, items: Iterable[Item], context: Context, subject: str) -> Answers:
    """Return how `policies` decide about `subject`; nothing is found where nothing has that name or id."""
    compiled = compile_policies(policies.policies, context)
    tallies = Tallies()
    found: list[Explained] = []
    names: list[str] = []

    def watched() -> Iterator[Item]:
        for item in items:
            if isinstance(item, Resource):
                chosen = [c for c in compiled.single if _covers(c.policy, item)]
                if is_named(item, subject):
                    found.append(_explained(item, chosen, context))
                elif one := [c for c in chosen if _is_finding(c.policy.name, item.uid, subject)]:
                    found.append(_explained(item, one, context))
                elif len(names) < 500:
                    names.append(item.name or item.id)
            yield item

    for _ in judge_items(compiled, watched(), tallies):
        pass
    groups = tuple(
        (policy, verdict)
        for policy, verdict in judge_groups(compiled, tallies)
        if subject in (verdict.subject.name, verdict.subject.uid, policy.name)
        or _is_finding(policy.name, verdict.subject.uid, subject)
    )
    return Answers(tuple(found), groups, tuple(tallies.scopes), tuple(names))


def is_named(resource: Resource, subject: str) -> bool:
    """Return whether `subject` is the resource's id, name, uid or the last part of its ARN."""
    return subject in (resource.id, resource.name, resource.uid) or (
        resource.id.startswith("arn:") and resource.id.rpartition("/")[2] == subject
    )


def _covers(policy: Policy, resource: Resource) -> bool:
    return any(kind.name == resource.kind for kind in policy.kinds)


def _is_finding(policy: str, uid: str, subject: str) -> bool:
    return len(subject) >= SHORTEST and finding_id(policy, uid).startswith(subject)


def _explained(resource: Resource, chosen: list[CompiledPolicy], context: Context) -> Explained:
    cost = context.prices.cost_of(resource.usage, resource.region)
    return Explained(resource, cost, tuple(c.explain(resource) for c in chosen))
