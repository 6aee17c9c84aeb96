"""`bursar approvals`: what waits for a person, and the person's answer."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bursar.commands.options import config_option


@click.group("approvals", short_help="List approvals, and approve or deny one.")
def command() -> None:
    """List what waits for a person, look at it, approve or deny it.

    The same as with the buttons in Slack: one decision, bound to exactly the steps that are shown. Approving carries
    nothing out by itself; the next `bursar run` does, if the resource is still as it was.
    """


identity_option = click.option(
    "--identity",
    type=click.Choice(["user", "aws"]),
    default="user",
    show_default=True,
    help="As whom: the user of this machine, or the caller of the AWS credentials, which counts as second factor.",
)


@command.command("list", short_help="Show approvals, the newest first.")
@config_option
@click.option("--all", "everything", is_flag=True, help="Those that are decided, too.")
@click.option("-f", "--format", "format_", type=click.Choice(["table", "json"]), default="table", show_default=True)
def listed(config: Path | None, everything: bool, format_: str) -> int:
    """Show what waits for an answer."""
    from bursar.approving import approvals
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.render.approvals import show_approvals
    from bursar.running import utc_now
    from engine.state.records import Decision

    with store_of(config) as store:
        found = approvals(store, None if everything else Decision.PENDING)
    show_approvals(found, utc_now(), format_, sys.stdout)
    return DONE


@command.command("show", short_help="Show one approval whole.")
@config_option
@click.argument("approval")
def show(config: Path | None, approval: str) -> int:
    """Show what exactly would be done, who may decide, and who said what."""
    from bursar.approving import find_approval
    from bursar.configuring import store_of
    from bursar.exit_status import DONE
    from bursar.render.approvals import show_approval

    with store_of(config) as store:
        show_approval(find_approval(store, approval).record, sys.stdout)
    return DONE


@command.command("approve", short_help="Say yes.")
@config_option
@identity_option
@click.argument("approval")
@click.option("--reason", default="", help="Why; it is in the ledger.")
def approve(config: Path | None, identity: str, approval: str, reason: str) -> int:
    """Approve APPROVAL, as far as your one voice counts."""
    return _voted(config, identity, approval, reason, yes=True)


@command.command("deny", short_help="Say no, and why.")
@config_option
@identity_option
@click.argument("approval")
@click.option("--reason", required=True, help="Why; it is in the ledger.")
def deny(config: Path | None, identity: str, approval: str, reason: str) -> int:
    """Deny APPROVAL: nothing of it is done, and nobody is asked again while the finding lasts."""
    return _voted(config, identity, approval, reason, yes=False)


def _voted(path: Path | None, identity: str, id_: str, reason: str, *, yes: bool) -> int:
    from bursar.config import read_config
    from bursar.entitlement import Voice, answered, show_in_slack
    from bursar.exit_status import DONE, HELD
    from bursar.identity import caller
    from bursar.render.approvals import outcome_line
    from bursar.running import utc_now
    from bursar.stores import open_store
    from engine.people import Door
    from engine.state.approvals import NotCounted
    from integrations.catalog import default_catalog

    config = read_config(path, default_catalog())
    door = Door(identity)
    principal = config.people.principal(door, caller(door, config))
    with open_store(config) as store:
        answer = answered(config, store, id_, Voice(principal, door, yes, reason), utc_now)
        late = "" if isinstance(answer, NotCounted) else show_in_slack(config, store, id_, utc_now)
    click.echo(outcome_line(answer))
    if late:
        click.echo(f"the message in Slack follows with the next run: {late}", err=True)
    return HELD if isinstance(answer, NotCounted) else DONE
