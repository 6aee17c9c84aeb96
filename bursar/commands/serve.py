"""`bursar serve`: the web page, health, metrics, Slack's clicks and the schedule."""

from __future__ import annotations

from pathlib import Path

import click

from bursar.commands.options import config_option


@click.command("serve", short_help="Serve the web page, metrics and Slack's clicks, and run on a schedule.")
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port to listen on.")
@click.option("--every", metavar="TIME|CRON", help="Also run: `15m`, or five fields of cron in UTC.")
@click.option("--no-auth", is_flag=True, help="Show everything to whoever is on this machine; nobody can decide.")
def command(config: Path | None, host: str, port: int, every: str | None, no_auth: bool) -> int:
    """Serve findings, approvals, runs, savings and coverage, and `/metrics` for Prometheus.

    People come through a proxy that signs them in and is named in the configuration; programs bring a token. With
    `--every` runs are started as processes of their own, soon after an approval, too. SIGTERM ends the server once a
    run at work has ended the act at hand.
    """
    from bursar.config import read_config
    from bursar.exit_status import DONE
    from bursar.serving import Place, app_of, check_place, desk_of, schedule_of, serve
    from engine.errors import ConfigError
    from integrations.catalog import default_catalog

    read, place = read_config(config, default_catalog()), Place(host, port, no_auth)
    check_place(place, read.server)
    try:
        schedule = schedule_of(every, config) if every else None
        app = app_of(desk_of(read, place, schedule), read)
    except ImportError as error:
        hint = "pip install 'bursar[server]'"
        raise ConfigError.of("missing-extra", f"`bursar serve` needs {error.name}", where="serve", hint=hint) from error
    click.echo(f"Bursar listens on http://{host}:{port}", err=True)
    serve(app, place)
    return DONE
