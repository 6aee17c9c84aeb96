"""
A plan file, carried out: its steps on its resources, each read anew and judged again.

The file is only believed about which steps were meant, and on what state: what is done comes from the fresh look.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bursar.render.encode import digest_of_plan
from bursar.running import Site, conclude, keep_anchor, listen
from engine.acting.carry_out import staleness
from engine.acting.ports import Meant, Sight, Stale
from engine.acting.run import Report, abandon, begin, proceed
from engine.errors import CollectError, ConfigError, Place, Problem, unreadable
from engine.findings import Outcome, Subject
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Hold, Plan, Tally
from engine.state.store import StateError

LARGEST = 512 * 1024 * 1024
"""Bytes of a plan file."""


def apply_file(site: Site, file: Path) -> Report | None:
    """
    Carry out the steps of `file` and return what was done; None where another run is at work.

    Raises:
        ConfigError: it is not a plan file, or is damaged.
        StateError: `plan-stale`, where it was made from other policies than these.
    """
    document = read_plan(file)
    if document["policies_digest"] != site.setup.policies.digest:
        hint = "make the plan anew with `bursar plan -o`"
        raise StateError.of("plan-stale", "the plan was made from other policies", where=str(file), hint=hint)
    try:
        meant = [_meant(step) for step in document["steps"]]
        holds = tuple(_hold(hold) for hold in document["holds"])
        scopes = tuple(_scope(scope) for scope in document["scopes"])
        tallies = tuple(_tally(tally) for tally in document["policies"])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(file, f"it is damaged: {error!r}") from error
    listen(site)
    begun = begin(site.ports)
    if begun is None:
        return None
    try:
        fresh, stale = _fresh(site, meant, holds)
        fresh = replace(fresh, estate=str(document["estate"]))
        judged = replace(fresh, scopes=scopes, tallies=tallies)
        report = proceed(begun, fresh, site.rules, whole=False, judged=judged)
    except BaseException:
        abandon(begun)
        raise
    conclude(site, report)
    keep_anchor(site)
    return replace(report, stale=stale)


def read_plan(file: Path) -> Mapping[str, Any]:
    """Return the document in `file`, whose content is what its digest says."""
    try:
        if file.stat().st_size > LARGEST:
            raise _bad(file, "the file is too large for a plan")
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise _bad(file, f"it cannot be read: {unreadable(error)}") from error
    if not isinstance(document, dict) or document.get("bursar.plan") != 1:
        raise _bad(file, "it is not a plan of version 1")
    if document.get("digest") != digest_of_plan(document):
        raise _bad(file, "it was changed after it was written")
    return document


def _bad(file: Path, message: str) -> ConfigError:
    hint = "`bursar plan -o FILE` writes one"
    return ConfigError([Problem("bad-plan", message, Place(str(file)), hint)])


def _meant(step: Mapping[str, Any]) -> Meant:
    subject = Subject(**{key: str(step["subject"][key]) for key in Subject.__slots__})
    return Meant(step["id"], step["policy"], step["remediation"], step["fingerprint"], subject)


def _hold(hold: Mapping[str, Any]) -> Hold:
    return Hold(str(hold["policy"]), str(hold["limit"]), str(hold["allowed"]), str(hold["wanted"]))


def _scope(report: Mapping[str, Any]) -> ScopeReport:
    scope = Scope(str(report["account"]), str(report["region"]), str(report["kind"]))
    return ScopeReport(scope, ScopeStatus(report["status"]), int(report["resources"]), str(report["detail"]))


def _tally(tally: Mapping[str, Any]) -> Tally:
    return Tally(tally["policy"], {Outcome(name): int(n) for name, n in tally.items() if name != "policy"})


def _fresh(site: Site, meant: Sequence[Meant], holds: tuple[Hold, ...]) -> tuple[Plan, tuple[Stale, ...]]:
    """Return the plan of what is there now with the meant steps alone, and those that are not to be done any more."""
    sights: dict[tuple[str, str], Sight] = {}
    stale: list[Stale] = []
    wanted: set[str] = set()
    for step in meant:
        key = (step.policy, step.subject.uid)
        try:
            sight = sights.get(key) or site.ports.look(step.policy, step.subject)
        except CollectError as error:
            stale.append(Stale(step, f"it could not be read again: {error.problems[0].message}"))
            continue
        sights[key] = sight
        reason = staleness(step, sight)
        if reason:
            stale.append(Stale(step, reason))
        else:
            wanted.add(step.id)
    return _merged([sight.plan for sight in sights.values()], wanted, holds, site), tuple(stale)


def _merged(plans: Sequence[Plan], wanted: set[str], holds: tuple[Hold, ...], site: Site) -> Plan:
    """Return `plans` as one, with no scopes: nothing follows from what is not in it."""
    steps = tuple(step for plan in plans for step in plan.steps if step.id in wanted)
    meant = {step.finding for step in steps}
    return Plan(
        estate="",
        taken_at=site.ports.clock(),
        policies=site.setup.policies.digest,
        max_mode=site.setup.installation.max_mode,
        findings=tuple(f for plan in plans for f in plan.findings if f.id in meant),
        steps=steps,
        withheld=(),
        holds=holds,
        undecided=(),
        exempt=(),
        scopes=(),
        tallies=(),
        resources=sum(plan.resources for plan in plans),
    )
