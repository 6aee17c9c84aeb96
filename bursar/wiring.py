"""
Configuration and command line to the parts the engine is given: policies, context, installation, estate.

The one place that knows which edge implements which port. SDKs are loaded when a live estate is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from actions.catalog import actions, remediations
from bursar.config import Config, read_config
from bursar.loading import choose, load_texts, source_paths
from bursar.pricing import RunPrices, price_book, run_prices
from bursar.zones import zone
from engine.acting.action import ActError, Action
from engine.checks.context import Context
from engine.errors import ConfigError
from engine.planning import Installation
from engine.policy.model import PolicySet
from engine.ports import Estate
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies
from integrations.prices.ahead import PricedEstate
from integrations.prices.load import gpu_idle_watts
from integrations.prices.power import read_gpu_power
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from integrations.snapshot import open_snapshot
from integrations.telemetry.attaching import ReportingEstate
from integrations.telemetry.port import Source
from integrations.telemetry.recorded import RecordedSettings, RecordedSource


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
    texts: Mapping[str, str] = field(default_factory=dict)
    """The policy files as they were read, by name."""


def set_up(choice: Choice) -> Setup:
    """Return configuration and policies; raise `BursarError` with all mistakes of all policy files."""
    config = read_config(choice.config, default_catalog())
    texts = read_policies(source_paths(config, choice.policies))
    return Setup(
        config,
        choose(load_texts(texts), choice.only),
        Installation(remediations(), config.max_mode, config.protect, config.exemptions, production=config.production),
        texts,
    )


def context_at(now: datetime, config: Config, source: Estate | None = None) -> Context:
    """
    Return what decisions at `now` rest on beside policies and resources.

    `source` is the estate that `open_estate` yielded: with live prices it brings their layer and the commitments.
    """
    found = prices_of(source)
    return Context(
        now=now,
        catalog=default_catalog(),
        prices=price_book(config.prices, now, found.layers),
        watts={**gpu_idle_watts(), **(read_gpu_power(config.gpu_power) if config.gpu_power else {})},
        zones=zone,
        commitments=found.commitments,
    )


def prices_of(source: Estate | None) -> RunPrices:
    """Return what the run that reads `source` was told of prices; nothing where AWS is not asked for them."""
    asked = source.prices if isinstance(source, PricedEstate) else None
    return asked if isinstance(asked, RunPrices) else RunPrices()


@contextmanager
def open_estate(
    choice: Choice, config: Config, now: datetime | None = None, *, priced: bool = True
) -> Iterator[tuple[Estate, datetime]]:
    """
    Yield the chosen estate with the moment to judge it at; a live one is judged `now`, by the clock if not given.

    It comes with AWS's prices and commitments where the configuration asks for them and it is to be `priced`.
    """
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
    with telemetry_sources(config, now) as sources, live_estate(settings, now, sources) as live:
        estate = ReportingEstate(live, sources) if sources else live
        if not priced or not (config.prices.live or config.prices.commitments):
            yield estate, now
            return
        with run_prices(config.prices, settings, now) as prices:
            yield PricedEstate(estate, prices), now


@contextmanager
def telemetry_sources(config: Config, now: datetime) -> Iterator[tuple[Source, ...]]:
    """Yield the sources of telemetry that the configuration names beside those of the cloud itself."""
    with ExitStack() as stack:
        sources: list[Source] = []
        for settings in config.telemetry:
            match settings:
                case PrometheusSettings():
                    prometheus = PrometheusSource(settings, now)
                    stack.callback(prometheus.close)
                    sources.append(prometheus)
                case RecordedSettings():
                    sources.append(RecordedSource(settings, now))
        yield tuple(sources)


@contextmanager
def open_actions(choice: Choice, config: Config) -> Iterator[Mapping[tuple[str, str], Action]]:
    """Yield every action by its remediation and kind, with sessions that make their calls and no others."""
    from integrations.aws.act_session import act_sessions

    settings = replace(
        config.aws,
        regions=choice.regions or config.aws.regions,
        profile=choice.profile or config.aws.profile,
        endpoint_url=choice.endpoint_url or config.aws.endpoint_url,
    )
    with act_sessions(settings, config.act, declared()) as sessions:
        yield actions(sessions)


def declared() -> frozenset[str]:
    """Return the IAM actions that all actions together need."""
    return frozenset().union(*(action.permissions for action in actions(nobody).values()))


def declared_by(policies: PolicySet) -> frozenset[str]:
    """Return the IAM actions that the remediations of `policies` need."""
    table = actions(nobody)
    wanted = {(name, kind.name) for policy in policies.policies for name in policy.remediate for kind in policy.kinds}
    return frozenset().union(*(table[key].permissions for key in wanted))


def nobody(account: str) -> NoReturn:
    """Refuse every account: the sessions of actions that are only asked what they need."""
    raise ActError(f"nobody acts on {account}", code="account-not-listed", where=account)
