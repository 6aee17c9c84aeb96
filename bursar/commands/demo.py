"""`bursar demo`: the shipped policies on an emulated AWS account."""

from __future__ import annotations

import click

from bursar.commands.options import OutputType
from bursar.render.outputs import Output


@click.command("demo", short_help="Run the shipped policies on an emulated AWS account.")
@click.option("--serve", is_flag=True, help="Keep the account running afterwards, to try commands on it.")
@click.option(
    "-f",
    "--format",
    "formats",
    type=OutputType(),
    multiple=True,
    help="Only render the plan, as FORMAT, to FILE if given. Repeatable.",
)
def command(serve: bool, formats: tuple[Output, ...]) -> int:
    """Run the shipped policies on an emulated AWS account of an AI company; no credentials needed.

    The account is real as far as Bursar can tell: it is read over HTTP by the same calls, and its GPUs are busy,
    idle, forgotten, broken and silent as in life. It exists on this machine only, for as long as the demo runs.
    """
    from bursar.demo.tour import run_demo

    return run_demo(serve=serve, formats=formats)
