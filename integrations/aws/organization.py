"""The accounts to read: those that are named, or those of an organization that a filter lets through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import ConfigError
from integrations.aws.reader import tags_of
from integrations.aws.refusals import told
from integrations.aws.session import AwsSession, OrganizationFilter


@dataclass(frozen=True, slots=True)
class Account:
    """One account of many."""

    id: str
    name: str = ""


def accounts_of(home: AwsSession, region: str) -> Sequence[Account]:
    """
    Return the accounts that the settings of `home` name, each once, by id.

    Raises:
        ConfigError: where the organization cannot be read: nobody could say which accounts are missing.
    """
    settings = home.settings
    found = {account: Account(account) for account in settings.accounts}
    if settings.organization is not None:
        try:
            found.update({account.id: account for account in _members(home, region, settings.organization)})
        except Exception as error:  # the SDK's errors have no common root
            hint = "the credentials have to be of the management account or of a delegated administrator"
            message = f"the organization cannot be read: {told(error, 'organizations:ListAccounts')}"
            raise ConfigError.of("no-credentials", message, where="AWS", hint=hint) from error
    return [found[account] for account in sorted(found)]


def _members(home: AwsSession, region: str, chosen: OrganizationFilter) -> Iterator[Account]:
    client = home.client("organizations", region)
    left_out = {str(a["Id"]) for ou in chosen.exclude_ous for a in _under(client, ou)}
    listed = (
        (a for ou in chosen.include_ous for a in _under(client, ou))
        if chosen.include_ous
        else _pages(client, "list_accounts", "Accounts")
    )
    for account in listed:
        # Accounts that are suspended or being closed cannot be read, and nothing runs in them.
        if account.get("Status") != "ACTIVE" or account["Id"] in left_out:
            continue
        if not chosen.tags or _has(client, str(account["Id"]), chosen.tags):
            yield Account(str(account["Id"]), str(account.get("Name", "")))


def _under(client: Any, ou: str) -> Iterator[Mapping[str, Any]]:
    """Yield the accounts of an organizational unit and of all below it."""
    yield from _pages(client, "list_accounts_for_parent", "Accounts", ParentId=ou)
    for child in _pages(client, "list_organizational_units_for_parent", "OrganizationalUnits", ParentId=ou):
        yield from _under(client, str(child["Id"]))


def _has(client: Any, account: str, tags: Sequence[tuple[str, str]]) -> bool:
    found = tags_of(_pages(client, "list_tags_for_resource", "Tags", ResourceId=account))
    return all(found.get(key) == value for key, value in tags)


def _pages(client: Any, operation: str, key: str, **parameters: Any) -> Iterator[Mapping[str, Any]]:
    for page in client.get_paginator(operation).paginate(**parameters):
        yield from page[key]
