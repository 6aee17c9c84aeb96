"""`bursar plan`: findings, dollars and the steps they would lead to. Changes nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import MomentType, estate_options, output_options, policy_options
from bursar.render.outputs import Output


@click.command("plan", short_help="Show findings and planned steps; change nothing.")
@policy_options
@estate_options
@output_options
@click.option("--now", type=MomentType(), help="Judge a recorded estate at this time. [default: when it was recorded]")
def command(formats: tuple[Output, ...], output: Path | None, fail_on: str | None, **chosen: Any) -> int:
    """Show what the policies find, what it costs and which steps it would lead to.

    Reads only: nothing in your cloud is changed, whatever the policies and the configuration say. `bursar apply`
    carries out a plan that was written with -o, and `bursar run` what is due.
    """
    from bursar.exit_status import exit_status
    from bursar.render.outputs import write_outputs
    from bursar.render.prices import render_run
    from bursar.render.progress import progress_for
    from bursar.render.scopes import told
    from bursar.wiring import Choice, context_at, open_estate, prices_of, set_up
    from engine.planning import run
    from engine.policy.model import Severity

    choice = Choice(**chosen)
    setup = set_up(choice)
    with open_estate(choice, setup.config) as (source, moment), progress_for(sys.stderr) as progress:
        plan = run(setup.policies, source, context_at(moment, setup.config, source), setup.installation, progress)
    extra = (Output("json", output),) if output else ()
    write_outputs(plan, (*formats, *extra))
    render_run(prices_of(source), sys.stderr)
    if choice.estate is None:
        sys.stderr.write(told(plan.asked))
    severity = fail_on or setup.config.fail_on
    return exit_status(plan, None if severity in (None, "never") else Severity(severity))
