"""
Messages as JSON to an address of the operator's choice.

Redirects are not followed and addresses of the machine's own network neighbourhood are refused: a webhook must not
become a way to reach what only this machine can, such as the metadata service of a cloud.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from engine.errors import ConfigError
from engine.state.ledger import Json

TIMEOUT = 10.0
TRIES = 3
"""Calls in all, with growing pauses, where the receiver is down or asks for patience."""
RETRIED = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Webhook:
    """One receiver."""

    url: str

    @property
    def name(self) -> str:
        """Without path and query, which may hold a secret."""
        return f"webhook {urlsplit(self.url).hostname}"

    def send(self, content: Mapping[str, Json]) -> str:
        """Send `content`; return why it was not delivered, or nothing where it was."""
        from urllib3 import PoolManager, Retry
        from urllib3.exceptions import HTTPError

        retries = Retry(
            total=TRIES - 1, backoff_factor=0.5, status_forcelist=RETRIED, allowed_methods=None, redirect=0,
            raise_on_status=False, raise_on_redirect=False,
        )  # fmt: skip
        refused = refused_address(self.url)
        if refused:
            return refused
        try:
            with PoolManager(retries=retries, timeout=TIMEOUT) as pool:
                answer: Any = pool.request(
                    "POST",
                    self.url,
                    body=json.dumps(content, ensure_ascii=True).encode(),
                    headers={"Content-Type": "application/json", "User-Agent": "bursar"},
                    redirect=False,
                )
        except HTTPError as error:
            return f"{self.name}: {type(error).__name__}"
        return "" if 200 <= answer.status < 300 else f"{self.name} answered {answer.status}"


def webhook_at(url: str) -> Webhook:
    """Return the webhook at `url`; raise `ConfigError` where it is no address to send to."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        hint = "write such as `https://hooks.example.com/bursar`"
        raise ConfigError.of("bad-config", "`notify.webhook` is not an http address", where="notify", hint=hint)
    return Webhook(url)


def refused_address(url: str) -> str:
    """Return why nothing is sent to `url`: its host is link-local, such as the metadata service, or has no address."""
    host = urlsplit(url).hostname or ""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return f"webhook {host}: {error.strerror or error}"
    for *_, address in found:
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_link_local:
            return f"webhook {host} is {address[0]}, an address of this machine's own surroundings"
    return ""
