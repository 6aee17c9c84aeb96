"""An account to plant resources in, and the estate that is read from it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from engine.model import KindNeeds, Needs, Resource, ScopeReport
from integrations.aws.cloudwatch import CloudWatchTelemetry
from integrations.aws.live import live_estate
from integrations.aws.session import AwsSettings
from tests.integrations.aws.measuring import NOW

EVERY_GROUP = frozenset({"tags", "hardware", "encryption", "config", "details", "public_access", "logging", "policy"})


@pytest.fixture
def clients(aws):
    """Return a function that gives a boto3 client of the emulated account; all are closed afterwards."""
    import boto3

    with ExitStack() as stack:

        def client(service, region="us-east-1"):
            made = boto3.client(service, region_name=region, endpoint_url=aws.endpoint)
            stack.callback(made.close)
            return made

        yield client


@pytest.fixture
def read(aws):
    """Return a function that reads kinds from the emulated account: resources by name, and reports by scope."""

    def collect(*kinds, groups=EVERY_GROUP, metrics=None, regions=("us-east-1",), **settings):
        given = {"connect_seconds": 2, "read_seconds": 5, "attempts": 2, **settings}
        asked = AwsSettings(regions=regions, endpoint_url=aws.endpoint, access_key=("a", "b"), **given)
        window = {name: timedelta(hours=1) for name in metrics or ()}
        needs = Needs({kind: KindNeeds(groups, window) for kind in kinds})
        with live_estate(asked, datetime.now(UTC).replace(microsecond=0)) as estate:
            items = list(estate.stream(needs))
        resources = {i.name or i.id: i for i in items if isinstance(i, Resource)}
        reports = {(r.scope.region, r.scope.kind): r for r in items if isinstance(r, ScopeReport)}
        return resources, reports

    return collect


@pytest.fixture
def client_for(aws):
    """Clients of the emulated account that make one attempt a call; all are closed at the end of the test."""
    from boto3.session import Session
    from botocore.config import Config

    aws.set_now(NOW)
    made = {}

    def make(region):
        once = Config(retries={"total_max_attempts": 1})
        if region not in made:
            made[region] = Session().client("cloudwatch", region, endpoint_url=aws.endpoint, config=once)
        return made[region]

    yield make
    for one in made.values():
        one.close()


@pytest.fixture
def telemetry(client_for):
    """Telemetry that has read nothing yet."""
    return CloudWatchTelemetry(client_for, NOW)
