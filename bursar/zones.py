"""IANA time zones, from the system or from the `tzdata` package."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


def zone(name: str) -> tzinfo:
    """
    Return the zone of an IANA name.

    Raises:
        KeyError: there is none; its second argument, if any, is the name of the one that was probably meant.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise KeyError(name, *_near(name)) from error


def _near(name: str) -> tuple[str, ...]:
    """Return the zone of that name in other letters, or of that town, where there is one and no other."""
    wanted = name.lower().replace(" ", "_")
    found = [zone for zone in available_timezones() if wanted in (zone.lower(), zone.lower().rpartition("/")[2])]
    return tuple(found) if len(found) == 1 else ()
