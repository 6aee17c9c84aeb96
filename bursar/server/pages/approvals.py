"""What waits for a person, one question whole, and the answer: it goes the way every answer goes."""

from __future__ import annotations

from starlette.responses import RedirectResponse, Response

from bursar.approving import decide, find_approval, moment
from bursar.server.desk import Asked
from bursar.server.pages.said import reason_of
from bursar.server.rights import may_decide
from engine.people import Door
from engine.state.approvals import NotCounted, own_part
from engine.state.records import ApprovalRecord, Decision, Vote

DECIDED = 100
"""Decided approvals that are shown."""


def approvals(asked: Asked) -> Response:
    """Return what waits, and what was decided last."""
    view = asked.view
    waiting = view.pending(asked.desk.clock())
    return asked.show(
        "approvals.html",
        waiting=waiting,
        mine={one.id for one in waiting if may_decide(asked, one)},
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
    reason = reason_of(asked)
    with asked.desk.pool.store() as store:
        record = find_approval(store, id_).record
        if not yes and not reason:
            return _shown(asked, record, 422, "A no needs a reason: it is in the ledger, and whoever asked wants it.")
        now = moment(store, asked.desk.clock)
        vote = Vote(asked.visitor.principal, Door.WEB.value, yes, now, reason)
        counted = decide(store, id_, vote, entitled=may_decide(asked, record), now=now)
        if isinstance(counted, NotCounted):
            return _shown(asked, find_approval(store, id_).record, 409, f"Your voice does not count: {counted.reason}.")
    asked.desk.keeper.nudge()
    return RedirectResponse(f"/approvals/{counted.id}", 303)


def _shown(asked: Asked, record: ApprovalRecord, status: int = 200, wrong: str = "") -> Response:
    now = asked.desk.clock()
    return asked.show(
        "approval.html",
        status,
        approval=record,
        wrong=wrong,
        open=record.status is Decision.PENDING and now < record.expires,
        entitled=may_decide(asked, record),
        own=own_part(record, asked.visitor.principal),
        agreed=len({vote.principal for vote in record.votes if vote.yes}),
    )
