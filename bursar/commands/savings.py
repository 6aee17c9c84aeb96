"""`bursar savings`: what was saved, as it turned out."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bursar.commands.options import config_option


@click.command("savings", short_help="Show what was saved, as it turned out.")
@config_option
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def command(config: Path | None, format_: str) -> int:
    """Show what each policy's acts saved so far: hours in which nothing ran, times the price that was known then.

    A saving ends when a run sees the machine work again, and when the act is undone.
    """
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.render.savings import show_savings
    from bursar.running import utc_now
    from engine.state.records import SavingRecord, restored
    from engine.state.store import Table

    with store_of(config) as store:
        found = [restored(SavingRecord, stored).record for stored in store.scan(Table.SAVING)]
    show_savings(found, utc_now(), format_, sys.stdout)
    return DONE
