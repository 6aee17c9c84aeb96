"""Findings that are let be: for some days by an approver, until a date by an operator, with somebody who answers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from starlette.responses import Response

from bursar.operating import Excuse, find_finding
from bursar.operating import exempt as make_exemption
from bursar.operating import snooze as let_rest
from bursar.server.desk import Asked
from bursar.server.pages.said import decided, decider, reason_of, unsaid
from bursar.server.rights import may_operate, may_snooze
from engine.state.records import ApprovalRecord, ExemptionRecord, FindingRecord, restored
from engine.state.store import Store, Table
from engine.units import UnitError, parse_last_day

SNOOZES = (1, 3, 7, 30)
"""Days that a finding may be let rest for."""
LONGEST_OWNER = 320


def snooze(asked: Asked) -> Response:
    """Let a finding rest for some days."""
    id_, days, reason = asked.request.path_params["id"], asked.form.get("days", ""), reason_of(asked)
    with asked.desk.pool.store() as store:
        record = find_finding(store, id_).record
        question = question_of(store, record)
    back = f"/findings/{record.id}"
    if not may_snooze(asked, question):
        return unsaid(asked, 403, "You are not one of those who may let this finding rest.", back)
    if days not in map(str, SNOOZES) or not reason:
        return unsaid(asked, 422, "Say for how many days, and why.", back)
    now, by, length = asked.desk.clock(), decider(asked), timedelta(days=int(days))
    return decided(asked, back, lambda store: let_rest(store, record.id, length, reason, now, by))


def exempt(asked: Asked) -> Response:
    """Excuse one finding until a date."""
    id_, reason = asked.request.path_params["id"], reason_of(asked)
    owner = asked.form.get("owner", "").strip()[:LONGEST_OWNER]
    with asked.desk.pool.store() as store:
        record = find_finding(store, id_).record
    back = f"/findings/{record.id}"
    if not may_operate(asked):
        return unsaid(asked, 403, "You are not one of the operators, who may exempt findings.", back)
    if not reason or not owner:
        return unsaid(asked, 422, "Say who answers for it, and why.", back)
    try:
        expires = parse_last_day(asked.form.get("expires", "").strip())
    except UnitError as error:
        return unsaid(asked, 422, f"{error.message}.", back)
    excuse, now, by = Excuse(owner, reason, expires, record.id), asked.desk.clock(), decider(asked)
    return decided(asked, back, lambda store: make_exemption(store, excuse, now, by))


def question_of(store: Store, finding: FindingRecord) -> ApprovalRecord | None:
    """Return the last question about a finding."""
    stored = store.get(Table.APPROVAL, finding.approval) if finding.approval else None
    return None if stored is None else restored(ApprovalRecord, stored).record


def exemptions_of(store: Store, finding: FindingRecord) -> Iterator[ExemptionRecord]:
    """Yield the exemptions that are surely about a finding: whether a condition holds, only a run can say."""
    for stored in store.scan(Table.EXEMPTION, "active"):
        record = restored(ExemptionRecord, stored).record
        if record.finding == finding.id or (finding.policy in record.policies and not record.where):
            yield record
