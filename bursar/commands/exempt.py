"""`bursar exempt`: findings that somebody answers for, until a date."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from bursar.commands.options import DayType, config_option


@click.command("exempt", short_help="Excuse findings until a date; somebody answers for them.")
@config_option
@click.argument("finding", required=False, default="")
@click.option("--policy", "policies", multiple=True, metavar="POLICY", help="Findings of this policy. Repeatable.")
@click.option("--where", default="", metavar="CONDITION", help="Resources for which this holds, over fields and tags.")
@click.option("--owner", help="Who answers for it.")
@click.option("--reason", help="Why.")
@click.option("--expires", type=DayType(), help="The last day, such as 2026-12-31; within a year.")
@click.option("--withdraw", metavar="ID", help="End the exemption with this id instead.")
@click.option("--list", "listed", is_flag=True, help="Show the exemptions instead.")
def command(config: Path | None, withdraw: str | None, listed: bool, **given: Any) -> int:
    """Excuse one FINDING, the findings of a policy, or those of resources for which a condition holds.

    FINDING is an id as `bursar plan -f json` shows it, or its beginning; or a resource that has one finding.

    What is exempt is shown as excused, with its reason, and nothing is done about it. It ends by itself.
    """
    from bursar.config import read_condition
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.operating import Excuse, exempt
    from bursar.operating import withdraw as end
    from bursar.render.text import visible
    from bursar.running import stored_exemptions, utc_now
    from engine.errors import ConfigError
    from integrations.catalog import default_catalog

    with store_of(config) as store:
        if listed:
            for known in stored_exemptions(store):
                about = known.finding or ", ".join(known.policies) or (known.where.text if known.where else "")
                click.echo(visible(f"{known.id}  {about}  {known.summary}"))
            return DONE
        if withdraw:
            click.echo(f"exemption {end(store, withdraw, utc_now()).id} is withdrawn")
            return DONE
        if not (given["owner"] and given["reason"] and given["expires"]):
            hint = "an exemption has an owner, a reason and an end"
            raise ConfigError.of("usage", "--owner, --reason and --expires are needed", where="exempt", hint=hint)
        if given["where"]:
            read_condition(given["where"], "--where", default_catalog())
        made = exempt(store, Excuse(**given), utc_now())
    click.echo(f"exemption {made.id} until {made.expires:%Y-%m-%d %H:%M} UTC")
    return DONE
