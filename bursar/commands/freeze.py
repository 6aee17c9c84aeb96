"""`bursar freeze`: stop all acting, at once, everywhere."""

from __future__ import annotations

from pathlib import Path

import click

from bursar.commands.options import config_option


@click.command("freeze", short_help="Stop all acting, at once, everywhere.")
@config_option
@click.option("--reason", required=True, help="Why; everybody will see it.")
def command(config: Path | None, reason: str) -> int:
    """Stop all acting. It is looked at before every single act; findings, warnings and plans go on.

    `bursar undo` still works. `bursar unfreeze` lets acting go on.
    """
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.operating import set_freeze
    from bursar.running import utc_now

    with store_of(config) as store:
        set_freeze(store, frozen=True, reason=reason, now=utc_now())
    click.echo("frozen: nothing is done until `bursar unfreeze`")
    return DONE
