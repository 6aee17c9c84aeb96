"""The ways in which a path of theirs can have an equal here, and what is known of one of their resource types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Same:
    """A field with the same values; absent, if ever, where Custodian's is."""

    field: str


@dataclass(frozen=True, slots=True)
class Words:
    """A field that has other words for Custodian's values; a value that is not named is refused."""

    field: str
    words: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Filled:
    """A text field that has a word where Custodian has nothing."""

    field: str
    nothing: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A truth value that only an expression has."""

    expression: str


@dataclass(frozen=True, slots=True)
class Presence:
    """A truth field that says whether there is anything under the path; what it is, is not known here."""

    expression: str


@dataclass(frozen=True, slots=True)
class Items:
    """A truth field that says whether a list, which is always there, holds anything."""

    expression: str


@dataclass(frozen=True, slots=True)
class AllTags:
    """The list of all tags."""


Place: TypeAlias = Same | Words | Filled | Flag | Presence | Items | AllTags


@dataclass(frozen=True, slots=True)
class Mapped:
    """One of their resource types."""

    kind: str
    paths: Mapping[str, Place] = field(default_factory=dict)
    ages: Mapping[str, str] = field(default_factory=dict)
    """Their filters of age, with our expression for the length of time."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What those filters count otherwise, for a person."""
    queries: Mapping[str, str] = field(default_factory=dict)
    """Server-side filters of `query`, with the path that holds the same."""
    actions: Mapping[str, str] = field(default_factory=dict)
    """Their actions, with our remediation."""
    gone: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of paths with which a resource is not read here, so that nothing ever has them."""
    always: str = ""
    """A condition that Custodian's own listing puts where the policy has no `query`."""
    namespace: str = ""
    """Of the metrics that they ask for where no `namespace` is given."""
