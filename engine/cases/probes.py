"""
The conditions of a policy, each as three policies: it alone, and the policy with it made true and made false.

The leaves of `where`, `unless` and `rule`, and the demands, tags, thresholds, hours and limits of the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from functools import partial
from operator import eq
from typing import Any

from engine.cases.rewrites import leaves
from engine.cases.written import Written
from engine.errors import Place
from engine.expr.syntax import Literal, Node
from engine.findings import Outcome
from engine.policy.checks import (
    Encryption,
    Idle,
    Quota,
    QuotaLimits,
    RequiredTags,
    Rule,
    Schedule,
    TagRule,
    check_name,
)
from engine.policy.model import Expression, Policy
from engine.policy.translate import Location

WORK_CLASSES = ("no_process", "context_held", "serving_no_traffic")
"""The classes of a resource of which nothing worked at all."""
MOST = Decimal(10) ** 15
"""More than anybody holds."""


@dataclass(frozen=True)
class Probe:
    """One condition."""

    name: str
    place: Place
    alone: Policy
    true: Policy
    false: Policy
    shows_true: Outcome = Outcome.VIOLATION
    """What `alone` says where the condition is true."""
    shows_false: Outcome = Outcome.COMPLIANT
    groups: Callable[[str], bool] = lambda _: True
    """Whether the condition is about the group of that uid."""


def probes_of(policy: Policy, written: Written) -> Iterator[Probe]:
    """Yield the conditions of `policy` in the order of its keys; none of a check that no source answers."""
    if policy.where is not None:
        where = policy.where
        for leaf, name, place, forced in _leaves(policy, ("where",), where, written):
            true, false = (replace(policy, where=replace(where, node=node)) for node in forced)
            yield Probe(f"where: {name}", place, _rule(policy, leaf), true, false)
    for number, clause in enumerate(policy.unless):
        for leaf, name, place, forced in _leaves(policy, ("unless", number), clause, written):
            clauses = (_put(policy.unless, number, replace(clause, node=node)) for node in forced)
            true, false = (replace(policy, unless=unless) for unless in clauses)
            alone = replace(_always(policy), where=None, unless=(replace(clause, node=leaf),))
            yield Probe(f"unless: {name}", place, alone, true, false, Outcome.EXEMPT, Outcome.VIOLATION)
    yield from _check(policy, written)


def _put(clauses: tuple[Expression, ...], number: int, clause: Expression) -> tuple[Expression, ...]:
    return (*clauses[:number], clause, *clauses[number + 1 :])


def _leaves(
    policy: Policy, path: Location, expression: Expression, written: Written
) -> Iterator[tuple[Node, str, Place, tuple[Node, Node]]]:
    """Yield each leaf with its words, its place, and the whole expression with it true and false."""
    for leaf, put in leaves(expression.node):
        forced = (put(Literal(True, leaf.start, leaf.end)), put(Literal(False, leaf.start, leaf.end)))
        yield leaf, written.snippet(policy.name, path, leaf), written.place_of(policy.name, path, leaf), forced


def _rule(policy: Policy, node: Node) -> Policy:
    """Return a policy that is violated where `node` is true."""
    when = Expression("", node, policy.place)
    return replace(policy, where=None, unless=(), check=Rule(when="", message=""), expressions={"when": when})


def _always(policy: Policy) -> Policy:
    return replace(_rule(policy, Literal(True, 0, 0)), where=policy.where, unless=policy.unless)


def _never(policy: Policy) -> Policy:
    return replace(_rule(policy, Literal(False, 0, 0)), where=policy.where, unless=policy.unless)


def _check(policy: Policy, written: Written) -> Iterator[Probe]:
    key = check_name(policy.check)
    match policy.check:
        case Rule():
            when = policy.expressions["when"]
            for leaf, name, place, forced in _leaves(policy, (key, "when"), when, written):
                expressions = ({"when": replace(when, node=node)} for node in forced)
                true, false = (replace(policy, expressions=found) for found in expressions)
                yield Probe(f"rule: {name}", place, _rule(policy, leaf), true, false)
        case Idle() as idle:
            yield from _idle(policy, idle, written)
        case RequiredTags() as tags:
            for name, rule in tags.tags.items():
                place = written.place(policy.name, key, "tags", name)
                yield _demand(
                    policy, f"required_tags: {name} is not as it should be", place, _one_tag(tags, name, rule)
                )
        case Encryption() as encryption:
            for name in type(encryption).model_fields:
                if getattr(encryption, name) and getattr(encryption, name) != "any":
                    place = written.place(policy.name, key, name)
                    yield _demand(policy, f"encryption: {name} is violated", place, _one_demand(encryption, name))
        case Schedule() as schedule:
            yield _outside(policy, schedule, written.place(policy.name, key, "hours"))
        case Quota() as quota:
            yield from _quota(policy, quota, written)
        case _:
            return


def _with(policy: Policy, check: Any) -> Policy:
    return replace(policy, check=check)


def _idle(policy: Policy, idle: Idle, written: Written) -> Iterator[Probe]:
    for name, threshold in idle.below.items():
        place = written.place(policy.name, "idle", "below", name)
        yield _threshold(policy, idle, name, f"idle: {name} below {threshold.text}", place)
    for name, limit in (idle.protect_while or {}).items():
        place = written.place(policy.name, "idle", "protect_while", name)
        yield _protection(policy, idle, name, f"idle: {name} below {limit.text}, else protected", place)


def _threshold(policy: Policy, idle: Idle, name: str, words: str, place: Place) -> Probe:
    def at(value: float) -> Idle:
        moved = idle.below[name].model_copy(update={"value": value})
        return idle.model_copy(update={"below": {**idle.below, name: moved}})

    single = idle.model_copy(update={"below": {name: idle.below[name]}, "protect_while": {}, "classes": WORK_CLASSES})
    alone = replace(policy, where=None, unless=(), check=single)
    return Probe(words, place, alone, _with(policy, at(float("inf"))), _with(policy, at(float("-inf"))))


def _protection(policy: Policy, idle: Idle, name: str, words: str, place: Place) -> Probe:
    """Return the probe of what protects: true where it does not, and the resource is then of one of `WORK_CLASSES`."""
    limits = dict(idle.protect_while or {})

    def at(value: float) -> Idle:
        moved = limits[name].model_copy(update={"value": value})
        return idle.model_copy(update={"protect_while": {**limits, name: moved}})

    single = idle.model_copy(update={"protect_while": {name: limits[name]}, "classes": WORK_CLASSES})
    alone = replace(policy, where=None, unless=(), check=single)
    return Probe(words, place, alone, _with(policy, at(float("inf"))), _with(policy, at(float("-inf"))))


def _one_tag(check: RequiredTags, name: str, rule: TagRule) -> tuple[RequiredTags, RequiredTags]:
    rest = {key: other for key, other in check.tags.items() if key != name}
    return check.model_copy(update={"tags": {name: rule}}), check.model_copy(update={"tags": rest})


def _one_demand(check: Encryption, name: str) -> tuple[Encryption, Encryption]:
    nothing = dict.fromkeys(type(check).model_fields)
    alone = check.model_copy(update={**nothing, name: getattr(check, name)})
    return alone, check.model_copy(update={name: None})


def _demand(policy: Policy, words: str, place: Place, checks: tuple[Any, Any]) -> Probe:
    """Return the probe of one of several demands: a check is violated where any of them is."""
    single, rest = checks
    alone = replace(policy, where=None, unless=(), check=single)
    return Probe(words, place, alone, _always(policy), _with(policy, rest))


def _outside(policy: Policy, check: Schedule, place: Place) -> Probe:
    never_working = check.model_copy(update={"days": ()})
    week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    always_working = check.model_copy(update={"days": week, "hours": (time(0), time(0)), "holidays": ()})
    alone = replace(policy, where=None, unless=())
    words = "schedule: running outside working hours"
    return Probe(words, place, alone, _with(policy, never_working), _with(policy, always_working))


def _quota(policy: Policy, check: Quota, written: Written) -> Iterator[Probe]:
    uids = {group: f"group/{policy.name}/{group}" for group in check.overrides}
    general = _with(policy, check.model_copy(update={"overrides": {}}))
    for name, limit, moved in _limits(check.limits):
        changed = (_with(policy, check.model_copy(update={"limits": limits})) for limits in moved)
        yield _over(general, changed, limit, ("limits", name), written, lambda uid: uid not in uids.values())
    for group, own in check.overrides.items():
        for name, limit, moved in _limits(own):
            overrides = ({**check.overrides, group: limits} for limits in moved)
            changed = (_with(policy, check.model_copy(update={"overrides": found})) for found in overrides)
            yield _over(policy, changed, limit, ("overrides", group, name), written, partial(eq, uids[group]))


def _limits(limits: QuotaLimits) -> Iterator[tuple[str, Decimal, tuple[QuotaLimits, QuotaLimits]]]:
    """Yield each limit with the limits where it is always exceeded, and where it never is."""
    for name in type(limits).model_fields:
        limit = getattr(limits, name)
        if limit is not None:
            always, never = (limits.model_copy(update={name: value}) for value in (Decimal(-1), MOST))
            yield name, Decimal(limit), (always, never)


def _over(
    alone: Policy,
    changed: Iterator[Policy],
    limit: Decimal,
    path: Location,
    written: Written,
    groups: Callable[[str], bool],
) -> Probe:
    true, false = changed
    words = f"quota: over {'.'.join(map(str, path))} {limit:,f}"
    return Probe(words, written.place(alone.name, "quota", *path), alone, true, false, groups=groups)
