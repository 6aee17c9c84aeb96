"""
Forms that only this page can have sent, for the person who looked at it.

Three things have to hold: the browser says that the request comes from the same site, the origin is this server's,
and the form carries a token that was signed for this very person some hours ago at most.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from starlette.datastructures import Headers

LIFE = timedelta(hours=8)
"""How long a page may stand open before what it sends is too old."""


@dataclass(frozen=True)
class Forms:
    """Signs forms and knows its own again."""

    serializer: URLSafeTimedSerializer
    url: str = ""
    """The origin that people type; empty is the host they asked for."""

    @classmethod
    def of(cls, secret: str, url: str) -> Forms:
        """Return forms signed with `secret`, or with one that ends with the process where it is empty."""
        return cls(URLSafeTimedSerializer(secret or secrets.token_hex(32), salt="bursar form"), url)

    def token(self, principal: str) -> str:
        return str(self.serializer.dumps(principal))

    def wrong(self, headers: Headers, principal: str, token: str) -> str:
        """Return why a form is not taken; nothing where it is."""
        site = headers.get("sec-fetch-site", "same-origin")
        if site != "same-origin" or not self._own(headers.get("origin", ""), headers.get("host", "")):
            return "the form was not sent from this page"
        try:
            signed = self.serializer.loads(token, max_age=int(LIFE.total_seconds()))
        except BadData:
            return "the form is too old or was not made here: open the page again"
        return "" if signed == principal else "the form was made for somebody else: open the page again"

    def _own(self, origin: str, host: str) -> bool:
        if self.url:
            return origin.lower() == self.url
        # The scheme is the proxy's business: it may have ended TLS.
        return bool(host) and urlsplit(origin).netloc.lower() == host.lower()
