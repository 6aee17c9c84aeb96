"""From the credentials of one account to a session of another: by a role, only to read, and proved to be there."""

from __future__ import annotations

from typing import Any

from integrations.aws.account_clients import Keys
from integrations.aws.partitions import partition_of
from integrations.aws.read_only import session_policy
from integrations.aws.session import AwsSession, Clients


class WrongAccount(Exception):  # noqa: N818  # the name says it
    """The role led to another account than the one that was asked for."""


def assumed(home: AwsSession, clients: Clients, account: str) -> AwsSession:
    """
    Return a session of `account` through its role, whose calls go through the shared `clients`.

    Raises:
        ClientError: where the role cannot be assumed.
        WrongAccount: where it is not a role of the account.
    """
    region = home.regions[0]
    settings = home.settings
    asked: dict[str, Any] = {
        "RoleArn": f"arn:{partition_of(region)}:iam::{account}:role/{settings.role}",
        "RoleSessionName": "bursar",
        "Policy": session_policy(),
    }
    if settings.external_id:
        asked["ExternalId"] = settings.external_id
    given = home.client("sts", region).assume_role(**asked)["Credentials"]
    keys = Keys(account, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    session = AwsSession(settings, clients, home.regions, keys)
    found = str(session.client("sts", region).get_caller_identity()["Account"])
    if found != account:
        raise WrongAccount(f"the role is of account {found}")
    return session
