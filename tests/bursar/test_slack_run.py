"""From a run's question in Slack to the act of a later run: the real endpoint, the real SDK, a real database."""

import json
from dataclasses import replace

import boto3
import pytest

from bursar.config import read_config
from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from bursar.running import utc_now
from bursar.slack.desk import open_desk
from bursar.slack.endpoint import SlackRequest, handle
from bursar.slack.errands import perform
from bursar.stores import open_store
from engine.state.records import ApprovalRecord, put, restored
from engine.state.store import Table
from integrations.catalog import default_catalog

POLICIES = """
version: 1
policies:
  - name: close-buckets
    description: Buckets that everybody can read.
    severity: critical
    resource: storage.bucket
    where: has(tags.team)
    rule: {when: not resource.public_access_blocked}
    mode: approve
    approval: {channel: "#data", approvers: ["@data-leads"], expires: 8h}
    grace: 0s
    remediate: [block_public_access]
    limits: {max_share: 100%}
"""
CONFIG = f"""
version: 1
max_mode: approve
policies: [p.yaml]
aws:
  regions: [us-east-1]
  act: {{role: BursarAct, accounts: ["123456789012"]}}
anchor: anchor.jsonl
slack:
  token: env:SLACK_BOT_TOKEN
  signing_secret: file:signing
  team: {TEAM}
  app: {APP}
  channel: "#costs"
  address: ADDRESS
"""


@pytest.fixture
def slack():
    workspace = Workspace(utc_now)
    workspace.add_user("U0MIRA", "Mira Osei", "mira@example.com")
    workspace.add_group("S0LEADS00", "data-leads", "U0MIRA")
    workspace.add_channel("data")
    workspace.add_channel("costs")
    with running_slack(workspace):
        yield workspace


@pytest.fixture
def s3(account):
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    yield client
    client.close()


@pytest.fixture
def site(here, s3, slack, monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    (here / "signing").write_text(SECRET + "\n", encoding="utf-8")
    (here / "p.yaml").write_text(POLICIES, encoding="utf-8")
    (here / "bursar.yaml").write_text(CONFIG.replace("ADDRESS", slack.address), encoding="utf-8")
    make_bucket(s3, "first")
    return here


def make_bucket(s3, name):
    s3.create_bucket(Bucket=name)
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": "perception"}]})


def blocked(s3, name):
    try:
        found = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return False
    return all(found.values())


def questions(slack):
    """Return channel, ts and message of each question that stands in the channel."""
    return [(*key, message) for key, message in slack.messages.items() if _asks(message)]


def _asks(message):
    return any(e.get("action_id") == "bursar-details" for b in message["blocks"] for e in b.get("elements", ()))


def click(slack, question, action="bursar-approve", *, count=True):
    """Click as Mira, through the endpoint with the configuration as it is; the errands only where `count` says so."""
    channel, ts, _ = question
    signed = slack.signed(slack.payload(channel, ts, action, "U0MIRA"))
    config = read_config(None, default_catalog())
    with open_store(config) as store:
        desk = open_desk(config, store, utc_now)
        answer = handle(SlackRequest(signed.headers, signed.body), desk)
        for errand in answer.afterwards if count else ():
            perform(errand, desk)
    return answer


def title(question):
    return question[2]["blocks"][0]["text"]["text"]


def report(ran):
    return json.loads(ran.out)


def test_asked_approved_done(bursar, site, s3, slack):
    """A run asks in Slack, a click approves, the next run acts, the message says so, and the ledger verifies."""
    ran = bursar("run", "-f", "json")
    assert ran.status == 0, ran.err
    assert report(ran)["outcomes"] == []
    (question,) = questions(slack)
    assert title(question) == "Approve? block public access to the bucket: first"
    assert click(slack, question).status == 200
    assert not blocked(s3, "first")
    assert title(question) == "Approved: block public access to the bucket: first"
    ran = bursar("run", "-f", "json")
    assert [o["result"] for o in report(ran)["outcomes"]] == ["done"], ran.err
    assert blocked(s3, "first")
    assert title(question) == "Done: block public access to the bucket: first"
    assert bursar("audit", "verify").status == 0
    listed = bursar("audit", "list").out
    for kind in ("approval.asked", "approval.clicked", "approval.yes", "action.done"):
        assert kind in listed


def test_a_click_that_nobody_counted(bursar, site, s3, slack):
    """A click that was acknowledged and then forgotten by whoever took it is counted by the next run."""
    bursar("run")
    (question,) = questions(slack)
    click(slack, question, count=False)
    ran = bursar("run", "-f", "json")
    assert [o["result"] for o in report(ran)["outcomes"]] == ["done"]
    assert title(question) == "Done: block public access to the bucket: first"


def test_slack_is_down(bursar, site, s3, slack):
    """With Slack away nothing counts as told, nothing is done and the run failed; the first that reaches it asks."""
    slack.down = True
    ran = bursar("run")
    assert ran.status == 5
    assert "NOT TOLD  nobody was reached; the next run says it again" in ran.out
    ran = bursar("run", "-f", "json")
    assert (ran.status, len(report(ran)["untold"])) == (5, 1)
    assert "NOT DELIVERED" in ran.err
    assert report(ran)["warned"] == []
    assert report(ran)["asked"] == []
    assert bursar("approvals", "list").out == "Nothing waits for an approval.\n"
    slack.down = False
    ran = bursar("run", "-f", "json")
    assert len(report(ran)["warned"]) == 1
    assert len(report(ran)["asked"]) == 1
    (question,) = questions(slack)
    click(slack, question, count=False)
    slack.down = True
    assert report(bursar("run", "-f", "json"))["outcomes"] == []
    slack.down = False
    assert len(report(bursar("run", "-f", "json"))["outcomes"]) == 1
    assert title(question) == "Done: block public access to the bucket: first"


def test_done_while_slack_was_down(bursar, site, s3, slack):
    """An approval from the command line is carried out without Slack; the message follows when it is back."""
    bursar("run")
    (question,) = questions(slack)
    click(slack, question)
    slack.down = True
    ran = bursar("run", "-f", "json")
    assert len(report(ran)["outcomes"]) == 1
    assert "not done yet" in ran.err
    assert title(question) == "Approved: block public access to the bucket: first"
    slack.down = False
    bursar("run")
    assert title(question) == "Done: block public access to the bucket: first"


def by_another_door(here, *, principal="mira@example.com"):
    """Let the caller of the AWS credentials be `principal`, and the one who runs Bursar somebody else."""
    text = (here / "bursar.yaml").read_text(encoding="utf-8").partition("people:")[0]
    people = f'people:\n  {principal}: {{aws: "arn:aws:sts::123456789012:user/moto"}}\n'
    (here / "bursar.yaml").write_text(text + people, encoding="utf-8")


def test_a_member_of_a_user_group_at_the_command_line(bursar, site, here, slack):
    """A second factor: a member of the user group approves with a cloud identity, and the message follows."""
    by_another_door(here)
    text = (here / "p.yaml").read_text(encoding="utf-8")
    (here / "p.yaml").write_text(text.replace("expires: 8h", "expires: 8h, second_factor: always"), encoding="utf-8")
    bursar("run")
    (question,) = questions(slack)
    click(slack, question)
    assert title(question).startswith("Approve?")
    id_ = json.loads(bursar("approvals", "list", "-f", "json").out)[0]["id"]
    ran = bursar("approvals", "approve", id_, "--identity", "aws")
    assert "is approved" in ran.out, ran.err
    assert title(question) == "Approved: block public access to the bucket: first"


@pytest.mark.parametrize("principal", ["somebody@example.com", "gone@example.com"])
def test_somebody_else_at_the_command_line(bursar, site, here, slack, principal):
    """Who is in no user group, or is deactivated in Slack, approves nothing by another door either."""
    slack.add_user("U0GONE", "Gone", "gone@example.com", deleted=True)
    slack.add_group("S0LEADS00", "data-leads", "U0MIRA", "U0GONE")
    by_another_door(here, principal=principal)
    bursar("run")
    id_ = json.loads(bursar("approvals", "list", "-f", "json").out)[0]["id"]
    ran = bursar("approvals", "approve", id_, "--identity", "aws")
    assert ran.status == 4
    assert f"{principal} is not one of its approvers" in ran.out


def test_approved_while_slack_is_down(bursar, site, here, slack):
    """A decision at the command line does not wait for Slack; the message follows with the next run."""
    by_another_door(here)
    text = (here / "bursar.yaml").read_text(encoding="utf-8")
    (here / "bursar.yaml").write_text(f'{text}groups: {{"@data-leads": [mira@example.com]}}\n', encoding="utf-8")
    bursar("run")
    (question,) = questions(slack)
    slack.down = True
    id_ = json.loads(bursar("approvals", "list", "-f", "json").out)[0]["id"]
    ran = bursar("approvals", "approve", id_, "--identity", "aws")
    assert "is approved" in ran.out
    assert "follows with the next run" in ran.err
    slack.down = False
    bursar("run")
    assert title(question) == "Done: block public access to the bucket: first"


def test_what_came_later_is_not_approved(bursar, site, s3, slack):
    """T38: an approval is of exactly what was shown; a bucket that came since has a question of its own."""
    bursar("run")
    (question,) = questions(slack)
    make_bucket(s3, "second")
    click(slack, question)
    ran = bursar("run", "-f", "json")
    assert [o["subject"]["name"] for o in report(ran)["outcomes"]] == ["first"]
    assert not blocked(s3, "second")
    assert {title(q) for q in questions(slack)} == {
        "Done: block public access to the bucket: first", "Approve? block public access to the bucket: second",
    }  # fmt: skip


def test_changed_since_the_yes(bursar, site, s3, slack):
    """T37: a resource that changed after the yes is not touched; the message says so, and a new one asks."""
    bursar("run")
    (question,) = questions(slack)
    click(slack, question)
    s3.put_bucket_tagging(Bucket="first", Tagging={"TagSet": [{"Key": "team", "Value": "sim"}]})
    assert report(bursar("run", "-f", "json"))["outcomes"] == []
    assert not blocked(s3, "first")
    titles = [title(q) for q in questions(slack)]
    assert titles == [
        "Not done: block public access to the bucket: first",
        "Approve? block public access to the bucket: first",
    ]


def test_what_would_be_lost_is_shown_before(bursar, site, s3, slack):
    """The provider is asked what would be lost before anybody is; a yes covers no loss that was not shown."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::first/*"}
    s3.put_bucket_policy(Bucket="first", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    bursar("run")
    (question,) = questions(slack)
    assert "*What would be lost*" in json.dumps(question[2]["blocks"])
    click(slack, question)
    with open_store(read_config(None, default_catalog())) as store:
        (stored,) = store.scan(Table.APPROVAL)
        held = restored(ApprovalRecord, stored)
        assert held.record.shown.lost
        store.commit([put(replace(held.record, shown=replace(held.record.shown, lost=())), held.version)])
    ran = bursar("run", "-f", "json")
    assert ran.status == 4
    (outcome,) = report(ran)["outcomes"]
    assert outcome["result"] == "stale"
    assert "the approval did not say that this would be lost" in outcome["reason"]
    assert not blocked(s3, "first")


def test_a_run_tells_what_holds_it_once(bursar, site, s3, slack):
    """A freeze is told of when it begins and when it is over, and not by every run between."""
    bursar("freeze", "--reason", "audit")
    for _ in range(3):
        assert bursar("run").status == 4
    told = [m["blocks"][0]["text"]["text"] for m in slack.messages.values() if "held" in m["text"]]
    assert told == ["1 finding held"]
    bursar("unfreeze", "--reason", "done")
    bursar("run")
    assert any("over: held: close-buckets: frozen" in json.dumps(m["blocks"]) for m in slack.messages.values())


def test_whoever_runs_it_does_not_approve_it(bursar, site, slack, here):
    """T33: the person at the command line who runs Bursar approves nothing of what that run asks for."""
    import os
    import pwd

    user = pwd.getpwuid(os.getuid()).pw_name
    text = (here / "bursar.yaml").read_text(encoding="utf-8")
    people = f"people:\n  mira@example.com: {{user: {user}, slack: U0MIRA}}\n"
    (here / "bursar.yaml").write_text(text + people, encoding="utf-8")
    bursar("run")
    (question,) = questions(slack)
    click(slack, question)
    assert "another has to approve" in slack.whispers[0]["text"]
    assert title(question) == "Approve? block public access to the bucket: first"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("env:SLACK_BOT_TOKEN", "xoxb-1234-very-secret", "`slack.token` is a secret"),
        ("file:signing", "abcdef-very-secret", "`slack.signing_secret` is a secret"),
        ("env:SLACK_BOT_TOKEN", "env:NOT_THERE", "env:NOT_THERE is not set"),
        ("file:signing", "file:missing", "cannot be read"),
        (f"team: {TEAM}", "team: bursar", "team"),
        ('channel: "#costs"', "escalate: 150%", "escalate"),
    ],
)
def test_what_is_wrong_with_the_configuration(bursar, site, here, old, new, words):
    """A mistake is told of with its place; a secret that stands in the file is not shown."""
    text = (here / "bursar.yaml").read_text(encoding="utf-8").replace(old, new)
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    ran = bursar("run")
    assert ran.status == 2
    assert words in ran.err
    assert "very-secret" not in ran.err + ran.out


def test_secrets_show_nowhere(site, here):
    """Neither the configuration nor the desk shows a secret when it is printed."""
    config = read_config(here / "bursar.yaml", default_catalog())
    with open_store(config) as store:
        desk = open_desk(config, store, utc_now)
        shown = repr(desk) + repr(config) + str(desk.secret) + repr(desk.slack)
    assert TOKEN not in shown
    assert SECRET not in shown
