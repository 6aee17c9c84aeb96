"""Approvals for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, TextIO

from bursar.render.console import console_on, screen_width, wants_color
from bursar.render.encode import subject_of, time_of
from bursar.render.text import visible
from engine.people import Authorship
from engine.policy.model import Policy
from engine.state.approvals import NotCounted
from engine.state.records import ApprovalRecord, Decision, Fact
from engine.units import format_duration


def show_approvals(found: Sequence[ApprovalRecord], now: datetime, format_: str, out: TextIO) -> None:
    """Write `found` as a table or as JSON."""
    if format_ == "json":
        json.dump([approval_of(record) for record in found], out, indent=2, ensure_ascii=True)
        out.write("\n")
        return
    if not found:
        out.write("Nothing waits for an approval.\n")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("approval", "policy", "resource", "steps", "approvers", "state"):
        table.add_column(title)
    for record in found:
        cells = (record.id, record.policy, record.subject.name, ", ".join(record.steps), ", ".join(record.approvers))
        table.add_row(*(Text(visible(cell)) for cell in cells), _state(record, now))
    console_on(out, width=screen_width(out), color=wants_color(out)).print(table)


def _state(record: ApprovalRecord, now: datetime) -> str:
    if record.status is not Decision.PENDING:
        return record.status.value
    if now >= record.expires:
        return "expired"
    yes = len({vote.principal for vote in record.votes if vote.yes})
    quorum = f", {yes} of {record.quorum}" if record.quorum > 1 else ""
    return f"waits {format_duration(record.expires - now)} more{quorum}"


def show_approval(record: ApprovalRecord, out: TextIO) -> None:
    """Write everything about one approval."""
    rows = [
        ("approval", f"{record.id}, {record.status.value}" + (f": {record.reason}" if record.reason else "")),
        ("policy", record.policy),
        ("resource", f"{record.subject.name} ({record.subject.uid})"),
        ("steps", "; ".join(record.steps)),
        ("asked", f"{record.asked:%Y-%m-%d %H:%M} UTC by {record.requester or 'bursar'} in {record.channel}"),
        *((("policy by", policy_by(record)),) if policy_by(record) else ()),
        ("expires", f"{record.expires:%Y-%m-%d %H:%M} UTC"),
        ("approvers", f"{', '.join(record.approvers)}; {record.quorum} needed"),
        ("bound to", f"steps {record.digest[:12]}, resource {record.fingerprint[:12]}"),
    ]
    rows += [("would lose", one) for one in record.shown.lost]
    rows += [("evidence", _fact(fact)) for fact in record.shown.evidence]
    if record.strong:
        rows.append(("second factor", "one yes has to come from the web page or with `--identity aws`"))
    for vote in record.votes:
        why = f": {vote.reason}" if vote.reason else ""
        rows.append(
            ("yes" if vote.yes else "no", f"{vote.principal} by {vote.door}, {vote.at:%Y-%m-%d %H:%M} UTC{why}")
        )
    out.writelines(f"{name:<14} {visible(text)}\n" for name, text in rows)


def policy_by(record: ApprovalRecord) -> str:
    """Return who changed the policy last, and so does not approve; empty where nobody here did."""
    if record.author_unknown:
        return f"last changed by somebody who is not known: {record.author_unknown}"
    return f"last changed by {', '.join(record.authors)}" if record.authors else ""


def show_authors(rows: Iterable[tuple[Policy, Authorship]], out: TextIO) -> None:
    """Write who changed each policy last."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("policy", "file", "last changed by"):
        table.add_column(title)
    for policy, authorship in rows:
        who = ", ".join(authorship.people) or "nobody here: it comes with Bursar"
        said = f"not known: {authorship.unknown}" if authorship.unknown else who
        table.add_row(*(Text(visible(cell)) for cell in (policy.name, policy.place.file, said)))
    console_on(out, width=screen_width(out), color=wants_color(out)).print(table)


def _fact(fact: Fact) -> str:
    wanted = f", {fact.expected}" if fact.expected else ""
    return f"{fact.path} = {fact.value}{wanted}" + (f"  ({fact.source})" if fact.source else "")


def outcome_line(answer: ApprovalRecord | NotCounted) -> str:
    """Return what became of a vote."""
    if isinstance(answer, NotCounted):
        return visible(f"not counted: {answer.reason}")
    match answer.status:
        case Decision.APPROVED:
            return f"{answer.id} is approved: the next run carries it out, if the resource is still as it was"
        case Decision.DENIED:
            return f"{answer.id} is denied: nothing of it is done"
        case _:
            agreed = len({vote.principal for vote in answer.votes if vote.yes})
            more = "a second factor is missing" if agreed >= answer.quorum else f"{agreed} of {answer.quorum} agreed"
            return f"{answer.id}: your yes is counted; {more}"


def approval_of(record: ApprovalRecord) -> dict[str, Any]:
    """Return an approval as plain values."""
    return {
        "id": record.id,
        "finding": record.finding,
        "policy": record.policy,
        "subject": subject_of(record.subject),
        "status": record.status.value,
        "steps": list(record.steps),
        "digest": record.digest,
        "fingerprint": record.fingerprint,
        "asked": time_of(record.asked),
        "expires": time_of(record.expires),
        "channel": record.channel,
        "approvers": list(record.approvers),
        "quorum": record.quorum,
        "second_factor": record.strong,
        "requester": record.requester,
        "authors": list(record.authors),
        "author_unknown": record.author_unknown,
        "votes": [
            {"principal": v.principal, "door": v.door, "yes": v.yes, "at": time_of(v.at), "reason": v.reason}
            for v in record.votes
        ],
        "reason": record.reason,
        "lost": list(record.shown.lost),
        "evidence": [asdict(fact) for fact in record.shown.evidence],
    }
