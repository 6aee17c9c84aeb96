"""A Slack workspace on loopback, a store, and a question in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from pydantic import SecretStr

from bursar.approving import find_approval
from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from bursar.slack.desk import Desk, desk_over
from bursar.slack.endpoint import SlackAnswer, SlackRequest, handle
from bursar.slack.errands import perform
from bursar.slack.messages import post_question
from bursar.slack.settings import SlackSettings
from engine.findings import Subject
from engine.people import Door, People, Person
from engine.state.conversation import MessageRecord
from engine.state.records import ApprovalRecord, Decision, Fact, FindingRecord, Shown, ShownStep, Status, put, restored
from engine.state.store import Store, Table
from integrations.slack.client import Slack
from tests.engine.state.fakes import Memory, MemoryStore

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
MIRA, TOMAS, ZOE, GUEST = "U0MIRA", "U0TOMAS", "U0ZOE", "U0GUEST"
CHANNEL = "C00000000"


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def later(self, **length: float) -> None:
        self.now += timedelta(**length)


def question_of(id_: str = "a1b2c3d4e5f6", **more) -> ApprovalRecord:
    """Return a question about one machine that waits for one of the ML leads."""
    subject = Subject(
        "aws.ec2.instance/123456789012/us-east-1/i-0abc", "aws.ec2.instance", "i-0abc", "dev-llm-3",
        "123456789012", "us-east-1", "owner@example.com",
    )  # fmt: skip
    finding = f"f{id_}"
    shown = Shown(
        severity="high",
        description="GPU machines that have done no work for four hours.",
        summary="no GPU work for 4h on 8 of 8 devices",
        evidence=(Fact("gpu.utilization[0]", "0%", "below 5%", "cloudwatch CWAgent, 240 of 240 samples"),),
        cost=Decimal(40179),
        savings=Decimal(39800),
        steps=(ShownStep(f"{finding}-stop", "stop the instance", {}, True, "start the instance"),),
        production=False,
    )
    record = ApprovalRecord(
        id=id_,
        finding=finding,
        episode=1,
        policy="stop-idle-gpus",
        subject=subject,
        status=Decision.PENDING,
        steps=("stop the instance",),
        digest="d" * 64,
        fingerprint="f" * 64,
        asked=NOW,
        expires=NOW + timedelta(hours=8),
        channel="#gpu-approvals",
        approvers=("@ml-leads",),
        requester="cron@example.com",
        shown=shown,
    )
    return replace(record, **more)


def finding_of(approval: ApprovalRecord, **more) -> FindingRecord:
    """Return the record of a finding that waits for `approval`."""
    record = FindingRecord(
        approval.finding, approval.policy, approval.subject, Status.PENDING, NOW, opened=NOW, warned=NOW,
        fingerprint=approval.fingerprint, approval=approval.id, asked=1,
    )  # fmt: skip
    return replace(record, **more)


def keep(store: Store, *records) -> None:
    for record in records:
        stored = store.get(record.table, record.key)
        store.commit([put(record, stored.version if stored else 0)])


@dataclass
class Stage:
    """A workspace, a store, and who works with them."""

    workspace: Workspace
    store: Store
    clock: Clock
    people: People
    settings: SlackSettings
    performed: list = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        """Another process each time: nothing is remembered but what the store has."""
        slack = Slack(SecretStr(TOKEN), self.workspace.address)
        return desk_over(slack, self.people, self.settings, self.store, self.clock, SecretStr(SECRET))

    def ask(self, approval: ApprovalRecord | None = None) -> ApprovalRecord:
        """Let a question be pending, and post it."""
        approval = approval or question_of()
        keep(self.store, approval, finding_of(approval))
        post_question(approval, "", self.desk)
        return approval

    def message(self, id_: str = "a1b2c3d4e5f6") -> MessageRecord:
        stored = self.store.get(Table.MESSAGE, id_)
        assert stored is not None
        return restored(MessageRecord, stored).record

    def payload(self, action: str, user: str, choice: str = "", id_: str = "a1b2c3d4e5f6") -> dict:
        message = self.message(id_)
        return self.workspace.payload(message.channel, message.ts, action, user, choice)

    def send(self, payload: dict, **signing) -> SlackAnswer:
        """Post a payload, signed, to the endpoint; what is to be done afterwards is not."""
        return self.post(self.workspace.signed(payload, **signing))

    def post(self, signed) -> SlackAnswer:
        return handle(SlackRequest(signed.headers, signed.body), self.desk)

    def click(self, action: str, user: str, choice: str = "", id_: str = "a1b2c3d4e5f6") -> SlackAnswer:
        """Click, and do what is to be done afterwards."""
        answer = self.send(self.payload(action, user, choice, id_))
        for errand in answer.afterwards:
            perform(errand, self.desk)
        return answer

    def deny(self, user: str, reason: str) -> SlackAnswer:
        """Click Deny, fill in the modal and send it off."""
        self.click("bursar-deny", user)
        answer = self.send(self.workspace.submission(self.workspace.views[-1], user, reason))
        for errand in answer.afterwards:
            perform(errand, self.desk)
        return answer

    def approval(self, id_: str = "a1b2c3d4e5f6") -> ApprovalRecord:
        return find_approval(self.store, id_).record

    def text(self, id_: str = "a1b2c3d4e5f6") -> str:
        """Return all that the message says now."""
        message = self.message(id_)
        return said_in(self.workspace.messages[message.channel, message.ts]["blocks"])

    def snapshot(self) -> tuple:
        """Return everything that is in the store."""
        assert isinstance(self.store, MemoryStore)
        memory = self.store.memory
        return dict(memory.records), list(memory.entries)


def said_in(node) -> str:
    """Return every text of blocks."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return "\n".join([*own, *(said for value in node.values() if (said := said_in(value)))])
    if isinstance(node, list):
        return "\n".join(said for value in node if (said := said_in(value)))
    return ""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock) -> Iterator[Workspace]:
    made = Workspace(clock)
    made.add_user(MIRA, "Mira Osei", "mira@example.com")
    made.add_user(TOMAS, "Tomas Lind", "tomas@example.com")
    made.add_user(ZOE, "Zoe Adler", "zoe@example.com")
    made.add_user(GUEST, "Gus Guest", "gus@example.com", is_restricted=True)
    made.add_group("S0MLLEADS", "ml-leads", MIRA, TOMAS, GUEST)
    assert made.add_channel("gpu-approvals") == CHANNEL
    made.add_channel("ml-costs")
    with running_slack(made):
        yield made


@pytest.fixture
def stage(workspace, clock) -> Stage:
    settings = SlackSettings("env:X", TEAM, APP, "#ml-costs", address=workspace.address)
    people = People((Person("zoe@example.com", {Door.SLACK: ZOE}),), {"@finops": frozenset({"zoe@example.com"})})
    return Stage(workspace, MemoryStore(Memory()), clock, people, settings)
