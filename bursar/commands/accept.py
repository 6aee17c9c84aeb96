"""`bursar accept`: let a breaker pass that somebody has looked at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from bursar.commands.options import LengthType, config_option


@click.command("accept", short_help="Let a breaker pass for a while, once you know why it tripped.")
@config_option
@click.argument("breaker")
@click.option("--for", "length", type=LengthType(), default="24h", show_default=True, help="How long.")
@click.option("--reason", required=True, help="Why; everybody will see it.")
def command(config: Path | None, breaker: str, length: timedelta, reason: str) -> int:
    """Let BREAKER pass: `finding-surge`, `coverage-drop`, `inventory-drop`, `scope-incomplete`,
    `first-in-production` or `clock-skew`.
    """
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.operating import accept
    from bursar.running import utc_now

    with store_of(config) as store:
        record = accept(store, breaker, length, reason, utc_now())
    click.echo(f"{record.breaker} is let pass until {record.until:%Y-%m-%d %H:%M} UTC")
    return DONE
