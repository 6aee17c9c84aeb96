"""The page of the policy language: every key of a policy file, from the models that read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bursar.reference.tables import table
from engine.kinds import Catalog
from engine.policy.checks import CHECKS
from engine.policy.model import Remediation
from engine.policy.schema import json_schema

Schema = Mapping[str, Any]

INTRODUCTION = """\
# Policy language

A file is YAML: a `version`, `defaults` for its policies, and `policies`. Every policy has exactly one check.

```yaml
# yaml-language-server: $schema=./bursar.schema.json
version: 1
policies:
  - name: stop-idle-gpus
    description: Stop GPU machines that have done no work for four hours.
    severity: high
    resource: compute.instance
    where: resource.accelerator.count > 0 and tags.environment != "production"
    unless: tags["bursar/keep"] == "true"
    idle:
      for: 4h
      below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}
      coverage: 90%
    mode: approve
    grace: 24h
    remediate: [stop]
    approval: {channel: "#gpu-approvals", approvers: ["@ml-leads"], expires: 8h}
    limits: {max_actions: 10, max_share: 20%, max_cost_impact: "$5,000/mo"}
```

Scalars are the text that stands there: `no`, `22:30` and `0123` are not turned into anything. Quantities have units:
`4h`, `5%`, `40GiB`, `$50/h`. An amount with a comma needs quotes inside braces, where YAML ends the value at the comma.
Anchors, aliases, merge keys, tags, duplicate keys and keys that are not text are refused, and so are unknown keys.

`bursar schema` writes a JSON Schema for editors; the first line above makes them use it.
"""


def language_page(catalog: Catalog, remediations: Mapping[str, Remediation]) -> str:
    """Return the page."""
    definitions = json_schema(catalog, remediations)["$defs"]
    policy = definitions["PolicyDocument"]
    general = {key: about for key, about in policy["properties"].items() if key not in CHECKS}
    parts = [
        INTRODUCTION,
        "## Keys of a policy\n",
        "`severity`, `mode`, `grace`, `limits`, `notify` and `approval` may also stand under `defaults`.\n",
        _keys(general.items(), policy.get("required", ()), definitions),
        "### limits\n",
        _model(definitions["LimitsDocument"], definitions),
        "### approval\n",
        _model(definitions["ApprovalDocument"], definitions),
        "## Checks\n",
    ]
    for name, model in CHECKS.items():
        found = definitions[model.__name__]
        parts += [f"### {name}\n", f"{_about(found)}\n", _model(found, definitions)]
        parts += [_inner(inner, definitions) for inner in INNER.get(name, ())]
    parts.append(SHORTHANDS)
    return "\n".join(parts)


SHORTHANDS = """\
## Shorthands

`required_tags: [owner, team]` asks for presence alone; `rule: CONDITION` has no message; `resource`, `unless` and
`group_by` take one value in place of a list.

`budget`, `unit_cost`, `job_approval` and `vector_limits` are checked by `bursar validate` and answer
`unknown (not_collected)`: this release has no source of spend, jobs or vector collections.
"""

INNER = {
    "required_tags": (("Each tag", "TagRule"),),
    "quota": (("limits", "QuotaLimits"),),
    "budget": (("Each step of the ladder", "Rung"),),
}
"""Models inside a check that have keys of their own."""


def _inner(inner: tuple[str, str], definitions: Schema) -> str:
    title, model = inner
    return f"{title}:\n\n{_model(definitions[model], definitions)}"


def _about(model: Schema) -> str:
    text: str = model.get("description", "")
    return text or next((str(v["description"]) for v in model.get("anyOf", ()) if "description" in v), "")


def _model(model: Schema, definitions: Schema) -> str:
    full = next((v for v in (model, *model.get("anyOf", ())) if "properties" in v), None)
    if full is None:
        return ""
    return _keys(full["properties"].items(), full.get("required", ()), definitions)


def _keys(properties: Iterable[tuple[str, Schema]], required: Iterable[str], definitions: Schema) -> str:
    needed = frozenset(required)
    rows = (
        (
            f"`{key}`",
            _values(about, definitions),
            "required" if key in needed else _default(about),
            _spoken(about, definitions),
        )
        for key, about in properties
    )
    return table(("key", "holds", "default", "meaning"), rows)


def _spoken(about: Schema, definitions: Schema) -> str:
    return str(about.get("description", "")) or _about(_target(about, definitions))


def _target(about: Schema, definitions: Schema) -> Schema:
    reference = about.get("$ref", "")
    found: Schema = definitions.get(reference.rpartition("/")[2], {}) if reference else about
    return found


def _default(about: Schema) -> str:
    default = about.get("default")
    if default in (None, "", [], {}) or isinstance(default, list | dict):
        return ""
    return f"`{_shown(default)}`"


def _shown(default: object) -> str:
    return {"PT0S": "0s", "PT8H": "8h", "90": "90%"}.get(str(default), str(default))


def _values(about: Schema, definitions: Schema) -> str:
    target = _target(about, definitions)
    if "enum" in target:
        return ", ".join(f"`{value}`" for value in target["enum"][:12])
    examples = about.get("examples") or target.get("examples")
    if examples:
        return "such as " + ", ".join(f"`{_example(e)}`" for e in examples[:2])
    variants = [v for v in about.get("anyOf", ()) if v.get("type") != "null"]
    if variants:
        return _values(variants[0], definitions)
    if "const" in target:
        return f"`{target['const']}`"
    kind = target.get("type", "")
    if kind == "array":
        return f"list of {_values(target.get('items', {}), definitions)}".replace("of such as", "such as")
    names = {"string": "text", "object": "mapping", "integer": "number"}
    return names.get(kind, kind) if isinstance(kind, str) else "text"


def _example(value: object) -> str:
    match value:
        case dict():
            return "{" + ", ".join(f"{k}: {_example(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_example, value)) + "]"
        case _:
            return str(value)
