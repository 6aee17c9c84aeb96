"""
Exemptions: findings that somebody answers for, until a date. `engine.planning` asks about each violation.

They come from the configuration and from the state, in one shape. An exemption that may hold is not one, and yet
nothing is done: what is not certainly not exempt is not acted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.checks.rule import truth
from engine.expr.env import Env
from engine.expr.interpret import interpret
from engine.ids import finding_id
from engine.model import Resource
from engine.policy.model import Expression
from engine.values import Truth, Unknown


@dataclass(frozen=True, slots=True)
class Exemption:
    """One exemption. It excuses where everything that is set agrees."""

    id: str
    owner: str
    reason: str
    expires: datetime
    policies: tuple[str, ...] = ()
    """Names of policies; all where it is empty."""
    where: Expression | None = None
    """A condition over common fields and tags."""
    finding: str = ""
    """The id of the one finding it is about."""

    @property
    def summary(self) -> str:
        return f"exempt until {self.expires:%Y-%m-%d}: {self.reason} ({self.owner} answers for it)"


def in_force(exemptions: Iterable[Exemption], now: datetime) -> tuple[Exemption, ...]:
    """Return those that have not expired."""
    return tuple(exemption for exemption in exemptions if now < exemption.expires)


def excused(
    exemptions: Sequence[Exemption], policy: str, uid: str, resource: Resource | None, env: Env
) -> tuple[Truth, str]:
    """
    Return whether a finding of `policy` about the subject `uid` is exempt, and why, or why that is not known.

    A group has no resource: only an exemption that names its finding or its policy excuses it.
    """
    maybe: Unknown | None = None
    for exemption in exemptions:
        answer = _holds(exemption, policy, uid, resource, env)
        if answer is True:
            return True, exemption.summary
        if isinstance(answer, Unknown) and maybe is None:
            maybe = answer
    return (False, "") if maybe is None else (maybe, f"it is not known whether it is exempt: {maybe}")


def _holds(exemption: Exemption, policy: str, uid: str, resource: Resource | None, env: Env) -> Truth:
    if exemption.policies and policy not in exemption.policies:
        return False
    if exemption.finding:
        return exemption.finding == finding_id(policy, uid)
    if exemption.where is None:
        return bool(exemption.policies)
    if resource is None:
        return False
    return truth(interpret(exemption.where.node, resource, env, closed=True))
