"""
One mail server for the addresses that policies name, through apprise.

Its address is a secret, as all of apprise's are; whom a message goes to is said for each message.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import SecretStr

from engine.errors import ConfigError
from integrations.notify.addresses import Addresses, check_addresses

SCHEMES = ("mailto", "mailtos")
WHERE = "notify.mail"
EXAMPLE = "such as `mailtos://USER:PASSWORD@smtp.example.com?from=bursar@example.com`"


def mail_to(server: SecretStr, emails: Sequence[str]) -> Addresses:
    """Return `emails`, each checked by the loader of policies, as receivers through `server`."""
    parts = urlsplit(server.get_secret_value())
    kept = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key not in _RECEIVERS]
    query = urlencode([*kept, ("to", ",".join(emails))])
    return Addresses([SecretStr(urlunsplit((parts.scheme, parts.netloc, parts.path, query, "")))])


_RECEIVERS = frozenset({"to", "cc", "bcc"})


def check_mail(server: SecretStr) -> None:
    """Raise `ConfigError` where apprise is not installed, or `server` is no mail server; nothing of it is shown."""
    if urlsplit(server.get_secret_value()).scheme.casefold() not in SCHEMES:
        raise ConfigError.of("bad-config", f"`{WHERE}` is no mail server", where=WHERE, hint=EXAMPLE)
    check_addresses(mail_to(server, ["bursar@example.com"]).secrets, WHERE)
