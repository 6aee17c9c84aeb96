"""
The message of one approval, from its story: the question with everything one needs to decide, then the answer and
what came of it, in the same place.

Names and tags are whatever somebody called a resource. They stand in `plain_text` or in code spans, nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bursar.render.money import NOT_KNOWN, amount
from bursar.render.text import counted
from bursar.slack.story import Story
from engine.state.records import ApprovalRecord, Decision, Fact, Progress, ShownStep, Status, Vote
from engine.units import format_duration
from integrations.slack.blocks import (
    actions,
    button,
    choice,
    confirmation,
    context,
    fields,
    fits,
    header,
    modal,
    packed,
    paragraph,
    question,
    section,
)
from integrations.slack.payloads import DENY_MODAL, REASON, Verb
from integrations.slack.text import Block, code, inert, said

SNOOZES = (("4h", "4 hours"), ("1d", "1 day"), ("3d", "3 days"), ("7d", "7 days"))
"""How long a finding can be snoozed from Slack."""
EVIDENCE = 8
"""Facts in the message; the rest is under Details."""
STEPS = 10


def blocks_of(story: Story, owner: str = "") -> list[Block]:
    """Return the message as it has to be now; `owner` is what Slack calls the owner. Less evidence where it is long."""
    for shown in (EVIDENCE, 4, 2, 1, 0):
        blocks = list(_blocks(story, owner, shown))
        if fits(blocks):
            return blocks
    long = f"It is too long to be shown whole: see Details, or `bursar approvals show {story.approval.id}`"
    steps = paragraph(_steps(story.approval), 1500)
    return [header(title(story)), steps, *_answers(story), *_buttons(story), context(long)]


def title(story: Story) -> str:
    """Return the state of the approval, what it is about and where, for a header or a notification."""
    approval = story.approval
    state = _state(story)
    colon = "" if approval.status is Decision.PENDING else ":"
    return f"{state}{colon} {inert('; '.join(approval.steps), 80)}: {inert(_name(approval), 50)}"


def fallback(story: Story) -> str:
    """Return the message as one line, for notifications and screen readers."""
    approval = story.approval
    parts = [said(title(story)), said(approval.policy), f"saves {_dollars(approval, 'savings')} a month"]
    if approval.status is Decision.PENDING:
        parts.append(f"until {approval.expires:%Y-%m-%d %H:%M} UTC")
    return f"{', '.join(parts)} ({approval.id})"


def _state(story: Story) -> str:
    match story.approval.status:
        case Decision.PENDING:
            return "Approve?"
        case Decision.APPROVED if story.done:
            return "Done"
        case Decision.APPROVED:
            return "Approved" if story.waits and not _failed(story) else "Not done"
        case Decision.DENIED:
            return "Denied"
        case Decision.EXPIRED:
            return "Expired"
        case Decision.SUPERSEDED:
            return "Withdrawn"
        case _:
            assert_never(story.approval.status)


def _failed(story: Story) -> bool:
    return story.finding is not None and story.finding.status is Status.FAILED


def _blocks(story: Story, owner: str, shown: int) -> Iterator[Block]:
    approval = story.approval
    facts = approval.shown
    pending = approval.status is Decision.PENDING
    yield header(title(story))
    if not pending:
        yield from _answers(story)
    named = f"{code(approval.policy)}  *{said(facts.severity)}*"
    yield paragraph((named, said(facts.description), said(facts.summary)))
    yield fields(_fields(approval, owner))
    yield paragraph(["*What would be done*" if pending else "*What was asked*", *_steps(approval)])
    if facts.lost:
        yield paragraph(["*What would be lost*", *(f"• {said(one)}" for one in facts.lost)])
    if pending and facts.evidence and shown:
        yield paragraph(["*Evidence*", *_evidence(facts.evidence, shown)])
    if pending:
        yield from _answers(story)
    yield from _buttons(story)
    yield context(_small_print(approval))


def _evidence(facts: Sequence[Fact], shown: int) -> Iterator[str]:
    """Yield the facts; those of several devices that say the same are one line."""
    groups: dict[tuple[str, Fact], int] = {}
    for fact in facts:
        name = fact.path.partition("[")[0]
        key = (name, replace(fact, path=""))
        groups[key] = groups.get(key, 0) + 1
    for (name, fact), number in list(groups.items())[:shown]:
        device = next(one.path for one in facts if (one.path.partition("[")[0], replace(one, path="")) == (name, fact))
        many = f" on {number} devices" if number > 1 else ""
        yield _fact(replace(fact, path=name if number > 1 else device), 160, many)
    if len(groups) > shown:
        yield f"… and {len(groups) - shown} more under Details"


def _name(approval: ApprovalRecord) -> str:
    return approval.subject.name or approval.subject.id


def _fields(approval: ApprovalRecord, owner: str) -> Iterator[str]:
    subject = approval.subject
    identity = f" ({code(subject.id, 80)})" if subject.name and subject.name != subject.id else ""
    yield f"*Resource*\n{code(_name(approval), 150)}{identity}"
    place = " · ".join(code(part, 60) for part in (subject.kind, subject.account, subject.region) if part)
    yield f"*Where*\n{place}" + (", *production*" if approval.shown.production else "")
    yield f"*Costs*\n{_dollars(approval, 'cost')} a month"
    yield f"*Would save*\n{_dollars(approval, 'savings')} a month"
    tagged = code(subject.owner, 80) if subject.owner else "nobody is named"
    yield f"*Owner*\n{f'<@{owner}>' if owner else tagged}"
    expires = int(approval.expires.timestamp())
    yield f"*Until*\n<!date^{expires}^{{date_short_pretty}} {{time}}|{approval.expires:%Y-%m-%d %H:%M} UTC>"


def _dollars(approval: ApprovalRecord, which: str) -> str:
    dollars = approval.shown.cost if which == "cost" else approval.shown.savings
    return NOT_KNOWN if dollars is None else amount(dollars, exact=approval.shown.exact)


def _steps(approval: ApprovalRecord) -> Iterator[str]:
    steps = approval.shown.steps or tuple(ShownStep("", title) for title in approval.steps)
    for number, step in enumerate(steps[:STEPS], 1):
        given = ", ".join(f"{code(key, 40)}: {code(value, 80)}" for key, value in list(step.parameters.items())[:8])
        back = f"can be undone: {said(step.undo)}" if step.reversible else "*cannot be undone*"
        yield f"{number}. {said(step.title)}{f' ({given})' if given else ''}; {back}"
    if len(steps) > STEPS:
        yield f"… and {len(steps) - STEPS} more under Details"


def _fact(fact: Fact, limit: int, many: str = "") -> str:
    wanted = f", {said(fact.expected, limit)}" if fact.expected else ""
    source = f"  ({said(fact.source, limit)})" if fact.source else ""
    return f"• {code(fact.path, 80)} = {code(fact.value, limit)}{many}{wanted}{source}"


def _small_print(approval: ApprovalRecord) -> str:
    who = ", ".join(code(name, 60) for name in approval.approvers[:8])
    people = f"{approval.quorum} of {who}" if approval.quorum > 1 or len(approval.approvers) > 1 else who
    parts = [f"Approval {code(approval.id)}", f"decided by {people}"]
    if approval.author_unknown:
        parts.append(f"who changed the policy last is not known: {said(approval.author_unknown, 200)}")
    elif approval.authors:
        authors = ", ".join(code(name, 60) for name in approval.authors[:8])
        parts.append(f"policy last changed by {authors}, who cannot approve")
    if approval.strong and approval.status is Decision.PENDING:
        parts.append(
            "a yes here is not enough: one has to come from the web page or from "
            f"`bursar approvals approve {approval.id} --identity aws`"
        )
    parts.append("the same code stands in `bursar approvals list`")
    return " · ".join(parts)


# --- the answer ----------------------------------------------------------------------------------


def _answers(story: Story) -> Iterator[Block]:
    lines = [*_verdict(story), *map(_vote, story.approval.votes)]
    if lines:
        yield paragraph(lines)


def _vote(vote: Vote) -> str:
    word = ":white_check_mark: Yes" if vote.yes else ":no_entry: No"
    why = f": {said(vote.reason, 500)}" if vote.reason else ""
    return f"{word} from {code(vote.principal)} by {said(vote.door)}, {_time(vote.at)}{why}"


def _verdict(story: Story) -> Iterator[str]:
    approval = story.approval
    match approval.status:
        case Decision.PENDING:
            if story.agreed >= approval.quorum:
                yield "*A second factor is missing*: a yes from the web page or with a cloud identity"
            elif story.agreed:
                yield f"*{story.agreed} of {approval.quorum} agreed*"
        case Decision.APPROVED:
            yield from _outcome(story)
        case Decision.DENIED:
            yield "*Denied*: nothing of it is done, and nobody is asked again while the finding lasts"
        case Decision.EXPIRED | Decision.SUPERSEDED:
            word = _state(story)
            yield f"*{word}*{f': {said(approval.reason)}' if approval.reason else ''}; nothing was done"
        case _:
            assert_never(approval.status)


def _outcome(story: Story) -> Iterator[str]:
    titles = {step.id: step.title for step in story.approval.shown.steps}
    for action in story.actions:
        what = said(titles.get(action.step, action.remediation))
        when = _time(action.finished or action.intended)
        why = f": {said(action.reason)}" if action.reason else ""
        match action.status:
            case Progress.DONE:
                undo = f"  Undo: `bursar undo {action.id}`" if action.reversible else ""
                yield f":heavy_check_mark: *Done*, {when}: {what}{why}.{undo}"
            case Progress.INTENDED | Progress.PENDING:
                yield f":hourglass: Under way since {when}: {what}"
            case Progress.FAILED:
                yield f":x: *Failed*, {when}: {what}{why}"
            case Progress.UNDOING | Progress.UNDONE:
                yield f":leftwards_arrow_with_hook: Undone: {what}{why}"
            case _:
                assert_never(action.status)
    if story.saving is not None:
        yield f"Saves {amount(story.saving, exact=story.approval.shown.exact)} a month from now on"
    yield from _ending(story)


def _ending(story: Story) -> Iterator[str]:
    finding = story.finding
    reason = f": {said(finding.reason)}" if finding is not None and finding.reason else ""
    if story.done:
        if not story.actions:
            yield f"*Nothing had to be done*{reason}"
    elif not story.waits:
        yield f"*Nothing {'more ' if story.actions else ''}is done under this approval*{reason}"
    elif _failed(story) and finding is not None and finding.retry is not None:
        yield f"It is tried again after {_time(finding.retry)}{'' if story.actions else reason}"
    elif not story.actions:
        yield "*Approved*: the next run carries it out, if the resource is still as it was"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


# --- buttons and modals --------------------------------------------------------------------------


def _buttons(story: Story) -> Iterator[Block]:
    """Yield the buttons. Their values are the id of the approval: whoever makes up another one learns nothing."""
    approval = story.approval
    details = button(Verb.DETAILS.value, "Details", approval.id)
    if approval.status is not Decision.PENDING:
        yield actions([details])
        return
    final = [step for step in approval.shown.steps if not step.reversible]
    sure = None
    if final or approval.shown.lost:
        what = "; ".join((*(f"{step.title} cannot be undone" for step in final), *approval.shown.lost))
        sure = confirmation("This cannot be taken back", what, "Approve", "Back")
    yield actions(
        [
            button(Verb.APPROVE.value, "Approve", approval.id, "primary", sure),
            button(Verb.DENY.value, "Deny", approval.id, "danger"),
            choice(Verb.SNOOZE.value, "Snooze", [(label, f"{approval.id}.{key}") for key, label in SNOOZES]),
            details,
        ]
    )


def denial_of(approval: ApprovalRecord) -> Block:
    """Return the modal that asks for the reason of a no."""
    about = section(f"{said('; '.join(approval.steps))}: {code(_name(approval))}")
    field = question(REASON, REASON, "Why not?", "It is kept in the ledger and shown in the message.")
    return modal(DENY_MODAL, "Deny", [about, field], approval.id, "Deny")


def details_of(story: Story) -> Block:
    """Return the modal with everything that is known, as far as a modal holds it."""
    approval = story.approval
    facts = approval.shown
    lines = [
        f"*{said('; '.join(approval.steps))}*: {code(_name(approval))}",
        f"{code(approval.subject.uid, 300)}",
        f"asked {_time(approval.asked)}, {format_duration(approval.expires - approval.asked)} to answer",
        f"{counted(approval.quorum, 'yes', 'yeses')} needed",
        f"prices: {said(facts.basis) or 'not known'}",
        f"bound to steps {code(approval.digest[:12])} and resource {code(approval.fingerprint[:12])}",
        *_steps(approval),
        *(f"• would be lost: {said(one)}" for one in facts.lost),
        "*Evidence*",
        *(_fact(fact, 300) for fact in facts.evidence),
        *_verdict(story),
    ]
    return modal("bursar-details", "Details", packed(lines)[0])
