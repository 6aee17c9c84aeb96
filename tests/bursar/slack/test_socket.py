"""Clicks over Socket Mode, from a real WebSocket server to the real client of the SDK."""

import json
import queue
import threading
from contextlib import contextmanager
from io import StringIO

import pytest
from websockets.sync.server import serve

from bursar.approving import find_approval
from bursar.config import Config
from bursar.demo.slack import TOKEN
from bursar.slack.socket import open_listener
from engine.errors import ConfigError
from engine.state.records import Decision
from integrations.slack.client import SlackError, SlackRefusedError
from integrations.store.addresses import SqliteAddress
from integrations.store.sql_open import open_sqlite
from tests.bursar.slack.conftest import MIRA, ZOE, question_of

WAIT = 10
"""Seconds after which an acknowledgement is not coming any more."""


class Socket:
    """Slack's end of a connection."""

    def __init__(self):
        self.connected, self.acks, self.connections = threading.Event(), queue.Queue(), []

    def serve(self, connection):
        self.connections.append(connection)
        connection.send(json.dumps({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0BURSAR"}}))
        self.connected.set()
        for message in connection:
            self.acks.put(json.loads(message))

    def deliver(self, payload, envelope, kind="interactive"):
        sent = {"type": kind, "envelope_id": envelope, "accepts_response_payload": True, "payload": payload}
        self.connections[-1].send(json.dumps(sent))


@contextmanager
def socket_of(workspace):
    socket = Socket()
    with serve(socket.serve, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        workspace.socket = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
        try:
            yield socket
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def config(stage, tmp_path, monkeypatch):
    """A configuration whose store is the stage's own."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    monkeypatch.setenv("SLACK_APP_TOKEN", "xapp-1")
    path = tmp_path / "bursar.db"
    stage.store = open_sqlite(path, create=True)
    from dataclasses import replace

    settings = replace(stage.settings, token="env:SLACK_BOT_TOKEN", app_token="env:SLACK_APP_TOKEN")
    yield Config(folder=tmp_path, state=SqliteAddress(path), slack=settings, people=stage.people)
    stage.store.close()


def until(holds):
    """Wait for what a thread of the SDK does."""
    done = threading.Event()
    for _ in range(WAIT * 50):
        if holds():
            return
        done.wait(0.02)
    raise AssertionError("it did not come about")


def test_a_click_over_a_socket(stage, config):
    """The same checks, the same counting, the acknowledgement as soon as the click is written down."""
    stage.ask(question_of(quorum=2))
    with socket_of(stage.workspace) as socket, open_listener(config, stage.clock, StringIO()):
        assert socket.connected.wait(WAIT)
        payload = stage.payload("bursar-approve", MIRA)
        socket.deliver(payload, "e1")
        assert socket.acks.get(timeout=WAIT)["envelope_id"] == "e1"
        until(lambda: len(find_approval(stage.store, "a1b2c3d4e5f6").record.votes) == 1)
        socket.deliver({**payload, "team": {"id": "T0EVIL"}}, "forged")
        socket.deliver(payload, "replayed")
        socket.deliver({}, "e4", kind="events_api")
        assert socket.acks.get(timeout=WAIT)["envelope_id"] == "e4"
    assert socket.acks.empty()
    assert stage.approval().status is Decision.PENDING


def test_a_modal_over_a_socket(stage, config):
    """A reason that is missing is answered with the acknowledgement itself."""
    stage.ask()
    stage.click("bursar-deny", MIRA)
    view = stage.workspace.views[-1]
    with socket_of(stage.workspace) as socket, open_listener(config, stage.clock, StringIO()):
        assert socket.connected.wait(WAIT)
        socket.deliver(stage.workspace.submission(view, MIRA, " "), "e1")
        assert socket.acks.get(timeout=WAIT)["payload"]["response_action"] == "errors"
        socket.deliver(stage.workspace.submission(view, MIRA, "no"), "e2")
        assert socket.acks.get(timeout=WAIT)["envelope_id"] == "e2"
        until(lambda: stage.approval().status is Decision.DENIED)


def test_slack_fails_after_the_acknowledgement(stage, config):
    """What could not be done after the acknowledgement is in the log, and left to the next run."""
    stage.ask()
    log = StringIO()
    payload = stage.payload("bursar-approve", ZOE)
    with socket_of(stage.workspace) as socket, open_listener(config, stage.clock, log):
        assert socket.connected.wait(WAIT)
        stage.workspace.errors["users.info"] = "missing_scope"
        socket.deliver(payload, "e1")
        assert socket.acks.get(timeout=WAIT)["envelope_id"] == "e1"
        until(lambda: "the next run does it" in log.getvalue())
    assert "missing_scope" in log.getvalue()


def test_no_connection(stage, config):
    """A Slack that is not there is an error at the start."""
    stage.workspace.down = True
    with pytest.raises(SlackError), open_listener(config, stage.clock, StringIO()):
        pass


def test_a_token_that_is_refused(stage, config):
    """A Slack that says no is told from one that is not there, with what to do."""
    stage.workspace.errors["apps.connections.open"] = "invalid_auth"
    said = "Slack refused `apps.connections.open`: invalid_auth"
    with pytest.raises(SlackRefusedError, match=said) as caught, open_listener(config, stage.clock, StringIO()):
        pass
    assert "copy it from the app again" in caught.value.problems[0].hint


def test_not_configured(stage, config):
    """Without an app token there is nothing to listen with."""
    from dataclasses import replace

    for slack in (None, replace(config.slack, app_token="")):
        with (
            pytest.raises(ConfigError, match="Socket Mode is not configured"),
            open_listener(replace(config, slack=slack), stage.clock, StringIO()),
        ):
            pass
