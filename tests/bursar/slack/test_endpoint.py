"""The endpoint before anything is decided: what is not Slack's, not ours, not new or not well-formed is refused."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bursar.demo.slack import Signed
from bursar.slack.endpoint import SlackRequest, handle
from bursar.slack.errands import as_document, from_document, perform
from engine.state.records import Decision
from engine.state.store import StateError, Table
from integrations.slack.signing import LARGEST
from tests.bursar.slack.conftest import CHANNEL, MIRA, TOMAS, question_of
from tests.engine.state.fakes import MemoryStore


def test_a_click_approves(stage):
    """A yes of an approver is acknowledged, counted once it is looked at, and shown in the message."""
    stage.ask()
    answer = stage.send(stage.payload("bursar-approve", MIRA))
    assert (answer.status, answer.body) == (200, b"")
    assert stage.approval().status is Decision.PENDING
    (errand,) = answer.afterwards
    perform(from_document(json.loads(json.dumps(as_document(errand)))), stage.desk)
    assert stage.approval().status is Decision.APPROVED
    assert [(v.principal, v.door, v.yes) for v in stage.approval().votes] == [("mira@example.com", "slack", True)]
    assert "Approved: stop the instance: dev-llm-3" in stage.text()
    assert "mira@example.com" in stage.text()


def test_no_call_before_the_answer(stage):
    """Slack is not called for anything before the click is acknowledged, and nothing is decided in the handler."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    stage.workspace.calls.clear()
    stage.send(payload)
    assert stage.workspace.calls == []
    assert stage.approval().votes == ()


# --- T27: forged ---------------------------------------------------------------------------------


@pytest.mark.parametrize("forgery", ["other secret", "no signature", "no timestamp", "body changed", "no headers"])
def test_forged(stage, forgery):
    """T27: without a signature by our secret over exactly these bytes nothing is read, and the store is untouched."""
    stage.ask()
    before = stage.snapshot()
    payload = stage.payload("bursar-approve", MIRA)
    signed = stage.workspace.signed(payload, secret="another" if forgery == "other secret" else stage_secret())
    headers, body = dict(signed.headers), signed.body
    match forgery:
        case "no signature":
            del headers["X-Slack-Signature"]
        case "no timestamp":
            del headers["X-Slack-Request-Timestamp"]
        case "no headers":
            headers = {}
        case "body changed":
            body = body.replace(MIRA.encode(), TOMAS.encode())
    assert stage.post(Signed(headers, body)).status == 401
    assert stage.snapshot() == before


def stage_secret():
    from bursar.demo.slack import SECRET

    return SECRET


# --- T28: replayed and future-dated --------------------------------------------------------------


def test_replayed(stage):
    """T28: identical bytes, sent again within the five minutes, are refused by the store and change nothing."""
    stage.ask(question_of(quorum=2))
    signed = stage.workspace.signed(stage.payload("bursar-approve", MIRA))
    assert stage.post(signed).status == 200
    before = stage.snapshot()
    for _ in range(3):
        answer = stage.post(signed)
        assert (answer.status, answer.afterwards) == (409, ())
    assert stage.snapshot() == before


def test_a_snooze_is_not_lengthened_by_replaying(stage):
    """T28: a snooze counts from its own click, once."""
    stage.ask()
    signed = stage.workspace.signed(stage.payload("bursar-snooze", MIRA, "4 hours"))
    (errand,) = stage.post(signed).afterwards
    perform(errand, stage.desk)
    stage.clock.later(minutes=4)
    assert stage.post(signed).status == 409
    stored = stage.store.get(Table.SNOOZE, "fa1b2c3d4e5f6")
    assert stored.body["until"] == "2026-03-04T20:00:00Z"


@pytest.mark.parametrize(("shift", "status"), [(-300, 200), (-301, 401), (60, 200), (61, 401), (299, 401)])
def test_time_window(stage, shift, status):
    """T28: five minutes back and one minute ahead; the SDK's own check takes 299 seconds ahead."""
    stage.ask()
    assert stage.send(stage.payload("bursar-approve", MIRA), shift=shift).status == status


# --- T29: malformed ------------------------------------------------------------------------------

WEIRD = ["abc", "1.5", "-1", "9" * 5000, "٣", "", " 1", "1e9", "0x10", "\x00", "é"]


@pytest.mark.parametrize("stamp", WEIRD, ids=range(len(WEIRD)))
def test_malformed_timestamps(stage, stamp):
    """T29: a timestamp that is no number is 401, where the SDK raises."""
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": "v0=" + "0" * 64}
    assert stage.post(Signed(headers, b"payload=%7B%7D")).status == 401


@pytest.mark.parametrize("signature", ["v0=é", "v1=" + "0" * 64, "v0=" + "0" * 63, "V0=" + "0" * 64, "v0=" + "G" * 64])
def test_malformed_signatures(stage, signature):
    """T29: a signature that is none, also one that is not ASCII, is 401."""
    stamp = str(int(stage.clock().timestamp()))
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
    assert stage.post(Signed(headers, b"payload=%7B%7D")).status == 401


def test_headers_twice(stage):
    """T29: headers that stand twice in different cases are not chosen from."""
    stage.ask()
    signed = stage.workspace.signed(stage.payload("bursar-approve", MIRA))
    headers = {**signed.headers, "x-slack-signature": "v0=" + "0" * 64}
    assert stage.post(Signed(headers, signed.body)).status == 401


def test_a_body_that_is_too_large(stage):
    """T29: the size is looked at first."""
    assert stage.post(Signed({}, b"x" * (LARGEST + 1))).status == 413


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["X-Slack-Signature", "x-slack-request-timestamp", "Content-Type"]), st.text()),
    st.binary(max_size=300),
)
def test_whatever_headers(stage, headers, body):
    """T29: no headers and no body make the endpoint fail or let anything through."""
    assert handle(SlackRequest(headers, body), stage.desk).status == 401


BODIES = [
    b"", b"payload=", b"payload=x", b"payload=[]", b"payload=1", b"other=1", b"payload={}&payload={}", b"\xff\xfe",
    b"payload=" + b"%5B" * 20_000, urlencode({"payload": json.dumps({"type": "block_actions"})}).encode(),
    urlencode({"payload": json.dumps({"type": "view_submission", "user": {"id": "U1"}})}).encode(),
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_signed_nonsense(stage, body):
    """T29: what is signed and has not the shape is 400, or 401 where it is no text, and never an error of ours."""
    before = stage.snapshot()
    assert stage.post(stage.workspace.signed_body(body) if b"\xff" not in body else Signed({}, body)).status in (
        400,
        401,
    )
    assert stage.snapshot() == before


def test_payloads_of_other_kinds(stage):
    """What is none of our buttons is acknowledged and left alone."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    payload["actions"][0]["action_id"] = "somebody-elses"
    assert stage.send(payload).afterwards == ()
    assert stage.send({**stage.workspace.origin(MIRA), "type": "shortcut"}).afterwards == ()


# --- T30, T31, T44: tampered, from elsewhere, look-alike -----------------------------------------

TAMPERED = {
    "another message": lambda p: p["container"].update(message_ts="1772000000.000099"),
    "another channel": lambda p: p["container"].update(channel_id="C00000001"),
    "another approval": lambda p: p["actions"][0].update(value="ffffffffffff"),
    "a value with more": lambda p: p["actions"][0].update(value='a1b2c3d4e5f6"; drop'),
    "a value with a resource": lambda p: p["actions"][0].update(value="i-0abc"),
    "a path": lambda p: p["actions"][0].update(value="../../freeze"),
    "no value": lambda p: p["actions"][0].pop("value"),
    "a number": lambda p: p["actions"][0].update(value=7),
    "two actions": lambda p: p["actions"].append(p["actions"][0]),
    "another app (T44)": lambda p: p.update(api_app_id="A0EVIL"),
    "another workspace (T31)": lambda p: p["team"].update(id="T0EVIL"),
    "no workspace": lambda p: p.update(team=None),
    "a user of another workspace": lambda p: p["user"].update(team_id="T0OTHER"),
    "no user": lambda p: p.pop("user"),
    "a user that is none": lambda p: p["user"].update(id="mira"),
    "a time that is none": lambda p: p["actions"][0].update(action_ts="9" * 40),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_tampered(stage, change):
    """T30, T31, T44: every field is compared with what was stored; nothing comes of one that does not fit."""
    stage.ask()
    stage.workspace.add_channel("other")
    payload = stage.payload("bursar-approve", MIRA)
    before = stage.snapshot()
    change(payload)
    answer = stage.send(payload)
    assert answer.status in (400, 403)
    assert answer.afterwards == ()
    assert stage.snapshot() == before


IGNORED = {
    "the message's own text": lambda p: p["message"].update(text="approved", blocks=[]),
    "a name": lambda p: p["user"].update(username="mira", name="Mira"),
    "block ids": lambda p: p["actions"][0].update(block_id="f" * 16),
    "state": lambda p: p.update(state={"values": {"x": {"y": {"value": "approve all"}}}}),
    "a channel beside the container": lambda p: p.update(channel={"id": "C0EVIL"}),
}


@pytest.mark.parametrize("change", IGNORED.values(), ids=IGNORED)
def test_what_is_not_read(stage, change):
    """T30: what a payload says beside ids has no say: who clicked and what is approved are the same."""
    stage.ask()
    payload = stage.payload("bursar-approve", TOMAS)
    change(payload)
    (errand,) = stage.send(payload).afterwards
    perform(errand, stage.desk)
    assert [v.principal for v in stage.approval().votes] == ["tomas@example.com"]
    assert stage.approval().digest == "d" * 64


def test_snoozes_are_bounded(stage):
    """T30: how long is one of the menu, whatever the payload says."""
    stage.ask()
    payload = stage.payload("bursar-snooze", MIRA, "7 days")
    payload["actions"][0]["selected_option"]["value"] = "a1b2c3d4e5f6.9999d"
    assert stage.send(payload).status == 400


def test_a_message_that_was_posted_and_not_remembered(stage):
    """A crash between posting and remembering leaves a message whose buttons do nothing; the next one's do."""
    stage.ask()
    lost = stage.payload("bursar-approve", MIRA)
    stage.ask()
    assert stage.send(lost).status == 403
    assert stage.click("bursar-approve", MIRA).status == 200
    assert stage.approval().status is Decision.APPROVED


# --- T40: response_url ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest/meta-data/iam", "https://hooks.slack.com.evil.example/x", "file:///etc/passwd"],
)
def test_response_url_is_never_used(stage, url):
    """T40: a payload's own address is not called. Sockets beyond loopback are blocked here, and the rest is counted."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    payload["response_url"] = url
    stage.workspace.calls.clear()
    (errand,) = stage.send(payload).afterwards
    perform(errand, stage.desk)
    assert stage.approval().status is Decision.APPROVED
    assert {method for method, _ in stage.workspace.calls} == {
        "users.info", "usergroups.list", "usergroups.users.list", "chat.update",
    }  # fmt: skip


def test_nothing_reads_response_url():
    """T40: no line of the program so much as names it."""
    root = Path(__file__).parents[3]
    for folder in ("bursar/slack", "integrations/slack"):
        assert [path for path in (root / folder).glob("*.py") if "response_url" in path.read_text("utf-8")] == []


# --- T41: a store that is slow or away -----------------------------------------------------------


def test_a_store_that_is_away(stage):
    """T41: where the click cannot be written down it is not acknowledged, and Slack tells whoever clicked."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)

    def fail(method):
        raise StateError.of("state-unavailable", "away", where="memory")

    healthy = stage.store
    stage.store = MemoryStore(healthy.memory, before=fail)
    assert stage.send(payload).status == 503
    stage.store = healthy
    assert stage.approval().status is Decision.PENDING


def test_clicked_again_because_the_answer_was_late(stage):
    """T41: two clicks of one person, because the first seemed lost, are one voice."""
    stage.ask(question_of(quorum=2))
    first = stage.send(stage.payload("bursar-approve", MIRA))
    stage.clock.later(seconds=5)
    second = stage.send(stage.payload("bursar-approve", MIRA))
    for errand in (*first.afterwards, *second.afterwards):
        perform(errand, stage.desk)
    assert len(stage.approval().votes) == 1
    assert "1 of 2 agreed" in stage.text()


def test_the_handler_writes_one_commit(stage):
    """T41: what the answer waits for is two reads and one commit, however many findings there are."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    asked = []
    stage.store = MemoryStore(stage.store.memory, before=asked.append)
    stage.send(payload)
    assert asked == ["get", "clock", "commit"]


# --- T42: restart --------------------------------------------------------------------------------


def test_restarted_between_post_and_click(stage):
    """T42: another process takes the click, another one counts it: all they share is the store."""
    stage.ask()
    payload = stage.payload("bursar-approve", MIRA)
    assert isinstance(stage.store, MemoryStore)
    stage.store = MemoryStore(stage.store.memory)
    (errand,) = stage.send(payload).afterwards
    stage.store = MemoryStore(stage.store.memory)
    perform(errand, stage.desk)
    assert stage.approval().status is Decision.APPROVED
    assert stage.message().channel == CHANNEL


def test_errands_that_are_none():
    """What a queue brings is one of the errands, or refused."""
    from engine.errors import ConfigError

    for document in ({}, {"errand": "Approve"}, {"errand": "CountClick"}, {"errand": "CountClick", "x": "y"}):
        with pytest.raises(ConfigError):
            from_document(document)
