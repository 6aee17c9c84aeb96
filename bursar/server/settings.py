"""The `server:` part of `bursar.yaml`: who vouches for visitors, who may see, who may decide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from engine.policy.scalars import PositiveDuration, Text, Word

WIDEST = 8
"""Bits that a network of the proxy's has at least: 10.0.0.0/8."""
STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)
Network: TypeAlias = IPv4Network | IPv6Network


def _network(text: str) -> str:
    try:
        network = ip_network(text)
    except ValueError:
        raise ValueError("is not an address such as 10.1.2.3 or 10.1.0.0/16") from None
    if network.prefixlen < WIDEST:
        raise ValueError("is more addresses than a proxy has: anybody could say who he is")
    return text


def _header(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]+", text):
        raise ValueError("is not the name of a header, such as X-Forwarded-Email")
    return text


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("is not an address such as https://bursar.example.com, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


Address: TypeAlias = Annotated[Word, AfterValidator(_network)]
Header: TypeAlias = Annotated[Word, AfterValidator(_header)]
Origin: TypeAlias = Annotated[Word, AfterValidator(_origin)]


class ProxyDocument(BaseModel):
    """Who vouches for visitors."""

    model_config = STRICT

    addresses: tuple[Address, ...] = Field(min_length=1)
    header: Header
    groups_header: Header | None = None


class ServerDocument(BaseModel):
    """How `bursar serve` lets people in."""

    model_config = STRICT

    url: Origin | None = None
    proxy: ProxyDocument | None = None
    tokens: dict[Word, Text] = Field(default_factory=dict)
    secret: Text | None = None
    viewers: tuple[Word, ...] = ()
    approvers: tuple[Word, ...] = ()
    operators: tuple[Word, ...] = ()
    stale_after: PositiveDuration | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that has signed visitors in, and says who they are."""

    networks: tuple[Network, ...]
    """From where it speaks; a header from anywhere else is nobody's word."""
    header: str
    groups_header: str = ""

    def trusts(self, host: str) -> bool:
        """Return whether a connection from `host` is the proxy's."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server lets people in."""

    url: str = ""
    """Scheme and host that people type; empty is the host they asked for."""
    proxy: Proxy | None = None
    tokens: Mapping[str, str] = field(default_factory=dict)
    """The name of a program to where its token is: `env:NAME`, `file:PATH`."""
    secret: str = ""
    """Where the key that forms are signed with is; empty is one of its own for each start."""
    viewers: tuple[str, ...] = ()
    """Principals and groups that may look; whoever the proxy vouches for where it is empty."""
    approvers: tuple[str, ...] = ()
    """Principals and groups that may snooze and freeze, beside those whom an approval names."""
    operators: tuple[str, ...] = ()
    """Principals and groups that may also take away what holds acting back, and undo; nobody where it is empty."""
    stale_after: timedelta | None = None
    """How old a run may be that `/readyz` calls fresh; None is three intervals of the schedule, or any age."""


def server_settings(document: ServerDocument) -> ServerSettings:
    """Return the settings that `document` writes down."""
    proxy = document.proxy
    return ServerSettings(
        url=document.url or "",
        proxy=None
        if proxy is None
        else Proxy(tuple(map(ip_network, proxy.addresses)), proxy.header, proxy.groups_header or ""),
        tokens=document.tokens,
        secret=document.secret or "",
        viewers=document.viewers,
        approvers=document.approvers,
        operators=document.operators,
        stale_after=document.stale_after,
    )


def read_tokens(settings: ServerSettings, folder: Path) -> Mapping[str, str]:
    """
    Return the tokens of programs by their names.

    Raises:
        ConfigError: one is not there, or is short enough to be guessed.
    """
    from bursar.secrets import read_secret
    from engine.errors import ConfigError

    found: dict[str, str] = {}
    for name, reference in settings.tokens.items():
        token: Any = read_secret(reference, folder, f"server.tokens.{name}").get_secret_value()
        if len(token) < 20:
            hint = "make one with `openssl rand -hex 32`"
            where = f"server.tokens.{name}"
            raise ConfigError.of("bad-config", f"`{where}` has fewer than 20 characters", where=where, hint=hint)
        found[name] = token
    return found
