"""`bursar prices`: what AWS charges, in a file, and what the price of one sku rests on."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.prices import PriceLayer
    from integrations.aws.session import AwsSession, AwsSettings

# Those of `integrations.aws.pricing.products`, which is not loaded for the help.
SERVICES = ("ec2", "ebs", "sagemaker", "opensearch", "rds", "elasticache", "efs", "eks")


@click.group("prices", short_help="Fetch what AWS charges; show what a price rests on.")
def command() -> None:
    """Fetch what AWS charges; show what a price rests on."""


def _aws_options(wrapped: Any) -> Any:
    for option in reversed(
        (
            click.option(
                "-c",
                "--config",
                type=click.Path(path_type=Path, dir_okay=False),
                help="The configuration. [default: bursar.yaml, if there is one]",
            ),
            click.option("--region", "regions", multiple=True, metavar="REGION", help="Of this region. Repeatable."),
            click.option("--profile", help="The AWS profile."),
            click.option("--endpoint-url", metavar="URL", help="Another address for all AWS services."),
        )
    ):
        wrapped = option(wrapped)
    return wrapped


@command.command("fetch", short_help="Read prices of AWS into a file.")
@click.option("--sku", "skus", multiple=True, metavar="SKU", help="The price of this sku. Repeatable.")
@click.option(
    "--estate",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The prices of all that a recorded estate is charged for.",
)
@click.option(
    "--service", "services", multiple=True, type=click.Choice(SERVICES), help="All prices of a service. Repeatable."
)
@click.option("--bulk", is_flag=True, help="Download the offer files of the services instead of asking page by page.")
@click.option(
    "--from",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Read this offer file, CSV or JSON, and ask nobody. Repeatable.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("prices.json"),
    show_default=True,
    help="Where to.",
)
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
@_aws_options
def fetch(
    skus: tuple[str, ...],
    estate: Path | None,
    services: tuple[str, ...],
    bulk: bool,
    files: tuple[Path, ...],
    output: Path,
    force: bool,
    **chosen: Any,
) -> int:
    """Read prices from the AWS Price List into a file that `prices.fetched` in bursar.yaml can name.

    Every price is checked: one that cannot be true is refused with the reason and left out.

    Exit status: 0 where all was read, 3 where something was not or was refused.
    """
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.render.prices import render_failures, render_odd, render_refused
    from bursar.render.text import counted
    from engine.errors import ConfigError
    from integrations.aws.pricing.fetching import Fetching
    from integrations.prices.checks import sound
    from integrations.prices.fetched import write_fetched
    from integrations.prices.load import bundled

    if output.exists() and not force:
        hint = "--force replaces it"
        raise ConfigError.of("exists", "the file exists already", where=str(output), hint=hint)
    if not (skus or estate or services or files):
        hint = "--service ec2, --sku SKU, --estate FILE or --from FILE"
        raise ConfigError.of("usage", "it is not said which prices", where="prices fetch", hint=hint)
    now = datetime.now(UTC).replace(microsecond=0)
    fetching = Fetching(now)
    found = list(fetching.files(files))
    if skus or estate or services:
        with _session(**chosen) as session:
            places = {(sku, region) for sku in skus for region in session.regions} | _recorded(estate)
            found += fetching.skus(session, places)
            found += fetching.services(session, services, bulk=bulk)
    checked = sound(found, bundled(), now.date())
    render_refused(checked.refused, sys.stderr)
    render_failures(fetching.failures, sys.stderr)
    render_odd(fetching.odd, sys.stderr)
    if checked.prices:
        write_fetched(output, checked)
    told = f"{counted(len(checked.prices), 'price')} in {output}" if checked.prices else "no price was read"
    click.echo(f"{told}; {len(checked.refused):,} refused")
    return DONE if checked.prices and not (checked.refused or fetching.failures) else INCOMPLETE


def _session(**chosen: Any) -> AbstractContextManager[AwsSession]:
    """Return a session that only reads."""
    from dataclasses import replace

    from integrations.aws.read_only import refuse_what_changes
    from integrations.aws.session import open_session

    return open_session(replace(_settings(**chosen), listeners=(refuse_what_changes,)))


def _recorded(estate: Path | None) -> set[tuple[str, str]]:
    """Return all that a recorded estate is charged for."""
    from engine.model import KindNeeds, Needs
    from integrations.catalog import default_catalog
    from integrations.prices.ahead import skus_of
    from integrations.snapshot import open_snapshot

    if estate is None:
        return set()
    needs = Needs({name: KindNeeds() for name in default_catalog().kinds})
    return {place for item in open_snapshot(estate).stream(needs) for place in skus_of([item])}


@command.command("show", short_help="Show what the price of one sku rests on.")
@click.argument("sku")
@click.option("--live", is_flag=True, help="Ask AWS too.")
@_aws_options
def show(sku: str, live: bool, **chosen: Any) -> int:
    """Show the price of SKU that a run would take, and what every source has to say of it.

    `bursar explain` names the skus of a resource; docs/how-to/prices.md lists them.
    """
    from dataclasses import replace

    from bursar.config import read_config
    from bursar.config_document import MAX_AGE
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.pricing import price_book, run_prices
    from bursar.render.prices import render_run, render_sku
    from engine.errors import ConfigError
    from engine.values import Unknown
    from integrations.catalog import default_catalog

    config = read_config(chosen["config"], default_catalog())
    settings = _settings(**chosen)
    prices = replace(config.prices, live=live or config.prices.live, max_age=config.prices.max_age or MAX_AGE)
    now = datetime.now(UTC).replace(microsecond=0)
    regions = settings.regions
    if not regions:
        hint = "--region us-east-1, or `aws.regions` in bursar.yaml"
        raise ConfigError.of("usage", "no region is named", where="prices show", hint=hint)
    layers: tuple[PriceLayer, ...] = ()
    if live:
        with run_prices(replace(prices, commitments=False), settings, now) as run:
            run.want((sku, region) for region in regions)
            layers = run.layers
        render_run(run, sys.stderr)
    book = price_book(prices, now, layers)
    for region in regions:
        render_sku(sku, region, book, sys.stdout)
    return INCOMPLETE if any(isinstance(book.quote(sku, region), Unknown) for region in regions) else DONE


def _settings(
    config: Path | None, regions: tuple[str, ...], profile: str | None, endpoint_url: str | None
) -> AwsSettings:
    from dataclasses import replace

    from bursar.config import read_config
    from integrations.catalog import default_catalog

    found = read_config(config, default_catalog()).aws
    return replace(
        found,
        regions=regions or found.regions,
        profile=profile or found.profile,
        endpoint_url=endpoint_url or found.endpoint_url,
    )
