"""The proof that a session only reads: calls that are not on the list of permissions never leave the machine."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from integrations.aws.permissions import FLEET_ACTIONS, PRICE_ACTIONS, READ_ACTIONS, action_of

EXACT = frozenset({"ec2", "kms", "s3", "sts"})
"""Services where a verb as a whole would open more, such as objects and user data."""

ONLY_HOME = frozenset((*FLEET_ACTIONS, *PRICE_ACTIONS)) - {"ec2:DescribeRegions"}
"""What only the account needs that leads to the others."""


class NotReadOnly(RuntimeError):  # noqa: N818  # the name says it
    """A call was about to be made that is not on the list of read permissions: a defect of this program."""


def refuse_what_changes(core: Any) -> None:
    """Have a botocore session raise `NotReadOnly` before any call that `READ_ACTIONS` does not list."""
    allowed = frozenset(READ_ACTIONS)

    def check(model: Any, **_: Any) -> None:
        action = action_of(model.service_model.signing_name, model.name)
        if action not in allowed:
            raise NotReadOnly(f"{action} is not one of the calls that only read")

    core.get_component("event_emitter").register_first("before-call", check)


def session_policy(actions: Iterable[str] = READ_ACTIONS) -> str:
    """
    Return a policy to assume roles with: whatever a role may do, its session may only read.

    AWS takes at most 2,048 characters, so that actions are told by their verbs where a verb is safe as a whole.
    """
    told = {_by_verb(action) for action in actions if action not in ONLY_HOME}
    statement = {"Effect": "Allow", "Action": sorted(told), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def _by_verb(action: str) -> str:
    service, _, operation = action.partition(":")
    if service in EXACT:
        return action
    verb = next(verb for verb in ("BatchGet", "Describe", "Get", "List", "Search") if operation.startswith(verb))
    return f"{service}:{verb}*"
