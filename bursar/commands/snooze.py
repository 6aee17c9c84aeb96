"""`bursar snooze`: let a finding rest for a while."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from bursar.commands.options import LengthType, config_option


@click.command("snooze", short_help="Let a finding rest for up to 30 days.")
@config_option
@click.argument("finding")
@click.option("--for", "length", type=LengthType(), required=True, help="How long: 4h, 3d; 30 days at most.")
@click.option("--reason", default="", help="Why.")
def command(config: Path | None, finding: str, length: timedelta, reason: str) -> int:
    """Let FINDING rest: nobody is told of it, and nothing is done. Afterwards it is warned of anew.

    FINDING is an id as `bursar plan -f json` shows it, or its beginning; or a resource that has one finding.
    """
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.operating import snooze
    from bursar.running import utc_now

    with store_of(config) as store:
        record = snooze(store, finding, length, reason, utc_now())
    click.echo(f"{record.finding} rests until {record.until:%Y-%m-%d %H:%M} UTC")
    return DONE
