"""What was done, and one act whole: what undoing it would do, and the wish to have it undone by the next run."""

from __future__ import annotations

import re

from starlette.responses import Response

from actions.catalog import remediations
from bursar.operating import ask_undo, find_act, find_finding, keep_act, undo_of
from bursar.server.desk import Asked
from bursar.server.pages.resting import question_of
from bursar.server.pages.said import decided, decider, reason_of, unsaid
from bursar.server.rights import may_undo
from engine.acting.undoing import UNDOABLE, refusal
from engine.errors import ConfigError
from engine.prices import MONTH_HOURS
from engine.state.records import ActionRecord, ApprovalRecord, SavingRecord, restored
from engine.state.store import Store, Table

ACT = re.compile(r"[0-9a-f]{6,64}-[a-z0-9_]{1,64}[.][0-9]{1,9}")
"""Ids of acts: the finding, the remediation, the episode."""
SHOWN = 200


def acts(asked: Asked) -> Response:
    """Return what was done, the newest first."""
    found = asked.view.acts
    return asked.show("acts.html", acts=found[:SHOWN], all=len(found), titles=titles())


def act(asked: Asked) -> Response:
    """Return one act as it is in the store now."""
    with asked.desk.pool.store() as store:
        record = _act(asked, store)
        question = _question(store, record)
        wish = undo_of(store, record.id, asked.desk.clock())
        saving = store.get(Table.SAVING, record.id)
    known = remediations().get(record.remediation)
    return asked.show(
        "act.html",
        act=record,
        title=titles().get(record.remediation, record.remediation),
        undo=known.undo if known is not None else "",
        monthly=None if record.hourly is None else record.hourly * MONTH_HOURS,
        why_not=refusal(record),
        wish=None if wish is None else wish.record,
        saving=None if saving is None else restored(SavingRecord, saving).record,
        later=_later(asked, record),
        may_undo=may_undo(asked, question),
        schedule=asked.desk.schedule,
    )


def undo(asked: Asked) -> Response:
    """Let the next run undo an act."""
    reason = reason_of(asked)
    with asked.desk.pool.store() as store:
        record = _act(asked, store)
        question = _question(store, record)
    back = f"/acts/{record.id}"
    if not may_undo(asked, question):
        return unsaid(asked, 403, "You are not one of those who may undo this act.", back)
    if not reason:
        return unsaid(asked, 422, "Say why: it is in the ledger.", back)
    now, by = asked.desk.clock(), decider(asked)
    return decided(asked, back, lambda store: ask_undo(store, record.id, reason, now, by))


def keep(asked: Asked) -> Response:
    """Take back that an act is to be undone."""
    with asked.desk.pool.store() as store:
        record = _act(asked, store)
        question = _question(store, record)
    back = f"/acts/{record.id}"
    if not may_undo(asked, question):
        return unsaid(asked, 403, "You are not one of those who may decide about this act.", back)
    now, by = asked.desk.clock(), decider(asked)
    return decided(asked, back, lambda store: keep_act(store, record.id, now, by))


def titles() -> dict[str, str]:
    """Return what each remediation does, in words."""
    return {name: one.title for name, one in remediations().items()}


def _act(asked: Asked, store: Store) -> ActionRecord:
    id_ = asked.request.path_params["act"]
    if ACT.fullmatch(id_) is None:
        raise ConfigError.of("not-found", "the address leads nowhere", where="acts")
    return find_act(store, id_).record


def _question(store: Store, act: ActionRecord) -> ApprovalRecord | None:
    """Return the question that the act was an answer to; None where it was done without one."""
    try:
        finding = find_finding(store, act.finding).record
    except ConfigError:
        return None
    return question_of(store, finding) if finding.episode == act.episode else None


def _later(asked: Asked, act: ActionRecord) -> list[ActionRecord]:
    """Return later acts on the same resource that stand: they would have to be undone first."""
    view = asked.desk.keeper.view
    return [
        one for one in (view.acts if view is not None else ())
        if one.subject.uid == act.subject.uid and one.intended > act.intended and one.status in UNDOABLE
    ]  # fmt: skip
