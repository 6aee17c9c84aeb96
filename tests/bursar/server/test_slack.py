"""Slack's clicks over HTTP: signed, answered at once, done afterwards; refused where they are not Slack's."""

from dataclasses import replace

import pytest

from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from bursar.server.slack import PATHS
from bursar.slack.desk import open_desk
from bursar.slack.messages import post_question
from bursar.slack.settings import SlackSettings
from bursar.stores import open_store
from engine.state.conversation import MessageRecord
from engine.state.records import Decision
from integrations.slack.signing import LARGEST
from tests.bursar.server.conftest import MIRA

NAME = "vla-sweep-7"


@pytest.fixture
def workspace(served, monkeypatch):
    """A workspace on loopback, in which the server's question about one machine is posted."""
    made = Workspace(lambda: served.now[0])
    made.add_user("U0MIRA", "Mira Osei", MIRA)
    made.add_user("U0EVE", "Eve", "eve@example.com")
    made.add_group("S0MLLEADS", "ml-leads", "U0MIRA")
    made.add_channel("gpu-approvals")
    with running_slack(made):
        monkeypatch.setenv("TEST_SLACK_TOKEN", TOKEN)
        monkeypatch.setenv("TEST_SLACK_SECRET", SECRET)
        settings = SlackSettings(
            "env:TEST_SLACK_TOKEN", TEAM, APP, "#gpu-approvals", address=made.address,
            signing_secret="env:TEST_SLACK_SECRET",
        )  # fmt: skip
        served.config = replace(served.config, slack=settings)
        with open_store(served.config) as store:
            desk = open_desk(served.config, store, lambda: served.now[0])
            post_question(served.approval(NAME), "", desk)
        yield made


def signed(served, workspace, user="U0MIRA", **signing):
    message = served.read(MessageRecord, served.approvals[NAME])
    return workspace.signed(workspace.payload(message.channel, message.ts, "bursar-approve", user, ""), **signing)


@pytest.mark.parametrize("path", PATHS)
def test_a_click_decides(served, workspace, path):
    """A click is answered, counted behind the answer, shown in the message and on the page; nobody signs in for it."""
    sent = signed(served, workspace)
    stranger = served.client(address="203.0.113.9")
    answer = stranger.post(path, content=sent.body, headers=sent.headers)
    assert (answer.status_code, answer.content) == (200, b"")
    record = served.approval(NAME)
    assert record.status is Decision.APPROVED
    assert [vote.door for vote in record.votes] == ["slack"]
    served.look()
    assert "Approved." in served.client(MIRA).get(f"/approvals/{record.id}").text


def test_what_is_not_slacks(served, workspace):
    """Without a signature by our secret nothing is read, and nothing is counted."""
    sent = signed(served, workspace, secret="another")
    assert served.client().post(PATHS[0], content=sent.body, headers=sent.headers).status_code == 401
    assert served.client().post(PATHS[0], content=b"x" * (LARGEST + 1)).status_code == 413
    assert served.client().get(PATHS[0]).status_code == 405
    assert served.approval(NAME).votes == ()


def test_slack_that_is_down(served, workspace, capsys):
    """A click that Slack cannot be asked about is kept for the next run, and said in the log."""
    sent = signed(served, workspace)
    workspace.down = True
    answer = served.client().post(PATHS[0], content=sent.body, headers=sent.headers)
    assert answer.status_code == 200
    assert served.approval(NAME).status is Decision.PENDING
    assert "not done yet, the next run does it" in capsys.readouterr().err


def test_without_slack(served):
    """Where Slack is not configured there is nothing to call."""
    assert served.client().post(PATHS[0], content=b"payload=x").status_code == 404
