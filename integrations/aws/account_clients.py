"""
Clients that many accounts share: one for each service and region, signed with the keys of whoever calls.

Making a client takes some 20 ms of CPU; an organization has thousands of pairs of account and region.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of one account, for an hour."""

    account: str
    access_key: str
    secret_key: str
    token: str


CALLER: ContextVar[Keys] = ContextVar("the account whose keys sign the call")


class CallerCredentials:
    """What the SDK asks for keys when it signs: those of the account on whose behalf the call is made."""

    method = "assume-role"

    @property
    def access_key(self) -> str:
        return CALLER.get().access_key

    @property
    def secret_key(self) -> str:
        return CALLER.get().secret_key

    @property
    def token(self) -> str:
        return CALLER.get().token

    @property
    def account_id(self) -> str:
        return CALLER.get().account

    def get_frozen_credentials(self) -> Any:
        """Return the keys; a call that no account makes is a defect and is not signed."""
        from botocore.credentials import ReadOnlyCredentials

        keys = CALLER.get()
        return ReadOnlyCredentials(keys.access_key, keys.secret_key, keys.token, keys.account)

    def get_deferred_property(self, name: str) -> Callable[[], str]:
        return lambda: str(getattr(self, name))


class CallerProvider:
    """The SDK's source of credentials, which has none of its own."""

    def load_credentials(self) -> CallerCredentials:
        return CallerCredentials()


class AccountClient:
    """A shared client in the name of one account."""

    def __init__(self, client: Any, keys: Keys) -> None:
        self._client = client
        self._keys = keys

    @property
    def meta(self) -> Any:
        return self._client.meta

    def can_paginate(self, operation: str) -> bool:
        """Return whether the SDK has a paginator for `operation`."""
        return bool(self._client.can_paginate(operation))

    def get_paginator(self, operation: str) -> AccountPaginator:
        """Return the paginator of `operation`."""
        return AccountPaginator(self._client.get_paginator(operation), self._keys)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)
        return lambda **parameters: signed_by(self._keys, lambda: method(**parameters))


@dataclass(frozen=True, slots=True)
class AccountPaginator:
    """A paginator in the name of one account."""

    paginator: Any
    keys: Keys

    def paginate(self, **parameters: Any) -> Iterator[Mapping[str, Any]]:
        """Yield the pages, each called for in the account's name."""
        pages = iter(self.paginator.paginate(**parameters))
        while (page := signed_by(self.keys, lambda: next(pages, None))) is not None:
            yield page


def signed_by(keys: Keys, call: Callable[[], Result]) -> Result:
    """Return what `call` returns, made with `keys` and with nobody else's after it."""
    before = CALLER.set(keys)
    try:
        return call()
    finally:
        CALLER.reset(before)
