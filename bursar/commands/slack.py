"""`bursar slack`: the app's manifest, and clicks over Socket Mode."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bursar.commands.options import config_option


@click.group("slack", short_help="Print the app's manifest; take clicks without a public address.")
def command() -> None:
    """Set up the Slack app, and take clicks where Slack cannot reach this machine.

    With a public address, `bursar serve` or the Lambda function takes the clicks, and `listen` is not needed.
    """


@command.command("manifest", short_help="Print the manifest to make the app from.")
@click.option("--url", help="Where Slack posts clicks: https://HOST/slack. Left out, the app uses Socket Mode.")
def manifest(url: str | None) -> int:
    """Print the manifest of the app, to be pasted at https://api.slack.com/apps."""
    from bursar.exit_status import DONE
    from bursar.slack.manifest import manifest_text

    if url is not None and not url.startswith("https://"):
        raise click.UsageError(f"--url: Slack posts to https alone: write https://{url.rpartition('://')[2]}")
    click.echo(manifest_text(url), nl=False)
    return DONE


@command.command("listen", short_help="Take clicks over Socket Mode until it is told to stop.")
@config_option
def listen(config: Path | None) -> int:
    """Take clicks over a connection that this side opens. What is approved is carried out by the next run."""
    import threading

    from bursar.config import read_config
    from bursar.exit_status import DONE
    from bursar.running import utc_now
    from bursar.slack.socket import open_listener
    from integrations.catalog import default_catalog

    with open_listener(read_config(config, default_catalog()), utc_now, sys.stderr):
        click.echo("listening to Slack; Ctrl-C ends it", err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return DONE
    return DONE
