"""
Who is who: the same person over all doors, and who may decide about what.

A principal is one name for a person, an e-mail address as a rule. Doors know people by other names: a Slack user
id, the ARN of a caller, a user of the machine. Two doors must never make two people of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Door(StrEnum):
    """Where a decision comes in."""

    SLACK = "slack"
    AWS = "aws"
    """The command line, with the identity of the caller at AWS."""
    USER = "user"
    """The command line, with the name of the user of the machine."""
    WEB = "web"
    """The web page, with the identity that the proxy before it vouches for."""


STRONG = frozenset({Door.AWS, Door.WEB})
"""Doors whose identity is proven by the company's own sign-in, and counts as a second factor beside Slack."""


@dataclass(frozen=True, slots=True)
class Person:
    """One person."""

    principal: str
    names: Mapping[Door, str] = field(default_factory=dict)
    """What each door calls the person."""
    commits: tuple[str, ...] = ()
    """E-mail addresses the person commits with, beside the principal."""


@dataclass(frozen=True, slots=True)
class Authorship:
    """Who changed a policy last: by four eyes none of them approves what it leads to."""

    people: tuple[str, ...] = ()
    """Principals."""
    unknown: str = ""
    """Why that is not known; empty where it is."""


@dataclass(frozen=True)
class People:
    """Everybody the installation knows."""

    persons: tuple[Person, ...] = ()
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """A handle, such as `@ml-leads`, to the principals of its members."""

    def principal(self, door: Door, name: str, email: str = "") -> str:
        """
        Return the principal of whom `door` calls `name`.

        Somebody who is not listed is known by the `email` that the door vouches for, and otherwise as `door:name`.
        """
        for person in self.persons:
            if person.names.get(door) == name:
                return person.principal
        folded = email.strip().casefold()
        if folded:
            return next((p.principal for p in self.persons if p.principal.casefold() == folded), folded)
        return f"{door.value}:{name}"

    def author(self, email: str) -> str:
        """Return the principal of whoever commits as `email`."""
        folded = email.strip().casefold()
        for person in self.persons:
            if folded in (person.principal.casefold(), *(one.casefold() for one in person.commits)):
                return person.principal
        return folded

    def entitled(self, approvers: Iterable[str], principal: str, memberships: frozenset[str] = frozenset()) -> bool:
        """
        Return whether `principal` is one of `approvers`: principals, names of doors, or handles of groups.

        `memberships` are the handles and ids of groups that a door says the person belongs to right now.
        """
        names = {principal.casefold(), *(name.casefold() for name in self._names(principal))}
        for approver in approvers:
            if approver.casefold() in names or approver in memberships:
                return True
            if principal in self.groups.get(approver, frozenset()):
                return True
        return False

    def _names(self, principal: str) -> tuple[str, ...]:
        return tuple(name for p in self.persons if p.principal == principal for name in p.names.values())

    def empty_groups(self, approvers: Iterable[str]) -> tuple[str, ...]:
        """Return the handles among `approvers` that are listed here and have no members: nobody could approve."""
        return tuple(name for name in approvers if name in self.groups and not self.groups[name])
