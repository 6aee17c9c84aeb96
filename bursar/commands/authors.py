"""`bursar authors`: who changed each policy last, and a record of it for places without git."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bursar.commands.options import policy_options


@click.command("authors", short_help="Show who changed each policy last; record it for where there is no git.")
@policy_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the record to this file instead."
)
def command(policies: tuple[str, ...], config: Path | None, only: tuple[str, ...], output: Path | None) -> int:
    """Show who changed each policy last, as git knows it: their yes does not approve what the policy leads to.

    A zip, a ConfigMap and a bucket have no history. Write the record where there is one, and let it lie beside
    bursar.yaml: bursar authors -o authors.json
    """
    from bursar.authors import authors_of, record_of, rows_of
    from bursar.exit_status import DONE
    from bursar.render.approvals import show_authors
    from bursar.wiring import Choice, set_up

    setup = set_up(Choice(policies=policies, config=config, only=only))
    authors = authors_of(setup.config, setup.policies, setup.texts)
    if output is None:
        show_authors(rows_of(authors), sys.stdout)
    else:
        output.write_text(record_of(authors).model_dump_json(indent=2) + "\n", encoding="utf-8")
    return DONE
