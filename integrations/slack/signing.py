"""
Whether a request is Slack's: the signature over the raw body, before anything of it is parsed.

https://docs.slack.dev/authentication/verifying-requests-from-slack/
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from pydantic import SecretStr

OLDEST = 300
"""Seconds a request may be old."""
EARLIEST = 60
"""Seconds a request may be in the future: clocks differ, and more than that is a replay being prepared."""
LARGEST = 256 * 1024
"""Bytes of a body; a click brings its whole message along, and that has some tens of kilobytes at most."""
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def refusal(headers: Mapping[str, str], body: bytes, secret: SecretStr, now: datetime) -> str:
    """Return why the request is not Slack's, or is too old; nothing where it is genuine."""
    stamp = _header(headers, "x-slack-request-timestamp")
    given = _header(headers, "x-slack-signature")
    if not _TIMESTAMP.fullmatch(stamp):
        return "the timestamp is missing or malformed"
    if not _SIGNATURE.fullmatch(given):
        return "the signature is missing or malformed"
    age = now.timestamp() - int(stamp)
    if age > OLDEST or -age > EARLIEST:
        return "the timestamp is too old or too new"
    wanted = signature(stamp, body, secret)
    return "" if wanted and hmac.compare_digest(wanted, given) else "the signature is wrong"


def signature(stamp: str, body: bytes, secret: SecretStr) -> str:
    """Return Slack's signature of `body` sent at `stamp`; nothing for a body that Slack would not send."""
    from slack_sdk.signature import SignatureVerifier

    try:
        return SignatureVerifier(secret.get_secret_value()).generate_signature(timestamp=stamp, body=body) or ""
    except UnicodeDecodeError:
        return ""


def _header(headers: Mapping[str, str], name: str) -> str:
    """Return the one header of that name; nothing where there is none, or several that differ in case."""
    found = [value for key, value in headers.items() if key.lower() == name]
    return found[0] if len(found) == 1 and isinstance(found[0], str) else ""
