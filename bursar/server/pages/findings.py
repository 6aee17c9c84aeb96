"""The list of findings, and one finding."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from bursar.operating import LONGEST_EXEMPTION, find_finding
from bursar.server.desk import Asked
from bursar.server.listing import PAGE, RANK, SORTS, choices, listing, query_of
from bursar.server.pages.acts import titles
from bursar.server.pages.resting import SNOOZES, exemptions_of, question_of
from bursar.server.rights import may_operate, may_snooze
from engine.errors import ConfigError
from engine.state.details import DetailRecord
from engine.state.records import SnoozeRecord, Status, restored
from engine.state.store import Table

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
        question = question_of(store, record)
        exemptions = sorted(exemptions_of(store, record), key=lambda one: one.expires)
        snooze = store.get(Table.SNOOZE, id_)
    history = asked.desk.keeper.history
    view, now = asked.desk.keeper.view, asked.desk.clock()
    return asked.show(
        "finding.html",
        finding=record,
        detail=None if stored is None else restored(DetailRecord, stored).record,
        approval=question,
        snooze=None if snooze is None else restored(SnoozeRecord, snooze).record,
        events=history.of(id_),
        history_from=history.first,
        exemptions=[one for one in exemptions if one.expires > now],
        acts=view.acts_on(id_) if view is not None else (),
        titles=titles(),
        may_snooze=may_snooze(asked, question),
        may_exempt=may_operate(asked),
        snoozes=SNOOZES,
        first_day=now.date(),
        last_day=(now + LONGEST_EXEMPTION - timedelta(days=1)).date(),
    )
