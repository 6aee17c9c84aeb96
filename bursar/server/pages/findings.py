"""The list of findings, and one finding."""

from __future__ import annotations

from starlette.responses import Response

from bursar.operating import find_finding
from bursar.server.desk import Asked
from bursar.server.listing import PAGE, RANK, SORTS, choices, listing, query_of
from engine.errors import ConfigError
from engine.state.details import DetailRecord
from engine.state.records import ApprovalRecord, SnoozeRecord, Status, restored
from engine.state.store import Table

SNOOZES = (1, 3, 7, 30)
"""Days that a finding may be let rest for."""
SELECT = 200
"""More values than these are typed and not chosen from a list."""


def findings(asked: Asked) -> Response:
    """Return one page of the list."""
    view = asked.view
    query = query_of(asked.request.query_params)
    accounts = choices(view, "account")
    return asked.show(
        "findings.html",
        listing=listing(view, query),
        query=query,
        page_size=PAGE,
        policies=choices(view, "policy"),
        accounts=accounts if len(accounts) <= SELECT else None,
        severities=sorted(RANK, key=lambda name: -RANK[name]),
        statuses=[status.value for status in Status],
        sorts=SORTS,
    )


def finding(asked: Asked) -> Response:
    """Return everything about one finding, as it is in the store now."""
    id_ = asked.request.path_params["id"]
    with asked.desk.pool.store() as store:
        record = find_finding(store, id_).record
        if record.id != id_:
            raise ConfigError.of("not-found", f"no finding `{id_}` is remembered", where="finding")
        stored = store.get(Table.DETAIL, id_)
        approval = store.get(Table.APPROVAL, record.approval) if record.approval else None
        snooze = store.get(Table.SNOOZE, id_)
    history = asked.desk.keeper.history
    question = None if approval is None else restored(ApprovalRecord, approval).record
    return asked.show(
        "finding.html",
        finding=record,
        detail=None if stored is None else restored(DetailRecord, stored).record,
        approval=question,
        snooze=None if snooze is None else restored(SnoozeRecord, snooze).record,
        events=history.of(id_),
        history_from=history.first,
        may_snooze=may_snooze(asked, question),
        snoozes=SNOOZES,
    )


def may_snooze(asked: Asked, approval: ApprovalRecord | None) -> bool:
    """Return whether the visitor may let a finding rest: an approver of the installation, or of its question."""
    visitor, people = asked.visitor, asked.desk.people
    names = (*asked.desk.settings.approvers, *(approval.approvers if approval is not None else ()))
    return visitor.person and people.entitled(names, visitor.principal, visitor.memberships)
