"""
What the collectors share: pages of a call, answers that many resources share, and the gaps of groups.

A collector is a generator of pages of resources for one scope. It raises where the scope as a whole
cannot be read, and turns what fails for one resource into a gap of that resource.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

from engine.kinds import Kind
from engine.model import KindNeeds, Resource
from engine.values import Answer, Reason, Unknown
from integrations.aws.bulk_tags import bulk_tags
from integrations.aws.checked import checked
from integrations.aws.hardware import hardware_of
from integrations.aws.refusals import as_gap, code_of
from integrations.aws.session import AwsSession

Item = TypeVar("Item")
UNASKED = Unknown(Reason.NOT_COLLECTED, "no policy asks for it")
AT_ONCE = 8
"""Calls about single resources that one scope makes at the same time."""
MOST_VALUES = 200
"""Values that EC2 accepts in one filter."""
MOST_TYPES = 100
"""Instance types that DescribeInstanceTypes accepts in one call."""
NO_SUCH_TYPE = frozenset({"InvalidInstanceType", "InvalidInstanceTypeValue", "InvalidParameterValue"})


class PageCut(Exception):  # noqa: N818  # the end of a page, not a defect
    """An answer lacks the part that was asked for."""


@dataclass
class Shared:
    """Answers of one run that several resources or scopes share, by region; asked for once."""

    keys: dict[tuple[str, str], Answer] = field(default_factory=dict)
    types: dict[tuple[str, str], Mapping[str, Any] | Unknown] = field(default_factory=dict)
    _locks: dict[tuple[str, ...], Lock] = field(default_factory=dict)
    _guard: Lock = field(default_factory=Lock)

    def asking(self, *what: str) -> Lock:
        """
        Return the lock to hold while AWS is asked for `what`, so that nobody asks the same at the same time.

        One for each question: a region or key that does not answer keeps nobody else waiting.
        """
        with self._guard:
            return self._locks.setdefault(what, Lock())


@dataclass
class Reader:
    """One scope being read."""

    session: AwsSession
    shared: Shared
    account: str
    region: str
    kind: Kind
    need: KindNeeds
    only: frozenset[str] | None = None
    """The ids of the resources to read; None is all. Whatever else a collector yields is dropped."""
    skipped: list[str] = field(default_factory=list)
    """What could not be made sense of, for the scope's report."""
    known_tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By ARN: tags that came in bulk, of resources that have some."""

    def wants(self, *groups: str) -> bool:
        """Return whether any policy reads one of the field groups."""
        return any(group in self.need.groups for group in groups)

    def unasked(self) -> dict[str, Unknown]:
        """Return the gaps of the groups that no policy reads."""
        groups = {f.group for f in self.kind.fields} | {"tags"}
        return dict.fromkeys(groups - self.need.groups - {"core"}, UNASKED)

    def narrowed(self, name: str) -> dict[str, Any]:
        """Return the parameter that has EC2 list only what is to be read, by the filter `name`; none for all."""
        if self.only is None or len(self.only) > MOST_VALUES:
            return {}
        return {"Filters": [{"Name": name, "Values": sorted(self.only)}]}

    def client(self, service: str) -> Any:
        return self.session.client(service, self.region)

    def pages(
        self, service: str, operation: str, key: str, size: int = 0, **parameters: Any
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        """
        Yield the lists under `key` of each page of `operation`; raise `PageCut` where a page has none.

        `size` is how many items to ask for at once; 0 leaves it to AWS, which may mean ten or all there are.
        """
        if size:
            parameters["PaginationConfig"] = {"PageSize": size}
        client = self.client(service)
        paged = client.can_paginate(operation)
        pages = (
            client.get_paginator(operation).paginate(**parameters) if paged else _turned(client, operation, parameters)
        )
        for page in pages:
            if not isinstance(page.get(key), list):
                raise PageCut(f"a page without {key}")
            yield page[key]

    def names(
        self, call: str, service: str, operation: str, key: str, size: int, **parameters: Any
    ) -> Iterator[list[str]]:
        """Yield the names under `key` of each page; what is no name is noted for the report and left out."""
        for page in self.pages(service, operation, key, size, **parameters):
            sent: list[Any] = list(page)
            found = [name for name in sent if isinstance(name, str) and name]
            self.skipped += [f"{call} sent something that is no name"] * (len(page) - len(found))
            yield found

    def sound(self, call: str, entries: Iterable[Any], *identity: str) -> list[Mapping[str, Any]]:
        """Return the entries of a page that have their `identity`; the others are noted for the report."""
        found = []
        for entry in entries:
            if isinstance(entry, Mapping) and all(entry.get(key) not in (None, "") for key in identity):
                found.append(entry)
            else:
                self.skipped.append(f"{call} sent an item without {' or '.join(identity)}")
        return found

    def made(self, call: str, work: Callable[[Item], Resource], items: Iterable[Item]) -> list[Resource]:
        """Return what `work` makes of each item; what makes no sense is noted for the report and left out."""
        return [found for item in items if (found := self._one(call, work, item)) is not None]

    def each(
        self,
        call: str,
        work: Callable[[Item], Resource],
        items: Sequence[Item],
        arn: Callable[[Item], Any] | None = None,
    ) -> list[Resource]:
        """
        Return what `made` does, some items at a time, where `work` makes calls of its own.

        `arn` gives an item's ARN where one of these calls is for its tags and the Tagging API knows its service.
        """
        # A look at single resources, before something is done to them, takes nobody's word but the service's.
        if arn is not None and self.only is None and self.session.settings.bulk_tags and self.wants("tags"):
            arns = [found for item in items if isinstance(found := arn(item), str)]
            self.known_tags.update(bulk_tags(self.client("resourcegroupstaggingapi"), arns))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = pool.map(lambda item: self._one(call, work, item), items)
            return [one for one in found if one is not None]

    def _one(self, call: str, work: Callable[[Item], Resource], item: Item) -> Resource | None:
        try:
            return checked(work(item), self.kind)
        except Exception as error:  # noqa: BLE001  (one senseless item must not hide the others)
            self.skipped.append(f"{call} sent an item that cannot be read ({type(error).__name__})")
            return None

    # --- shared answers

    def key_manager(self, key: str) -> Answer:
        """Return who manages the KMS key, or why that is not known."""
        place = (self.region, key)
        with self.shared.asking("key", *place):
            if place not in self.shared.keys:
                self.shared.keys[place] = self._ask_key(key)
            return self.shared.keys[place]

    def _ask_key(self, key: str) -> Answer:
        try:
            manager = self.client("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyManager"]
        except Exception as error:  # noqa: BLE001  (whatever went wrong, the key's manager is not known)
            gap = as_gap(error, "kms:DescribeKey")
            return Unknown(gap.reason, gap.detail, "resource.encryption.key")
        return "customer" if manager == "CUSTOMER" else "aws_managed"

    def hardware(self, types: Iterable[str]) -> dict[str, Mapping[str, Any] | Unknown]:
        """Return what is described of each instance type, or why nothing is."""
        wanted = sorted({t.removeprefix("ml.") for t in types})
        with self.shared.asking("types", self.region):
            missing = [t for t in wanted if (self.region, t) not in self.shared.types]
            for start in range(0, len(missing), MOST_TYPES):
                found = self._ask_types(missing[start : start + MOST_TYPES])
                self.shared.types.update({(self.region, name): described for name, described in found.items()})
            return {name: self.shared.types[self.region, name] for name in wanted}

    def _ask_types(self, types: Sequence[str]) -> dict[str, Mapping[str, Any] | Unknown]:
        """Ask for `types`; where AWS does not know one of them, ask for the halves."""
        try:
            pages = self.pages("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=list(types))
            found: dict[str, Mapping[str, Any] | Unknown] = {
                str(d["InstanceType"]): d for page in pages for d in page if d.get("InstanceType") in types
            }
        except Exception as error:  # noqa: BLE001  (whatever went wrong, the hardware is not known)
            if code_of(error) in NO_SUCH_TYPE and len(types) > 1:
                half = len(types) // 2
                return {**self._ask_types(types[:half]), **self._ask_types(types[half:])}
            return dict.fromkeys(types, as_gap(error, "ec2:DescribeInstanceTypes"))
        unknown = Unknown(Reason.SOURCE_ERROR, "ec2:DescribeInstanceTypes does not describe the type")
        return {**dict.fromkeys(types, unknown), **found}


def _turned(client: Any, operation: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the pages of an operation for which the SDK has no paginator."""
    given = dict(parameters)
    while True:
        page = getattr(client, operation)(**given)
        yield page
        token = page.get("nextToken") or page.get("NextToken")
        if not token:
            return
        given["nextToken" if "nextToken" in page else "NextToken"] = token


def attempt(call: str, ask: Callable[[], Item]) -> Item | Unknown:
    """Return what `ask` returns, or why a group of one resource is not known."""
    try:
        return ask()
    except Exception as error:  # noqa: BLE001  (a gap of one resource, whatever the reason)
        return as_gap(error, call)


def hardware_fields(
    known: Mapping[str, Mapping[str, Any] | Unknown], kind: object, count: int = 1
) -> dict[str, Answer] | Unknown:
    """Return the fields of the group `hardware` for `count` machines of a type, or why they are not known."""
    if not isinstance(kind, str):
        return Unknown(Reason.SOURCE_ERROR, "the instance type did not come")
    described = known[kind.removeprefix("ml.")]
    if isinstance(described, Unknown):
        return described
    return attempt("ec2:DescribeInstanceTypes", lambda: hardware_of(described, count))


NAMED = ("accelerator.model", "accelerator.vendor", "accelerator.memory_gib")
SUMMED = ("accelerator.count", "accelerator.devices", "vcpus", "memory_gib")


def summed_hardware(
    known: Mapping[str, Mapping[str, Any] | Unknown], machines: Iterable[tuple[object, int]]
) -> dict[str, Answer] | Unknown:
    """Return the hardware of so many machines of each type together; a model is named only where all are alike."""
    total: dict[str, Any] = dict.fromkeys(SUMMED, 0)
    models: dict[tuple[Any, ...], dict[str, Answer]] = {}
    for type_, count in machines:
        found = hardware_fields(known, type_, count)
        if isinstance(found, Unknown):
            return found
        for name in SUMMED:
            if isinstance(value := found[name], Unknown):
                return value
            total[name] += value
        named = {name: found[name] for name in NAMED if name in found}
        models[tuple(sorted(map(str, named.items())))] = named
    return {**total, **(next(iter(models.values())) if len(models) == 1 else {})}


def tags_of(pairs: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Return AWS's list of tags, each with `key` and `value`, as a mapping."""
    return {str(pair[key]): str(pair.get(value, "")) for pair in pairs or ()}
