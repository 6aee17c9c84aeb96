"""Freezing, undoing, exempting, letting breakers pass: who may, what is written, what a second click does."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from bursar.operating import SHORTEST, find_act, set_freeze, undo_of
from engine.acting.breakers import Trip
from engine.acting.freeze import frozen
from engine.acting.memory import accepted
from engine.state.audit import Wanted, newest, verify
from engine.state.records import ActionRecord, ExemptionRecord, Progress, UndoRecord, put, restored
from engine.state.settings import Acceptance, Freeze
from engine.state.store import Table
from tests.bursar.server.company import HOSTILE, NOW, few
from tests.bursar.server.conftest import ADA, EVE, MIRA, OLGA, SAME, SETTINGS, TOMAS, URL, on_every_store, post
from tests.bursar.server.test_pages import PATHS, Checker

NAME = "vla-sweep-7"
ACCEPT = "/breakers/finding-surge/accept"


@pytest.fixture
def served(serve):
    """A server over a small company's state."""
    return serve(fill=few)


def finding_of(served, name=NAME):
    return served.approval(name).finding


def act_of(served, name=NAME):
    return f"{finding_of(served, name)}-stop.1"


def exemptions(served):
    return [restored(ExemptionRecord, one).record for one in served.store.scan(Table.EXEMPTION)]


def entries(served, kind):
    """Return who did something of `kind`, and what the ledger says of it, the newest first; see that it is whole."""
    assert verify(served.store).breaks == ()
    return [(e.note.actor, dict(e.note.body)) for e in newest(served.store, Wanted(kind=kind), 100)]


def why_frozen(served):
    return frozen(served.store)


def frozen_by(served, who=OLGA, reason="an incident"):
    """Freeze through the page and return the version that an unfreezing has to name."""
    assert post(served, who, "/freeze", reason=reason).status_code == 303
    page = served.client(OLGA).get("/").text
    return re.search(r'name="seen" value="(\d+)">\s*<label for="unfreeze-why"', page)[1]


FORMS = {
    "freeze": ("/freeze", {}),
    "unfreeze": ("/unfreeze", {}),
    "undo": ("/acts/{act}/undo", {}),
    "keep": ("/acts/{act}/keep", {}),
    "exempt": ("/findings/{finding}/exempt", {"owner": MIRA, "expires": "2026-04-01"}),
    "snooze": ("/findings/{finding}/snooze", {"days": "3"}),
    "accept": (ACCEPT, {"hours": "24", "seen": "0"}),
}
"""What can be sent, by a word for it: where to, and what beside a reason."""


def send(served, principal, what, **changes):
    """Send one of `FORMS`, whole and sound but for `changes`."""
    path, fields = FORMS[what]
    path = path.format(act=act_of(served), finding=finding_of(served))
    return post(served, principal, path, **{"reason": "because", **fields, **changes})


def written(served):
    """Return where the ledger ends: nothing was written as long as it is the same."""
    return served.store.head()


# --- who may


@pytest.mark.parametrize(
    ("what", "who"),
    [
        ("freeze", {OLGA, ADA, MIRA, TOMAS}),
        ("undo", {OLGA, MIRA, TOMAS}),
        ("exempt", {OLGA}),
        ("snooze", {OLGA, ADA, MIRA, TOMAS}),
        ("accept", {OLGA}),
        ("unfreeze", {OLGA}),
    ],
)
def test_who_may(served, what, who):
    """More people may make Bursar do less than may make it do more; an operator may all of it."""
    if what == "unfreeze":
        seen = frozen_by(served)
    for person in (EVE, MIRA, TOMAS, ADA, OLGA):
        before = written(served)
        answer = send(served, person, what, **({"seen": seen} if what == "unfreeze" else {}))
        if person in who:
            assert answer.status_code in (303, 409), (person, answer.text)
        else:
            assert answer.status_code == 403, person
            assert "You are not one of" in answer.text
            assert written(served) == before


def test_buttons_are_shown_to_those_who_may(served):
    """Whoever may not is shown no form, on any page; on this machine without signing in there is none at all."""

    def forms(principal, path):
        return {one["action"].rpartition("/")[2] for one in Checker(served.client(principal).get(path).text).all("form")
                if one["method"] == "post"}  # fmt: skip

    finding, act = f"/findings/{finding_of(served)}", f"/acts/{act_of(served)}"
    assert [forms(EVE, path) for path in ("/", finding, act)] == [set(), set(), set()]
    assert [forms(MIRA, path) for path in ("/", finding, act)] == [{"freeze"}, {"snooze"}, {"undo"}]
    assert [forms(ADA, path) for path in ("/", finding, act)] == [{"freeze"}, {"snooze"}, set()]
    assert [forms(OLGA, path) for path in ("/", finding, act)] == [{"freeze", "accept"}, {"snooze", "exempt"}, {"undo"}]


def test_without_operators(serve):
    """Where no operators are configured nobody takes anything away on the page, and it says what does."""
    served = serve(replace(SETTINGS, operators=()), few)
    assert post(served, MIRA, "/freeze", reason="an incident").status_code == 303
    assert "bursar unfreeze" in served.client(MIRA).get("/").text
    assert send(served, OLGA, "unfreeze", seen="1").status_code == 403
    assert why_frozen(served)


FOREIGN = (
    ({}, None),
    ({"Origin": "https://evil.example"}, None),
    ({"Origin": URL, "Sec-Fetch-Site": "cross-site"}, None),
    (SAME, ""),
    (SAME, "forged"),
)
"""What headers and token a form comes with that this page did not send."""


@pytest.mark.parametrize("what", FORMS)
def test_a_form_of_another_site(served, what):
    """Nothing that another site makes a browser send is taken, nor anything without the token of the page."""
    before = written(served)
    for headers, token in FOREIGN:
        changes = {} if token is None else {"token": token}
        assert send(served, OLGA, what, headers=headers, **changes).status_code == 403, (headers, token)
    assert written(served) == before


@pytest.mark.parametrize("what", FORMS)
def test_who_has_not_signed_in(served, what):
    """A stranger is not let in, and a program with a token decides nothing."""
    before = written(served)
    path, fields = FORMS[what]
    path = path.format(act=act_of(served), finding=finding_of(served))
    data = {"token": served.desk.forms.token(OLGA), "reason": "x", **fields}
    assert served.client(address="10.9.9.9").post(path, data=data, headers=SAME).status_code == 401
    token = {"Authorization": "Bearer 0123456789abcdef0123456789abcdef"}
    assert served.client(address="10.9.9.9", **token).post(path, data=data, headers=SAME).status_code == 403
    assert written(served) == before


@pytest.mark.parametrize("what", [what for what in FORMS if what != "keep"])
def test_a_reason_is_needed(served, what):
    """Without a reason nothing is decided: everybody will want to know."""
    before = written(served)
    for reason in ("", "  \t"):
        assert send(served, OLGA, what, reason=reason).status_code == 422
    assert written(served) == before


@pytest.mark.parametrize("what", [what for what in FORMS if what not in ("keep", "unfreeze")])
def test_hostile_reasons_are_text(served, what):
    """Whatever somebody writes as a reason is shown as its characters, wherever it is shown."""
    assert send(served, OLGA, what, reason=HOSTILE + "\x00\x1b[31m" + "x" * 2000).status_code == 303
    served.look()
    client = served.client(MIRA)
    for path in (*PATHS, f"/findings/{finding_of(served)}", f"/acts/{act_of(served)}"):
        page = client.get(path)
        assert page.status_code == 200
        assert not Checker(page.text).all("script")
        assert len(Checker(page.text).all("img")) == 1
        assert not {"\u202e", "\x00", "\x1b"} & set(page.text)


# --- the freeze


@on_every_store
def test_freeze_and_unfreeze(served):
    """It is frozen at once, for every run, with who and why; every page says so; an operator lets it go on."""
    seen = frozen_by(served, MIRA, "incident 4711")
    assert why_frozen(served) == f"frozen by web:{MIRA} since {NOW:%Y-%m-%d %H:%M} UTC: incident 4711"
    again = served.restarted()
    for path in (*PATHS, f"/findings/{finding_of(served)}", "/findings/000000000000"):
        page = again.client(EVE).get(path).text
        assert "incident 4711" in page.partition("<main")[0], path
    assert "bursar_frozen 1.0" in again.client(MIRA).get("/metrics").text
    assert post(again, OLGA, "/unfreeze", seen=seen, reason="it is over").status_code == 303
    assert why_frozen(again) == ""
    assert "Frozen" not in again.client(EVE).get("/").text
    again.look()
    assert "incident 4711" not in again.client(EVE).get("/runs").text
    assert "bursar_frozen 0.0" in again.client(MIRA).get("/metrics").text
    assert entries(again, "freeze") == [
        (f"web:{OLGA}", {"reason": "it is over"}), (f"web:{MIRA}", {"reason": "incident 4711"})]  # fmt: skip


@on_every_store
@pytest.mark.parametrize(("what", "kind"), [("freeze", "freeze.set"), ("undo", "action.undo-asked")])
def test_fifty_press_at_once(served, what, kind):
    """However many times the button is pressed at once: it is pressed, nobody is refused, and there is one entry."""
    served.desk.pool.patience = 120
    clients = [served.client(MIRA) for _ in range(50)]
    data = {"token": served.desk.forms.token(MIRA), "reason": "fire"}
    path = FORMS[what][0].format(act=act_of(served))
    with ThreadPoolExecutor(50) as pool:
        answers = pool.map(lambda client: client.post(path, data=data, headers=SAME).status_code, clients)
        assert set(answers) == {303}
    ((actor, body),) = entries(served, kind)
    assert (actor, body["reason"]) == (f"web:{MIRA}", "fire")
    assert bool(why_frozen(served)) is (what == "freeze")


def test_two_undo_at_once(served):
    """Of several people who want the same act undone at the same moment one is written down, and all are content."""
    people = [(MIRA, TOMAS, OLGA)[n % 3] for n in range(12)]
    with ThreadPoolExecutor(12) as pool:
        assert {answer.status_code for answer in pool.map(lambda who: send(served, who, "undo"), people)} == {303}
    assert len(entries(served, "action.undo-asked")) == 1


def test_a_freeze_of_somebody_else_is_not_lifted_unseen(served):
    """Who unfreezes what he saw does not lift what somebody froze since; the page of now does."""
    seen = frozen_by(served, MIRA, "incident 1")
    frozen_by(served, TOMAS, "incident 2")
    answer = send(served, OLGA, "unfreeze", seen=seen)
    assert answer.status_code == 409
    assert "Somebody else decided since" in answer.text
    assert "incident 2" in why_frozen(served)
    for forged in ("", "-1", "x", "²", "9" * 30):
        assert send(served, OLGA, "unfreeze", seen=forged).status_code == 409
    assert why_frozen(served)


def test_unfreezing_twice(served):
    """The second click of two, and unfreezing what is not frozen, change nothing and are no mistake."""
    seen = frozen_by(served)
    for _ in range(2):
        assert send(served, OLGA, "unfreeze", seen=seen).status_code == 303
    assert len(entries(served, "freeze.lifted")) == 1
    # One who froze anew meanwhile is not thawed by going back and clicking once more.
    frozen_by(served, MIRA, "again")
    assert send(served, OLGA, "unfreeze", seen=seen).status_code == 409
    assert why_frozen(served)


def test_a_freeze_from_elsewhere(served):
    """What was frozen at the command line is shown the same, and cannot be frozen over without its page saying so."""
    set_freeze(served.store, frozen=True, reason="from a shell", now=NOW)
    assert "from a shell" in served.client(EVE).get("/").text
    served.look()
    assert "from a shell" in served.client(EVE).get("/savings").text


def test_a_damaged_freeze_can_be_frozen_over(served):
    """A switch that cannot be read holds everything; the page says that it cannot be read, and freezing mends it."""
    set_freeze(served.store, frozen=True, reason="x", now=NOW)
    stored = served.store.get(Table.SETTING, Freeze.NAME)
    damaged = put(Freeze(True, "x", NOW), stored.version)
    served.store.commit([replace(damaged, body={"frozen": "perhaps"})])
    assert served.client(MIRA).get("/").status_code == 200
    assert post(served, MIRA, "/freeze", reason="mend it").status_code == 303
    assert "mend it" in why_frozen(served)


# --- undoing


@on_every_store
def test_an_undo_is_left_to_the_next_run(served):
    """The wish is written down with who and why, once; the page says what will be and until when; nothing is done."""
    act = act_of(served)
    page = Checker(served.client(MIRA).get(f"/acts/{act}").text).text
    assert "Start it again, if the provider has capacity; its memory, instance-store data" in page
    assert "≈ $40,179 a month" in page
    for _ in range(2):
        assert send(served, MIRA, "undo", reason="the sweep goes on").status_code == 303
    wish = served.read(UndoRecord, act)
    assert (wish.by, wish.reason, wish.status) == (f"web:{MIRA}", "the sweep goes on", "asked")
    assert wish.until == NOW + timedelta(hours=24)
    assert served.read(ActionRecord, act).status is Progress.DONE
    assert [actor for actor, _ in entries(served, "action.undo-asked")] == [f"web:{MIRA}"]
    again = served.restarted()
    assert "to be undone" in again.client(TOMAS).get("/acts").text
    shown = Checker(again.client(TOMAS).get(f"/acts/{act}").text)
    assert "The next run undoes it" in shown.text
    assert "2026-03-05 16:00" in shown.text
    assert f"/acts/{act}/keep" in [one["action"] for one in shown.all("form")]
    assert "Action undo-asked" in Checker(again.client(TOMAS).get(f"/findings/{finding_of(served)}").text).text


def test_an_undo_taken_back(served):
    """Whoever may undo may also leave it; taking back what nobody asked for is told."""
    assert send(served, MIRA, "keep").status_code == 409
    send(served, MIRA, "undo")
    for _ in range(2):
        assert send(served, TOMAS, "keep").status_code == 303
        assert served.read(UndoRecord, act_of(served)).status == "withdrawn"
    assert [actor for actor, _ in entries(served, "action.undo-withdrawn")] == [f"web:{TOMAS}"]
    assert send(served, MIRA, "undo").status_code == 303
    assert served.read(UndoRecord, act_of(served)).status == "asked"


def test_an_undo_that_no_run_came_for(served):
    """After a day it is over, the page says so, and it may be asked for again."""
    send(served, MIRA, "undo")
    served.now[0] += timedelta(hours=24)
    assert "no run came in time" in served.client(MIRA).get(f"/acts/{act_of(served)}").text
    assert undo_of(served.store, act_of(served), served.now[0]).record.status == "lapsed"
    assert send(served, MIRA, "undo").status_code == 303
    assert served.read(UndoRecord, act_of(served)).until == served.now[0] + timedelta(hours=24)


@pytest.mark.parametrize("status", [Progress.UNDONE, Progress.FAILED, Progress.INTENDED])
def test_what_cannot_be_undone_now(served, status):
    """An act that failed, is under way or is undone has no button, and what is sent all the same is told."""
    held = find_act(served.store, act_of(served))
    served.store.commit([put(replace(held.record, status=status), held.version)])
    assert not Checker(served.client(MIRA).get(f"/acts/{act_of(served)}").text).all("form")
    answer = send(served, MIRA, "undo")
    assert answer.status_code == 409
    assert f"it is {status.value}" in answer.text


def test_what_can_never_be_undone(served):
    """An act without a way back says so; the operator's button is not there, and his form is refused."""
    (act,) = [one for one in served.desk.keeper.view.acts if not one.reversible]
    assert "This cannot be undone." in served.client(OLGA).get(f"/acts/{act.id}").text
    assert post(served, OLGA, f"/acts/{act.id}/undo", reason="x").status_code == 409


@pytest.mark.parametrize("act", ["x", "abcdef-stop.1", "abcdef-stop.1%00", "a" * 600, "abcdef-<b>.1"])
def test_an_act_that_is_not_there(served, act):
    """An address that somebody made up leads nowhere."""
    assert served.client(OLGA).get(f"/acts/{act}").status_code == 404
    assert post(served, OLGA, f"/acts/{act}/undo", reason="x").status_code == 404


def test_later_acts_come_first(served):
    """Where something was done to the resource since, the page says to undo that first."""
    first = find_act(served.store, act_of(served)).record
    later = replace(first, id=act_of(served).replace("stop.1", "resize.1"), remediation="resize",
                    intended=first.intended + timedelta(days=1))  # fmt: skip
    served.store.commit([put(later, 0)])
    served.desk.keeper.view = None
    served.look()
    assert "is to be undone first" in served.client(MIRA).get(f"/acts/{first.id}").text
    assert "is to be undone first" not in served.client(MIRA).get(f"/acts/{later.id}").text


# --- exemptions


@on_every_store
def test_an_exemption(served):
    """One finding is exempt to the end of a day, with who answers and who said so; a second click makes no second."""
    for _ in range(2):
        assert send(served, OLGA, "exempt", reason="benchmarks").status_code == 303
    (made,) = exemptions(served)
    assert (made.finding, made.owner, made.reason) == (finding_of(served), MIRA, "benchmarks")
    assert f"{made.expires:%Y-%m-%d %H:%M}" == "2026-04-02 00:00"
    ((actor, body),) = entries(served, "exemption.made")
    assert (actor, body["owner"], body["finding"]) == (f"web:{OLGA}", MIRA, finding_of(served))
    page = Checker(served.client(EVE).get(f"/findings/{finding_of(served)}").text).text
    assert f"{MIRA} answers for it: benchmarks" in page
    assert f"bursar exempt --withdraw {made.id}" in page


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"expires": "2027-03-04"}, 303),
        ({"expires": "2027-03-05"}, 409),
        ({"expires": "2026-03-04"}, 303),
        ({"expires": "2026-03-03"}, 409),
        ({"expires": "never"}, 422),
        ({"expires": "9999-12-31"}, 422),
        ({"expires": ""}, 422),
        ({"expires": "2026-04-01T00:00"}, 422),
        ({"owner": " "}, 422),
    ],
)
def test_bounds_of_an_exemption(served, changes, status):
    """It ends within a year and not in the past, as at the command line, and somebody answers for it."""
    assert send(served, OLGA, "exempt", **changes).status_code == status
    assert len(exemptions(served)) == (status == 303)


def test_only_a_whole_finding_is_exempt(served):
    """The beginning of an id, which the command line takes, does not do on the page; nor does what is not there."""
    short = finding_of(served)[:SHORTEST]
    assert post(served, OLGA, "/findings/000000000000/exempt", owner="x", reason="x",
                expires="2026-04-01").status_code == 404  # fmt: skip
    post(served, OLGA, f"/findings/{short}/exempt", owner="x", reason="x", expires="2026-04-01")
    assert {one.finding for one in exemptions(served)} <= {finding_of(served)}


# --- breakers


@on_every_store
def test_a_breaker_is_let_pass(served):
    """Where it tripped it is shown with why; an operator lets it pass for some hours, and the next run does."""
    page = Checker(served.client(EVE).get("/").text).text
    assert "412 of 1,204 resources are findings" in page
    trip = Trip("finding-surge", "")
    assert not accepted(served.store, trip, NOW)
    for _ in range(2):
        assert send(served, OLGA, "accept", hours="4", reason="a new policy").status_code == 303
    made = served.read(Acceptance, "accepted:finding-surge")
    assert (made.by, made.until, made.reason) == (f"web:{OLGA}", NOW + timedelta(hours=4), "a new policy")
    assert accepted(served.store, trip, NOW + timedelta(hours=3))
    assert not accepted(served.store, trip, NOW + timedelta(hours=4))
    assert len(entries(served, "breaker.accepted")) == 1
    shown = Checker(served.client(OLGA).get("/").text)
    assert "Let pass until 2026-03-04 20:00" in shown.text.replace("\xa0", " ")
    assert ACCEPT not in [one["action"] for one in shown.all("form")]


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        (ACCEPT, {"hours": "8760"}, 422),
        (ACCEPT, {"hours": "²"}, 422),
        (ACCEPT, {"hours": ""}, 422),
        (ACCEPT, {"seen": "7"}, 409),
        (ACCEPT, {"seen": ""}, 409),
        ("/breakers/everything/accept", {}, 404),
        ("/breakers/<b>/accept", {}, 404),
    ],
)
def test_what_is_no_acceptance(served, path, changes, status):
    """Another length than those offered, another breaker than there are, or one that was decided about since."""
    before = written(served)
    fields = {"hours": "24", "reason": "x", "seen": "0", **changes}
    assert post(served, OLGA, path, **fields).status_code == status
    assert written(served) == before
