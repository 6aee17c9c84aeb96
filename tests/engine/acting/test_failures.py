"""Calls that fail, time out, are refused or take their time."""

from datetime import timedelta

import pytest

from engine.acting.action import UNFINISHED, ActError
from engine.acting.ports import Result
from engine.state.records import ActionRecord, Progress, Status
from tests.engine.acting.world import ENFORCED, HOUR, due, loaded, results

THROTTLED = ActError("rate exceeded", retryable=True)
DENIED = ActError("you are not authorized", retryable=False)


def test_throttling_is_tried_again_with_patience():
    """A throttled act is tried five times, each time later, always with the same token, and then given up."""
    here = due(policies=loaded(ENFORCED))
    here.faults["do"] = THROTTLED
    waits = []
    for attempt in range(1, 6):
        report = here.run()
        assert results(report) == {"i-dev": Result.RETRYABLE}
        assert here.action("i-dev").attempts == attempt
        retry = here.finding("i-dev").retry
        if retry is not None:
            waits.append(retry - here.now)
            here.pass_(retry - here.now - timedelta(seconds=1))
            assert here.run().outcomes == ()
            here.pass_(timedelta(seconds=1))
    assert waits == [timedelta(minutes=m) for m in (10, 20, 40, 80)]
    assert here.finding("i-dev").status is Status.FAILED
    here.faults.clear()
    assert here.after(timedelta(days=1)).outcomes == ()
    assert here.cloud.effects() == []


def test_a_throttled_act_goes_through_later():
    """The second try of a throttled act has the effect, once."""
    here = due()
    here.faults["do"] = THROTTLED
    here.run()
    here.faults.clear()
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]
    assert here.finding("i-dev").attempts == 0


def test_what_takes_several_tries_is_no_failure():
    """An act that says that it goes on is tried again every ten minutes for as long as it takes."""
    here = due()
    here.faults["do"] = ActError("its snapshot is being taken", code=UNFINISHED, retryable=True)
    for _ in range(3 * 6):
        report = here.run()
        assert results(report) == {"i-dev": Result.PENDING}
        assert not report.failed
        here.pass_(timedelta(minutes=10))
    here.faults.clear()
    here.run()
    assert here.cloud.stopped() == ["i-dev"]
    assert here.finding("i-dev").status is Status.VERIFIED


def test_a_denied_act_is_not_tried_again_soon():
    """What is denied is not called again in this episode; after a week the finding starts anew, with its warning."""
    here = due()
    here.faults["do"] = DENIED
    assert here.run().failed
    here.faults.clear()
    for _ in range(6):
        assert here.after(timedelta(days=1)).outcomes == ()
    report = here.after(timedelta(days=1))
    assert [task.finding.subject.id for task in report.warned] == ["i-dev"]
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


@pytest.mark.parametrize("by_token", [True, False])
def test_a_time_out_of_a_call_that_went_through(by_token):
    """A call whose answer is lost is looked at: its effect counts, and it is not made twice."""
    here = due(by_token=by_token)
    here.faults["did"] = ActError("timed out", retryable=True)
    assert results(here.run()) == {"i-dev": Result.DONE}
    assert here.action("i-dev").status is Progress.DONE
    assert here.action("i-dev").reason == "seen although timed out"
    assert len(here.savings()) == 1
    here.faults.clear()
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_time_out_after_which_nothing_can_be_seen():
    """Where neither the call nor the look at it gets an answer the intent stays, and the next run settles it."""
    here = due(by_token=False)
    here.faults |= {"did": ActError("timed out", retryable=True), "verify": THROTTLED}
    assert results(here.run()) == {"i-dev": Result.RETRYABLE}
    assert here.action("i-dev").status is Progress.INTENDED
    here.faults.clear()
    report = here.after(HOUR)
    assert [settled.effect.value for settled in report.settled] == ["done"]
    assert here.cloud.stopped() == ["i-dev"]
    assert here.action("i-dev").status is Progress.DONE


def test_a_slow_act_is_waited_for():
    """An accepted act is done once its effect is seen, by the run that sees it."""
    here = due(takes=timedelta(minutes=30))
    assert results(here.run()) == {"i-dev": Result.PENDING}
    assert here.savings() == []
    here.after(timedelta(minutes=20))
    assert here.action("i-dev").status is Progress.PENDING
    here.after(timedelta(minutes=20))
    assert here.action("i-dev").status is Progress.DONE
    assert here.cloud.stopped() == ["i-dev"]
    assert len(here.savings()) == 1


def test_an_act_that_never_shows():
    """What was accepted and does not show in an hour failed, and is tried again."""
    here = due(takes=timedelta(days=9))
    here.run()
    here.after(timedelta(minutes=30))
    assert here.finding("i-dev").status is Status.ACTING
    here.after(timedelta(minutes=31))
    assert here.finding("i-dev").status is Status.FAILED
    assert here.finding("i-dev").retry is not None


def test_a_refused_act_is_told():
    """What an action refuses is not begun, and says why."""
    here = due(refusal="termination protection is on")
    report = here.run()
    assert [(o.result, o.reason) for o in report.outcomes] == [(Result.REFUSED, "termination protection is on")]
    assert here.records(ActionRecord) == []
    assert here.finding("i-dev").reason == "termination protection is on"


def test_a_caution_needs_an_approval():
    """What loses more than its title says is done after an approval only."""
    here = due(caution="1,900 GiB of instance-store data")
    assert results(here.run()) == {"i-dev": Result.REFUSED}
    here.decide("i-test", yes=True)
    assert results(here.after(HOUR)) == {"i-test": Result.DONE}
