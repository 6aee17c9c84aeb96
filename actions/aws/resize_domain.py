"""Change the type of an OpenSearch domain's data nodes. OpenSearch replaces them while the domain serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, calls, found, last, stale
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class ResizeDomain:
    """Changing the type to the parameter `to`."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "resize"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"aws.opensearch.domain"})

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset({"es:DescribeDomain", "es:UpdateDomainConfig"})

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it is at rest and has another type."""
        domain = self._domain(target)
        if domain is None or domain.get("Deleted"):
            return GONE
        to, now = target.parameters["to"], _type(domain)
        if now == to:
            return Refused(f"its nodes are of type {to}", settled=True)
        if not to.endswith(".search"):
            return Refused(f"{to} is no type of OpenSearch: they end in `.search`")
        if domain.get("Processing") or domain.get("UpgradeProcessing"):
            return Refused("another change of it goes on")
        return Losses().ready(to=now)

    def _domain(self, target: Target) -> Mapping[str, Any] | None:
        opensearch, name = calls(self.sessions, target, "opensearch"), last(target.resource.id)
        answer = found(lambda: opensearch.describe_domain(DomainName=name))
        return answer["DomainStatus"] if answer else None

    def do(self, target: Target) -> None:
        """Change the type; changing it twice is changing it once."""
        self._change(target, target.parameters["to"])

    def _change(self, target: Target, type_: str) -> None:
        domain = self._domain(target)
        if domain is None:
            raise stale(target, "it is gone")
        if _type(domain) != type_:
            opensearch = calls(self.sessions, target, "opensearch")
            opensearch.update_domain_config(DomainName=domain["DomainName"], ClusterConfig={"InstanceType": type_})

    def verify(self, target: Target) -> Effect:
        """Return whether its nodes have the type."""
        return self._seen(target, target.parameters["to"])

    def _seen(self, target: Target, type_: str) -> Effect:
        domain = self._domain(target)
        if domain is None or domain.get("Deleted"):
            return Effect.GONE
        if _type(domain) != type_:
            return Effect.ABSENT
        return Effect.PENDING if domain.get("Processing") else Effect.DONE

    def undo(self, target: Target) -> None:
        """Change back."""
        self._change(target, str(target.inverse["to"]))

    def undone(self, target: Target) -> Effect:
        """Return whether its nodes have the type they had."""
        return self._seen(target, str(target.inverse["to"]))


def _type(domain: Mapping[str, Any]) -> str:
    return str(domain.get("ClusterConfig", {}).get("InstanceType", ""))
