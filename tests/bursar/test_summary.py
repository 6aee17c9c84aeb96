"""What of a run is worth a message."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from bursar.summary import summary_of, troubles_of
from engine.acting.breakers import Trip
from engine.acting.ports import Result, StepOutcome
from engine.acting.undoing import Undone
from engine.model import Scope, ScopeReport, ScopeStatus
from tests.bursar.slack.test_teller import task_of


@dataclass
class Report:
    """The parts of a run's report that a summary is made of."""

    outcomes: tuple = ()
    undone: tuple = ()
    blocked: tuple = ()
    trips: tuple = ()
    gaps: tuple = ()
    run: object = field(default_factory=lambda: SimpleNamespace(id="r"))

    @property
    def plan(self):
        return SimpleNamespace(gaps=self.gaps)


def gap(detail):
    return ScopeReport(Scope("1", "us-east-1", "aws.ec2.instance"), ScopeStatus.DENIED, detail=detail)


def trip(why):
    return Trip("finding-surge", why, policy="p")


def test_nothing_new_is_no_message():
    """A run in which nothing happened is not told of."""
    assert summary_of(Report(), ()) is None


def test_outcomes():
    """What was done, with its savings and the way back, and what failed; what held already is not news."""
    (step,) = task_of(1).steps
    outcomes = (
        StepOutcome(step, Result.DONE, "", "f1-stop.1"),
        StepOutcome(step, Result.FAILED, "denied"),
        StepOutcome(step, Result.SETTLED),
    )
    summary = summary_of(Report(outcomes), ())
    assert summary.title == "1 step carried out, $730 a month saved; 1 step failed"
    assert [(o.name, o.what, o.failed, o.undo) for o in summary.outcomes] == [
        ("dev-1", "stop the instance: done, $730 a month", False, "f1-stop.1"),
        ("dev-1", "stop the instance: failed: denied", True, ""),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            Report(trips=(trip("40% of 50 turned into findings"),)),
            Report(trips=(trip("42% of 48 turned into findings"),)),
        ),
        (Report(gaps=(gap("AccessDenied 1f3a"),)), Report(gaps=(gap("AccessDenied 99"),))),
    ],
)
def test_what_lasts_is_told_once(first, second):
    """The same trouble with other figures is no news; that it is over is, once."""
    assert len(summary_of(first, ()).troubles) == 1
    assert summary_of(second, troubles_of(first)) is None
    over = summary_of(Report(), troubles_of(first))
    assert over.over == troubles_of(first)
    assert over.title == "nothing is held any more"


def test_another_trouble_is_told():
    """What comes beside is told, and what was told is not."""
    first = Report(trips=(trip("40% of 50"),))
    summary = summary_of(Report(trips=(trip("40% of 50"),), gaps=(gap("denied"),)), troubles_of(first))
    assert summary.troubles == ("not read: 1/us-east-1/aws.ec2.instance (denied)",)
    assert summary.over == ()


def test_what_was_undone_is_told():
    """An act that was undone as somebody asked is told of, with who; so is one that was not."""
    act = SimpleNamespace(remediation="stop", subject=SimpleNamespace(name="vla-sweep-7", id="i-1"))
    asked = SimpleNamespace(by="web:mira@example.com", action="f-stop.1")
    done, failed, late = (
        SimpleNamespace(asked=asked, undone=Undone(act, Result.DONE)),
        SimpleNamespace(asked=asked, undone=Undone(act, Result.RETRYABLE, "no capacity")),
        SimpleNamespace(asked=asked, undone=None),
    )
    summary = summary_of(Report(undone=(done, failed, late)), ())
    assert summary.title == "1 step undone"
    assert [(one.name, one.what, one.failed) for one in summary.outcomes] == [
        ("vla-sweep-7", "stop: undone, as web:mira@example.com asked", False),
        ("vla-sweep-7", "stop: not undone: no capacity, as web:mira@example.com asked", True),
    ]
    assert summary_of(Report(undone=(late,)), ()) is None
