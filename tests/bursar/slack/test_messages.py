"""Messages: what they say, what they never do with what others chose, and how they keep up with their story."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.demo.slack import LARGEST, _wrong, element_of
from bursar.slack.card import blocks_of, details_of, fallback
from bursar.slack.messages import catch_up, post_question
from bursar.slack.story import Story
from engine.findings import Subject
from engine.people import Door, People, Person
from engine.state.records import ActionRecord, Decision, Fact, Progress, Shown, ShownStep, Status, Vote
from integrations.slack.client import SlackError
from integrations.slack.payloads import ID
from tests.bursar.slack.conftest import CHANNEL, MIRA, NOW, finding_of, keep, question_of, said_in


def test_everything_to_decide_by(stage):
    """The message has the resource, the evidence, the dollars, the steps, the way back, who decides and until when."""
    stage.workspace.add_user("U0OWNER", "Owner", "owner@example.com")
    approval = question_of(
        shown=replace(
            question_of().shown,
            steps=(ShownStep("f-tag", "tag the resource", {"owner": "ml"}, True, "write the old tags"),
                   ShownStep("f-end", "terminate the instance", {}, False, "")),
            lost=("1,900 GiB of instance-store data",),
            production=True,
        ),
        quorum=2,
        strong=True,
    )  # fmt: skip
    keep(stage.store, approval, finding_of(approval))
    post_question(approval, "U0OWNER", stage.desk)
    text = stage.text()
    for words in (
        "Approve? stop the instance: dev-llm-3", "`stop-idle-gpus`  *high*", "`dev-llm-3` (`i-0abc`)",
        "`aws.ec2.instance` · `123456789012` · `us-east-1`, *production*", "$40,179 a month", "$39,800 a month",
        "<@U0OWNER>", "{date_short_pretty} {time}|2026-03-05 00:00 UTC>",
        "1. tag the resource (`owner`: `ml`); can be undone: write the old tags",
        "2. terminate the instance; *cannot be undone*", "1,900 GiB of instance-store data",
        "`gpu.utilization[0]` = `0%`, below 5%  (cloudwatch CWAgent, 240 of 240 samples)",
        "Approval `a1b2c3d4e5f6`", "decided by 2 of `@ml-leads`", "--identity aws",
    ):  # fmt: skip
        assert words in text
    blocks = stage.workspace.messages[CHANNEL, stage.message().ts]["blocks"]
    assert "terminate the instance cannot be undone" in said_in(element_of(blocks, "bursar-approve")["confirm"])


def test_devices_that_say_the_same(stage):
    """What is the same on many devices is one line; what differs stands by itself."""
    facts = [Fact(f"gpu.utilization[{n}]", "0%", "below 5%", "cloudwatch") for n in range(7)]
    facts.append(Fact("gpu.utilization[7]", "1%", "below 5%", "cloudwatch"))
    stage.ask(question_of(shown=replace(question_of().shown, evidence=tuple(facts))))
    assert (
        "• `gpu.utilization` = `0%` on 7 devices, below 5%  (cloudwatch)\n• `gpu.utilization[7]` = `1%`" in stage.text()
    )


def test_values_are_ids_and_nothing_else(stage):
    """T30: no button holds more than the random id; a menu adds one of its four lengths."""
    stage.ask()
    blocks = stage.workspace.messages[CHANNEL, stage.message().ts]["blocks"]
    for action in ("bursar-approve", "bursar-deny", "bursar-details"):
        assert ID.fullmatch(element_of(blocks, action)["value"])
    values = [option["value"] for option in element_of(blocks, "bursar-snooze")["options"]]
    assert values == [f"a1b2c3d4e5f6.{length}" for length in ("4h", "1d", "3d", "7d")]


def test_what_is_not_known(stage):
    """Prices, owners and steps that are not known are said to be so."""
    shown = replace(question_of().shown, cost=None, savings=None, evidence=(), steps=())
    subject = replace(question_of().subject, owner="", name="")
    stage.ask(question_of(shown=shown, subject=subject))
    text = stage.text()
    assert "? a month" in text
    assert "nobody is named" in text
    assert "1. stop the instance; *cannot be undone*" in text


# --- T39: what others chose ----------------------------------------------------------------------

HOSTILE = [
    "*Approve me* <https://evil.example|prod>",
    "<!channel> <!here> <@U0MIRA> <!subteam^S0MLLEADS>",
    "`code` _x_ ~y~ \n> quote\n# head",
    "safe\u202egnp.exe\u2066x\u2069",
    "\x00\x1b[31mred\x07\r\nApproved by mira",
    "&amp;lt;!channel&gt;",
    "a" * 3000,
    "<" * 3000,
    "💸" * 1000,
    "\u200b\u200d\ufeff",
    "\ud800 half",
    ":rotating_light: *DONE* ✅",
    "",
    " ",
    "`" * 200,
    "<!date^1^{date}|x>",
    "http://evil.example/approve mailto:x@evil.example",
]
MENTION = re.compile(r"<(?!!date\^\d+\^\{date_short_pretty\} \{time\}\|)(?!@U0OWNER>)")


def hostile(name: str):
    """Return a question in which everything that anybody may choose is `name`."""
    subject = Subject(name or "uid", name, name, name, name, name, name)
    fact = Fact(name, name, name, name)
    shown = Shown(
        name, name, name, name, (fact,) * 40, Decimal(1), Decimal(1), basis=name, lost=(name,) * 5,
        steps=tuple(ShownStep("f-x", name, {name: name, "k": name}, number % 2 > 0, name) for number in range(12)),
    )  # fmt: skip
    votes = (Vote(name, name, True, NOW, name), Vote(name, "slack", False, NOW, name))
    return question_of(subject=subject, shown=shown, votes=votes, steps=(name,) * 12, policy=name,
                       approvers=(name,) * 12, reason=name)  # fmt: skip


def inert(blocks) -> None:
    """Assert that Slack takes `blocks`, and that nothing in them mentions, links, reorders or hides."""
    assert _wrong(blocks) == ""
    for text in mrkdwn_of(blocks):
        assert not MENTION.search(text), text
    everything = said_in(blocks)
    assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", everything)


def mrkdwn_of(node):
    if isinstance(node, dict):
        if node.get("type") == "mrkdwn":
            assert node["verbatim"] is True
            yield node["text"]
        for value in node.values():
            yield from mrkdwn_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from mrkdwn_of(value)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("status", Decision)
def test_hostile_names(name, status):
    """T39: whatever a resource, a tag, an owner or a reason is called, in every state of the message and in Details."""
    approval = replace(hostile(name), status=status)
    finding = finding_of(approval, reason=name, status=Status.VERIFIED)
    action = ActionRecord(
        "f-x.1", "f-x", "f", 1, name, name, approval.subject, Progress.FAILED, "t", "r", "a", NOW, reason=name
    )
    story = Story(approval, finding, (action,) * 12)
    blocks = blocks_of(story, "U0OWNER")
    inert(blocks)
    assert len(json.dumps(blocks, ensure_ascii=False).encode()) <= LARGEST
    inert(details_of(story)["blocks"])
    assert len(fallback(story)) <= 3000
    assert not MENTION.search(fallback(story))


@given(st.text(max_size=400))
def test_any_name(name):
    """T39: the same for names that nobody thought of."""
    inert(blocks_of(Story(hostile(name)), ""))


def test_bold_is_not_bold():
    """T39: a name cannot look like Bursar's own words: it stands in a code span, whose end it cannot write."""
    blocks = blocks_of(Story(hostile("` *Approved by mira* `")), "")
    found = [text for text in mrkdwn_of(blocks) if "Approved by mira" in text]
    assert found
    for text in found:
        outside = re.sub(r"`[^`\n]*`", "", text)
        assert "*Approved by mira*" not in outside
        assert "`" not in outside


def test_cut_with_a_marker():
    """T39: a long name is cut, and shows that it was."""
    text = said_in(blocks_of(Story(hostile("n" * 3000)), ""))
    assert "n…" in text
    assert "n" * 501 not in text


# --- keeping up ----------------------------------------------------------------------------------


def acted(approval, progress, **more):
    record = ActionRecord(
        f"{approval.shown.steps[0].id}.1", approval.shown.steps[0].id, approval.finding, 1, approval.policy, "stop",
        approval.subject, progress, "t", "r", "bursar", NOW, reversible=True, finished=NOW + timedelta(minutes=5),
        hourly=Decimal("54.5"),
    )  # fmt: skip
    return replace(record, **more)


def test_from_the_question_to_the_outcome(stage):
    """The same message says who approved, then what was done, what it saves and how to undo it; then it is let be."""
    approval = stage.ask()
    stage.click("bursar-approve", MIRA)
    assert "the next run carries it out" in stage.text()
    keep(stage.store, acted(approval, Progress.PENDING, finished=None), finding_of(approval, status=Status.ACTING))
    assert catch_up(stage.desk) == []
    assert "Under way since 2026-03-04 16:00 UTC: stop the instance" in stage.text()
    keep(stage.store, acted(approval, Progress.DONE), finding_of(approval, status=Status.VERIFIED))
    assert catch_up(stage.desk) == []
    text = stage.text()
    assert text.startswith("Done: stop the instance: dev-llm-3")
    assert "Saves $39,785 a month from now on" in text
    assert "`bursar undo fa1b2c3d4e5f6-stop.1`" in text
    assert "mira@example.com" in text
    assert stage.message().status == "closed"
    assert len(stage.workspace.messages) == 1
    stage.workspace.calls.clear()
    assert catch_up(stage.desk) == []
    assert stage.workspace.calls == []


@pytest.mark.parametrize(
    ("progress", "status", "retry", "title", "words"),
    [
        (Progress.FAILED, Status.FAILED, None, "Not done", "*Failed*, 2026-03-04 16:05 UTC: stop the instance: denied"),
        (Progress.FAILED, Status.FAILED, NOW + timedelta(hours=1), "Not done", "tried again after 2026-03-04 17:00"),
        (Progress.UNDONE, Status.VERIFIED, None, "Done", "Undone: stop the instance"),
    ],
)
def test_other_outcomes(stage, progress, status, retry, title, words):
    """A step that failed, that is tried again, that was undone."""
    approval = stage.ask()
    stage.click("bursar-approve", MIRA)
    keep(stage.store, acted(approval, progress, reason="denied"), finding_of(approval, status=status, retry=retry))
    assert catch_up(stage.desk) == []
    assert stage.text().startswith(title)
    assert words in stage.text()
    assert (stage.message().status == "open") == (retry is not None)


def test_nothing_had_to_be_done(stage):
    """What the step was for held already: the message says so."""
    approval = stage.ask()
    stage.click("bursar-approve", MIRA)
    keep(stage.store, finding_of(approval, status=Status.VERIFIED, reason="what it is for holds already"))
    assert catch_up(stage.desk) == []
    assert "Nothing had to be done*: what it is for holds already" in stage.text()


def test_nothing_is_sent_twice(stage):
    """A message that says what it has to say is not changed."""
    stage.ask()
    stage.workspace.calls.clear()
    assert catch_up(stage.desk) == []
    assert stage.workspace.calls == []


@pytest.mark.parametrize("word", ["message_not_found", "channel_not_found", "is_archived"])
def test_a_message_that_was_deleted(stage, word):
    """A message that is not there any more is given up; the decision is not."""
    stage.ask()
    stage.workspace.errors["chat.update"] = word
    stage.click("bursar-approve", MIRA)
    assert stage.approval().status is Decision.APPROVED
    assert stage.message().status == "closed"
    assert catch_up(stage.desk) == []


def test_one_message_that_cannot_be_changed(stage):
    """A refusal about one message does not keep the others from being brought up to date."""
    stage.ask()
    stage.workspace.errors["chat.update"] = "msg_too_long"
    approval = stage.approval()
    keep(stage.store, replace(approval, status=Decision.EXPIRED, reason="nobody decided in time"))
    (error,) = catch_up(stage.desk)
    assert error.problems[0].code == "slack-refused"
    stage.workspace.errors.clear()
    assert catch_up(stage.desk) == []
    assert "Expired*: nobody decided in time; nothing was done" in stage.text()


def test_slack_is_down_for_an_hour(stage):
    """Whatever happened meanwhile is in the message at the first run that reaches Slack."""
    stage.ask()
    stage.workspace.down = True
    vote = Vote("zoe@example.com", "web", True, NOW)
    keep(stage.store, replace(stage.approval(), status=Decision.APPROVED, votes=(vote,)))
    for _ in range(2):
        (error,) = catch_up(stage.desk)
        assert error.problems[0].code == "slack-unavailable"
        stage.clock.later(minutes=30)
    stage.workspace.down = False
    assert catch_up(stage.desk) == []
    assert "zoe@example.com` by web" in stage.text()


# --- escalation ----------------------------------------------------------------------------------


def test_escalated_once_after_half_of_the_time(stage):
    """The approvers are mentioned in the thread when half of the time is over, and not again."""
    stage.ask()
    stage.clock.later(hours=3, minutes=59)
    assert catch_up(stage.desk) == []
    assert len(stage.workspace.messages) == 1
    stage.clock.later(minutes=1)
    for _ in range(3):
        assert catch_up(stage.desk) == []
        stage.clock.later(hours=1)
    (reply,) = [m for m in stage.workspace.messages.values() if m["thread_ts"]]
    assert reply["thread_ts"] == stage.message().ts
    assert "<!subteam^S0MLLEADS>" in reply["text"]
    assert "until 2026-03-05 00:00 UTC" in reply["text"]


@pytest.mark.parametrize(
    ("approvers", "mention"),
    [
        (("tomas@example.com",), "<@U0TOMAS>"),
        (("U0TOMAS",), "<@U0TOMAS>"),
        (("@finops",), "<@U0ZOE>"),
        (("boss@example.com",), "<@U0BOSS>"),
        (("nobody@example.com", "@unknown"), "`nobody@example.com`, `@unknown`"),
    ],
)
def test_who_is_mentioned(stage, approvers, mention):
    """Approvers are mentioned as far as Slack knows them; the others are named."""
    boss = Person("boss@example.com", {Door.SLACK: "U0BOSS"})
    stage.people = People((*stage.people.persons, boss), stage.people.groups)
    stage.ask(question_of(approvers=approvers))
    stage.clock.later(hours=5)
    assert catch_up(stage.desk) == []
    (reply,) = [m for m in stage.workspace.messages.values() if m["thread_ts"]]
    assert reply["text"].startswith(f"{mention}: ")


@pytest.mark.parametrize("why", ["never", "answered", "expired"])
def test_not_escalated(stage, why):
    """Nobody is mentioned where the configuration says never, where it is answered, or too late."""
    if why == "never":
        stage.settings = replace(stage.settings, escalate=None)
    stage.ask()
    if why == "answered":
        stage.click("bursar-approve", MIRA)
    stage.clock.later(hours=9 if why == "expired" else 5)
    assert catch_up(stage.desk) == []
    assert not [m for m in stage.workspace.messages.values() if m["thread_ts"]]


def test_a_question_that_is_not_delivered(stage):
    """Where Slack does not take the question there is no message, and no click can be about it."""
    stage.workspace.errors["chat.postMessage"] = "not_in_channel"
    approval = question_of()
    keep(stage.store, approval, finding_of(approval))
    with pytest.raises(SlackError, match="not_in_channel") as raised:
        post_question(approval, "", stage.desk)
    assert "invite the app" in raised.value.problems[0].hint
    assert list(stage.store.scan(approval.table)) != []
    with pytest.raises(AssertionError):
        stage.message()
