"""
Cases to results: each case goes the way of a real run, through `engine.planning.plan_items`.

Resources are built once; a case is judged by the policy, and by as many mutants of it as there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from engine.cases.build import REGION, resource_of
from engine.cases.document import CaseDocument, ResourceDocument
from engine.cases.load import Cases
from engine.checks.context import Context
from engine.errors import Place
from engine.evaluate import Tallies, compile_policies, group_verdicts, judge_items
from engine.explaining import Answers, explain_subject
from engine.findings import Outcome, Verdict
from engine.kinds import Catalog
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan
from engine.planning import Installation, plan_items
from engine.policy.model import Policy, PolicySet
from engine.ports import Item

Contexts: TypeAlias = Callable[[datetime], Context]
"""What decisions at a moment rest on beside policies and resources."""


@dataclass(frozen=True)
class View:
    """One resource or group at one moment."""

    now: datetime
    items: tuple[Item, ...]
    """The resource, or all of those that may belong to the group; and a report for each kind."""
    subject: str
    """The uid of what is judged."""


@dataclass(frozen=True)
class Case:
    """One case, with all that is judged for it: it holds if each of them is as expected."""

    document: CaseDocument
    place: Place
    views: tuple[View, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something about a case that is not as expected."""

    view: View
    expected: str
    """`violation`, `the reason stale`, `the steps [stop]`."""
    came: str

    def __str__(self) -> str:
        return f"expected {self.expected}, came {self.came}"


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case."""

    case: str
    policy: str
    place: Place
    differences: tuple[Difference, ...]
    """What is not as it should be; empty where all is."""

    @property
    def passed(self) -> bool:
        return not self.differences


def built(cases: Cases, policies: Mapping[str, Policy], catalog: Catalog) -> tuple[Case, ...]:
    """Return the cases of a file, in order; `policies` are by name."""
    return tuple(_built(cases, number, policies, catalog) for number in range(len(cases.places)))


def _built(cases: Cases, number: int, policies: Mapping[str, Policy], catalog: Catalog) -> Case:
    case = cases.document.cases[number]
    policy = policies[case.policy]
    # The resources of a group are judged together, others one by one.
    together = [case.documents] if case.group or not case.documents else [(found,) for found in case.documents]
    moments = case.now or (cases.document.now,)
    views = [_view(cases, case, policy, found, catalog, now) for now in moments for found in together]
    return Case(case, cases.places[number], tuple(views))


def _view(
    cases: Cases,
    case: CaseDocument,
    policy: Policy,
    documents: tuple[ResourceDocument, ...],
    catalog: Catalog,
    now: datetime,
) -> View:
    resources = [resource_of(found, cases.document.fixtures, catalog, now) for found in documents]
    account = next((resource.account for resource in resources), "")
    scopes = [
        ScopeReport(Scope(account, REGION, kind.name), _status(case, kind.name), detail="said by the case")
        for kind in policy.kinds
    ]
    uid = next((resource.uid for resource in resources), f"policy/{case.policy}")
    subject = f"group/{case.policy}/{case.group}" if case.group else uid
    return View(now, (*resources, *scopes), subject)


def _status(case: CaseDocument, kind: str) -> ScopeStatus:
    return case.scopes.get(kind, ScopeStatus.COMPLETE)


def judge(case: Case, policy: Policy, contexts: Contexts, installation: Installation) -> Result:
    """Return what comes of `case` where `policy`, of that name and perhaps a mutant, decides."""
    found = [one for view in case.views for one in _differences(case, view, policy, contexts, installation)]
    return Result(case.document.name, policy.name, case.place, tuple(found))


def passes(case: Case, policy: Policy, contexts: Contexts, installation: Installation) -> bool:
    """Return whether all is as expected; stops at the first thing that is not."""
    every = (one for view in case.views for one in _differences(case, view, policy, contexts, installation))
    return next(every, None) is None


def explain_view(view: View, policy: Policy, contexts: Contexts) -> Answers:
    """Return everything behind the verdict, of a compliant group too."""
    context = contexts(view.now)
    answers = explain_subject(PolicySet((policy,), "", ()), view.items, context, view.subject)
    if answers.found:
        return answers
    return replace(answers, groups=tuple(g for g in _groups(policy, view.items, context) if _is(g[1], view.subject)))


def _differences(
    case: Case, view: View, policy: Policy, contexts: Contexts, installation: Installation
) -> Iterator[Difference]:
    document, context = case.document, contexts(view.now)
    plan = plan_items(PolicySet((policy,), "", ()), view.items, "case", context, installation)
    verdict = _verdict(plan, view.subject)
    if verdict is None and document.group:
        groups = [found.subject.name for _, found in _groups(policy, view.items, context)]
        if document.group not in groups:
            known = ", ".join(f"`{name}`" for name in groups) or "none"
            yield Difference(view, f"a group `{document.group}`", f"groups {known}")
            return
    outcome = verdict.outcome if verdict else Outcome.COMPLIANT
    if outcome != document.expect:
        yield Difference(view, document.expect, f"{outcome.value}{_why(verdict)}")
        return
    if verdict is None:
        if not document.applies and any(tally.counts for tally in plan.tallies):
            yield Difference(view, "that the policy does not apply", "that it does")
        return
    if document.reason and document.reason not in {unknown.reason for unknown in verdict.unknowns}:
        came = "; ".join(str(unknown) for unknown in verdict.unknowns)
        yield Difference(view, f"the reason {document.reason.value}", came)
    if document.classification and verdict.classification != document.classification:
        yield Difference(view, f"the class {document.classification}", verdict.classification or "none")
    steps = [step.remediation for step in plan.steps if step.subject.uid == view.subject]
    if document.steps is not None and steps != list(document.steps):
        yield Difference(view, f"the steps [{', '.join(document.steps)}]", f"[{', '.join(steps)}]")
    if document.mode is not None and policy.mode is not document.mode:
        yield Difference(view, f"the mode {document.mode.value}", policy.mode.value)


def _why(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    unknowns = "; ".join(str(unknown) for unknown in verdict.unknowns)
    return f": {verdict.summary}" + (f" ({unknowns})" if unknowns else "")


def _verdict(plan: Plan, subject: str) -> Verdict | None:
    every = (*plan.undecided, *plan.exempt, *(finding.verdict for finding in plan.findings))
    return next((verdict for verdict in every if verdict.subject.uid == subject), None)


def _is(verdict: Verdict, subject: str) -> bool:
    return verdict.subject.uid == subject


def _groups(policy: Policy, items: tuple[Item, ...], context: Context) -> list[tuple[Policy, Verdict]]:
    """Return the verdict about every group that `policy` judges."""
    compiled, tallies = compile_policies((policy,), context), Tallies()
    for _ in judge_items(compiled, items, tallies):
        pass
    return list(group_verdicts(compiled, tallies))
