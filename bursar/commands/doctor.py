"""`bursar doctor`: whether everything is there that a run needs, and how to mend what is not."""

from __future__ import annotations

import sys
from typing import Any

import click

from bursar.commands.options import place_options, policy_options


@click.command("doctor", short_help="Look whether all is there that a run needs, and how to mend what is not.")
@policy_options
@place_options
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(format_: str, **chosen: Any) -> int:
    """Look at credentials, clocks, regions, permissions, telemetry, prices, the state, Slack and who may approve.

    Tries what the loaded policies need: a short page of each kind, dry runs of EC2, IAM's own simulation where it may
    be asked. Nothing is changed but a lease in the state, which is taken and given back. Exit status 0: all well; 2:
    the configuration is wrong; 3: something cannot be read.
    """
    from bursar.doctor.check import exit_status_of
    from bursar.doctor.examine import examine
    from bursar.render.doctor import show_checks
    from bursar.render.progress import progress_for
    from bursar.running import utc_now
    from bursar.wiring import Choice

    found = []
    with progress_for(sys.stderr) as progress:
        for check in examine(Choice(**chosen), utc_now()):
            found.append(check)
            progress("checks", 1)
    show_checks(found, format_, sys.stdout)
    return exit_status_of(found)
