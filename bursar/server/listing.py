"""The list of findings: what was asked for, chosen from the view, in order and in pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from bursar.server.view import Row, View
from engine.policy.model import Severity
from engine.state.records import Status

PAGE = 100
"""Rows of a page."""
LONGEST = 200
"""Characters of what is searched for."""
RANK = {severity.value: number for number, severity in enumerate(Severity)}
NOT_KNOWN = -1.0
REMEMBERED = 50
"""Filters whose result is kept for the next page of it."""

SORTS: Mapping[str, tuple[str, Callable[[Row], Any], bool]] = {
    "savings": ("Savings", lambda row: NOT_KNOWN if row.savings is None else float(row.savings), True),
    "cost": ("Cost", lambda row: NOT_KNOWN if row.cost is None else float(row.cost), True),
    "severity": ("Severity", lambda row: RANK.get(row.severity, -1), True),
    "since": ("Since", lambda row: row.since.timestamp(), True),
    "policy": ("Policy", lambda row: row.policy, False),
    "name": ("Resource", lambda row: row.name.casefold(), False),
    "status": ("Status", lambda row: row.status.value, False),
    "owner": ("Owner", lambda row: row.owner.casefold(), False),
}
"""Every order by its name: its title, what it goes by, and whether the largest comes first."""


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked for. Everything empty is all current findings, the largest savings first."""

    policy: str = ""
    status: str = ""
    """A status; `all`; empty is those that are not over."""
    severity: str = ""
    owner: str = ""
    account: str = ""
    q: str = ""
    sort: str = "savings"
    page: int = 1

    def link(self, **changes: Any) -> str:
        """Return the address of this list with `changes`."""
        changed = replace(self, **{"page": 1, **changes})
        pairs = {name: getattr(changed, name) for name in self.__slots__}
        default = Query()
        return "/findings?" + urlencode({k: v for k, v in pairs.items() if v != getattr(default, k)})

    @property
    def filtered(self) -> bool:
        return replace(self, sort="savings", page=1) != Query()


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what was asked for."""

    query: Query
    rows: tuple[Row, ...]
    total: int
    pages: int
    cost: Decimal
    """USD a month of all of them, where it is known: a resource that several policies find counts for each."""
    unpriced: int

    @property
    def first(self) -> int:
        return (self.query.page - 1) * PAGE + 1 if self.rows else 0


def query_of(params: Mapping[str, str]) -> Query:
    """Return what the parameters of an address ask for; what makes no sense is as if it was not there."""
    words = {name: params.get(name, "").strip()[:LONGEST] for name in ("policy", "owner", "account", "q")}
    status = params.get("status", "")
    severity = params.get("severity", "")
    sort = params.get("sort", "")
    page = params.get("page", "")
    return Query(
        **words,
        status=status if status in {"all", *map(str, Status)} else "",
        severity=severity if severity in RANK else "",
        sort=sort if sort in SORTS else "savings",
        page=max(1, int(page)) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
    )


@dataclass(frozen=True, slots=True)
class Chosen:
    """Everything that a filter lets through, in order."""

    rows: Sequence[Row]
    cost: Decimal
    unpriced: int


def listing(view: View, query: Query) -> Listing:
    """Return the page that `query` asks for; the last one where there are fewer."""
    chosen = _chosen(view, replace(query, page=1))
    total = len(chosen.rows)
    pages = max(1, -(-total // PAGE))
    query = replace(query, page=min(query.page, pages))
    start = (query.page - 1) * PAGE
    return Listing(query, tuple(chosen.rows[start : start + PAGE]), total, pages, chosen.cost, chosen.unpriced)


def _chosen(view: View, query: Query) -> Chosen:
    kept: dict[Query, Chosen] = view.memo.setdefault("chosen", {})
    found = kept.get(query)
    if found is None:
        rows = _filtered(view, query)
        priced = [row.cost for row in rows if row.cost is not None]
        found = Chosen(rows, sum(priced, Decimal(0)), len(rows) - len(priced))
        if len(kept) >= REMEMBERED:
            kept.clear()
        kept[query] = found
    return found


def choices(view: View, name: str) -> list[str]:
    """Return the values that `name` of a finding has, in order."""
    key = ("choices", name)
    if key not in view.memo:
        view.memo[key] = sorted({str(getattr(row, name)) for row in view.rows.values()} - {""})
    found: list[str] = view.memo[key]
    return found


def _ordered(view: View, sort: str) -> list[Row]:
    key = ("order", sort)
    if key not in view.memo:
        _, by, largest = SORTS[sort]
        rows = sorted(view.rows.values(), key=lambda row: row.id)
        rows.sort(key=by, reverse=largest)
        view.memo[key] = rows
    found: list[Row] = view.memo[key]
    return found


def _filtered(view: View, query: Query) -> Sequence[Row]:
    rows = _ordered(view, query.sort)
    if not query.status:
        rows = [row for row in rows if row.current]
    elif query.status != "all":
        rows = [row for row in rows if row.status == query.status]
    if query.policy:
        rows = [row for row in rows if row.policy == query.policy]
    if query.severity:
        rows = [row for row in rows if row.severity == query.severity]
    if query.account:
        rows = [row for row in rows if row.account == query.account]
    if query.owner:
        owner = query.owner.casefold()
        rows = [row for row in rows if owner in row.owner.casefold()]
    if query.q:
        wanted = query.q.casefold()
        rows = [row for row in rows if wanted in row.text]
    return rows
