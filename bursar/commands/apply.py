"""`bursar apply`: carry out exactly the steps of a plan file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import place_options, policy_options


@click.command("apply", short_help="Carry out exactly the steps of a plan file; what changed since is refused.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@policy_options
@place_options
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(file: Path, format_: str, **chosen: Any) -> int:
    """Carry out the steps of FILE, written by `bursar plan -o FILE`, and no others.

    Every resource is read anew and judged again; a step whose resource or policy has changed since is refused, with
    what is there now. Modes, warnings, graces, approvals, limits and breakers hold as in `bursar run`.
    """
    from bursar.applying import apply_file
    from bursar.exit_status import HELD, exit_status_of_run
    from bursar.render.runs import show_report
    from bursar.running import open_site
    from bursar.wiring import Choice, set_up

    choice = Choice(**chosen)
    with open_site(choice, set_up(choice)) as site:
        report = apply_file(site, file)
    if report is None:
        click.echo("another run is at work: this one ends", err=True)
        return HELD
    show_report(report, format_, sys.stdout)
    return exit_status_of_run(report)
