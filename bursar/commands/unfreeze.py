"""`bursar unfreeze`: let acting go on."""

from __future__ import annotations

from pathlib import Path

import click

from bursar.commands.options import config_option


@click.command("unfreeze", short_help="Let acting go on after a freeze.")
@config_option
@click.option("--reason", required=True, help="Why; everybody will see it.")
def command(config: Path | None, reason: str) -> int:
    """Let acting go on after `bursar freeze`, from the next act on."""
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.operating import is_frozen, set_freeze
    from bursar.running import utc_now

    with store_of(config) as store:
        was = is_frozen(store)
        set_freeze(store, frozen=False, reason=reason, now=utc_now())
    click.echo(f"acting goes on; it was frozen by {was.by} ({was.reason})" if was else "nothing was frozen")
    return DONE
