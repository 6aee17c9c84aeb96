"""
Configuration and command line to the parts the engine is given: policies, context, installation, estate.

The one place that knows which edge implements which port. SDKs are loaded when a live estate is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from actions.catalog import remediations
from bursar.config import Config, read_config
from bursar.loading import choose, load
from bursar.zones import zone
from engine.checks.context import Context
from engine.errors import ConfigError
from engine.planning import Installation
from engine.policy.model import PolicySet
from engine.ports import Estate
from engine.prices import PriceBook
from integrations.catalog import default_catalog
from integrations.prices.load import bundled, gpu_idle_watts, read_overrides
from integrations.snapshot import open_snapshot


@dataclass(frozen=True, slots=True)
class Choice:
    """What the command line chose; empty is what the configuration says."""

    policies: tuple[str, ...] = ()
    config: Path | None = None
    only: tuple[str, ...] = ()
    estate: Path | None = None
    regions: tuple[str, ...] = ()
    profile: str | None = None
    endpoint_url: str | None = None
    record_api: Path | None = None
    """The folder to write every answer of the cloud to."""
    now: datetime | None = None
    """The moment to judge a recorded estate at, instead of when it was recorded."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything but the estate."""

    config: Config
    policies: PolicySet
    installation: Installation


def set_up(choice: Choice) -> Setup:
    """Return configuration and policies; raise `BursarError` with all mistakes of all policy files."""
    config = read_config(choice.config, default_catalog())
    return Setup(
        config,
        choose(load(config, choice.policies), choice.only),
        Installation(remediations(), config.max_mode, config.protect, config.exemptions, production=config.production),
    )


def context_at(now: datetime, config: Config) -> Context:
    """Return what decisions at `now` rest on beside policies and resources."""
    own = (read_overrides(config.prices),) if config.prices else ()
    return Context(
        now=now,
        catalog=default_catalog(),
        prices=PriceBook((*own, bundled())),
        watts=gpu_idle_watts(),
        zones=zone,
    )


@contextmanager
def open_estate(choice: Choice, config: Config, now: datetime | None = None) -> Iterator[tuple[Estate, datetime]]:
    """Yield the chosen estate with the moment to judge it at; a live one is judged `now`, by the clock if not given."""
    if choice.estate is not None:
        snapshot = open_snapshot(choice.estate)
        if choice.record_api is not None:
            hint = "a recorded estate asks no cloud anything"
            raise ConfigError.of("usage", "`--record-api` does not go with `--estate`", where="--record-api", hint=hint)
        yield snapshot, choice.now or snapshot.taken_at
        return
    if choice.now is not None:
        hint = "a live estate is judged at the time it is read"
        raise ConfigError.of("usage", "`--now` goes with `--estate`", where="--now", hint=hint)
    from integrations.aws.live import live_estate
    from integrations.aws.recorder import Recorder

    listeners = (Recorder(choice.record_api).listen,) if choice.record_api else ()
    settings = replace(
        config.aws,
        listeners=listeners,
        regions=choice.regions or config.aws.regions,
        profile=choice.profile or config.aws.profile,
        endpoint_url=choice.endpoint_url or config.aws.endpoint_url,
    )
    now = now or datetime.now(UTC).replace(microsecond=0)
    with live_estate(settings, now) as estate:
        yield estate, now
