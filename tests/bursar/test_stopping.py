"""SIGTERM ends a run after the act at hand: nothing further is begun, and what was half read is not judged."""

import os
import signal
from dataclasses import replace

import pytest

from bursar.stopping import WHY, Stopping, until, watched_signals
from engine.acting.ports import Result
from engine.acting.run import Rules, begin, proceed
from engine.state.store import StateError
from tests.engine.acting.world import HOUR, results, world


def test_sigterm_is_remembered():
    """The signal sets the flag and ends nothing by itself; afterwards the handler of before is back."""
    before = signal.getsignal(signal.SIGTERM)
    with watched_signals() as stopping:
        assert stopping() == ""
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping() == WHY
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_was_half_read_is_not_judged():
    """An estate is read to its end or not at all."""
    stopping = Stopping()
    items = until(range(10), stopping)
    assert next(items) == 0
    stopping.asked = True
    with pytest.raises(StateError, match="before the estate was read"):
        next(items)
    assert list(until(range(3), Stopping())) == [0, 1, 2]


def test_no_further_act_is_begun():
    """Where the process is to end between two acts the first stays done and the second waits for the next run."""
    here = world()
    here.cloud.add("i-more")
    here.run()
    here.pass_(HOUR)
    after_first = replace(here.ports("stopped"), stopping=lambda: WHY if here.cloud.stopped() else "")
    begun = begin(after_first)
    assert begun is not None
    report = proceed(begun, here.plan(), Rules())
    assert list(results(report).values()) == [Result.DONE]
    assert [blocked.reason for blocked in report.blocked] == [WHY]
    assert len(here.cloud.stopped()) == 1
    here.run()
    assert len(here.cloud.stopped()) == 2
