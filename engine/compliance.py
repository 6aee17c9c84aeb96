"""
What a plan says about the controls of a framework: each with the policies that look at it and what they found.

A control is never called met by policies that look at a part, that could not read something, or that are
said to support it only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.findings import Outcome
from engine.plan import Plan
from engine.policy.model import Policy

SUPPORTS = "supports "
"""Before a control in a policy's `controls`: the policy is evidence for it and does not satisfy it."""


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement of a framework."""

    id: str
    asks: str
    """What it asks, in a few words that are not the framework's own."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A set of controls."""

    name: str
    """As policies write it before the colon: `FSBP`."""
    title: str
    note: str
    """How far the controls here go, for the reader of a report."""
    controls: tuple[Control, ...]
    evidence_only: bool = False
    """
    Whether its controls are about an organization, and resources can be evidence for them only: as if every policy
    said that it supports them.
    """


class Standing(StrEnum):
    """How a control stands. The words are part of every output."""

    VIOLATED = "violated"
    UNKNOWN = "unknown"
    """Nothing was found against it, and not everything could be read."""
    PARTLY = "partly met"
    """All that was looked at is compliant, and the policies look at a part or support the control only."""
    MET = "met"
    EMPTY = "nothing to judge"
    """No resource of the kinds was there."""
    UNCOVERED = "not covered"
    """No loaded policy looks at it."""


@dataclass(frozen=True, slots=True)
class ControlReport:
    """One control as it stands."""

    control: Control
    standing: Standing
    policies: tuple[str, ...]
    counts: Mapping[Outcome, int]
    """Verdicts of all these policies; a resource that two of them judge counts twice."""
    gaps: int
    """Scopes of their kinds that could not be read whole."""


def compliance(framework: Framework, policies: Sequence[Policy], plan: Plan) -> tuple[ControlReport, ...]:
    """Return how each control of `framework` stands; controls that only policies name come last."""
    linked = _links(framework, policies)
    known = {control.id for control in framework.controls}
    named = (Control(id_, "named by a policy") for id_ in sorted(linked) if id_ not in known)
    counted = {tally.policy: tally.counts for tally in plan.tallies}
    incomplete = Counter(report.scope.kind for report in plan.gaps)
    return tuple(
        _report(control, linked.get(control.id, ()), counted, incomplete) for control in (*framework.controls, *named)
    )


Link = tuple[Policy, bool]
"""A policy and whether it only supports the control."""


def _links(framework: Framework, policies: Iterable[Policy]) -> Mapping[str, list[Link]]:
    """Return the policies by the control of `framework` that they name."""
    found: dict[str, list[Link]] = {}
    for policy in policies:
        for written in dict.fromkeys(policy.controls):
            name, colon, control = written.removeprefix(SUPPORTS).partition(":")
            if colon and name == framework.name:
                supports = framework.evidence_only or written.startswith(SUPPORTS)
                found.setdefault(control, []).append((policy, supports))
    return found


def _report(
    control: Control,
    links: Sequence[Link],
    counted: Mapping[str, Mapping[Outcome, int]],
    incomplete: Mapping[str, int],
) -> ControlReport:
    counts: Counter[Outcome] = Counter()
    for policy, _ in links:
        counts.update(counted.get(policy.name, {}))
    kinds = {kind.name for policy, _ in links for kind in policy.kinds}
    gaps = sum(incomplete.get(kind, 0) for kind in kinds)
    names = tuple(policy.name for policy, _ in links)
    # A policy that looks at all resources and found none has shown nothing.
    whole = any(
        policy.where is None and not supports and counted.get(policy.name, {}).get(Outcome.COMPLIANT)
        for policy, supports in links
    )
    return ControlReport(control, _standing(links, counts, gaps, whole=whole), names, counts, gaps)


def _standing(links: Sequence[Link], counts: Mapping[Outcome, int], gaps: int, *, whole: bool) -> Standing:
    if not links:
        return Standing.UNCOVERED
    if counts.get(Outcome.VIOLATION):
        return Standing.VIOLATED
    if gaps or counts.get(Outcome.UNKNOWN) or counts.get(Outcome.ERROR):
        return Standing.UNKNOWN
    if not counts.get(Outcome.COMPLIANT) and not counts.get(Outcome.EXEMPT):
        return Standing.EMPTY
    return Standing.MET if whole and not counts.get(Outcome.EXEMPT) else Standing.PARTLY
