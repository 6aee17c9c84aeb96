"""Write tags on any resource that takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actions.aws.calls import GONE, Losses, Sessions, calls, found
from actions.aws.tagging import SERVICES, Service
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class Tag:
    """Writing the tags that the parameters name, for one service."""

    sessions: Sessions
    service: Service

    @property
    def remediation(self) -> str:
        return "tag"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(kind for kind, service in SERVICES.items() if service is self.service)

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(self.service.actions)

    def check(self, target: Target) -> Ready | Refused:
        """Return whether a tag is missing or other than it is to be, with what was there before."""
        tags = self._tags(target)
        if tags is None:
            return GONE
        if _has(tags, target.parameters):
            return Refused("it has these tags", settled=True)
        return Losses().ready(tags={key: tags.get(key) for key in target.parameters})

    def _tags(self, target: Target) -> Mapping[str, str] | None:
        client = calls(self.sessions, target, self.service.client)
        tags: Mapping[str, str] | None = found(lambda: self.service.read(client, target.resource))
        return tags

    def do(self, target: Target) -> None:
        """Write them; writing a tag twice is writing it once."""
        self.service.write(calls(self.sessions, target, self.service.client), target.resource, target.parameters)

    def verify(self, target: Target) -> Effect:
        """Return whether they are there."""
        tags = self._tags(target)
        if tags is None:
            return Effect.GONE
        return Effect.DONE if _has(tags, target.parameters) else Effect.ABSENT

    def undo(self, target: Target) -> None:
        """Put back what was there, where nobody has written anything else since."""
        tags, before = self._tags(target) or {}, _before(target)
        client, resource = calls(self.sessions, target, self.service.client), target.resource
        ours = [key for key, value in target.parameters.items() if tags.get(key) == value]
        old = {key: value for key in ours if (value := before.get(key)) is not None}
        new = [key for key in ours if before.get(key) is None]
        if old:
            self.service.write(client, resource, old)
        if new:
            self.service.remove(client, resource, new)

    def undone(self, target: Target) -> Effect:
        """Return whether none of what was written is left."""
        tags = self._tags(target)
        if tags is None:
            return Effect.GONE
        before = _before(target)
        left = [k for k, v in target.parameters.items() if tags.get(k) == v and before.get(k) != v]
        return Effect.ABSENT if left else Effect.DONE


def _has(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    return all(tags.get(key) == value for key, value in wanted.items())


def _before(target: Target) -> Mapping[str, str | None]:
    tags = target.inverse.get("tags")
    assert isinstance(tags, Mapping)
    return {key: None if value is None else str(value) for key, value in tags.items()}
