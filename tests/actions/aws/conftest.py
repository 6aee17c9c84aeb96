"""The emulated account with sessions that act on it, and its resources as a run reads them."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actions.catalog import actions
from bursar.wiring import declared
from engine.acting.action import Target
from engine.model import KindNeeds, Needs, Resource
from integrations.aws.act_session import ActSettings, act_sessions
from integrations.aws.live import live_estate
from integrations.aws.session import AwsSettings

ACCOUNT = "123456789012"
GROUPS = frozenset({"tags", "config", "details"})


@pytest.fixture(scope="session")
def settings(aws_server):
    """Return where the emulated account is."""
    at = aws_server.endpoint
    return AwsSettings(("us-east-1",), endpoint_url=at, access_key=("a", "b"), connect_seconds=2, read_seconds=10)


@pytest.fixture(scope="session")
def clients(settings):
    """Return a function that gives a client of the emulated account; each is made once."""
    import boto3

    with ExitStack() as stack:
        made = {}

        def client(service, region="us-east-1"):
            if service not in made:
                made[service] = boto3.client(service, region_name=region, endpoint_url=settings.endpoint_url)
                stack.callback(made[service].close)
            return made[service]

        yield client


@pytest.fixture(scope="session")
def sessions(settings):
    """Return the act sessions of the emulated account."""
    with act_sessions(settings, ActSettings("BursarAct", "", (ACCOUNT,)), declared()) as opened:
        yield opened


@pytest.fixture(scope="session")
def estate(settings):
    """Return the emulated account as it is read."""
    with live_estate(replace(settings, attempts=2), datetime.now(UTC)) as opened:
        yield opened


@pytest.fixture
def table(aws, sessions):
    """Return every action by its remediation and kind."""
    return actions(sessions)


@pytest.fixture
def own_table(aws, settings):
    """Return actions with sessions of their own: the SDK paces every call of a client that was throttled."""
    with act_sessions(settings, ActSettings("BursarAct", "", (ACCOUNT,)), declared()) as opened:
        yield actions(opened)


@pytest.fixture
def read(aws, estate):
    """Return a function that reads the resources of a kind by name."""

    def collect(kind):
        items = estate.stream(Needs({kind: KindNeeds(GROUPS)}))
        return {item.name or item.id: item for item in items if isinstance(item, Resource)}

    return collect


@pytest.fixture
def target_of(aws, clients, read):
    """Return a function that plants what a case acts on and returns it as a target, as it is read from the account."""

    def plant(case, token="bursar-0123456789abcdef-act-1"):
        name = case.plant(clients)
        return Target(read(case.kind)[name], dict(case.parameters), token=token)

    return plant
