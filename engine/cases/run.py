"""
Cases to results: each case goes the way of a real run, through `engine.planning.plan_items`.

`load_cases` reads a file's text; `run_case` judges one case. A front door reads files and prints results.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from engine.cases.build import REGION, CaseError, resource_of
from engine.cases.document import CaseDocument, CasesDocument
from engine.checks.context import Context
from engine.errors import Place, PolicyError, Problem, did_you_mean
from engine.findings import Outcome, Verdict
from engine.kinds import Catalog
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan
from engine.planning import Installation, plan_items
from engine.policy.model import Policy, PolicySet
from engine.policy.translate import find, validate
from engine.ports import Item
from engine.yaml_text import parse_yaml


@dataclass(frozen=True)
class Cases:
    """One file of cases, with where each stands."""

    document: CasesDocument
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case."""

    case: str
    place: Place
    complaints: tuple[str, ...]
    """What is not as it should be; empty where all is."""

    @property
    def passed(self) -> bool:
        return not self.complaints


def load_cases(text: str, file: str, policies: PolicySet) -> Cases:
    """
    Return the cases in `text`.

    Raises:
        PolicyError: with every problem of the file; a case about a policy that does not exist is one.
    """
    parsed = parse_yaml(text, file)
    problems = list(parsed.problems)
    document = None
    if parsed.root is not None:
        document, wrong = validate(CasesDocument, parsed.root)
        problems += wrong
    elif not problems:
        problems.append(Problem("nothing-loaded", "the file is empty", Place(file)))
    names = [policy.name for policy in policies.policies]
    places: list[Place] = []
    if document is not None and parsed.root is not None:
        for number, case in enumerate(document.cases):
            node = find(parsed.root, ("cases", number, "policy"))
            places.append(find(parsed.root, ("cases", number, "name")).place)
            if case.policy not in names:
                hint = did_you_mean(case.policy, names)
                problems.append(Problem("not-found", f"there is no policy `{case.policy}`", node.place, hint))
    if document is None or problems:
        raise PolicyError(problems)
    return Cases(document, tuple(places))


def run_case(
    cases: Cases,
    number: int,
    policies: PolicySet,
    context_at: Callable[[datetime], Context],
    installation: Installation,
) -> Result:
    """Return the result of the case of that number."""
    case = cases.document.cases[number]
    now = case.now or cases.document.now
    policy = next(p for p in policies.policies if p.name == case.policy)
    context = context_at(now)
    try:
        items = _items(case, cases.document, policy, context.catalog, now)
    except CaseError as error:
        return Result(case.name, cases.places[number], (str(error),))
    alone = replace(policies, policies=(policy,))
    plan = plan_items(alone, items, "case", context, installation)
    subject = f"group/{policy.name}/{case.group}" if case.group else _uid(items)
    return Result(case.name, cases.places[number], tuple(_complaints(case, plan, subject)))


def _items(case: CaseDocument, document: CasesDocument, policy: Policy, catalog: Catalog, now: datetime) -> list[Item]:
    documents = (*((case.resource,) if case.resource else ()), *case.resources)
    items: list[Item] = [resource_of(found, document.fixtures, catalog, now) for found in documents]
    account = next((item.account for item in items if not isinstance(item, ScopeReport)), "")
    for kind in policy.kinds:
        status = case.scopes.get(kind.name, ScopeStatus.COMPLETE)
        items.append(ScopeReport(Scope(account, REGION, kind.name), status, detail="said by the case"))
    return items


def _uid(items: list[Item]) -> str:
    return next((item.uid for item in items if not isinstance(item, ScopeReport)), "")


def _complaints(case: CaseDocument, plan: Plan, subject: str) -> list[str]:
    verdict = _verdict(plan, subject)
    outcome = verdict.outcome if verdict else Outcome.COMPLIANT
    found: list[str] = []
    if outcome != case.expect:
        said = f": {verdict.summary} {[str(u) for u in verdict.unknowns]}" if verdict else ""
        return [f"expected {case.expect}, came {outcome.value}{said}"]
    if verdict and case.reason and case.reason not in {u.reason for u in verdict.unknowns}:
        found.append(f"expected the reason {case.reason.value}, came {[str(u) for u in verdict.unknowns]}")
    if verdict and case.classification and verdict.classification != case.classification:
        found.append(f"expected the class {case.classification}, came {verdict.classification or 'none'}")
    steps = tuple(step.remediation for step in plan.steps if step.subject.uid == subject)
    if case.steps is not None and steps != case.steps:
        found.append(f"expected the steps {list(case.steps)}, came {list(steps)}")
    return found


def _verdict(plan: Plan, subject: str) -> Verdict | None:
    every: Mapping[str, Verdict] = {
        verdict.subject.uid: verdict
        for verdict in (*plan.undecided, *plan.exempt, *(finding.verdict for finding in plan.findings))
    }
    return every.get(subject)
