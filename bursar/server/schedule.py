"""
Runs on a schedule: each is a process of its own, `bursar run` with the same configuration.

The same lease as everybody's keeps two from working at once, over all machines; here one is started at a time. A
crash, a leak or a busy processor of a run is not the server's.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from engine.errors import ConfigError
from engine.units import UnitError, parse_duration

SOON = timedelta(seconds=10)
"""How long after a decision a run is started: there may be others in a moment."""
SHORTEST = timedelta(minutes=1)
LONGEST_JITTER = timedelta(minutes=1)
PATIENCE = timedelta(minutes=10)
"""How long a run may go on with the act at hand when the server ends."""


def trigger_of(text: str) -> tuple[BaseTrigger, timedelta | None]:
    """
    Return when to run by `15m` or a cron expression in UTC, with the interval where there is one.

    Each time is late by some random seconds, so that many installations do not ask at once.

    Raises:
        ConfigError: it is neither.
    """
    try:
        every = parse_duration(text)
    except UnitError:
        every = None
    if every is not None:
        if every < SHORTEST:
            raise ConfigError.of("usage", "runs are a minute apart at least", where="--every", hint="write 15m")
        jitter = min(every / 10, LONGEST_JITTER).total_seconds()
        return IntervalTrigger(seconds=int(every.total_seconds()), timezone=UTC, jitter=int(jitter)), every
    try:
        trigger = CronTrigger.from_crontab(text, timezone=UTC)
    except ValueError as error:
        hint = "write 15m, or five fields as in crontab: */15 * * * *"
        raise ConfigError.of("usage", f"`{text}` is no schedule: {error}", where="--every", hint=hint) from error
    trigger.jitter = int(LONGEST_JITTER.total_seconds())
    return trigger, None


@dataclass
class Schedule:
    """Starts runs, one at a time, and lets the last one finish its act."""

    AT_ONCE: ClassVar[timedelta] = timedelta(0)

    command: Sequence[str]
    """What a run is, as the arguments of a process."""
    trigger: BaseTrigger
    every: timedelta | None = None
    ran: Callable[[int], None] = lambda _status: None
    """Told the exit status of each run."""
    first: timedelta | None = None
    """How long after the start the first run is; None leaves that to the trigger."""
    patience: timedelta = PATIENCE
    soon_after: timedelta = SOON
    _scheduler: BackgroundScheduler = field(init=False)
    _process: subprocess.Popen[bytes] | None = None
    _ending: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # One thread: whatever becomes due while a run is at work waits for its end.
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
            timezone=UTC,
        )

    def start(self) -> None:
        self._scheduler.add_job(self._run, self.trigger, id="run")
        if self.first is not None:
            self._at(self.first, "first")
        self._scheduler.start()

    def soon(self) -> None:
        """Run in a moment: a person decided something."""
        if not self._ending:
            self._at(self.soon_after, "soon")

    def next(self) -> datetime | None:
        """Return when the next run is to begin."""
        times = [job.next_run_time for job in self._scheduler.get_jobs() if job.next_run_time is not None]
        return min(times, default=None)

    @property
    def at_work(self) -> bool:
        return self._process is not None

    def stop(self) -> None:
        """Start nothing more; ask a run at work to end after its act, and wait for that."""
        with self._lock:
            self._ending = True
            process = self._process
        if process is not None:
            process.terminate()
            try:
                process.wait(self.patience.total_seconds())
            except subprocess.TimeoutExpired:
                # What it was doing has its intent in the journal, and the next run settles it.
                process.kill()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _at(self, delay: timedelta, id_: str) -> None:
        moment = datetime.now(UTC) + delay
        self._scheduler.add_job(self._run, "date", run_date=moment, id=id_, replace_existing=True)

    def _run(self) -> None:
        with self._lock:
            if self._ending:
                return
            # In a session of its own: a Ctrl-C meant for the server is not the run's.
            self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        status = self._process.wait()
        self._process = None
        self.ran(status)
