"""
The mutants of a policy: policies that differ from it in one thing that its cases ought to notice.

Nothing is done to `grace`, `limits`, `approval`, `severity` and texts: no verdict depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

from engine.cases.mutant_checks import check_changes
from engine.cases.rewrites import rewrites, value_rewrites
from engine.cases.written import Written
from engine.errors import Place
from engine.kinds import Catalog
from engine.policy.checks import Quota, Rule, check_name
from engine.policy.model import Expression, Mode, Policy
from engine.policy.translate import Location


@dataclass(frozen=True)
class Mutant:
    """A policy with one change."""

    policy: Policy
    change: str
    """What was changed, the same in every run: ``where: `resource.accelerator.count > 0`: > → >=``."""
    place: Place
    """Of what was changed."""

    @property
    def name(self) -> str:
        """The policy's name."""
        return self.policy.name


def mutants_of(policy: Policy, catalog: Catalog, written: Written) -> Iterator[Mutant]:
    """Yield the mutants of `policy`, in the order of its keys."""
    yield from _kinds(policy, catalog, written)
    if policy.where is not None:
        where = policy.where
        yield Mutant(replace(policy, where=None), "where: dropped", written.place(policy.name, "where"))
        for changed, how, place in _expressions(policy, ("where",), where, written):
            yield Mutant(replace(policy, where=changed), f"where: {how}", place)
    for number, clause in enumerate(policy.unless):
        others = (policy.unless[:number], policy.unless[number + 1 :])
        path: Location = ("unless", number)
        gone = f"unless: `{clause.text}`: dropped"
        yield Mutant(replace(policy, unless=(*others[0], *others[1])), gone, written.place(policy.name, *path))
        for changed, how, place in _expressions(policy, path, clause, written):
            yield Mutant(replace(policy, unless=(*others[0], changed, *others[1])), f"unless: {how}", place)
    yield from _check(policy, written)
    yield from _acts(policy, written)


def _kinds(policy: Policy, catalog: Catalog, written: Written) -> Iterator[Mutant]:
    for number, selector in enumerate(policy.selectors):
        rest = [other for other in policy.selectors if other != selector]
        kinds = tuple(dict.fromkeys(kind for other in rest for kind in catalog.select(other)))
        if rest and len(kinds) < len(policy.kinds):
            place = written.place(policy.name, "resource", number)
            yield Mutant(replace(policy, kinds=kinds), f"resource: {selector} dropped", place)


def _check(policy: Policy, written: Written) -> Iterator[Mutant]:
    key = check_name(policy.check)
    if isinstance(policy.check, Rule):
        for changed, how, place in _expressions(policy, (key, "when"), policy.expressions["when"], written):
            yield Mutant(replace(policy, expressions={"when": changed}), f"{key}: {how}", place)
    if isinstance(policy.check, Quota):
        yield from _groups(policy, policy.check, written)
    for change in check_changes(policy.check, lambda *path: written.text(policy.name, key, *path)):
        place = written.place(policy.name, key, *change.path)
        yield Mutant(replace(policy, check=change.check), f"{key}.{change.how}", place)


def _groups(policy: Policy, check: Quota, written: Written) -> Iterator[Mutant]:
    """Yield the changes to what a quota groups by."""
    keys = [policy.expressions[f"group_by[{number}]"] for number in range(len(check.group_by))]
    for number, key in enumerate(keys):
        path: Location = ("quota", "group_by", number)
        if len(keys) > 1:
            rest = keys[:number] + keys[number + 1 :]
            fewer = check.model_copy(update={"group_by": tuple(one.text for one in rest)})
            expressions = {f"group_by[{position}]": one for position, one in enumerate(rest)}
            gone = f"quota.group_by: `{key.text}`: dropped"
            yield Mutant(replace(policy, check=fewer, expressions=expressions), gone, written.place(policy.name, *path))
        for change in value_rewrites(key.node, partial(written.snippet, policy.name, path)):
            how = f"quota.group_by: `{written.snippet(policy.name, path, change.part)}`: {change.how}"
            expressions = {**policy.expressions, f"group_by[{number}]": replace(key, node=change.node)}
            place = written.place_of(policy.name, path, change.at)
            yield Mutant(replace(policy, expressions=expressions), how, place)


def _acts(policy: Policy, written: Written) -> Iterator[Mutant]:
    if policy.mode is not Mode.REPORT:
        how = f"mode: {policy.mode.value} → {Mode.REPORT.value}"
        yield Mutant(replace(policy, mode=Mode.REPORT), how, written.place(policy.name, "mode"))
    for number, name in enumerate(policy.remediate):
        rest = (*policy.remediate[:number], *policy.remediate[number + 1 :])
        place = written.place(policy.name, "remediate", number)
        yield Mutant(replace(policy, remediate=rest), f"remediate: {name} dropped", place)


def _expressions(
    policy: Policy, path: Location, expression: Expression, written: Written
) -> Iterator[tuple[Expression, str, Place]]:
    """Yield each change to the expression at `path`, in words and with its place."""
    for change in rewrites(expression.node, partial(written.snippet, policy.name, path)):
        how = f"`{written.snippet(policy.name, path, change.part)}`: {change.how}"
        yield replace(expression, node=change.node), how, written.place_of(policy.name, path, change.at)
