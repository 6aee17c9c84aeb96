"""
Let botocore read timestamps of numbers quickly.

Its own parser goes through the local time zone and takes 30 microseconds a timestamp; GetMetricData
sends one with every data point. Whoever makes the session calls
`read_timestamps_quickly` once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def read_timestamps_quickly(botocore_session: Any) -> None:
    """
    Make every client of the session read timestamps as UTC, without a detour by the local zone.

    For boto3: `boto3.session.Session(botocore_session=...)`.
    """
    from botocore.utils import parse_timestamp

    def parse(value: Any) -> datetime:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        found: datetime = parse_timestamp(value)
        return found

    botocore_session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)
