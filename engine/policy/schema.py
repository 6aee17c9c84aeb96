"""The JSON Schema of policy files, for editors: made from the models, with the installation's names filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.kinds import Catalog
from engine.policy.checks import CHECKS
from engine.policy.document import FileDocument
from engine.policy.model import Remediation

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(catalog: Catalog, remediations: Mapping[str, Remediation]) -> dict[str, Any]:
    """Return the schema; kinds, classes, metrics and remediations are those of this installation."""
    schema = FileDocument.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    policy = definitions["PolicyDocument"]
    properties = policy["properties"]
    _fill(properties["resource"], list(catalog.selectors))
    properties["remediate"]["items"] = {"type": "string", "enum": sorted(remediations)}
    policy["oneOf"] = [{"required": [check]} for check in CHECKS]
    _name_metrics(definitions["Idle"]["properties"]["below"], catalog)
    return {"$schema": DIALECT, **schema}


def _fill(resource: dict[str, Any], names: list[str]) -> None:
    """Let `resource` be one of `names` or a list of them."""
    one: dict[str, Any] = {"type": "string", "enum": names}
    kept: dict[str, Any] = {key: resource[key] for key in ("description", "examples") if key in resource}
    resource.clear()
    resource.update({"anyOf": [one, {"type": "array", "minItems": 1, "items": one}], **kept})


def _name_metrics(below: dict[str, Any], catalog: Catalog) -> None:
    names = sorted({metric.name for kind in catalog.kinds.values() for metric in kind.metrics})
    below["propertyNames"] = {"enum": names}
    below["minProperties"] = 1
