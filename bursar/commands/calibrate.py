"""`bursar calibrate`: what the GPUs of a fleet draw at rest, learned from recorded telemetry."""

from __future__ import annotations

import sys
from pathlib import Path

import click

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("calibrate", short_help="Learn what GPUs draw at rest from recorded telemetry.")
@click.option(
    "--telemetry", type=FILE, multiple=True, required=True, help="A recording, as for `bursar backtest`. Repeatable."
)
@click.option("--columns", multiple=True, metavar="OURS=THEIRS", help="What its columns are called. Repeatable.")
@click.option("--gpu-model", default="", metavar="MODEL", help="The GPU model, where the recording does not say.")
@click.option("-o", "--output", type=FILE, help="Write the file that `gpu_power` in the configuration takes.")
def command(telemetry: tuple[Path, ...], columns: tuple[str, ...], gpu_model: str, output: Path | None) -> int:
    """Learn what each GPU model draws at rest, with nothing loaded and while a process holds it.

    A GPU rests where its use is 0 for three samples in a row. What counts for `gpu.power_over_idle` is the upper
    bound while memory is held; models of which fewer than three GPUs were seen so keep the shipped figure.
    """
    from bursar.calibrating import calibrate
    from bursar.commands.backtest import pair
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.render.calibration import render
    from bursar.render.outputs import write_file

    done = calibrate(telemetry, dict(pair(text, "--columns") for text in columns), gpu_model)
    render(done, sys.stdout)
    if output is None:
        return DONE
    if not done.text:
        click.echo(f"{output} was not written", err=True)
        return INCOMPLETE
    write_file(output, done.text)
    click.echo(f"\nwritten to {output}; `gpu_power: {output}` in bursar.yaml takes it")
    return DONE
