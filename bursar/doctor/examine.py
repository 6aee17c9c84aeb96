"""Everything that is looked at, in the order in which it is mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from bursar.doctor.check import Check, State, failed
from bursar.doctor.cloud import check_cloud
from bursar.doctor.memory import check_state
from bursar.doctor.people import check_people
from bursar.doctor.signals import check_prices, check_telemetry
from bursar.wiring import Choice, Setup, set_up
from engine.errors import BursarError


def examine(choice: Choice, now: datetime) -> Iterator[Check]:
    """Yield every check as it is made; what cannot be looked at without another is left out."""
    try:
        setup = set_up(choice)
    except BursarError as error:
        first = error.problems[0]
        more = f", and {len(error.problems) - 1} more" if len(error.problems) > 1 else ""
        mend = first.hint or "`bursar validate` shows all there is to mend"
        yield Check("configuration", "files", State.WRONG, f"{first.place}: {first.message}{more}", mend)
        return
    yield _configuration(setup)
    aws = setup.config.aws
    settings = replace(
        aws,
        regions=choice.regions or aws.regions,
        profile=choice.profile or aws.profile,
        endpoint_url=choice.endpoint_url or aws.endpoint_url,
    )
    cloud = check_cloud(setup, settings, now)
    yield from cloud.checks
    if cloud.known:
        yield from _guarded("telemetry", check_telemetry(choice, setup, now))
    yield from check_prices(setup.config, now)
    yield from _guarded("state", check_state(setup.config, now))
    yield from _guarded("Slack", check_people(setup, now))


def _configuration(setup: Setup) -> Check:
    policies = len(setup.policies.policies)
    says = f"{policies} {'policy' if policies == 1 else 'policies'}, max_mode {setup.config.max_mode.value}"
    return Check("configuration", "files", State.WELL, says)


def _guarded(part: str, checks: Iterator[Check]) -> Iterator[Check]:
    try:
        yield from checks
    except BursarError as error:
        yield failed(part, "", error)
