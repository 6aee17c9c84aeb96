"""`bursar audit`: what happened, entry by entry, and whether the ledger of it holds."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bursar.commands.options import SinceType, config_option

if TYPE_CHECKING:
    from bursar.config import Config
    from engine.state.store import Anchor

FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("audit", short_help="Show and verify the ledger of what happened.")
def command() -> None:
    """Show and verify the ledger: every change of a finding, decision, act and outcome, each with who and when.

    Each entry carries the digest of the one before, so that nothing can be changed or taken out unnoticed.
    """


@command.command("list", short_help="Show entries, newest first.")
@config_option
@click.option("--subject", default="", metavar="ID", help="Only what happened to this finding, step, approval or run.")
@click.option("--kind", default="", metavar="KIND", help="Only this kind, such as approval or approval.granted.")
@click.option("--run", default="", metavar="ID", help="Only what happened in this run.")
@click.option("--since", type=SinceType(), help="Only what happened after this, such as 7d or 2026-11-25T12:00:00Z.")
@click.option("-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="At most so many.")
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["table", "jsonl", "csv"]),
    default="table",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", type=FILE, help="Where to. [default: here]")
def list_(
    config: Path | None,
    subject: str,
    kind: str,
    run: str,
    since: datetime | None,
    limit: int,
    format_: str,
    output: Path | None,
) -> int:
    """Show entries of the ledger, newest first."""
    from bursar.exit_status import DONE
    from bursar.render.audit import render_entries
    from bursar.render.outputs import write_text
    from bursar.stores import open_store
    from engine.state.audit import Wanted, newest

    with open_store(_config(config), create=False) as store:
        head = store.head()
        entries = list(newest(store, Wanted(subject, kind, run, since), limit))
        write_text(output, lambda out, **screen: render_entries(entries, head, store.name, format_, out, **screen))
    return DONE


@command.command("show", short_help="Show one entry whole.")
@click.argument("serial", type=click.IntRange(1))
@config_option
def show(serial: int, config: Path | None) -> int:
    """Show the entry with the number SERIAL whole, and whether its digest holds."""
    from bursar.exit_status import DONE, HELD
    from bursar.render.audit import digest_broken, render_entry
    from bursar.render.outputs import write_text
    from bursar.stores import open_store
    from engine.errors import ConfigError
    from engine.state.audit import entry_at

    with open_store(_config(config), create=False) as store:
        head, entry = store.head(), entry_at(store, serial)
    if entry is None:
        hint = f"the ledger ends with entry {head.serial}"
        raise ConfigError.of("not-found", f"there is no entry {serial}", where="SERIAL", hint=hint)
    write_text(None, lambda out, **screen: render_entry(entry, head, out, **screen))
    return HELD if digest_broken(entry) else DONE


@command.command("verify", short_help="Verify that nothing was changed or removed.")
@click.argument("file", required=False, type=FILE)
@config_option
@click.option("--anchor", metavar="ADDRESS", help="A file or s3://BUCKET/PREFIX. [default: that of the configuration]")
def verify(file: Path | None, config: Path | None, anchor: str | None) -> int:
    """Verify every entry of the ledger, and that it has grown from the end that is anchored outside.

    FILE is a ledger that `bursar audit export` wrote; it is verified without the store, and against an anchor
    only where --anchor names one.

    Exit status: 0 where the ledger is whole, 4 where it is not. Every break is named.
    """
    from bursar.exit_status import DONE, HELD
    from bursar.render.audit import render_verified
    from bursar.render.outputs import write_text
    from bursar.render.progress import progress_for
    from bursar.stores import open_store
    from engine.state.audit import Verified
    from engine.state.audit import verify as verify_store
    from engine.state.ledger import breaks_of
    from integrations.store.ledger_file import open_ledger

    settings = _config(config)
    with ExitStack() as stack:
        place = _anchor(settings, anchor, stack, configured=file is None)
        kept = place.latest() if place is not None else None
        if file is not None:
            name = str(file)
            head, entries = stack.enter_context(open_ledger(file))
            found = Verified(head, kept, tuple(breaks_of(entries, head, kept)))
        else:
            store = stack.enter_context(open_store(settings, create=False))
            name = store.name
            progress = stack.enter_context(progress_for(sys.stderr))
            found = verify_store(store, kept, lambda done: progress("entries verified", done))
    anchored = place.name if place is not None else ""
    write_text(None, lambda out, **screen: render_verified(found, name, anchored, out, **screen))
    return HELD if found.breaks else DONE


@command.command("export", short_help="Write the ledger to a file that verifies by itself.")
@config_option
@click.option("-o", "--output", type=FILE, required=True, help="Where to. JSON Lines.")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def export(config: Path | None, output: Path, force: bool) -> int:
    """Write the whole ledger to a file of JSON Lines, which `bursar audit verify FILE` verifies without the store."""
    from bursar.exit_status import DONE
    from bursar.render.outputs import written_whole
    from bursar.render.text import counted
    from bursar.stores import open_store
    from engine.errors import ConfigError
    from integrations.store.ledger_file import write_ledger

    if output.exists() and not force:
        raise ConfigError.of("exists", "the file exists already", where=str(output), hint="--force replaces it")
    with open_store(_config(config), create=False) as store, written_whole(output) as out:
        count = write_ledger(store.head(), store.entries(), out)
    click.echo(f"{counted(count, 'entry', 'entries')} written to {output}")
    return DONE


def _config(path: Path | None) -> Config:
    from bursar.config import read_config
    from integrations.catalog import default_catalog

    return read_config(path, default_catalog())


def _anchor(config: Config, chosen: str | None, stack: ExitStack, *, configured: bool) -> Anchor | None:
    """Return the anchor that the command line names, or that of the configuration where that is `configured`."""
    from bursar.stores import anchor_at
    from engine.errors import ConfigError
    from integrations.store.addresses import AddressError, anchor_address

    address = config.anchor if configured else None
    if chosen is not None:
        try:
            address = anchor_address(chosen, Path())
        except AddressError as error:
            raise ConfigError.of("usage", str(error), where="--anchor", hint=error.hint) from error
    return None if address is None else anchor_at(address, config.aws, stack)
