"""`bursar run`: what cron calls. Collect, judge, remember, warn, ask, act as far as everything allows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import place_options, policy_options


@click.command("run", short_help="Judge, remember, warn, ask and act, as far as modes and limits allow.")
@policy_options
@place_options
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Also write the plan as JSON.")
def command(format_: str, output: Path | None, **chosen: Any) -> int:
    """Judge the estate by all policies and do what follows: remember findings, warn of new ones, ask for approvals,
    carry out what is due.

    Nothing is done beyond `max_mode` of the configuration, which is `report` unless it says otherwise, nor before a
    warning and the policy's grace. Where another run is at work, this one says so and ends with status 4.
    """
    from bursar.exit_status import HELD, exit_status_of_run
    from bursar.render.outputs import Output, write_outputs
    from bursar.render.runs import show_report
    from bursar.render.scopes import told
    from bursar.running import open_site, run_at
    from bursar.wiring import Choice, set_up

    choice = Choice(**chosen)
    with open_site(choice, set_up(choice)) as site:
        report = run_at(site, whole=not choice.only)
    if report is None:
        click.echo("another run is at work: this one ends", err=True)
        return HELD
    if output is not None:
        write_outputs(report.plan, (Output("json", output),), table=False)
    show_report(report, format_, sys.stdout)
    sys.stderr.write(told(report.plan.asked))
    return exit_status_of_run(report)
