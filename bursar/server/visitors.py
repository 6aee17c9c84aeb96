"""
Who asks: whom the proxy vouches for, a program with a token, or somebody on this machine where that was written out.

Nothing is shown to anybody else. Only a person whom the proxy vouches for can decide anything.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.datastructures import Headers

from bursar.server.settings import ServerSettings
from engine.people import Door, People

LONGEST = 320
"""Characters of an identity: as many as an e-mail address may have."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may look."""

    principal: str
    memberships: frozenset[str] = frozenset()
    """Groups that the proxy says the person is in, with and without an `@`."""
    person: bool = False
    """Whether it is a person who has signed in: only those decide."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody who may not, and why, for the page and the log."""

    status: int
    why: str


@dataclass(frozen=True)
class Doorkeeper:
    """Tells who asks."""

    settings: ServerSettings
    people: People
    tokens: Mapping[str, str] = field(default_factory=dict)
    """By the name of the program they were given to."""
    open_to_machine: bool = False
    """`--no-auth`: whoever is on this machine may look."""

    def visitor(self, headers: Headers, client: str) -> Visitor | Refused:
        """Return who asks from the address `client`, or why nobody is let in."""
        if self.open_to_machine:
            return _local(headers, client)
        vouched = self._vouched(headers, client)
        if vouched is not None:
            return vouched
        bearer = headers.get("authorization", "")
        if bearer.lower().startswith("bearer "):
            return self._program(bearer[len("bearer ") :].strip())
        return Refused(401, "nobody vouches for you: come through the address where you sign in")

    def _vouched(self, headers: Headers, client: str) -> Visitor | Refused | None:
        """Return whom the proxy names; None where it names nobody, or somebody else than the proxy does."""
        proxy = self.settings.proxy
        if proxy is None or not proxy.trusts(client):
            return None
        named = headers.getlist(proxy.header)
        if not named or not any(name.strip() for name in named):
            return None
        name = named[0].strip()
        if len(named) > 1 or "," in name or len(name) > LONGEST or not name.isprintable():
            return Refused(400, f"{proxy.header} does not name one person")
        groups = ",".join(headers.getlist(proxy.groups_header)) if proxy.groups_header else ""
        handles = {group.strip() for group in groups.split(",") if group.strip()}
        memberships = frozenset(handles | {f"@{handle}" for handle in handles})
        principal = self.people.principal(Door.WEB, name, name if "@" in name else "")
        if self.settings.viewers and not self.people.entitled(self.settings.viewers, principal, memberships):
            return Refused(403, f"{principal} is not one of those who may look at this page")
        return Visitor(principal, memberships, person=True)

    def _program(self, token: str) -> Visitor | Refused:
        found = ""
        for name, known in self.tokens.items():
            # Every token is compared, so that the time tells nothing.
            if hmac.compare_digest(token.encode(), known.encode()):
                found = name
        return Visitor(f"token:{found}") if found else Refused(401, "the token is not a known one")


def _local(headers: Headers, client: str) -> Visitor | Refused:
    """Return the visitor on this machine; a page of another site that resolves to it has another name."""
    if not is_loopback(client):
        return Refused(403, "only this machine may look")
    host = headers.get("host", "").lower()
    name = host[: host.rfind(":")] if ":" in host.rpartition("]")[2] else host
    if name not in LOOPBACK_NAMES:
        return Refused(403, f"this is not {host[:LONGEST]}: ask for localhost")
    return Visitor("this machine")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
