"""An AWS that knows prices, and a session that only reads it."""

from dataclasses import fields
from datetime import UTC, datetime

import pytest

from integrations.aws.read_only import refuse_what_changes
from integrations.aws.session import AwsSettings, open_session
from tests.integrations.aws.pricing.price_server import Prices, serving


@pytest.fixture(scope="module")
def served(no_credentials):
    """One server with one session for all tests of a file: making clients is what takes long."""
    prices = Prices()
    with serving(prices) as address:
        settings = AwsSettings(
            ("us-east-1",), endpoint_url=address, access_key=("a", "b"), attempts=1, listeners=(refuse_what_changes,)
        )
        with open_session(settings) as opened:
            yield prices, opened


@pytest.fixture
def aws_prices(served):
    """What the server answers from; empty at first."""
    prices, _ = served
    fresh = Prices(address=prices.address)
    for each in fields(Prices):
        setattr(prices, each.name, getattr(fresh, each.name))
    return prices


@pytest.fixture
def session(served, aws_prices):
    """A session of that AWS in us-east-1; each call is made once."""
    return served[1]


@pytest.fixture
def now():
    return datetime(2026, 11, 25, 12, tzinfo=UTC)
