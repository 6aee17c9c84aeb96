"""A run tells people in Slack: digests, threads, caps, and what was not delivered is sent again."""

from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest

from bursar.slack.teller import ALONE, QUESTIONS, SlackReceiver
from bursar.summary import Outcome, Summary
from bursar.telling import Telling
from engine.errors import Place
from engine.findings import Cost, Finding, Subject, Verdict
from engine.findings import Outcome as Judged
from engine.plan import Step
from engine.policy.model import Mode, Severity
from engine.state.lifecycle import Wish, opened
from engine.state.reconcile import Task
from engine.state.records import Held
from tests.bursar.slack.conftest import CHANNEL, NOW, finding_of, keep, question_of, said_in


def task_of(number: int, policy: str = "stop-idle-gpus", owner: str = "", name: str = "") -> Task:
    subject = Subject(f"u{number}", "aws.ec2.instance", f"i-{number}", name or f"dev-{number}", "1", "r", owner)
    verdict = Verdict(policy, subject, Judged.VIOLATION, "no GPU work for 4h")
    cost = Cost(Decimal(1), "a list")
    finding = Finding(
        f"f{number}", verdict, Severity.HIGH, Mode.APPROVE, Place("p"), "Idle.", cost, cost, ("stop",)
    )  # fmt: skip
    step = Step(f"f{number}-stop", finding.id, policy, "stop", "stop the instance", subject, Mode.APPROVE, Mode.APPROVE,
                True, "start it", timedelta(hours=4), None, cost, "f" * 64)  # fmt: skip
    return Task(finding, (step,), Held(opened(finding.id, policy, subject, NOW)), Wish.WARN)


def texts(stage, *, thread: bool) -> list[str]:
    return [said_in(m["blocks"]) for m in stage.workspace.messages.values() if bool(m["thread_ts"]) == thread]


def test_few_findings_are_one_message(stage):
    """Up to eight findings stand in one message, with what they cost, their owners, and when something is done."""
    stage.workspace.add_user("U0OWNER", "Owner", "owner@example.com")
    tasks = [task_of(1, owner="owner@example.com"), task_of(2, owner="a team"), task_of(3, owner="gone@example.com")]
    assert SlackReceiver(stage.desk).warn(tasks, NOW) == {}
    (text,) = texts(stage, thread=False)
    assert "Bursar warns of 3 findings, $2,190 a month" in text
    assert "`dev-1` <@U0OWNER>: `stop-idle-gpus`" in text
    assert "`dev-2` (owner `a team`)" in text
    assert "`dev-3` (owner `gone@example.com`)" in text
    assert "stop the instance not before 2026-03-04 20:00 UTC (4h) `f1`" in text


def test_owners_are_looked_up_once(stage):
    """T43: an owner of twenty findings is one call."""
    tasks = [task_of(number, owner="mira@example.com") for number in range(20)]
    SlackReceiver(stage.desk).warn(tasks, NOW)
    assert [m for m, _ in stage.workspace.calls].count("users.lookupByEmail") == 1


def test_many_findings_are_one_message_with_a_thread(stage):
    """T43: three hundred findings are a head with counts and a thread of a few messages, each finding in it once."""
    tasks = [task_of(number, f"policy-{number % 3}") for number in range(300)]
    assert SlackReceiver(stage.desk).warn(tasks, NOW) == {}
    (head,) = texts(stage, thread=False)
    assert "300 findings" in head
    assert "`policy-0`: 100 findings" in head
    replies = texts(stage, thread=True)
    assert len(replies) <= 10
    together = "\n".join(replies)
    assert all(together.count(f"`dev-{number}`") == 1 for number in range(300))


def test_too_many_findings_wait_for_the_next_run(stage):
    """T43: what does not fit into a thread was not delivered: it is told of later, and never acted on untold."""
    tasks = [task_of(number, name=f"dev-{number}-{'x' * 60}") for number in range(1200)]
    refused = SlackReceiver(stage.desk).warn(tasks, NOW)
    told = 1200 - len(refused)
    assert 200 < told < 1200
    together = "\n".join(texts(stage, thread=True))
    assert all((f"`dev-{number}-" in together) == (f"f{number}" not in refused) for number in range(1200))
    assert len(stage.workspace.messages) == 11


def test_hostile_names_in_a_digest(stage):
    """T39: names in a digest mention nobody and link nowhere."""
    names = ["<!channel>", "*bold* <https://evil|x>", "`x` <@U0MIRA>", "a\u202eb\n> c"] * 3
    SlackReceiver(stage.desk).warn([task_of(n, name=name) for n, name in enumerate(names)], NOW)
    assert not any("<" in text for text in texts(stage, thread=True))


def test_policies_have_channels(stage):
    """A policy that names a channel has its warnings there."""
    stage.workspace.add_channel("other")
    receiver = SlackReceiver(stage.desk, {"b": "#other"})
    assert receiver.warn([task_of(1, "a"), task_of(2, "b")], NOW) == {}
    assert [m[0] for m in stage.workspace.messages] == ["C00000001", "C00000002"]


def test_a_channel_that_is_not_there(stage):
    """A refusal is about one channel; the warnings of the others are delivered."""
    receiver = SlackReceiver(stage.desk, {"b": "#gone"})
    refused = receiver.warn([task_of(1, "a"), task_of(2, "b")], NOW)
    assert list(refused) == ["f2"]
    assert "channel_not_found" in refused["f2"]


def test_the_thread_breaks_off(stage):
    """Findings of the messages that were delivered are told of; the others are not."""
    tasks = [task_of(number, name=f"dev-{number}-{'x' * 60}") for number in range(100)]
    receiver = SlackReceiver(stage.desk)
    workspace, posts = stage.workspace, []
    real = workspace._post
    workspace._post = lambda given: posts.append(1) or (real(given) if len(posts) < 3 else (503, {}, {}))
    refused = receiver.warn(tasks, NOW)
    together = "\n".join(texts(stage, thread=True))
    assert 0 < len(refused) < 100
    assert all((f"`dev-{number}-" in together) == (f"f{number}" not in refused) for number in range(100))


def test_once_down_it_is_not_tried_again(stage):
    """A run that could not reach Slack does not wait for it again and again."""
    stage.workspace.down = True
    receiver = SlackReceiver(stage.desk)
    assert set(receiver.warn([task_of(1)], NOW)) == {"f1"}
    calls = len(stage.workspace.calls)
    assert receiver.warn([task_of(2)], NOW)
    assert receiver.ask(question_of(), task_of(1))
    assert receiver.summarize(Summary("r", "t"))
    assert len(stage.workspace.calls) == calls


def questions(stage, number: int) -> list[str]:
    receiver = SlackReceiver(stage.desk)
    failed = []
    for n in range(number):
        approval = question_of(f"{n:012x}")
        keep(stage.store, approval, finding_of(approval))
        failed.append(receiver.ask(approval, task_of(n)))
    assert receiver.finish() == []
    return failed


def test_few_questions_stand_alone(stage):
    """T43: up to three questions of a run are messages of their own."""
    assert questions(stage, ALONE) == [""] * ALONE
    assert len(texts(stage, thread=False)) == ALONE


def test_more_questions_are_a_thread(stage):
    """T43, T38: further questions are in one thread, each with its own buttons; its head says what they come to."""
    assert questions(stage, 8) == [""] * 8
    heads = texts(stage, thread=False)
    assert len(heads) == ALONE + 1
    assert "5 more questions in this thread, $199,000 a month" in heads[-1]
    assert "`000000000003` stop the instance: `dev-llm-3`" in heads[-1]
    assert len(texts(stage, thread=True)) == 5
    assert stage.click("bursar-approve", "U0MIRA", id_="000000000005").status == 200
    assert stage.approval("000000000005").status.value == "approved"
    assert stage.approval("000000000004").status.value == "pending"


def test_nobody_is_asked_more_than_can_be_read(stage):
    """T43: a run asks twenty questions in a channel; the next one asks the rest."""
    failed = questions(stage, QUESTIONS + 2)
    assert failed[:QUESTIONS] == [""] * QUESTIONS
    assert all("the next one asks" in why for why in failed[QUESTIONS:])


def test_an_owner_that_slack_will_not_tell(stage):
    """That the owner cannot be looked up is no reason not to ask."""
    stage.workspace.errors["users.lookupByEmail"] = "missing_scope"
    receiver = SlackReceiver(stage.desk)
    approval = question_of()
    keep(stage.store, approval, finding_of(approval))
    assert receiver.ask(approval, task_of(1, owner="owner@example.com")) == ""


def test_summary(stage):
    """A run's summary says what was done with the way back, what failed, and what holds it."""
    summary = Summary(
        "20260304-160000-1a2b3c", "1 step carried out, $720 a month saved; 1 finding held",
        (Outcome("dev-1", "stop the instance: done", False, "f1-stop.1"), Outcome("<!here>", "denied", True)),
        ("breaker finding-surge (p): 40% of 50", "not read: 1/r/k (AccessDenied)"), ("held: p: frozen",),
    )  # fmt: skip
    assert SlackReceiver(stage.desk).summarize(summary) == ""
    ((channel, _),) = stage.workspace.messages
    assert channel != CHANNEL
    (text,) = texts(stage, thread=False)
    for words in ("$720", "`dev-1` stop the instance: done  `bursar undo f1-stop.1`", "`&lt;!here&gt;` denied",
                  "finding-surge", "AccessDenied", "over: held: p: frozen", "20260304-160000-1a2b3c"):  # fmt: skip
        assert words in text


def test_a_rate_limit_is_waited_for(stage):
    """429 with Retry-After is answered by the SDK's handler: the message is delivered, once."""
    stage.workspace.limited = 1
    assert SlackReceiver(stage.desk).warn([task_of(1)], NOW) == {}
    assert len(stage.workspace.messages) == 1


def test_a_rate_limit_that_does_not_end(stage):
    """A limit that goes on is an outage: nothing counts as delivered."""
    stage.workspace.limited = 100
    receiver = SlackReceiver(stage.desk)
    assert "ratelimited" in receiver.warn([task_of(1)], NOW)["f1"]
    assert stage.workspace.messages == {}


# --- several receivers ---------------------------------------------------------------------------


class Receiver:
    """A receiver that takes what it is told to."""

    def __init__(self, why: str = ""):
        self.why, self.got = why, []

    def warn(self, tasks, now):
        self.got.append("warn")
        return {task.finding.id: self.why for task in tasks} if self.why else {}

    def ask(self, approval, task):
        self.got.append("ask")
        return self.why

    def summarize(self, summary):
        self.got.append("summarize")
        return self.why


@pytest.mark.parametrize(("first", "second", "delivered"), [("", "", True), ("", "no", True), ("no", "", False)])
def test_the_first_receiver_counts(first, second, delivered):
    """What the first one takes is delivered; whether the others took their copies is in the log."""
    log = StringIO()
    one, two = Receiver(first), Receiver(second)
    telling = Telling(log, (one, two))
    assert telling.warn([task_of(1)], NOW) == ({"f1"} if delivered else set())
    assert telling.ask(question_of(), task_of(1)) is delivered
    assert ("NOT DELIVERED: no" in log.getvalue()) == (not delivered)
    assert ("not sent: 1 of 1 warnings: no" in log.getvalue()) == bool(second)
    assert two.got == (["warn", "ask"] if delivered else ["warn"])


def test_without_a_receiver_the_log_counts():
    """Nobody configured anybody: the log is all there is."""
    log = StringIO()
    assert Telling(log).warn([task_of(1)], NOW) == {"f1"}
    assert Telling(log).ask(question_of(), task_of(1))
    assert "question a1b2c3d4e5f6: stop-idle-gpus: dev-1" in log.getvalue()
