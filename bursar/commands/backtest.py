"""`bursar backtest`: what policies would have done over recorded telemetry, and what it would have cost others."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bursar.commands.options import LengthType, MomentType, policy_options

if TYPE_CHECKING:
    from bursar.backtesting import Ask
    from engine.backtest.latency import Latency

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("backtest", short_help="Replay policies over recorded telemetry: savings and regret.")
@policy_options
@click.option(
    "--telemetry",
    type=FILE,
    multiple=True,
    help="A file of `bursar agent` (.jsonl), or a .csv or .parquet file with one row a sample. Repeatable. "
    "[default: the history of the sources in the configuration, between --from and --to]",
)
@click.option(
    "--columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="What the columns resource, device, at, model, gpu.utilization, gpu.power and gpu.memory_used are called in "
    "CSV and Parquet files. Repeatable.",
)
@click.option(
    "--estate", type=FILE, help="A recorded estate, written by `bursar scan`, that says what the machines are."
)
@click.option(
    "--as", "as_", default="", metavar="TYPE", help="The instance type to take the machines for, without an estate."
)
@click.option(
    "--gpu-model", default="", metavar="MODEL", help="The GPU model to take them to have. [default: as recorded]"
)
@click.option("--region", default="us-east-1", show_default=True, help="The region to take them to be in.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag to take them to carry. Repeatable.")
@click.option("--from", "start", type=MomentType(), help="Begin here. [default: the first sample]")
@click.option("--to", "end", type=MomentType(), help="End here. [default: the last sample]")
@click.option("--step", type=LengthType(), default="5m", show_default=True, help="The time between two runs.")
@click.option(
    "--mode",
    type=click.Choice(["notify", "approve", "enforce"]),
    help="Replay the policies in this mode. [default: their own]",
)
@click.option("--grace", metavar="LENGTH", help="Replay them with this grace, such as 0m. [default: their own]")
@click.option(
    "--horizon", type=LengthType(), default="1h", show_default=True, help="Work so soon after an act makes it wrong."
)
@click.option("--work", default="5%", show_default=True, metavar="PERCENT", help="Use of a GPU from which it works.")
@click.option(
    "--answer-after", type=LengthType(), default="30m", show_default=True, help="The median time to an approval."
)
@click.option(
    "--answer-spread",
    type=click.FloatRange(0, 3),
    default=0.0,
    show_default=True,
    help="The spread of that time: 0 is always the same, 1 a long tail (sigma of a log-normal distribution).",
)
@click.option(
    "--answer-hours", metavar="HH:MM-HH:MM", help="When approvals are given, Monday to Friday. [default: always]"
)
@click.option("--answer-zone", default="UTC", show_default=True, metavar="ZONE", help="The IANA zone of those hours.")
@click.option("--ignore-limits", is_flag=True, help="Replay without limits of policies and runs.")
@click.option(
    "--one-signal",
    is_flag=True,
    help="Act on what a single signal says, which a real run never does: for recordings without power.",
)
@click.option(
    "--sweep",
    multiple=True,
    metavar="WHAT=VALUES",
    help="Replay under each of these values: for=30m,1h,2h or below.gpu.utilization=1%,5%. Repeatable.",
)
@click.option("--recommend", is_flag=True, help="Name the setting that saves most within --max-regret.")
@click.option(
    "--max-regret", default="2%", show_default=True, metavar="PERCENT", help="Share of acts that may be wrong."
)
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", type=FILE, help="Where to. [default: here]")
@click.option(
    "--plot", "plots", type=FILE, multiple=True, help="Draw savings and regret into this .svg or .png. Repeatable."
)
def command(format_: str, output: Path | None, plots: tuple[Path, ...], **given: Any) -> int:
    """Replay policies over recorded telemetry, as if they had been there.

    Runs follow each other with a simulated clock, and each sees only what was recorded before it. Findings are
    warned of, wait for their grace, for an approval and for limits, and rest for a day after an act. A machine that
    was stopped stays off until the recording shows work: what it rested until then is saved, and an act that is
    followed by work within the horizon is regretted. What was not recorded is unknown, never idle.
    """
    from bursar.backtesting import backtest
    from bursar.exit_status import DONE
    from bursar.render.backtest import render
    from bursar.render.outputs import write_text
    from bursar.render.progress import progress_for

    with progress_for(sys.stderr) as progress:
        done = backtest(_ask(given), progress)
    write_text(output, lambda out, **screen: render(done, format_, out, **screen))
    if plots:
        from bursar.render.backtest_plot import draw

        for plot in plots:
            draw(done, plot)
    return DONE


def _ask(given: dict[str, Any]) -> Ask:
    from bursar.backtesting import Ask, axis_of
    from bursar.wiring import Choice
    from engine.policy.model import Mode
    from engine.units import parse_duration
    from integrations.recordings.inventory import Taken

    grace, wanted = given["grace"], _percent(given["max_regret"], "--max-regret") / 100
    return Ask(
        Choice(policies=given["policies"], config=given["config"], only=given["only"], estate=given["estate"]),
        given["telemetry"],
        dict(pair(text, "--columns") for text in given["columns"]),
        Taken(given["as_"], given["gpu_model"], given["region"], dict(pair(text, "--tag") for text in given["tags"])),
        given["start"],
        given["end"],
        given["step"],
        Mode(given["mode"]) if given["mode"] else None,
        _read(grace, parse_duration, "--grace") if grace else None,
        _latency(given["answer_after"], given["answer_spread"], given["answer_hours"], given["answer_zone"]),
        given["horizon"],
        _percent(given["work"], "--work"),
        limits=not given["ignore_limits"],
        one_signal=given["one_signal"],
        axes=dict(_read(text, axis_of, "--sweep") for text in given["sweep"]),
        max_regret=wanted if given["recommend"] else None,
    )


def pair(text: str, option: str) -> tuple[str, str]:
    """Return key and value of `KEY=VALUE`; raise a usage error where it is none."""
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise click.UsageError(f"`{text}` under {option} is not such as KEY=VALUE")
    return key, value


def _percent(text: str, option: str) -> float:
    from engine.units import parse_percent

    return float(_read(text, parse_percent, option))


def _read(text: str, parse: Any, option: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        raise click.UsageError(f"{option}: {error}") from error


def _latency(median: timedelta, spread: float, hours: str | None, zone: str) -> Latency:
    from pydantic import ValidationError

    from bursar.zones import zone as zone_of
    from engine.backtest.latency import Latency
    from engine.policy.checks import Schedule

    try:
        zone_of(zone)
        if hours is None:
            return Latency(median, spread)
        return Latency(median, spread, Schedule.model_validate({"hours": hours, "zone": zone}))
    except KeyError as error:
        raise click.UsageError(f"--answer-zone: `{zone}` is no IANA zone") from error
    except ValidationError as error:
        raise click.UsageError(f"--answer-hours: `{hours}` is not such as 09:00-18:00") from error
