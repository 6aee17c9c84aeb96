"""AWS credentials and clients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where and as whom to look."""

    regions: tuple[str, ...] = ()
    profile: str = ""
    endpoint_url: str = ""
