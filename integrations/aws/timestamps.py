"""
Let botocore read timestamps quickly.

Its own parser takes 30 microseconds for a number, by way of the local time zone, and 50 for a text, which may be in
any notation at all. GetMetricData sends a number with every data point and DescribeInstances three texts with
every instance. Whoever makes the session calls `read_timestamps_quickly` once.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any


def read_timestamps_quickly(botocore_session: Any) -> None:
    """
    Make every client of the session read timestamps as UTC, without a detour by the local zone.
    """
    from botocore.utils import parse_timestamp

    def parse(value: Any) -> datetime:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str) and value[10:11] == "T" and value[-1:] == "Z":
            # AWS's own notation, `2026-11-23T19:31:00.000Z`; anything else is left to botocore.
            with suppress(ValueError):
                return datetime.fromisoformat(value)
        found: datetime = parse_timestamp(value)
        return found

    botocore_session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=parse)
