"""
Answer for what the demo's company does not have and moto does not know: an empty list, as AWS would send it.

The gateway asks before it hands a call to moto. The shape of the answer comes from botocore's service model.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from bursar.demo.faults import Call
from bursar.demo.wire import Reply

ABSENT: frozenset[str] = frozenset(
    {
        "aoss:GetAccountSettings",
        "bedrock:ListInferenceProfiles",
        "ec2:DescribeCapacityReservations",
        "elasticfilesystem:DescribeFileSystems",
        "sagemaker:ListSpaces",
    }
)
"""Calls by the name in their signature."""
SERVICES: Mapping[str, str] = MappingProxyType({"aoss": "opensearchserverless", "elasticfilesystem": "efs"})
"""Names of service models that differ from those in signatures."""
SETTINGS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "aoss:GetAccountSettings": {
            "accountSettingsDetail": {"capacityLimits": {"maxIndexingCapacityInOCU": 10, "maxSearchCapacityInOCU": 10}}
        }
    }
)
"""Answers that are no lists."""


def absent(call: Call) -> Reply | None:
    """Return the answer to a call that moto cannot answer; None where it can."""
    name = f"{call.service}:{call.operation}"
    if name not in ABSENT:
        return None
    if call.service == "ec2":
        lists = "".join(f"<{member}/>" for member in _lists(call.service, call.operation))
        return _reply(f"<{call.operation}Response>{lists}</{call.operation}Response>".encode(), "text/xml")
    content = SETTINGS.get(name) or {member: [] for member in _lists(call.service, call.operation)}
    return _reply(json.dumps(content).encode(), "application/json")


@lru_cache
def _lists(service: str, operation: str) -> tuple[str, ...]:
    """Return the names of the lists in an operation's answer, as they stand on the wire."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model(SERVICES.get(service, service), "service-2"))
    shape = model.operation_model(operation).output_shape
    members = shape.members if shape is not None else {}
    lists = {name: shape for name, shape in members.items() if shape.type_name == "list"}
    return tuple(str(shape.serialization.get("name", name)) for name, shape in lists.items())


def _reply(body: bytes, kind: str) -> Reply:
    return Reply(200, (("Content-Type", kind), ("Content-Length", str(len(body)))), body)
