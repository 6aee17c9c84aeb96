"""Runs on a schedule: what can be written, one at a time, soon after an approval, and an end that waits."""

import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from bursar.server.schedule import Schedule, trigger_of
from engine.errors import ConfigError

FAR = trigger_of("24h")[0]
QUICK = timedelta(0)


@pytest.mark.parametrize(
    ("text", "every"), [("15m", timedelta(minutes=15)), ("*/15 * * * *", None), ("24h", timedelta(days=1))]
)
def test_what_can_be_written(text, every):
    """An interval or a cron expression; either is late by some random seconds, a minute at most."""
    trigger, found = trigger_of(text)
    assert found == every
    assert 0 < trigger.jitter <= 60


def test_cron_is_in_utc():
    """Half past three is half past three in UTC, whatever the machine's zone."""
    trigger, _ = trigger_of("30 3 * * *")
    trigger.jitter = None
    assert trigger.get_next_fire_time(None, datetime(2026, 3, 4, 16, tzinfo=UTC)) == datetime(
        2026, 3, 5, 3, 30, tzinfo=UTC
    )


@pytest.mark.parametrize("text", ["", "soon", "10s", "0m", "* * * *", "61 * * * *", "-5m"])
def test_what_is_no_schedule(text):
    """Anything else is refused with what could be written."""
    with pytest.raises(ConfigError) as raised:
        trigger_of(text)
    assert "15m" in (raised.value.problems[0].hint or "")


def until(true):
    """Wait for another process, half a minute at most."""
    for _ in range(3000):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen")


class Ran:
    """Counts runs and lets a test wait for them."""

    def __init__(self):
        self.statuses = []
        self.came = threading.Semaphore(0)

    def __call__(self, status):
        self.statuses.append(status)
        self.came.release()

    def wait(self):
        assert self.came.acquire(timeout=30)


def scheduled(code, **more):
    ran = Ran()
    made = Schedule([sys.executable, "-c", code], FAR, ran=ran, **more)
    return made, ran


def test_the_first_and_the_next():
    """The first run is at once where that is asked for; its exit status is told."""
    schedule, ran = scheduled("import sys; sys.exit(3)", first=Schedule.AT_ONCE)
    schedule.start()
    ran.wait()
    assert ran.statuses == [3]
    assert schedule.next() > datetime.now(UTC) + timedelta(hours=20)
    schedule.stop()


def test_one_at_a_time(tmp_path):
    """Approvals while a run is at work lead to one more run behind it, never to two at once."""
    log = tmp_path / "log"
    code = (
        f"import os, time; f = open({str(log)!r}, 'a'); f.write('begin\\n'); f.flush(); time.sleep(0.3);"
        "f.write('end\\n'); f.close()"
    )
    schedule, ran = scheduled(code, first=Schedule.AT_ONCE, soon_after=QUICK)
    schedule.start()
    until(log.exists)
    for _ in range(5):
        schedule.soon()
    ran.wait()
    ran.wait()
    schedule.stop()
    lines = log.read_text().split()
    assert lines[:4] == ["begin", "end", "begin", "end"]
    assert lines == ["begin", "end"] * (len(lines) // 2)


ACT = """
import signal, sys, pathlib
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
pathlib.Path(sys.argv[1]).write_text("acting")
while not asked:
    signal.sigtimedwait([], 0.05)
pathlib.Path(sys.argv[1]).write_text("ended its act")
"""


def test_the_end_lets_an_act_finish(tmp_path):
    """A run at work is asked to end, and waited for; nothing is started any more."""
    flag = tmp_path / "flag"
    ran = Ran()
    schedule = Schedule([sys.executable, "-c", ACT, str(flag)], FAR, ran=ran, first=Schedule.AT_ONCE, soon_after=QUICK)
    schedule.start()
    until(lambda: flag.exists() and flag.read_text())
    assert schedule.at_work
    schedule.stop()
    assert flag.read_text() == "ended its act"
    assert ran.statuses == [0]
    schedule.soon()
    assert ran.statuses == [0]


def test_the_end_does_not_wait_for_ever(tmp_path):
    """A run that does not end in time is killed: its intent is in the journal, and the next run settles it."""
    flag = tmp_path / "flag"
    code = f"import signal, pathlib; signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path({str(flag)!r}).touch(); signal.pause()"  # noqa: E501
    ran = Ran()
    schedule = Schedule([sys.executable, "-c", code], FAR, ran=ran, first=Schedule.AT_ONCE,
                        patience=timedelta(milliseconds=200))  # fmt: skip
    schedule.start()
    until(flag.exists)
    schedule.stop()
    assert ran.statuses == [-9]
