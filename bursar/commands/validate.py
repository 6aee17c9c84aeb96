"""`bursar validate`: every mistake of every policy file, in one pass and without any cloud."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("validate", short_help="Check policies; report every mistake at once.")
@click.argument("policies", nargs=-1, metavar="[PATH]...")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration. [default: bursar.yaml, if there is one]",
)
@click.option("-q", "--quiet", is_flag=True, help="Say nothing where everything is right.")
def command(policies: tuple[str, ...], config: Path | None, quiet: bool) -> int:
    """Check policy files, folders or packs (pack:idle); those of the configuration where none is named.

    Reports every mistake of every file at once. Reads no cloud and needs no credentials.
    """
    from bursar.config import read_config
    from bursar.loading import load
    from bursar.policy_reach import check_reachable
    from bursar.render.text import counted
    from integrations.catalog import default_catalog

    settings = read_config(config, default_catalog())
    loaded = load(settings, policies)
    check_reachable(settings, loaded)
    if not quiet:
        policies_read = counted(len(loaded.policies), "policy", "policies")
        click.echo(f"{policies_read} in {counted(len(loaded.files), 'file')}: all valid")
    return 0
