"""What is wrong with a file of cases beside its shape: names that lead nowhere, and cases that cannot fail or pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.cases.check_resources import ResourceChecks
from engine.cases.document import CaseDocument, ResourceDocument, SurvivorDocument
from engine.errors import Problem, did_you_mean
from engine.kinds import Catalog
from engine.policy.checks import Quota
from engine.policy.model import Policy, PolicySet, Remediation
from engine.policy.translate import Location, find
from engine.yaml_text import Node


@dataclass(frozen=True)
class Parts:
    """What is to be checked of a file: all of it, or what has the right shape."""

    fixtures: Mapping[str, ResourceDocument]
    broken: frozenset[str]
    """Fixtures whose shape is wrong: what is made from them stays unchecked."""
    cases: tuple[tuple[int, CaseDocument], ...]
    """With their numbers in the file."""
    survivors: tuple[tuple[int, SurvivorDocument], ...]


def case_problems(
    parts: Parts,
    root: Node,
    policies: PolicySet | None,
    catalog: Catalog,
    remediations: Mapping[str, Remediation],
) -> Iterator[Problem]:
    """Yield every problem of the file whose tree is `root`, in no order."""
    resources = ResourceChecks(parts.fixtures, parts.broken, root, catalog)
    for name, fixture in parts.fixtures.items():
        yield from resources.problems(fixture, ("fixtures", name))
    known = {policy.name: policy for policy in policies.policies} if policies else None
    checks = _CaseChecks(root, known, remediations, resources)
    seen: dict[tuple[str, str], int] = {}
    for number, case in parts.cases:
        yield from checks.problems(case, number)
        first = seen.setdefault((case.policy, case.name), number)
        if first != number:
            other = find(root, ("cases", first, "name")).place
            message = f"a second case of `{case.policy}` has the name `{case.name}`"
            yield Problem(
                "wrong-value", message, find(root, ("cases", number, "name")).place, f"the other is at {other}"
            )
    for number, survivor in parts.survivors:
        if known is not None and survivor.policy not in known:
            yield checks.unknown_policy(survivor.policy, ("survivors", number, "policy"))


@dataclass(frozen=True)
class _CaseChecks:
    root: Node
    policies: Mapping[str, Policy] | None
    remediations: Mapping[str, Remediation]
    resources: ResourceChecks

    def unknown_policy(self, name: str, location: Location) -> Problem:
        hint = did_you_mean(name, self.policies or ()) or "a test file speaks of the policies beside it"
        return Problem("not-found", f"there is no policy `{name}`", find(self.root, location).place, hint)

    def problems(self, case: CaseDocument, number: int) -> Iterator[Problem]:
        at: Location = ("cases", number)
        policy = self.policies.get(case.policy) if self.policies else None
        if policy is None and self.policies is not None:
            yield self.unknown_policy(case.policy, (*at, "policy"))
        documents = [
            *(((case.resource, (*at, "resource")),) if case.resource else ()),
            *((found, (*at, "resources", position)) for position, found in enumerate(case.resources)),
        ]
        for found, location in documents:
            yield from self.resources.problems(found, location)
            if policy is not None:
                yield from self._business(policy, self.resources.kind_of(found), location)
        if policy is not None:
            yield from self._subject(case, policy, at)
        yield from self._expectations(case, at)

    def _business(self, policy: Policy, kind: str, location: Location) -> Iterator[Problem]:
        kinds = [one.name for one in policy.kinds]
        if kind in self.resources.catalog.kinds and kinds and kind not in kinds:
            message = f"`{policy.name}` is not about `{kind}`: the case cannot fail"
            hint = f"it is about {', '.join(f'`{name}`' for name in kinds)}"
            yield Problem("wrong-value", message, find(self.root, location).place, hint)

    def _subject(self, case: CaseDocument, policy: Policy, at: Location) -> Iterator[Problem]:
        grouped = isinstance(policy.check, Quota)
        if grouped and not case.group:
            message = f"`{policy.name}` judges groups: the case does not say which"
            yield Problem("missing-key", message, find(self.root, at).place, "add such as `group: vision`")
        if case.group and not grouped:
            message = f"`{policy.name}` judges single resources, no groups"
            yield Problem("wrong-value", message, find(self.root, (*at, "group")).place, "leave `group` out")
        if not grouped and policy.kinds and not case.documents:
            hint = "add such as `resource: {kind: aws.ec2.instance, fields: {…}}`"
            yield Problem("missing-key", "the case has no resource", find(self.root, at).place, hint)
        kinds = [kind.name for kind in policy.kinds]
        for name in case.scopes:
            if name not in kinds:
                hint = did_you_mean(name, kinds) or f"it is about {', '.join(f'`{kind}`' for kind in kinds)}"
                message = f"`{policy.name}` is not about `{name}`"
                yield Problem("wrong-value", message, find(self.root, (*at, "scopes", name)).place, hint)

    def _expectations(self, case: CaseDocument, at: Location) -> Iterator[Problem]:
        """Yield what is expected that the verdict expected beside it can never have."""
        if not case.applies and (case.expect != "compliant" or case.group):
            hint = "a resource that a policy does not apply to is compliant: write `expect: compliant`"
            message = "a policy that does not apply comes to no other verdict, and applies to no group"
            yield Problem("wrong-value", message, find(self.root, (*at, "applies")).place, hint)
        lone = [("reason", case.reason is not None, "unknown"), ("mode", case.mode is not None, "violation")]
        lone += [("classification", bool(case.classification), "violation"), ("steps", bool(case.steps), "violation")]
        for key, given, verdict in lone:
            if given and case.expect != verdict:
                message = f"`{key}` goes with `expect: {verdict}`, and `{case.expect}` is expected"
                yield Problem("wrong-value", message, find(self.root, (*at, key)).place, f"leave `{key}` out")
        for position, name in enumerate(case.steps or ()):
            if name not in self.remediations:
                place = find(self.root, (*at, "steps", position)).place
                hint = did_you_mean(name, self.remediations)
                yield Problem("unknown-remediation", f"`{name}` is not a remediation", place, hint)
