"""Options of `bursar backtest` to a replay: files to machines, machines to verdicts, verdicts to what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from bursar.wiring import Choice, Setup, context_at, set_up, telemetry_sources
from bursar.zones import zone
from engine.backtest.judges import ContextAt
from engine.backtest.latency import Latency
from engine.backtest.model import Clock, Conduct
from engine.backtest.prepare import Aims, Prepared, Setting, prepare
from engine.backtest.recording import USE, Grid, Machine
from engine.backtest.spells import Spells, spells_of
from engine.backtest.sweep import BELOW, Recommendation, Row, play, recommend, settings_of
from engine.checks.context import Context
from engine.errors import ConfigError
from engine.model import Resource
from engine.planning import Installation
from engine.policy.checks import Idle
from engine.policy.model import Limits, Mode, Policy, RunLimits
from engine.policy.needs import needs_of
from engine.ports import Progress
from integrations.catalog import default_catalog
from integrations.recordings.files import Recording, open_recording
from integrations.recordings.history import Heard, machines_of
from integrations.recordings.inventory import Joined, Taken, known_machines, supposed
from integrations.snapshot import open_snapshot
from integrations.telemetry.port import Source

ENDLESS = 10**9


@dataclass(frozen=True)
class Ask:
    """What is to be replayed, and how."""

    choice: Choice
    telemetry: tuple[Path, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    taken: Taken = field(default_factory=Taken)
    start: datetime | None = None
    end: datetime | None = None
    step: timedelta = timedelta(minutes=5)
    mode: Mode | None = None
    grace: timedelta | None = None
    latency: Latency = field(default_factory=Latency)
    horizon: timedelta = timedelta(hours=1)
    work: float = 5.0
    limits: bool = True
    one_signal: bool = False
    axes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    max_regret: float | None = None
    """Share of acts, 0 to 1, that may turn out wrong; None where no recommendation is wanted."""


@dataclass(frozen=True)
class Backtest:
    """A replay that was done."""

    ask: Ask
    recording: Recorded
    policies: tuple[Policy, ...]
    clock: Clock
    rows: tuple[Row, ...]
    spells: tuple[Spells | None, ...]
    """By row: how often the use of a device was below the row's threshold for the row's window."""
    strange: int
    """Recorded machines that are not in the estate."""
    recommendation: Recommendation | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the files hold."""

    names: tuple[str, ...]
    start: datetime
    end: datetime
    machines: int
    devices: int
    samples: int
    broken: int
    interval: float
    metrics: tuple[str, ...]


def backtest(ask: Ask, progress: Progress = lambda _stage, _done: None) -> Backtest:
    """
    Return what the chosen policies would have done.

    Raises:
        BursarError: where policies, files or options do not fit.
    """
    setup = set_up(ask.choice)
    policies = tuple(_as_asked(policy, ask) for policy in setup.policies.policies)
    settings = settings_of(policies, ask.axes)
    joined = Joined()
    with _tape(ask, setup, joined) as tape:
        clock = _clock(ask, tape.grid)
        aims = Aims(settings, ask.work, tuple(dict.fromkeys(_thresholds(settings))), ask.one_signal)
        machines = _told(tape.machines(), progress)
        prepared = prepare(machines, aims, clock, _contexts(setup), _unbounded(setup.installation))
        recorded = tape.recorded()
    if not prepared.fleet.demand:
        hint = "its ids and host names are joined to the `resource` of each sample"
        raise ConfigError.of("bad-recording", "no recorded machine is in the estate", where="--estate", hint=hint)
    conduct = Conduct(ask.latency, zone, _run_limits(setup, ask), _stopping(setup.installation))
    rows = play(prepared, settings, clock, conduct, ask.horizon)
    chosen = None
    if ask.max_regret is not None:
        chosen = recommend(prepared, settings, clock, conduct, ask.horizon, bound=ask.max_regret)
    spells = tuple(_spells(prepared, aims, setting) for setting in settings)
    return Backtest(ask, recorded, policies, clock, rows, spells, len(joined.strange), chosen)


@dataclass(frozen=True)
class Tape:
    """What is replayed."""

    grid: Grid
    machines: Callable[[], Iterator[Machine]]
    recorded: Callable[[], Recorded]
    """What was read; to be asked after all machines went by."""


@contextmanager
def _tape(ask: Ask, setup: Setup, joined: Joined) -> Iterator[Tape]:
    """Yield the recording in files, or the history of the configured sources where no file is named."""
    if not ask.telemetry:
        yield _history(ask, setup)
        return
    with open_recording(ask.telemetry, ask.columns) as recording:
        grid = recording.grid(_seconds(ask.start), _seconds(ask.end))
        yield Tape(grid, lambda: _machines(ask, setup, recording, grid, joined), lambda: _recorded(recording))


def _history(ask: Ask, setup: Setup) -> Tape:
    if not (setup.config.telemetry and ask.choice.estate and ask.start and ask.end and ask.start < ask.end):
        hint = "or name files with --telemetry"
        message = (
            "the history of configured sources needs `telemetry` in bursar.yaml, --estate, --from and a later --to"
        )
        raise ConfigError.of("usage", message, where="backtest", hint=hint)
    span, heard = (ask.start, ask.end), Heard()
    grid = Grid.over(span[0].timestamp(), span[1].timestamp() - 1, 60)
    snapshot = open_snapshot(ask.choice.estate)
    resources = (item for item in snapshot.stream(needs_of(setup.policies)) if isinstance(item, Resource))
    kinds = default_catalog().kinds

    def recorded() -> Recorded:
        counts = (heard.machines, heard.devices, heard.samples, 0)
        return Recorded(heard.names, *span, *counts, 60.0, tuple(sorted(heard.metrics)))

    def sources_at(now: datetime) -> AbstractContextManager[Sequence[Source]]:
        return telemetry_sources(setup.config, now)

    return Tape(grid, lambda: machines_of(resources, kinds, sources_at, span, heard), recorded)


def _clock(ask: Ask, grid: Grid) -> Clock:
    every = ask.step.total_seconds() / grid.step
    if every < 1 or every != int(every):
        hint = f"the recording is read in steps of {grid.step} s: write a multiple of it"
        raise ConfigError.of("usage", f"runs cannot be {ask.step} apart", where="--step", hint=hint)
    return Clock.over(grid, int(every), grid.buckets, int(every))


def _as_asked(policy: Policy, ask: Ask) -> Policy:
    changes: dict[str, object] = {}
    if ask.mode is not None:
        changes["mode"] = ask.mode
    if ask.grace is not None:
        changes["grace"] = ask.grace
    if not ask.limits:
        changes["limits"] = Limits(ENDLESS, Decimal(100))
    return replace(policy, **changes)  # type: ignore[arg-type]


def _run_limits(setup: Setup, ask: Ask) -> RunLimits:
    return setup.config.limits if ask.limits else RunLimits(ENDLESS, ENDLESS)


def _unbounded(installation: Installation) -> Installation:
    """Return the installation as if it let every policy act as far as the policy says."""
    return replace(installation, max_mode=Mode.ENFORCE)


def _stopping(installation: Installation) -> frozenset[str]:
    return frozenset(name for name, one in installation.remediations.items() if "compute" in one.saves)


def _contexts(setup: Setup) -> ContextAt:
    first: list[Context] = []

    @lru_cache(maxsize=4)
    def at(now: datetime) -> Context:
        if not first:
            first.append(context_at(now, setup.config))
        return replace(first[0], now=now)

    return at


def _machines(ask: Ask, setup: Setup, recording: Recording, grid: Grid, joined: Joined) -> Iterator[Machine]:
    streamed = recording.stream(grid)
    if ask.choice.estate is None:
        return supposed(streamed, ask.taken, context_at(grid.moment(0), setup.config).watts)
    snapshot = open_snapshot(ask.choice.estate)
    resources = (item for item in snapshot.stream(needs_of(setup.policies)) if isinstance(item, Resource))
    return known_machines(streamed, resources, joined)


def _told(machines: Iterator[Machine], progress: Progress) -> Iterator[Machine]:
    for machine in machines:
        progress("machines judged", 1)
        yield machine


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _thresholds(settings: Sequence[Setting]) -> Iterator[float]:
    for setting in settings:
        for policy in setting.policies:
            if isinstance(policy.check, Idle) and USE in policy.check.below:
                yield policy.check.below[USE].value


def _spells(prepared: Prepared, aims: Aims, setting: Setting) -> Spells | None:
    checks = [p.check for p in setting.policies if isinstance(p.check, Idle) and USE in p.check.below]
    if len(checks) != 1:
        return None
    lengths = prepared.spells[aims.spells.index(checks[0].below[USE].value)]
    return spells_of(lengths, checks[0].window.total_seconds())


def _recorded(recording: Recording) -> Recorded:
    return Recorded(
        tuple(file.name for file in recording.files),
        datetime.fromtimestamp(recording.first, UTC),
        datetime.fromtimestamp(recording.last, UTC),
        recording.machines,
        recording.devices,
        recording.samples,
        recording.broken,
        recording.interval,
        tuple(sorted(recording.metrics)),
    )


def axis_of(text: str) -> tuple[str, tuple[str, ...]]:
    """Return `for=1h,2h` as its name and values; raise `ValueError` where it is none."""
    name, _, values = text.partition("=")
    found = tuple(value.strip() for value in values.split(",") if value.strip())
    if not name or not found:
        raise ValueError(f"`{text}` is not such as for=1h,2h or {BELOW}{USE}=1%,5%")
    return name.strip(), found
