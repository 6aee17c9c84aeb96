"""What waits for a person, one question whole, and the answer: it goes the way every answer goes."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import RedirectResponse, Response

from bursar.approving import decide, find_approval, moment
from bursar.operating import find_finding, snooze
from bursar.server.desk import Asked
from bursar.server.pages.findings import SNOOZES, may_snooze
from engine.people import Door
from engine.state.approvals import NotCounted, own_part
from engine.state.records import ApprovalRecord, Decision, Vote, restored
from engine.state.store import Table

DECIDED = 100
"""Decided approvals that are shown."""
LONGEST_REASON = 1000


def approvals(asked: Asked) -> Response:
    """Return what waits, and what was decided last."""
    view = asked.view
    waiting = view.pending(asked.desk.clock())
    return asked.show(
        "approvals.html",
        waiting=waiting,
        mine={one.id for one in waiting if entitled(asked, one)},
        decided=[one for one in view.approvals if one.status is not Decision.PENDING][:DECIDED],
        rows=view.rows,
    )


def approval(asked: Asked) -> Response:
    """Return one question as it is in the store now."""
    with asked.desk.pool.store() as store:
        record = find_approval(store, asked.request.path_params["id"]).record
    return _shown(asked, record)


def approve(asked: Asked) -> Response:
    """Count a yes."""
    return _answer(asked, yes=True)


def deny(asked: Asked) -> Response:
    """Count a no."""
    return _answer(asked, yes=False)


def _answer(asked: Asked, *, yes: bool) -> Response:
    """Count the visitor's voice and show what became of it."""
    id_ = asked.request.path_params["id"]
    reason = asked.form.get("reason", "").strip()[:LONGEST_REASON]
    with asked.desk.pool.store() as store:
        record = find_approval(store, id_).record
        if not yes and not reason:
            return _shown(asked, record, 422, "A no needs a reason: it is in the ledger, and whoever asked wants it.")
        now = moment(store, asked.desk.clock)
        vote = Vote(asked.visitor.principal, Door.WEB.value, yes, now, reason)
        counted = decide(store, id_, vote, entitled=entitled(asked, record), now=now)
        if isinstance(counted, NotCounted):
            return _shown(asked, find_approval(store, id_).record, 409, f"Your voice does not count: {counted.reason}.")
    asked.desk.keeper.nudge()
    return RedirectResponse(f"/approvals/{counted.id}", 303)


def rest(asked: Asked) -> Response:
    """Let a finding rest for some days."""
    id_ = asked.request.path_params["id"]
    days, reason = asked.form.get("days", ""), asked.form.get("reason", "").strip()[:LONGEST_REASON]
    with asked.desk.pool.store() as store:
        record = find_finding(store, id_).record
        stored = store.get(Table.APPROVAL, record.approval) if record.approval else None
        question = None if stored is None else restored(ApprovalRecord, stored).record
        if not may_snooze(asked, question):
            return asked.message(403, "Nothing was done", "You are not one of those who may let this finding rest.")
        if days not in map(str, SNOOZES) or not reason:
            return asked.message(422, "Nothing was done", "Say for how many days, and why.")
        by = f"{Door.WEB.value}:{asked.visitor.principal}"
        snooze(store, record.id, timedelta(days=int(days)), reason, asked.desk.clock(), by)
    asked.desk.keeper.nudge()
    return RedirectResponse(f"/findings/{record.id}", 303)


def entitled(asked: Asked, record: ApprovalRecord) -> bool:
    """Return whether the visitor is one of those who decide about `record`, now."""
    visitor = asked.visitor
    return visitor.person and asked.desk.people.entitled(record.approvers, visitor.principal, visitor.memberships)


def _shown(asked: Asked, record: ApprovalRecord, status: int = 200, wrong: str = "") -> Response:
    now = asked.desk.clock()
    return asked.show(
        "approval.html",
        status,
        approval=record,
        wrong=wrong,
        open=record.status is Decision.PENDING and now < record.expires,
        entitled=entitled(asked, record),
        own=own_part(record, asked.visitor.principal),
        agreed=len({vote.principal for vote in record.votes if vote.yes}),
    )
