"""Decisions over the page: forms of others, of yesterday and of nobody; one end whoever is fastest; resting."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from itsdangerous import TimestampSigner

from bursar.stores import open_store
from engine.state.audit import verify
from engine.state.records import Decision, FindingRecord, SnoozeRecord, Status
from tests.bursar.server.conftest import EVE, MIRA, SAME, SETTINGS, TOMAS, URL, form, on_every_store, post

NAME = "vla-sweep-7"


def send(served, principal, verb="approve", *, headers=SAME, name=NAME, **fields):
    """Send an answer as the page for `principal` would, and return what comes back."""
    return post(served, principal, f"/approvals/{served.approvals[name]}/{verb}", headers=headers, **fields)


@on_every_store
def test_a_yes(served):
    """A yes of one of the approvers decides, and is in the ledger with door and name."""
    answer = send(served, MIRA, reason="the sweep is over")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/approvals/{served.approvals[NAME]}"
    record = served.approval(NAME)
    assert record.status is Decision.APPROVED
    assert [(v.principal, v.door, v.yes, v.reason) for v in record.votes] == [(MIRA, "web", True, "the sweep is over")]
    assert served.read(FindingRecord, record.finding).status is Status.APPROVED
    served.look()
    client = served.client(TOMAS)
    assert "Approved." in client.get(answer.headers["location"]).text
    assert f"{MIRA}, by web" in client.get(f"/findings/{record.finding}").text
    assert NAME not in client.get("/approvals").text.partition("Decided")[0]


@on_every_store
def test_a_no_needs_a_reason(served):
    """A no without a reason changes nothing; with one it decides."""
    assert send(served, MIRA, "deny", reason="  ").status_code == 422
    assert served.approval(NAME).status is Decision.PENDING
    assert send(served, MIRA, "deny", reason="it is needed").status_code == 303
    assert (served.approval(NAME).status, served.approval(NAME).reason) == (Decision.DENIED, "it is needed")


def test_who_may_not(served):
    """Somebody who is no approver is shown no form, and what he sends all the same does not count."""
    page = served.client(EVE).get(f"/approvals/{served.approvals[NAME]}").text
    assert "<form" not in page
    assert "You are not one of its approvers" in page
    answer = send(served, EVE)
    assert answer.status_code == 409
    assert "not one of its approvers" in answer.text
    assert served.approval(NAME).votes == ()


def test_a_group_of_the_proxy(served):
    """A group that the proxy names counts where an approval names it."""
    client = served.client(EVE, **{"X-Forwarded-Groups": "ml-leads"})
    sent = client.post(f"/approvals/{served.approvals[NAME]}/approve", data=form(served, client, EVE), headers=SAME)
    assert sent.status_code == 303
    assert served.approval(NAME).status is Decision.APPROVED


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "not sent from this page"),
        ({"Origin": "https://evil.example"}, "not sent from this page"),
        ({"Origin": "null"}, "not sent from this page"),
        ({"Origin": "http://bursar.example.com"}, "not sent from this page"),
        ({"Origin": "https://bursar.example.com.evil.example"}, "not sent from this page"),
        ({"Origin": URL, "Sec-Fetch-Site": "cross-site"}, "not sent from this page"),
        ({"Origin": URL, "Sec-Fetch-Site": "same-site"}, "not sent from this page"),
        ({"Origin": URL, "Sec-Fetch-Site": "none"}, "not sent from this page"),
    ],
)
def test_a_form_of_another_site(served, headers, says):
    """A form that a page of another site makes the browser send changes nothing, right token or not."""
    answer = send(served, MIRA, headers=headers)
    assert answer.status_code == 403
    assert says in answer.text
    assert served.approval(NAME).votes == ()


@pytest.mark.parametrize("token", ["", "x", "Im1pcmEi.aaaa.bbbb"])
def test_a_token_that_is_none(served, token):
    """Without the token that the page carries nothing is taken."""
    assert send(served, MIRA, token=token).status_code == 403
    assert served.approval(NAME).votes == ()


def test_the_token_of_somebody_else(served):
    """The token of one person's page does not work for another."""
    answer = send(served, MIRA, token=served.desk.forms.token(TOMAS))
    assert answer.status_code == 403
    assert "made for somebody else" in answer.text
    assert served.approval(NAME).votes == ()


def test_a_token_of_another_start(served):
    """A form that was signed with another secret is refused."""
    from bursar.server.forms import Forms

    assert send(served, MIRA, token=Forms.of("another secret", URL).token(MIRA)).status_code == 403


def test_a_token_of_yesterday(served, monkeypatch):
    """A page that stood open for more than eight hours has to be opened again."""

    token = served.desk.forms.token(MIRA)
    later = time.time() + 8 * 3600 + 5
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _signer: int(later))
    answer = send(served, MIRA, token=token)
    assert answer.status_code == 403
    assert "too old" in answer.text


def test_without_a_configured_address(serve):
    """Where no address is configured the host that was asked for is the one forms have to come from."""
    served = serve(replace(SETTINGS, url=""))
    assert send(served, MIRA, headers={"Origin": "https://evil.example"}).status_code == 403
    assert send(served, MIRA, headers={"Origin": URL}).status_code == 303


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b'{"token": "x"}', {"Content-Type": "application/json"}, 415),
        (b"token=x", {"Content-Type": "text/plain"}, 415),
        (b"a" * 70_000, {"Content-Type": "application/x-www-form-urlencoded"}, 413),
        (b"\xff\xfe&&==&%zz", {"Content-Type": "application/x-www-form-urlencoded"}, 403),
    ],
)
def test_what_is_no_form(served, content, headers, status):
    """A body that no form of the page could be is refused before anything is done."""
    client = served.client(MIRA)
    path = f"/approvals/{served.approvals[NAME]}/approve"
    assert client.post(path, content=content, headers={**SAME, **headers}).status_code == status
    assert served.approval(NAME).votes == ()


def test_too_late(served):
    """After its time an approval has no forms, and a voice does not count."""
    served.now[0] += timedelta(hours=9)
    assert "<form" not in served.client(MIRA).get(f"/approvals/{served.approvals[NAME]}").text
    answer = send(served, MIRA)
    assert answer.status_code == 409
    assert "it expired" in answer.text
    assert served.approval(NAME).status is Decision.PENDING


@on_every_store
def test_twice(served):
    """Saying the same again, as a double click does, changes nothing and says so."""
    assert send(served, MIRA).status_code == 303
    second = send(served, MIRA)
    assert second.status_code == 409
    assert "it is approved already" in second.text
    assert len(served.approval(NAME).votes) == 1


@pytest.mark.parametrize("round_", range(5))
def test_two_at_once(served, round_):
    """Of a yes and a no at the same moment exactly one decides, and the other is told."""
    pairs = [(MIRA, "approve"), (TOMAS, "deny")][:: 1 if round_ % 2 else -1]
    answers = at_once(served, pairs)
    assert sorted(status for _, status in answers) == [303, 409]
    check_one_end(served, answers)


@on_every_store
def test_fifty_at_once(served):
    """Of fifty clicks at once, yes and no, of two people, one decides and the others are told; the ledger is whole."""
    pairs = [((MIRA, TOMAS)[n % 2], ("approve", "deny")[n // 2 % 2]) for n in range(50)]
    served.desk.pool.patience = 120
    answers = at_once(served, pairs)
    assert sorted(status for _, status in answers) == [303] + [409] * 49
    check_one_end(served, answers)
    with open_store(served.config) as store:
        assert verify(store).breaks == ()
    # Another server over the same state says the same.
    assert f"{served.approval(NAME).status.value}" in served.restarted().client(MIRA).get("/approvals").text


def at_once(served, pairs):
    """Let everybody of `pairs` say what he says at the same moment; return who was answered what."""
    barrier = threading.Barrier(len(pairs))

    def go(pair):
        principal, verb = pair
        client, data = served.client(principal), {"token": served.desk.forms.token(principal), "reason": "because"}
        barrier.wait()
        path = f"/approvals/{served.approvals[NAME]}/{verb}"
        return verb, client.post(path, data=data, headers=SAME).status_code

    with ThreadPoolExecutor(len(pairs)) as pool:
        return list(pool.map(go, pairs))


def check_one_end(served, answers):
    """See that the one who was told so decided, and that finding and approval say the same."""
    record = served.approval(NAME)
    (won,) = [verb for verb, status in answers if status == 303]
    assert record.status is (Decision.APPROVED if won == "approve" else Decision.DENIED)
    assert [vote.yes for vote in record.votes] == [won == "approve"]
    assert served.read(FindingRecord, record.finding).status.value == record.status.value


@on_every_store
def test_a_restart_in_between(served):
    """What was asked before the server was started anew is decided after; a form of before has to be opened again."""
    token = served.desk.forms.token(MIRA)
    again = served.restarted()
    assert send(again, MIRA, token=token).status_code == 403
    assert again.approval(NAME).votes == ()
    assert send(again, MIRA).status_code == 303
    assert again.restarted().approval(NAME).status is Decision.APPROVED


@on_every_store
def test_resting(served):
    """An approver lets a finding rest for one of the offered lengths, with a reason; others do not."""
    finding = served.approval(NAME).finding
    client = served.client(MIRA)
    assert "Let it rest" in client.get(f"/findings/{finding}").text
    assert "Let it rest" not in served.client(EVE).get(f"/findings/{finding}").text

    def rest(principal, **fields):
        mine = served.client(principal)
        return mine.post(f"/findings/{finding}/snooze", data=form(served, mine, principal, **fields), headers=SAME)

    assert rest(EVE, days="3", reason="no").status_code == 403
    assert rest(MIRA, days="365", reason="long").status_code == 422
    assert rest(MIRA, days="3").status_code == 422
    assert rest(MIRA, days="3", reason="benchmarks").status_code == 303
    record = served.read(SnoozeRecord, finding)
    assert (record.by, record.reason, record.until) == (f"web:{MIRA}", "benchmarks", served.now[0] + timedelta(days=3))
