"""T36: a decision near its expiry is judged by the later of two clocks, whichever door it comes by."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from bursar.approving import find_approval, moment
from bursar.config import Config
from bursar.entitlement import Voice, answered
from bursar.server.pool import StorePool
from bursar.serving import Place, app_of, desk_of
from engine.people import Door
from engine.state.records import Decision
from engine.state.store import StateError
from tests.bursar.server.conftest import PROXY, SETTINGS, URL
from tests.bursar.slack.conftest import MIRA, NOW, clock, question_of, stage, workspace  # noqa: F401

EMAIL = "mira@example.com"
ID = "a1b2c3d4e5f6"


@dataclass
class Doors:
    """One question, and the three doors to it over a store whose clock differs from this machine's."""

    stage: object

    def slack(self):
        self.stage.click("bursar-approve", MIRA)

    def command_line(self):
        answered(
            Config(people=self.stage.people), self.stage.store, ID, Voice(EMAIL, Door.USER, yes=True), self.stage.clock
        )

    def page(self):
        config = Config(people=self.stage.people, server=SETTINGS)
        desk = replace(
            desk_of(config, Place(), clock=self.stage.clock), pool=StorePool(lambda: nullcontext(self.stage.store))
        )
        desk.keeper.look()
        headers = {"X-Forwarded-Email": EMAIL, "Origin": URL, "Sec-Fetch-Site": "same-origin"}
        with TestClient(app_of(desk, config), URL, client=(PROXY, 5000), headers=headers) as client:
            client.post(f"/approvals/{ID}/approve", data={"token": desk.forms.token(EMAIL)})


@pytest.fixture
def doors(stage, monkeypatch):  # noqa: F811
    monkeypatch.setenv("TEST_BURSAR_TOKEN", "0123456789abcdef0123456789abcdef")
    stage.ask(question_of(approvers=("@ml-leads", EMAIL)))
    return Doors(stage)


@pytest.mark.parametrize("door", ["slack", "command_line", "page"])
@pytest.mark.parametrize(
    ("left", "store_ahead", "counts"),
    [
        (timedelta(seconds=1), timedelta(0), True),
        (timedelta(0), timedelta(0), False),
        (timedelta(seconds=10), timedelta(seconds=9), True),
        (timedelta(seconds=10), timedelta(seconds=10), False),
        (timedelta(hours=7), timedelta(hours=7), False),
        (timedelta(seconds=1), timedelta(seconds=-100), True),
        (timedelta(0), timedelta(hours=-1), False),
        (timedelta(seconds=1), None, True),
        (timedelta(0), None, False),
    ],
    ids=str,
)
def test_near_the_end(doors, door, left, store_ahead, counts):
    """A yes counts where both clocks say it is in time: whichever of them is behind gives nobody more of it."""
    here = doors.stage.clock
    here.now = NOW + timedelta(hours=8) - left
    doors.stage.store.now = lambda: None if store_ahead is None else here.now + store_ahead
    getattr(doors, door)()
    expected = Decision.APPROVED if counts else Decision.PENDING
    assert find_approval(doors.stage.store, ID).record.status is expected


def test_a_store_whose_clock_cannot_be_asked(doors):
    """Where the store does not tell its time nothing is decided, and the click may be sent again."""

    def fails():
        raise StateError.of("state-unavailable", "away", where="memory")

    doors.stage.store.now = fails
    payload = doors.stage.payload("bursar-approve", MIRA)
    assert doors.stage.send(payload).status == 503
    with pytest.raises(StateError):
        doors.command_line()
    doors.stage.store.now = lambda: None
    assert doors.stage.send(payload).status == 200


def test_whole_seconds(doors):
    """Both clocks are compared to the second, as records are kept."""
    doors.stage.store.now = lambda: NOW + timedelta(seconds=1, microseconds=5)
    assert moment(doors.stage.store, doors.stage.clock) == NOW + timedelta(seconds=1)
