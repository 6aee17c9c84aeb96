"""`bursar scan`: what the policies need of the estate, recorded in a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import estate_options, policy_options


@click.command("scan", short_help="Record the estate in a file.")
@policy_options
@estate_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("estate.jsonl.gz"),
    show_default=True,
    help="Where to. JSON Lines; packed where the name ends in .gz.",
)
@click.option(
    "--record-api",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also write every answer of AWS to this folder, without secrets, accounts and addresses.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def command(output: Path, force: bool, **chosen: Any) -> int:
    """Record what the policies need of the estate: inventory, tags and telemetry.

    `bursar plan --estate FILE` and `bursar explain --estate FILE` read it without any cloud. The file
    holds names, tags and ids of your resources and no credentials.

    A folder written by --record-api shows what AWS said: attach it to a report of a wrong finding. Account
    numbers, tokens, keys, addresses and environment variables are replaced; names and tags are not.
    """
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.render.progress import progress_for
    from bursar.render.scopes import render_scopes
    from bursar.wiring import Choice, open_estate, set_up
    from engine.errors import ConfigError
    from engine.model import ScopeStatus
    from engine.policy.needs import needs_of
    from integrations.snapshot import record

    if output.exists() and not force:
        hint = "--force replaces it"
        raise ConfigError.of("exists", "the file exists already", where=str(output), hint=hint)
    choice = Choice(**chosen)
    setup = set_up(choice)
    # A recording holds what is used and not what it costs.
    with open_estate(choice, setup.config, priced=False) as (source, _), progress_for(sys.stderr) as progress:
        resources, reports = record(source, needs_of(setup.policies), output, progress)
    render_scopes(output, resources, reports, sys.stdout)
    return DONE if all(r.status is ScopeStatus.COMPLETE for r in reports) else INCOMPLETE
