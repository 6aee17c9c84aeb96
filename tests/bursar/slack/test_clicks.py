"""Who may decide, found out when somebody clicks; and what becomes of a click."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from bursar.approving import decide
from bursar.slack.errands import count_clicks, perform
from bursar.slack.messages import catch_up, post_question
from engine.people import Door, People, Person
from engine.policy.model import Mode
from engine.state.lifecycle import Violated, advance
from engine.state.records import Decision, FindingRecord, Status, Vote, restored
from engine.state.store import Table
from integrations.slack.client import SlackError
from tests.bursar.slack.conftest import GUEST, MIRA, NOW, TOMAS, ZOE, finding_of, keep, question_of, said_in
from tests.engine.state.fakes import MemoryStore

# --- T32: who may approve ------------------------------------------------------------------------

BARRED = {
    "deactivated": ({"deleted": True}, "the account is deactivated"),
    "bot": ({"is_bot": True}, "it is a bot"),
    "app": ({"is_app_user": True}, "it is a bot"),
    "guest": ({"is_restricted": True}, "it is a guest of the workspace"),
    "single-channel guest": ({"is_ultra_restricted": True}, "it is a guest of the workspace"),
    "Slack Connect": ({"is_stranger": True}, "it is somebody of another workspace"),
    "another workspace": ({"team_id": "T0OTHER"}, "it is somebody of another workspace"),
}


@pytest.mark.parametrize(("more", "why"), BARRED.values(), ids=BARRED)
def test_barred_although_a_member(stage, more, why):
    """T32: a member of the approvers' own group decides nothing who is no full, active member of the workspace."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    stage.workspace.users[MIRA] |= more
    (errand,) = stage.send(payload).afterwards
    perform(errand, stage.desk)
    assert stage.approval().votes == ()
    (whisper,) = stage.workspace.whispers
    assert whisper["user"] == MIRA
    assert why in whisper["text"]


def test_somebody_slack_does_not_know(stage):
    """T32: a user id that Slack has no user for decides nothing."""
    stage.ask()
    stage.click("bursar-approve", "U0NOBODY")
    assert stage.approval().votes == ()
    assert "Slack does not know who it is" in stage.workspace.whispers[0]["text"]
    assert list(stage.store.scan(Table.CLICK, "new")) == []


def test_scopes_that_are_missing(stage):
    """A refusal that is about the app and not about the user leaves the click to be counted once that is mended."""
    stage.ask()
    answer = stage.send(stage.payload("bursar-approve", MIRA))
    stage.workspace.errors["users.info"] = "missing_scope"
    with pytest.raises(SlackError, match="missing_scope"):
        perform(answer.afterwards[0], stage.desk)
    assert [error.problems[0].code for error in count_clicks(stage.desk)] == ["slack-refused"]
    stage.workspace.errors.clear()
    assert count_clicks(stage.desk) == []
    assert stage.approval().status is Decision.APPROVED


def test_not_an_approver(stage):
    """T32: whoever is in none of the groups is told so, and nobody else is."""
    stage.ask()
    stage.click("bursar-approve", ZOE)
    assert stage.approval().votes == ()
    assert "zoe@example.com is not one of its approvers" in stage.workspace.whispers[0]["text"]
    assert "zoe" not in stage.text()


def test_removed_between_post_and_click(stage):
    """T32: membership counts at the click, not when the question was asked."""
    stage.ask()
    stage.workspace.groups["S0MLLEADS"] = ("ml-leads", [TOMAS])
    stage.click("bursar-approve", MIRA)
    assert stage.approval().votes == ()


def test_membership_is_believed_for_five_minutes(stage):
    """T32: within one process the members of a group are read again after five minutes."""
    stage.ask(question_of(quorum=2))
    desk = stage.desk
    assert desk.directory.memberships(MIRA, ["@ml-leads"]) == {"@ml-leads"}
    stage.workspace.groups["S0MLLEADS"] = ("ml-leads", [TOMAS])
    stage.clock.later(minutes=4, seconds=59)
    assert desk.directory.memberships(MIRA, ["@ml-leads"]) == {"@ml-leads"}
    stage.clock.later(seconds=1)
    assert desk.directory.memberships(MIRA, ["@ml-leads"]) == set()


@pytest.mark.parametrize(("approvers", "names"), [
    (("@empty",), "@empty"), (("@unknown",), "@unknown"), (("@nobody",), "@nobody"),
    (("@empty", "@nobody"), "@nobody, @empty"),
])  # fmt: skip
def test_an_empty_set_is_nobody(stage, approvers, names):
    """T32: a group without members, disabled or misspelt, is not everybody: it refuses, and says so."""
    stage.workspace.add_group("S0EMPTY", "empty")
    stage.people = People(groups={"@nobody": frozenset()})
    stage.ask(question_of(approvers=approvers))
    stage.click("bursar-approve", MIRA)
    assert stage.approval().votes == ()
    assert f"nobody can decide: {names} has no members" in stage.workspace.whispers[0]["text"]


WAYS = {
    "user group of Slack": (("@ml-leads",), MIRA),
    "user group by its id": (("S0MLLEADS",), MIRA),
    "e-mail, confirmed by Slack": (("tomas@example.com",), TOMAS),
    "e-mail in another case": (("Tomas@Example.com",), TOMAS),
    "Slack's user id": ((TOMAS,), TOMAS),
    "group of the configuration": (("@finops",), ZOE),
    "principal of the configuration": (("zoe@example.com",), ZOE),
}


@pytest.mark.parametrize(("approvers", "user"), WAYS.values(), ids=WAYS)
def test_ways_to_be_an_approver(stage, approvers, user):
    """Each way to name an approver lets him approve, and not somebody else."""
    stage.ask(question_of(approvers=approvers))
    stage.workspace.add_user("U0ELSE", "Else", "else@example.com")
    stage.click("bursar-approve", "U0ELSE")
    assert stage.approval().status is Decision.PENDING
    stage.click("bursar-approve", user)
    assert stage.approval().status is Decision.APPROVED


def test_a_group_of_the_configuration_is_not_looked_up_in_slack(stage):
    """T32: a handle that the configuration lists has the members listed there, whoever makes a like group in Slack."""
    stage.workspace.add_group("S0FINOPS1", "finops", MIRA)
    stage.ask(question_of(approvers=("@finops",)))
    stage.click("bursar-approve", MIRA)
    assert stage.approval().votes == ()


def test_an_address_that_is_not_confirmed(stage):
    """T32: an address that Slack has not confirmed makes nobody somebody."""
    stage.workspace.add_user("U0EVE", "Eve", "tomas@example.com", is_email_confirmed=False)
    stage.ask(question_of(approvers=("tomas@example.com",)))
    stage.click("bursar-approve", "U0EVE")
    assert stage.approval().votes == ()


# --- T33: four eyes ------------------------------------------------------------------------------

MERGED = {
    "by address": People(),
    "listed with his Slack id": People((Person("cron@example.com", {Door.SLACK: "U0CRON", Door.USER: "root"}),)),
}


@pytest.mark.parametrize("people", MERGED.values(), ids=MERGED)
def test_nobody_approves_what_he_asked_for(stage, people):
    """T33: the requester is recognised by principal, whatever a door calls him; his no counts."""
    stage.people = people
    email = "cron@example.com" if not people.persons else "another@example.com"
    stage.workspace.add_user("U0CRON", "Cron", email)
    stage.workspace.groups["S0MLLEADS"] = ("ml-leads", [MIRA, "U0CRON"])
    stage.ask()
    stage.click("bursar-approve", "U0CRON")
    assert stage.approval().votes == ()
    assert "another has to approve" in stage.workspace.whispers[0]["text"]
    stage.deny("U0CRON", "not now")
    assert stage.approval().status is Decision.DENIED


def test_two_accounts_of_one_person(stage):
    """T33: a quorum counts principals: two Slack accounts that the configuration gives one person are one voice."""
    stage.people = People((Person("mira@example.com", {Door.SLACK: "U0MIRA2"}),))
    stage.workspace.add_user("U0MIRA2", "Mira at night", "night@example.com")
    stage.workspace.groups["S0MLLEADS"] = ("ml-leads", [MIRA, "U0MIRA2"])
    stage.ask(question_of(quorum=2))
    stage.click("bursar-approve", MIRA)
    stage.clock.later(seconds=1)
    stage.click("bursar-approve", "U0MIRA2")
    assert stage.approval().status is Decision.PENDING
    assert "has said so already" in stage.workspace.whispers[0]["text"]


# --- T34: second factor --------------------------------------------------------------------------


def test_slack_alone_is_not_enough(stage):
    """T34: what cannot be undone needs a yes by another door; one in Slack is counted, and the message says so."""
    stage.ask(question_of(strong=True))
    assert "a yes here is not enough" in stage.text()
    stage.click("bursar-approve", MIRA)
    stage.click("bursar-approve", TOMAS)
    assert stage.approval().status is Decision.PENDING
    assert len(stage.approval().votes) == 2
    assert "A second factor is missing" in stage.text()
    vote = Vote("mira@example.com", Door.WEB.value, True, stage.clock())
    decide(stage.store, "a1b2c3d4e5f6", vote, entitled=True, now=stage.clock())
    assert stage.approval().status is Decision.APPROVED
    assert catch_up(stage.desk) == []
    assert "mira@example.com` by web" in stage.text()


# --- T36: late -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "decision"), [(-1, Decision.APPROVED), (0, Decision.PENDING), (1, Decision.PENDING)]
)
def test_at_the_second_of_its_expiry(stage, seconds, decision):
    """T36: a second before it expires a yes counts, from then on it does not, and whoever clicked is told."""
    stage.ask()
    stage.clock.later(hours=8, seconds=seconds)
    stage.click("bursar-approve", MIRA)
    assert stage.approval().status is decision
    if decision is Decision.PENDING:
        assert "it expired at 2026-03-05 00:00 UTC" in stage.workspace.whispers[0]["text"]


def test_a_click_in_time_that_is_counted_late(stage):
    """T36: when somebody clicked counts, not when it was looked at."""
    stage.ask()
    stage.clock.later(hours=7, minutes=59)
    stage.send(stage.payload("bursar-approve", MIRA))
    stage.clock.later(minutes=30)
    assert count_clicks(stage.desk) == []
    assert stage.approval().status is Decision.APPROVED


# --- T37: what was approved has changed ----------------------------------------------------------


def test_changed_since_it_was_asked(stage):
    """T37: a yes to what has changed since leads to nothing, and the message says so."""
    approval = stage.ask()
    stage.click("bursar-approve", MIRA)
    held = restored(FindingRecord, stage.store.get(Table.FINDING, approval.finding))
    assert held.record.status is Status.APPROVED
    keep(stage.store, advance(held.record, Violated(Mode.APPROVE, timedelta(0), "another"), stage.clock()))
    assert catch_up(stage.desk) == []
    assert "Not done: stop the instance" in stage.text()
    assert "the resource or the policy changed since approval was asked for" in stage.text()
    assert stage.message().status == "closed"


def test_superseded_before_the_click(stage):
    """T37: a question that was withdrawn takes no answer."""
    approval = stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    keep(stage.store, replace(approval, status=Decision.SUPERSEDED, reason="the finding has changed or is over"))
    (errand,) = stage.send(payload).afterwards
    perform(errand, stage.desk)
    assert stage.approval().status is Decision.SUPERSEDED
    assert "it is superseded already" in stage.workspace.whispers[0]["text"]
    assert "Withdrawn" in stage.text()


# --- denying and snoozing ------------------------------------------------------------------------


def test_a_no_needs_a_reason(stage):
    """Deny opens a modal; an empty reason comes back as an error of its field, a reason is kept and shown."""
    stage.ask()
    empty = stage.deny(MIRA, "   ")
    assert b'"response_action": "errors"' in empty.body
    assert stage.approval().votes == ()
    stage.deny(MIRA, "the benchmark runs until Friday")
    assert stage.approval().status is Decision.DENIED
    assert "the benchmark runs until Friday" in stage.text()
    assert "nothing of it is done" in stage.text()


def test_a_modal_sent_twice(stage):
    """T28: the same modal, sent off again, is refused."""
    stage.ask(question_of())
    stage.click("bursar-deny", MIRA)
    signed = stage.workspace.signed(stage.workspace.submission(stage.workspace.views[-1], MIRA, "no"))
    assert stage.post(signed).status == 200
    assert stage.post(signed).status == 409


def test_a_modal_of_another_approval(stage):
    """T30: the id in a modal is compared with what was asked, like that of a button."""
    stage.ask()
    stage.click("bursar-deny", MIRA)
    payload = stage.workspace.submission(stage.workspace.views[-1], MIRA, "no")
    payload["view"]["private_metadata"] = "ffffffffffff"
    assert stage.send(payload).status == 403
    payload["view"]["private_metadata"] = "x"
    assert stage.send(payload).status == 400


def test_snoozed(stage):
    """A snooze withdraws the question and lets the finding rest for as long as the menu said."""
    approval = stage.ask()
    stage.click("bursar-snooze", MIRA, "3 days")
    assert stage.approval().status is Decision.SUPERSEDED
    finding = restored(FindingRecord, stage.store.get(Table.FINDING, approval.finding)).record
    assert finding.status is Status.SNOOZED
    assert "snoozed until 2026-03-07 16:00 UTC by slack:mira@example.com" in stage.text()
    with pytest.raises(LookupError):
        stage.payload("bursar-approve", MIRA)


def test_an_errand_carried_out_twice(stage):
    """A queue may bring an errand again: what was counted is not counted anew, and nobody is told that it failed."""
    stage.ask()
    (errand,) = stage.send(stage.payload("bursar-snooze", MIRA, "1 day")).afterwards
    for _ in range(3):
        perform(errand, stage.desk)
    assert stage.workspace.whispers == []
    assert [entry.note.kind for entry in stage.store.entries()].count("finding.snooze") == 1


@pytest.mark.parametrize("user", [ZOE, GUEST])
def test_who_may_snooze(stage, user):
    """Only those who may decide may put it off."""
    stage.ask()
    stage.click("bursar-snooze", user, "7 days")
    assert stage.approval().status is Decision.PENDING
    assert stage.store.get(Table.SNOOZE, "fa1b2c3d4e5f6") is None


def test_details(stage):
    """Details are a modal with all evidence and what the answer is bound to; nothing is written."""
    stage.ask()
    before = stage.snapshot()
    stage.click("bursar-details", ZOE)
    (view,) = stage.workspace.views
    text = said_in(view["blocks"])
    assert "gpu.utilization[0]" in text
    assert "240 of 240 samples" in text
    assert "dddddddddddd" in text
    assert stage.snapshot() == before


# --- what is not lost ----------------------------------------------------------------------------


def test_slack_goes_away_between_click_and_count(stage):
    """A click that was acknowledged is kept while Slack cannot be asked who it was, and counted when it can."""
    stage.ask()
    (errand,) = stage.send(stage.payload("bursar-approve", MIRA)).afterwards
    stage.workspace.down = True
    with pytest.raises(SlackError):
        perform(errand, stage.desk)
    assert stage.approval().status is Decision.PENDING
    stage.workspace.down = False
    stage.clock.later(hours=1)
    assert count_clicks(stage.desk) == []
    assert stage.approval().status is Decision.APPROVED
    assert stage.approval().votes[0].at == NOW
    perform(errand, stage.desk)
    assert len(stage.approval().votes) == 1


@pytest.mark.parametrize("broken", range(1, 12))
def test_it_dies_anywhere_and_goes_on(stage, broken):
    """Whichever call of the store is the last of a process, the next one counts the click, once."""

    class DiedError(Exception):
        pass

    stage.ask()
    (errand,) = stage.send(stage.payload("bursar-approve", MIRA)).afterwards
    left = [broken]

    def die(_method):
        left[0] -= 1
        if not left[0]:
            raise DiedError

    healthy = stage.store
    stage.store = MemoryStore(healthy.memory, before=die)
    with suppress(DiedError):
        perform(errand, stage.desk)
    stage.store = MemoryStore(healthy.memory)
    assert count_clicks(stage.desk) == []
    assert catch_up(stage.desk) == []
    assert stage.approval().status is Decision.APPROVED
    assert len(stage.approval().votes) == 1
    assert stage.workspace.whispers == []
    assert "Approved" in stage.text()


def test_who_did_what_is_in_the_ledger(stage):
    """The ledger has the click with Slack's own id, the vote with the principal, and the end."""
    stage.ask()
    stage.click("bursar-approve", MIRA)
    said = [(entry.note.kind, entry.note.actor) for entry in stage.store.entries()]
    assert said == [
        ("approval.clicked", f"slack:{MIRA}"),
        ("approval.yes", "slack:mira@example.com"),
        ("finding.approved", "slack:mira@example.com"),
        ("approval.click-counted", f"slack:{MIRA}"),
    ]


def test_finding_that_is_gone(stage):
    """An approval whose finding is no longer remembered is decided all the same, and nothing follows."""
    approval = question_of()
    keep(stage.store, approval)
    post_question(approval, "", stage.desk)
    stage.click("bursar-approve", MIRA)
    assert stage.approval().status is Decision.APPROVED
    assert finding_of(approval).approval == approval.id
