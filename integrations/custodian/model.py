"""What an import gives: policies of ours, and every policy that was left out with its place and the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, TypeAlias

from engine.kinds import Catalog, Kind
from engine.policy.model import Approval, Remediation

Path: TypeAlias = tuple[str | int, ...]
"""Where something stands in a policy: keys and positions from its top."""
Filter: TypeAlias = Mapping[str, Any]
"""One filter of theirs, as parsed."""


class Refused(Exception):  # noqa: N818  # becomes an entry of `Imported.untranslated`
    """Part of a policy has no equal here."""

    def __init__(self, reason: str, path: Path = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path

    def under(self, *path: str | int) -> Refused:
        """Return it with `path` put before its own."""
        return Refused(self.reason, (*path, *self.path))


@dataclass(frozen=True, slots=True)
class Original:
    """One policy of theirs as it stands in its file."""

    file: str
    data: Mapping[str, Any]
    lines: Mapping[Path, int]
    """Lines from 1, by place in the policy."""

    @property
    def name(self) -> str:
        return str(self.data.get("name", ""))

    def line(self, path: Path = ()) -> int:
        """Return the line of what stands at `path`, or of the nearest above it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True, slots=True)
class Installation:
    """What a translation is checked against."""

    catalog: Catalog
    remediations: Mapping[str, Remediation]
    zones: Callable[[str], tzinfo] | None = None
    approval: Approval | None = None
    """Who is asked before an imported policy acts; without it, none does."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a translated policy does otherwise, or leaves out, without matching anything else."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Translated:
    """One policy of ours."""

    document: Mapping[str, Any]
    """Keys and values of the policy language."""
    original: Original
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class Untranslated:
    """One policy of theirs that has no equal, or none that is known to be one."""

    name: str
    file: str
    line: int
    """Of what could not be translated."""
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """All policies of an import, in the order of their files."""

    policies: tuple[Translated, ...]
    untranslated: tuple[Untranslated, ...]

    @property
    def total(self) -> int:
        return len(self.policies) + len(self.untranslated)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the filters of one policy are read against."""

    kind: Kind
    type: str
    """Their resource type, such as `ec2`."""
