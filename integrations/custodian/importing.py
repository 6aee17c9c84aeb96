"""
Policies of Cloud Custodian to policies of ours: the whole of it, pure.

Every policy is translated whole or not at all: a filter that was left out would match more. What comes out is
loaded by our own loader before it is shown, so that nothing is written that does not load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.errors import PolicyError
from engine.policy.load import load_policies
from integrations.custodian.actions import MARK, MARKING, acting, actions_of
from integrations.custodian.condition import Condition, Test, comparison, every, quoted, written
from integrations.custodian.emit import policy_text
from integrations.custodian.filters import filter_condition, named, remarks
from integrations.custodian.literal import shown
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import (
    Imported,
    Installation,
    Note,
    Original,
    Refused,
    Scope,
    Translated,
    Untranslated,
)
from integrations.custodian.queries import query_condition
from integrations.custodian.schedules import Hour, hours_filter, schedule_check

LONGEST_NAME = 63
SILENT = frozenset(
    {
        "name", "resource", "filters", "actions", "description", "comment", "comments", "title", "tags", "metadata",
        "query", "region", "mode", "max-resources", "max-resources-percent", "source",
    }
)  # fmt: skip
"""Keys of a policy that are read, or say nothing about what matches."""
AT_TIMES = ("pull", "periodic", "schedule")
"""Modes that look at all resources; the others look at one when something happens to it."""
EVERYWHERE = "s3"
"""The type that Custodian asks in one region about all of them."""


def import_policies(originals: Sequence[Original], installation: Installation) -> Imported:
    """Return every policy of `originals`, translated or with the reason why not."""
    policies: list[Translated] = []
    untranslated: list[Untranslated] = []
    names: set[str] = set()
    for original in originals:
        try:
            translated = _translated(original, originals, installation, names)
        except Refused as refused:
            line = original.line(refused.path)
            untranslated.append(Untranslated(original.name or "(no name)", original.file, line, refused.reason))
        else:
            names.add(translated.document["name"])
            policies.append(translated)
    return Imported(tuple(policies), tuple(untranslated))


def _translated(
    original: Original, originals: Sequence[Original], installation: Installation, names: set[str]
) -> Translated:
    scope = _scope(original, installation)
    _refuse_marked(original, originals)
    notes = list(_conduct(original))
    hours = hours_filter(original)
    condition = _condition(original, scope, hours)
    checks: dict[str, Any]
    if hours is not None:
        checks, found = schedule_check(original, condition, originals)
        notes += found
    else:
        checks = {"rule": {"when": written(condition)}}
    notes += remarks(original, scope)
    keys, more = acting(original, scope, installation)
    name = _name(original.name, names)
    description = _description(original)
    document = {"name": name, "description": description, "resource": scope.kind.name, **checks, **keys}
    _load(document, installation)
    return Translated(document, original, (*notes, *more))


def _scope(original: Original, installation: Installation) -> Scope:
    written_type = original.data.get("resource")
    if not isinstance(written_type, str):
        raise Refused("the policy names no resource type")
    name = written_type.removeprefix("aws.")
    mapped = TYPES.get(name)
    if mapped is None:
        raise Refused(f"resources of the type `{written_type}` have no equal", ("resource",))
    kind = installation.catalog.kinds.get(mapped.kind)
    if kind is None:
        raise Refused(f"resources of the kind `{mapped.kind}` are not read by this release", ("resource",))
    return Scope(kind, name)


def _conduct(original: Original) -> Iterator[Note]:
    """Check what stands beside filters and actions; yield what works otherwise."""
    for key in original.data:
        if key not in SILENT:
            raise Refused(f"the key `{key}` of a policy has no equal", (str(key),))
    if original.data.get("source", "describe") != "describe":
        raise Refused("resources are read from the service itself here", ("source",))
    mode = original.data.get("mode")
    if mode is None:
        return
    kind = mode.get("type") if isinstance(mode, dict) else mode
    if kind not in AT_TIMES:
        raise Refused(
            f"in mode {shown(kind)} it looks at a resource to which something happens, not at all of them", ("mode",)
        )
    if kind != "pull":
        yield Note("it is judged whenever `bursar plan` runs, not by a schedule of its own", original.line(("mode",)))


def _condition(original: Original, scope: Scope, hours: Hour | None) -> Condition:
    """Return what a resource has to be, apart from the filter of an hour."""
    query = original.data.get("query") or []
    always = TYPES[scope.type].always
    listed = Test(always) if always and not query else query_condition(query, scope)
    parts = [_region(original, scope), listed]
    filters = original.data.get("filters") or []
    if not isinstance(filters, list):
        raise Refused("filters stand in a list", ("filters",))
    for number, item in enumerate(filters):
        if hours is None or number != hours[0]:
            try:
                parts.append(filter_condition(item, scope))
            except Refused as refused:
                raise refused.under("filters", number) from refused
    return every(parts)


def _region(original: Original, scope: Scope) -> Condition:
    region = original.data.get("region")
    if region is None:
        return every([])
    if not isinstance(region, str):
        raise Refused(f"{shown(region)} is no region", ("region",))
    if scope.type == EVERYWHERE:
        # It only says where Custodian asks: S3 tells of the buckets of all regions.
        return every([])
    return comparison("resource.region", "==", quoted(region))


def _refuse_marked(original: Original, originals: Sequence[Original]) -> None:
    """Refuse a policy that acts on what another has marked: here the grace of that other does so."""
    for name, path in named(original.data.get("filters") or (), ("filters",)):
        if name != "marked-for-op":
            continue
        marker = _marker(original, path, originals)
        reason = "a mark is a date in a tag, which only Custodian writes and reads"
        if marker:
            reason += f"; `{marker}` waits by its `grace` and needs no second policy"
        raise Refused(reason, path)


def _marker(original: Original, path: tuple[str | int, ...], originals: Sequence[Original]) -> str:
    """Return the name of the policy that writes the marks which `original` looks for; empty where there is none."""
    wanted: Any = original.data
    for step in path:
        wanted = wanted[step]
    asked = wanted if isinstance(wanted, Mapping) else {}
    for other in originals:
        for name, action, _ in actions_of(other):
            if name == MARKING and other.data.get("resource") == original.data.get("resource"):
                same_tag = action.get("tag", MARK) == asked.get("tag", MARK)
                if same_tag and action.get("op", "stop") == asked.get("op", "stop"):
                    return other.name
    return ""


def _name(name: str, taken: set[str]) -> str:
    """Return a name of ours, which no other has."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:LONGEST_NAME].strip("-") or "imported"
    found, number = plain, 1
    while found in taken:
        number += 1
        end = f"-{number}"
        found = plain[: LONGEST_NAME - len(end)].strip("-") + end
    return found


def _description(original: Original) -> str:
    for key in ("description", "comment", "comments", "title"):
        text = original.data.get(key)
        if isinstance(text, str) and text.strip():
            return " ".join(text.split())
    return f"Imported from Cloud Custodian's policy {original.name}."


def _load(document: Mapping[str, Any], installation: Installation) -> None:
    """Refuse what our own loader does not accept."""
    try:
        load_policies(
            {"imported": policy_text(document)}, installation.catalog, installation.remediations, installation.zones
        )
    except PolicyError as error:
        problem = error.problems[0]
        hint = f" ({problem.hint})" if problem.hint else ""
        raise Refused(f"{problem.message}{hint}", ("filters",)) from error
