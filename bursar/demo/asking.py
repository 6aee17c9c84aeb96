"""The last scene of the demo: a question in Slack, a click through the real endpoint, the act, and the ledger."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bursar.demo.acting import Stage
from bursar.demo.slack import Signed
from bursar.demo.slack_view import draw_message
from bursar.render.console import wants_color
from bursar.render.tour import proof, said, titled
from bursar.running import Site, run_at
from bursar.slack.desk import Desk, open_desk
from bursar.slack.endpoint import SlackAnswer, SlackRequest, handle
from bursar.slack.errands import perform
from engine.errors import CollectError
from engine.state.audit import verify
from engine.state.conversation import MessageRecord
from engine.state.records import restored
from engine.state.store import Table

CRON = timedelta(minutes=15)
CHANNEL = "#gpu-approvals"
MIRA = "U0MIRA"
NAMES = {MIRA: "Mira Osei", "S0MLLEADS": "ml-leads"}


def ask_and_answer(stage: Stage) -> None:
    """Show the question as Slack shows it, a click and its forgeries, and what becomes of the message."""
    color = wants_color(sys.stdout)
    titled(sys.stdout, f"{stage.clock.now:%H:%M}  And a policy that asks first", "bursar run", color=color)
    with stage.site() as site:
        run_at(site)
        message = _message(site)
        _draw(stage, message)
        signed = _click(stage, message)
        _answered(stage, site, signed)
    stage.later(CRON)
    titled(sys.stdout, f"{stage.clock.now:%H:%M}  The next run carries it out", "bursar run", color=color)
    before = stage.endpoints()
    with stage.site() as site:
        report = run_at(site)
        assert report is not None
        _draw(stage, message)
        proof(sys.stdout, [o.step.subject.name for o in report.outcomes], before, stage.endpoints(), color=color)
        _audited(site)


def _message(site: Site) -> MessageRecord:
    found = [restored(MessageRecord, stored).record for stored in site.ports.store.scan(Table.MESSAGE)]
    if not found:
        raise CollectError.of("demo-failed", "the policy of the last scene asked nothing", where="demo")
    return found[0]


def _draw(stage: Stage, message: MessageRecord) -> None:
    shown: Mapping[str, Any] = stage.workspace.messages[message.channel, message.ts]
    sys.stdout.write("\n")
    draw_message(shown, CHANNEL, NAMES, sys.stdout, color=wants_color(sys.stdout))


def _click(stage: Stage, message: MessageRecord) -> Signed:
    payload = stage.workspace.payload(message.channel, message.ts, "bursar-approve", MIRA)
    return stage.workspace.signed(payload)


def _answered(stage: Stage, site: Site, signed: Signed) -> None:
    """Post the click, then the same bytes again, then one that Slack did not sign; show what each is answered."""
    said(sys.stdout, "\nMira Osei clicks Approve. Slack signs the click and posts it to the endpoint.\n\n",
         color=wants_color(sys.stdout))  # fmt: skip
    desk = open_desk(stage.setup.config, site.ports.store, stage.clock)
    assert desk is not None
    answer = _post("the click", signed, desk)
    for errand in answer.afterwards:
        perform(errand, desk)
    _post("the same bytes again", signed, desk)
    _post("the same click, signed by somebody else", stage.workspace.signed_body(signed.body, secret="guessed"), desk)  # noqa: S106


def _post(what: str, signed: Signed, desk: Desk) -> SlackAnswer:
    answer = handle(SlackRequest(signed.headers, signed.body), desk)
    why = answer.body.decode() or "acknowledged, and counted"
    sys.stdout.write(f"  POST /slack  {int(answer.status)}  {what}: {why}\n")
    return answer


def _audited(site: Site) -> None:
    verified = verify(site.ports.store)
    broken = f"{len(verified.breaks)} breaks" if verified.breaks else "nothing was changed or taken out"
    said(sys.stdout, f"\nThe ledger has {verified.head.serial} entries; {broken}.  ", color=wants_color(sys.stdout))
    sys.stdout.write("bursar audit verify\n")
