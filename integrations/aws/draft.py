"""
A resource being put together from answers that may lack anything or hold something odd.

A collector makes one for each item it lists, lets it read what came, and takes the resource. Whatever does
not have the declared type becomes an `Unknown`, and whatever was not read a gap: neither is ever a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeAlias

from engine.kinds import Type
from engine.model import Resource, Usage
from engine.values import Answer, Reason, Unknown
from integrations.aws.checked import typed
from integrations.aws.reader import Reader, attempt, hardware_fields, summed_hardware, tags_of

Table: TypeAlias = Mapping[str, str]
"""Field name to where it stands in an answer: keys with dots between them, such as `Endpoint.Port`."""


@dataclass
class Draft:
    """One resource of the scope being read."""

    reader: Reader
    id: object
    name: object = ""
    fields: dict[str, Answer] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    usage: tuple[Usage, ...] | Unknown = ()
    gaps: dict[str, Unknown] = field(init=False)

    def __post_init__(self) -> None:
        self.gaps = self.reader.unasked()

    # --- fields

    def read(self, answer: Mapping[str, Any], table: Table) -> None:
        """Set each field of `table` to what stands in `answer`; an optional one that did not come stays away."""
        for name, path in table.items():
            self.put(name, at(answer, path))

    def put(self, name: str, value: object) -> None:
        """Set a field; None is absence where the field is optional, and not known where it is required."""
        declared = self.reader.kind.field_by_name[name]
        if value is None and declared.optional:
            self.fields.pop(name, None)
            return
        self.fields[name] = value if isinstance(value, Unknown) else typed(value, declared.type, f"resource.{name}")

    def one_of(self, name: str, value: object, chosen: Iterable[str]) -> None:
        """Set a truth field to whether the text `value` is one of `chosen`."""
        self.put(
            name, value in set(chosen) if isinstance(value, str) else typed(value, Type.STRING, f"resource.{name}")
        )

    # --- what takes further calls

    def ask(self, groups: Iterable[str], call: str, question: Callable[[], Any]) -> Mapping[str, Any] | None:
        """
        Return the answer that fills `groups`; None where no policy reads them or there is no answer.

        Without an answer each of the groups that a policy reads becomes a gap.
        """
        wanted = [group for group in groups if self.reader.wants(group)]
        if not wanted:
            return None
        answer = attempt(call, question)
        if not isinstance(answer, Unknown) and not isinstance(answer, Mapping):
            answer = Unknown(Reason.SOURCE_ERROR, f"{call} sent no description")
        if isinstance(answer, Unknown):
            self.gaps.update(dict.fromkeys(wanted, answer))
            return None
        return answer

    def key(self, key: object, none: str | None = "aws_owned") -> None:
        """
        Set `encryption.key` to who manages the KMS key with the id or ARN `key`, where a policy reads it.

        `none` is what no key means: AWS's own in most services; None where it means that nothing is encrypted.
        """
        if not self.reader.wants("encryption"):
            return
        if key is None or key == "":
            self.put("encryption.key", none)
        elif isinstance(key, str):
            self.put("encryption.key", self.reader.key_manager(key))
        else:
            self.put("encryption.key", typed(key, Type.STRING, "resource.encryption.key"))

    def hardware(self, known: Mapping[str, Mapping[str, Any] | Unknown], type_: object, count: object = 1) -> None:
        """Set the group `hardware` for `count` machines of an instance type, where a policy reads it."""
        if not self.reader.wants("hardware"):
            return
        found: dict[str, Answer] | Unknown
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            found = Unknown(Reason.NULL, "the number of instances is not known")
        else:
            found = hardware_fields(known, type_, count)
        if isinstance(found, Unknown):
            self.gaps["hardware"] = found
        else:
            self.fields.update({n: v for n, v in found.items() if n in self.reader.kind.field_by_name})

    def machines(self, machines: Iterable[tuple[object, object]]) -> None:
        """Set the group `hardware` for so many machines of each type together, where a policy reads it."""
        if not self.reader.wants("hardware"):
            return
        counted: list[tuple[str, int]] = []
        for type_, count in machines:
            if not isinstance(type_, str) or not isinstance(count, int) or isinstance(count, bool) or count < 0:
                self.gaps["hardware"] = Unknown(Reason.NULL, "types and numbers of its machines are not known")
                return
            counted.append((type_, count))
        known = self.reader.hardware(type_ for type_, _ in counted) if counted else {}
        found = summed_hardware(known, counted)
        if isinstance(found, Unknown):
            self.gaps["hardware"] = found
        else:
            self.fields.update({n: v for n, v in found.items() if n in self.reader.kind.field_by_name})

    # --- tags

    def tagged(self, tags: object, key: str = "Key", value: str = "Value") -> None:
        """Take the tags that came with the item: pairs of `key` and `value`, or a mapping; None is none."""
        found = attempt(
            "the list of tags", lambda: dict(tags) if isinstance(tags, Mapping) else tags_of(tags, key, value)
        )
        if isinstance(found, Unknown) or not all(isinstance(v, str) for v in found.values()):
            self.gaps["tags"] = Unknown(Reason.SOURCE_ERROR, "its tags came in a form that cannot be read")
            return
        self.tags = found
        self.gaps.pop("tags", None)

    def ask_tags(self, call: str, question: Callable[[], object], key: str = "Key", value: str = "Value") -> None:
        """Ask for the tags, where a policy reads them."""
        if not self.reader.wants("tags"):
            return
        known = self.reader.known_tags.get(str(self.id))
        answer = known if known is not None else attempt(call, question)
        if isinstance(answer, Unknown):
            self.gaps["tags"] = answer
        else:
            self.tagged(answer, key, value)

    # --- cost

    def charge(self, names: Iterable[str], by: Callable[..., Iterable[Usage]]) -> None:
        """
        Set what it is charged for: `by` of the values of the fields `names`.

        Not known where one of them is not; None stands for an optional field that it does not have.
        """
        values: list[object] = []
        for name in names:
            value = self.fields.get(name)
            if value is None:
                value = self._absent(name)
            if isinstance(value, Unknown):
                self.usage = value
                return
            values.append(value)
        self.usage = tuple(by(*values))

    def _absent(self, name: str) -> Unknown | None:
        declared = self.reader.kind.field_by_name[name]
        gap = self.gaps.get(declared.group)
        if gap is not None:
            return Unknown(gap.reason, f"{name} was not read: {gap.detail}", f"resource.{name}")
        return None if declared.optional else Unknown(Reason.NULL, path=f"resource.{name}")

    def resource(self) -> Resource:
        """
        Return the resource.

        Raises:
            TypeError: where the id is no text, and so nobody could say which resource this is.
        """
        if not isinstance(self.id, str):
            raise TypeError("an id that is no text")
        return Resource(
            kind=self.reader.kind.name,
            id=self.id,
            account=self.reader.account,
            region=self.reader.region,
            name=self.name if isinstance(self.name, str) else "",
            fields=self.fields,
            tags=self.tags,
            gaps=self.gaps,
            usage=self.usage,
        )


def at(answer: object, path: str) -> Any:
    """Return what stands at the dotted `path` of an answer; None where any part of the way is missing."""
    for key in path.split("."):
        if not isinstance(answer, Mapping):
            return None
        answer = answer.get(key)
    return answer


def moment(value: object) -> object:
    """Return a time that came as text (ISO 8601) or as milliseconds since 1970; anything else as it is."""
    try:
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return value
    return value


def hours(sku: str, count: float | Decimal = 1) -> Usage:
    """Return `count` of something charged by the hour while it runs."""
    return Usage(sku, Decimal(str(count)), "hour")


def stored(sku: str, gib: float | Decimal) -> Usage:
    """Return storage charged by GiB and month until it is deleted."""
    return Usage(sku, Decimal(str(gib)), "GiB-month", "storage")
