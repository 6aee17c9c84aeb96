"""
What the pages and the metrics show, read from the store once and kept: small rows, not records.

A list of 100,000 findings is answered from memory; a page about one finding or approval, and every decision, reads
the store itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

from engine.acting.freeze import freeze_of
from engine.state.ledger import Head
from engine.state.records import (
    ActionRecord,
    ApprovalRecord,
    Decision,
    FindingRecord,
    RunRecord,
    SavingRecord,
    Shown,
    Status,
    restored,
)
from engine.state.settings import Figures, Freeze
from engine.state.store import StateError, Store, Stored, Table

OVER = frozenset({Status.RESOLVED, Status.EXEMPT})
"""Statuses of findings that are none any more."""


@dataclass(frozen=True, slots=True)
class Gist:
    """What a list shows of the details of a finding. Parts of `Shown`, read without the evidence."""

    severity: str = ""
    summary: str = ""
    cost: Decimal | None = None
    savings: Decimal | None = None
    exact: bool = True


@dataclass(frozen=True, slots=True)
class SubjectGist:
    """Parts of `Subject` that may change while a finding lasts."""

    name: str
    owner: str = ""


@dataclass(frozen=True, slots=True)
class DetailGist:
    """Parts of `DetailRecord`."""

    subject: SubjectGist
    shown: Gist = field(default_factory=Gist)


_DETAIL = TypeAdapter(DetailGist)


@dataclass(frozen=True, slots=True)
class Row:
    """One finding as a list shows it."""

    id: str
    policy: str
    kind: str
    resource: str
    """Its id at the provider."""
    name: str
    account: str
    region: str
    owner: str
    status: Status
    since: datetime
    opened: datetime | None
    approval: str
    text: str
    """What is searched, without capitals."""
    severity: str = ""
    """Empty where no run has kept its details yet."""
    summary: str = ""
    cost: Decimal | None = None
    savings: Decimal | None = None
    exact: bool = True

    @property
    def current(self) -> bool:
        return self.status not in OVER


@dataclass(frozen=True)
class View:
    """The state at one moment. Frozen: whoever has one keeps it while the next is made."""

    head: Head
    at: datetime
    rows: Mapping[str, Row] = field(default_factory=dict)
    approvals: tuple[ApprovalRecord, ...] = ()
    """The newest first, without what was shown."""
    runs: tuple[RunRecord, ...] = ()
    """The newest first."""
    savings: tuple[SavingRecord, ...] = ()
    acts: tuple[ActionRecord, ...] = ()
    """The newest first, without what was kept to undo them."""
    wishes: frozenset[str] = frozenset()
    """The acts that wait to be undone."""
    figures: Figures | None = None
    freeze: Freeze | None = None
    memo: dict[object, Any] = field(default_factory=dict, compare=False, repr=False)
    """What pages worked out from this view, for the next request."""

    @property
    def current(self) -> list[Row]:
        return [row for row in self.rows.values() if row.current]

    def acts_on(self, finding: str) -> tuple[ActionRecord, ...]:
        """Return the acts on one finding, the newest first."""
        if "acts" not in self.memo:
            found: dict[str, list[ActionRecord]] = {}
            for act in self.acts:
                found.setdefault(act.finding, []).append(act)
            self.memo["acts"] = {id_: tuple(acts) for id_, acts in found.items()}
        by_finding: dict[str, tuple[ActionRecord, ...]] = self.memo["acts"]
        return by_finding.get(finding, ())

    def pending(self, now: datetime) -> list[ApprovalRecord]:
        """Return the approvals that wait, the one that ends first first."""
        waits = [one for one in self.approvals if one.status is Decision.PENDING and one.expires > now]
        return sorted(waits, key=lambda one: (one.expires, one.id))

    @property
    def last_run(self) -> RunRecord | None:
        """The last run that came to its end."""
        return next((run for run in self.runs if run.finished is not None), None)


class Details(Protocol):
    """Where the details of findings are looked up."""

    def get(self, key: str, /) -> DetailGist | None: ...


def read_view(store: Store, now: datetime) -> View:
    """Return all of what the pages show; raise `StateError` where the store cannot be read, or is damaged."""
    head = store.head()
    details = {stored.key: _gist(stored) for stored in store.scan(Table.DETAIL)}
    rows = {stored.key: row_of(stored, details) for stored in store.scan(Table.FINDING)}
    return _with_rest(store, View(head, now, rows))


def _gist(stored: Stored) -> DetailGist:
    try:
        return _DETAIL.validate_python(stored.body)
    except ValidationError as error:
        message = f"the detail `{stored.key}` is damaged"
        raise StateError.of("state-damaged", message, where=stored.table.value) from error


def _with_rest(store: Store, view: View) -> View:
    """Return `view` with everything that is not a finding."""
    approvals = (restored(ApprovalRecord, stored).record for stored in store.scan(Table.APPROVAL))
    runs = (restored(RunRecord, stored).record for stored in store.scan(Table.RUN))
    savings = (restored(SavingRecord, stored).record for stored in store.scan(Table.SAVING))
    acts = (restored(ActionRecord, stored).record for stored in store.scan(Table.ACTION))
    slim = (replace(act, parameters={}, inverse={}, texts={}, times={}) for act in acts)
    figures = store.get(Table.SETTING, Figures.NAME)
    freeze = freeze_of(store)
    return replace(
        view,
        approvals=newest(replace(one, shown=Shown()) for one in approvals),
        runs=tuple(sorted(runs, key=lambda run: (run.began, run.id), reverse=True)),
        savings=tuple(savings),
        acts=tuple(sorted(slim, key=lambda act: (act.intended, act.id), reverse=True)),
        wishes=frozenset(stored.key for stored in store.scan(Table.UNDO, "asked")),
        figures=None if figures is None else restored(Figures, figures).record,
        freeze=None if freeze is None or not freeze.record.frozen else freeze.record,
    )


def changed_view(store: Store, view: View, head: Head, findings: Iterable[str], now: datetime) -> View:
    """Return `view` as it is at `head`, where of the findings only those named have changed."""
    rows = dict(view.rows)
    for id_ in findings:
        stored = store.get(Table.FINDING, id_)
        detail = store.get(Table.DETAIL, id_)
        if stored is not None:
            known = {} if detail is None else {id_: _gist(detail)}
            rows[id_] = row_of(stored, known)
    return _with_rest(store, replace(view, head=head, at=now, rows=rows, memo={}))


def newest(approvals: Iterable[ApprovalRecord]) -> tuple[ApprovalRecord, ...]:
    return tuple(sorted(approvals, key=lambda one: (one.asked, one.id), reverse=True))


def row_of(stored: Stored, details: Details) -> Row:
    """Return the row of a finding with what is known of its details."""
    record = restored(FindingRecord, stored).record
    detail = details.get(record.id)
    shown = detail.shown if detail else Gist()
    subject = record.subject
    name = detail.subject.name if detail else subject.name
    return Row(
        id=record.id,
        policy=record.policy,
        kind=subject.kind,
        resource=subject.id,
        name=name,
        account=subject.account,
        region=subject.region,
        owner=detail.subject.owner if detail else subject.owner,
        status=record.status,
        since=record.since,
        opened=record.opened,
        approval=record.approval,
        text=f"{name}\n{subject.id}\n{shown.summary}\n{record.id}".casefold(),
        severity=shown.severity,
        summary=shown.summary,
        cost=shown.cost,
        savings=shown.savings,
        exact=shown.exact,
    )
