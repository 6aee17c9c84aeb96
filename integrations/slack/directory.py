"""
Who somebody is in Slack, and which user groups he is in, at the moment he clicks.

https://docs.slack.dev/reference/objects/user-object
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from integrations.slack.client import Slack, SlackRefusedError

KEPT = timedelta(minutes=5)
"""How long members of user groups are believed."""
SLACKBOT = "USLACKBOT"
UNKNOWN = frozenset({"user_not_found", "users_not_found", "user_not_visible"})


@dataclass(frozen=True, slots=True)
class Known:
    """A user, as Slack tells of him now."""

    id: str
    name: str
    email: str
    """Empty unless Slack has confirmed it."""
    refused: str = ""
    """Why he may decide nothing, whatever he is a member of."""


@dataclass(frozen=True, slots=True)
class Groups:
    """The user groups of a workspace."""

    ids: Mapping[str, str]
    """By handle, with its `@`."""
    at: datetime


@dataclass
class Directory:
    """The users and user groups of one workspace."""

    slack: Slack
    team: str
    clock: Callable[[], datetime]
    _groups: Groups | None = None
    _members: dict[str, tuple[datetime, frozenset[str]]] = field(default_factory=dict)

    def user(self, id_: str) -> Known:
        """Return who `id_` is. Never from memory: somebody who was let go an hour ago decides nothing."""
        try:
            found: Mapping[str, Any] = self.slack.call("users.info", user=id_).get("user", {})
        except SlackRefusedError as error:
            if error.error not in UNKNOWN:
                raise
            found = {}
        profile: Mapping[str, Any] = found.get("profile") or {}
        confirmed = found.get("is_email_confirmed") is True
        name = str(profile.get("real_name") or found.get("real_name") or found.get("name") or id_)
        return Known(id_, name, str(profile.get("email") or "") if confirmed else "", _refusal(found, id_, self.team))

    def memberships(self, user: str, handles: Iterable[str]) -> frozenset[str]:
        """Return those of `handles`, or ids of user groups, that `user` is a member of."""
        return frozenset(handle for handle in handles if user in self.members(handle))

    def members(self, handle: str) -> frozenset[str]:
        """Return the members of a user group, by its handle or id; none where there is no such group."""
        group = self.group(handle)
        if not group:
            return frozenset()
        now = self.clock()
        kept = self._members.get(group)
        if kept is None or now - kept[0] >= KEPT:
            answer = self.slack.call("usergroups.users.list", usergroup=group)
            kept = self._members[group] = (now, frozenset(map(str, answer.get("users") or ())))
        return kept[1]

    def group(self, handle: str) -> str:
        """Return the id of a user group; nothing where there is none of that handle, or it is disabled."""
        now = self.clock()
        if self._groups is None or now - self._groups.at >= KEPT:
            listed = self.slack.call("usergroups.list").get("usergroups") or ()
            ids = {f"@{one['handle']}": str(one["id"]) for one in listed if not one.get("date_delete")}
            self._groups = Groups(ids, now)
        known = self._groups.ids
        return known.get(handle, "") or (handle if handle in known.values() else "")


def _refusal(user: Mapping[str, Any], id_: str, team: str) -> str:
    """Return why a user may decide nothing: everything that is not a full, active member of the workspace."""
    if user.get("id") != id_:
        return "Slack does not know who it is"
    if user.get("deleted"):
        return "the account is deactivated"
    if user.get("is_bot") or user.get("is_app_user") or id_ == SLACKBOT:
        return "it is a bot"
    if user.get("is_restricted") or user.get("is_ultra_restricted"):
        return "it is a guest of the workspace"
    organization = user.get("enterprise_user") or {}
    if user.get("is_stranger") or team not in (user.get("team_id"), organization.get("enterprise_id")):
        return "it is somebody of another workspace"
    return ""
