"""A replay for people, as JSON and as CSV: what was done, what it saved, and how often it was wrong."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from io import StringIO
from typing import TYPE_CHECKING, Any, TextIO

from bursar.backtesting import Backtest
from bursar.render.advice import sentences
from bursar.render.console import console_on
from bursar.render.money import NOTHING, amount
from bursar.render.text import clipped, counted, visible
from engine.backtest.model import Outcome
from engine.backtest.spells import Spells
from engine.units import format_duration

if TYPE_CHECKING:
    from rich.console import Console

FEW = 6
"""Rows up to which each is told in full."""


def render(done: Backtest, format_: str, out: TextIO, *, width: int | None, color: bool) -> None:
    """Write `done` in one format."""
    match format_:
        case "json":
            json.dump(document(done), out, indent=2)
            out.write("\n")
        case "csv":
            _csv(done, out)
        case _:
            _table(done, out, width=width, color=color)


# --- for people ----------------------------------------------------------------------------------


def _table(done: Backtest, out: TextIO, *, width: int | None, color: bool) -> None:
    buffer = StringIO()
    console = console_on(buffer, width=width, color=color)
    for line in _head(done):
        _line(console, line)
    _line(console)
    if done.ask.axes:
        _sweep(console, done)
    else:
        _single(console, done.rows[0].outcome, done.spells[0])
    if done.recommendation is not None:
        _line(console)
        _line(console, "RECOMMENDATION", "bold")
        for sentence in sentences(done):
            _indented(console, sentence)
    for note in _notes(done):
        _line(console)
        _line(console, note, "dim")
    out.writelines(line.rstrip() + "\n" for line in buffer.getvalue().splitlines())


def _line(console: Console, text: str = "", style: str = "") -> None:
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=False)


def _indented(console: Console, text: str) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console.print(Padding(Text(text), (0, 0, 0, 2)))


def _head(done: Backtest) -> Iterator[str]:
    held, ask = done.recording, done.ask
    span = f"{held.start:%Y-%m-%d %H:%M} to {held.end:%Y-%m-%d %H:%M} UTC"
    yield f"{visible(', '.join(held.names))}: {span}"
    devices = f" with {counted(held.devices, 'GPU')}" if held.devices != held.machines else ""
    yield (
        f"{counted(held.machines, 'machine')}{devices}, {held.samples:,} samples, one every {held.interval:.0f} s; "
        f"{', '.join(held.metrics)}"
    )
    names = ", ".join(policy.name for policy in done.policies)
    first, last = done.clock.moment(0), done.clock.moment(len(done.clock.ends) - 1)
    runs = counted(len(done.clock.ends), "run")
    yield (
        f"{visible(clipped(names, 80))}: {runs}, one every {format_duration(ask.step)}, "
        f"{first:%m-%d %H:%M} to {last:%m-%d %H:%M}"
    )
    if ask.choice.estate is None:
        what = ask.taken.instance_type or "machines of unknown type"
        tags = ", ".join(f"{key}={value}" for key, value in ask.taken.tags.items()) or "no tags"
        yield f"taken to be: {visible(what)}, on demand in {visible(ask.taken.region)}, {visible(tags)}"


def _single(console: Console, outcome: Outcome, spells: Spells | None) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column(style="dim")
    for name, value, about in _facts(outcome, spells):
        table.add_row(Text(name), Text(value), Text(about))
    console.print(table)


def _facts(outcome: Outcome, spells: Spells | None) -> Iterator[tuple[str, str, str]]:
    played, horizon = outcome.played, format_duration(outcome.horizon)
    if spells is not None:
        yield (
            "quiet spells",
            f"{spells.count:,}",
            f"{spells.hours:,.0f} GPU-hours below the threshold for the window or longer",
        )
    yield "found", f"{played.findings:,}", "findings that opened"
    yield "warned", f"{played.warned:,}", ""
    if played.asked:
        expired = f"{played.expired:,} not decided in time" if played.expired else ""
        yield "asked", f"{played.asked:,}", expired
    if played.held:
        why = ", ".join(f"{name} {count:,}" for name, count in sorted(played.held.items()))
        yield "held back", f"{sum(played.held.values()):,}", f"times, a finding and run each: {why}"
    yield "acted", f"{outcome.acts:,}", ""
    if outcome.acts:
        unknown = f"; {outcome.unrecorded:,.0f} h more were not recorded" if outcome.unrecorded >= 1 else ""
        yield "saved", f"{outcome.saved:,.1f} h", f"at rest from the act to the next work{unknown}"
        yield "saved", _dollars(outcome), f"{outcome.unpriced:,} acts have no price" if outcome.unpriced else ""
        yield (
            "regret",
            _regret(outcome),
            f"{outcome.regretted:,} of {outcome.observed:,} acts were followed by work within {horizon}",
        )
        yield "displaced", f"{outcome.displaced:,.1f} h", f"of work within {horizon} after an act"
    if played.judged:
        share = played.undecided / played.judged
        yield "undecided", f"{share:.1%}", "of the time, for want of samples or because a machine was too new"


def _sweep(console: Console, done: Backtest) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 3, 0, 0))
    for name in done.ask.axes:
        table.add_column(name.removeprefix("below."), justify="right")
    columns = ["quiet spells", "found", "acted", "saved", "", "regret", "displaced"]
    for name in columns:
        table.add_column(name, justify="right")
    best = done.recommendation.best if done.recommendation else None
    for row, spells in zip(done.rows, done.spells, strict=True):
        outcome = row.outcome
        table.add_row(
            *(value for _, value in row.setting.values),
            "" if spells is None else f"{spells.count:,}",
            f"{outcome.played.findings:,}",
            f"{outcome.acts:,}",
            f"{outcome.saved:,.0f} h",
            _dollars(outcome),
            _regret(outcome),
            f"{outcome.displaced:,.1f} h",
            style="bold green" if best is not None and row.setting == best.setting else None,
        )
    console.print(table)


def _dollars(outcome: Outcome) -> str:
    if outcome.acts and outcome.unpriced == outcome.acts:
        return "?"
    return amount(outcome.dollars)


def _regret(outcome: Outcome) -> str:
    return NOTHING if outcome.regret is None else f"{outcome.regret:.1%}"


def _notes(done: Backtest) -> Iterator[str]:
    if done.ask.one_signal:
        yield "Findings that rest on one signal were acted on (--one-signal). A real run reports them and does nothing."
    if done.recording.broken:
        yield f"{done.recording.broken:,} rows or lines were no samples and were left out."
    if done.strange:
        are = counted(done.strange, "recorded machine is", "recorded machines are")
        yield f"{are} not in the estate, or not uniquely, and left out."
    played = done.rows[0].outcome.played
    if not any(row.outcome.acts for row in done.rows):
        yield _why_idle(done, played.held)


def _why_idle(done: Backtest, held: Any) -> str:
    if not any(policy.remediate for policy in done.policies):
        return "Nothing was done: the policies name no remediation."
    if all(policy.mode in ("report", "notify") for policy in done.policies):
        return "Nothing was done: the policies only report. --mode enforce replays them as if they acted."
    if held:
        return "Nothing was done: limits held it all. --ignore-limits replays without them."
    if not done.ask.one_signal and "gpu.power" not in done.recording.metrics:
        return (
            "Nothing was done: without power a finding rests on one signal, and is only reported. --one-signal replays "
            "as if a second one had agreed."
        )
    return "Nothing was done: no finding lasted through its grace and its approval."


# --- for machines --------------------------------------------------------------------------------


def document(done: Backtest) -> dict[str, Any]:
    """Return the replay as plain values."""
    held = done.recording
    return {
        "bursar.backtest": 1,
        "recording": {
            "files": list(held.names), "from": _time(held.start), "to": _time(held.end), "machines": held.machines,
            "devices": held.devices, "samples": held.samples, "broken": held.broken, "interval": held.interval,
            "metrics": list(held.metrics),
        },
        "policies": [policy.name for policy in done.policies],
        "runs": len(done.clock.ends),
        "horizon": done.ask.horizon.total_seconds(),
        "one_signal": done.ask.one_signal,
        "settings": [
            {"values": dict(row.setting.values), **_plain(row.outcome, spells)}
            for row, spells in zip(done.rows, done.spells, strict=True)
        ],
        "recommendation": _recommended(done),
    }  # fmt: skip


def _time(moment: Any) -> str:
    return str(moment.isoformat().replace("+00:00", "Z"))


def _plain(outcome: Outcome, spells: Spells | None) -> dict[str, Any]:
    played = outcome.played
    return {
        "spells": None if spells is None else spells.count,
        "spell_hours": None if spells is None else round(spells.hours, 2),
        "findings": played.findings,
        "warned": played.warned,
        "asked": played.asked,
        "expired": played.expired,
        "held": dict(sorted(played.held.items())),
        "acts": outcome.acts,
        "hours_saved": round(outcome.saved, 2),
        "hours_unrecorded": round(outcome.unrecorded, 2),
        "dollars_saved": str(round(outcome.dollars, 2)),
        "acts_unpriced": outcome.unpriced,
        "regretted": outcome.regretted,
        "observed": outcome.observed,
        "regret": None if outcome.regret is None else round(outcome.regret, 4),
        "hours_displaced": round(outcome.displaced, 2),
        "hours_undecided": round(played.undecided, 2),
        "hours_judged": round(played.judged, 2),
    }


def _recommended(done: Backtest) -> dict[str, Any] | None:
    found = done.recommendation
    if found is None:
        return None
    return {
        "max_regret": found.bound,
        "split": _time(found.split),
        "values": None if found.best is None else dict(found.best.setting.values),
        "fitted": None if found.best is None else _plain(found.best.outcome, None),
        "checked": None if found.checked is None else _plain(found.checked, None),
        "interval": None if found.interval is None else [round(found.interval[0], 4), round(found.interval[1], 4)],
        "trust": found.trust.value,
        "sentences": list(sentences(done)),
    }


def _csv(done: Backtest, out: TextIO) -> None:
    rows = csv.writer(out, lineterminator="\r\n")
    axes = list(done.ask.axes)
    first = _plain(done.rows[0].outcome, done.spells[0])
    kept = [name for name in first if name != "held"]
    rows.writerow([*axes, *kept])
    for row, spells in zip(done.rows, done.spells, strict=True):
        plain = _plain(row.outcome, spells)
        rows.writerow([*(value for _, value in row.setting.values), *(plain[name] for name in kept)])
