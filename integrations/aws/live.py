"""A live AWS account, put together: session, inventory, telemetry. The front doors open it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from integrations.aws.cloudwatch import CloudWatchTelemetry
from integrations.aws.estate import AwsEstate
from integrations.aws.session import AwsSettings, open_session


@contextmanager
def live_estate(settings: AwsSettings, now: datetime) -> Iterator[AwsEstate]:
    """
    Yield the account that `settings` lead to, to be judged at `now`.

    Raises:
        ConfigError: without credentials, or without a region.
    """
    with open_session(settings) as session:
        account = session.account()
        telemetry = CloudWatchTelemetry(lambda region: session.client("cloudwatch", region), now)
        yield AwsEstate(session, account, now, telemetry)
