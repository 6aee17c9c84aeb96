"""`bursar import custodian`: policies of Cloud Custodian as policies of ours, exactly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from engine.policy.model import Approval
    from integrations.custodian.model import Imported


@click.group("import", short_help="Take over the policies of another tool.")
def command() -> None:
    """Take over the policies of another tool."""


@command.command("custodian", short_help="Translate policies of Cloud Custodian.")
@click.argument("source", metavar="FILE|DIR", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the policies to this file. [default: standard output]",
)
@click.option(
    "--approver",
    "approvers",
    metavar="WHO",
    multiple=True,
    help="Who has to agree before a policy acts that acted in Custodian. Repeatable; goes with --channel. "
    "[default: imported policies only report]",
)
@click.option("--channel", metavar="CHANNEL", help="Where the approvers are asked.")
def custodian(source: Path, output: Path | None, approvers: tuple[str, ...], channel: str | None) -> int:
    """Translate policies of Cloud Custodian (c7n) from a file or folder.

    A policy is translated whole and exactly, or listed with the reason why not: a filter that was left out
    would match more. Remarks stand above each policy.

    Exit status: 0 where all were translated, 3 where some were not.
    """
    from actions.catalog import remediations
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.render.outputs import write_file
    from bursar.zones import zone
    from integrations.catalog import default_catalog
    from integrations.custodian.emit import policy_file
    from integrations.custodian.importing import import_policies
    from integrations.custodian.model import Installation
    from integrations.custodian.source import read_originals
    from integrations.policy_files import read_policies

    installation = Installation(default_catalog(), remediations(), zone, _approval(approvers, channel))
    originals, empty = read_originals(read_policies([source]))
    imported = import_policies(originals, installation)
    text = policy_file(imported)
    if output is not None and text:
        write_file(output, text)
    elif text:
        click.echo(text, nl=False)
    _report(imported, empty, output)
    return INCOMPLETE if imported.untranslated or not imported.policies else DONE


def _approval(approvers: tuple[str, ...], channel: str | None) -> Approval | None:
    from engine.errors import ConfigError
    from engine.policy.model import Approval

    if bool(approvers) != bool(channel):
        given, lacking = ("--approver", "--channel") if approvers else ("--channel", "--approver")
        raise ConfigError.of("usage", f"`{given}` goes with `{lacking}`", where=given)
    return Approval(channel, approvers) if channel else None


def _report(imported: Imported, empty: tuple[str, ...], output: Path | None) -> None:
    """Say on standard error what became of each policy."""
    from bursar.render.text import counted, visible

    def say(text: str) -> None:
        click.echo(visible(text), err=True)

    for file in empty:
        say(f"{file}: no policies of Cloud Custodian")
    where = f" to {output}" if output and imported.policies else ""
    done = f"{len(imported.policies)} of {counted(imported.total, 'policy', 'policies')}"
    say(f"translated {done}{where}")
    remarks = [(policy, note) for policy in imported.policies for note in policy.notes]
    if remarks:
        click.echo("\nremarks:", err=True)
    for policy, note in remarks:
        say(f"  {policy.original.file}:{note.line}  {policy.document['name']}: {note.text}")
    if imported.untranslated:
        click.echo("\nnot translated:", err=True)
    for left in imported.untranslated:
        say(f"  {left.file}:{left.line}  {left.name}: {left.reason}")
