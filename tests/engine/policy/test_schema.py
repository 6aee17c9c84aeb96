"""The JSON Schema that editors use."""

import json
import re
from pathlib import Path
from typing import ClassVar

import jsonschema
import pytest
import yaml

from actions.catalog import remediations
from bursar.packs import packs_folder
from engine.policy.schema import json_schema
from integrations.catalog import default_catalog

PACKS = sorted(p for p in packs_folder().rglob("*.yaml") if not p.name.endswith("_test.yaml"))
AUTHORING = Path(__file__).parents[2] / "cases" / "authoring"
SHAPE_MISTAKES = (
    "misspelt-key",
    "misspelt-check",
    "misspelt-severity",
    "misspelt-kind",
    "misspelt-metric",
    "no-unit",
    "two-checks",
    "no-check",
    "no-name",
    "other-version",
    "euros",
    "day-in-full",
    "unknown-remediation",
)


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema(default_catalog(), remediations())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Core(yaml.SafeLoader):
    """YAML 1.2's core types, which editors use: `no` and `22:30` are text, dates too."""

    yaml_implicit_resolvers: ClassVar = {}


for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), first)


def as_editors_read(path: Path):
    """Return the document with the types an editor gives it."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Core)


@pytest.mark.parametrize("path", PACKS, ids=lambda p: p.stem)
def test_shipped_policies_are_valid(validator, path):
    """Every shipped policy file validates."""
    assert [error.message for error in validator.iter_errors(as_editors_read(path))] == []


@pytest.mark.parametrize("path", PACKS, ids=lambda p: p.stem)
def test_shipped_policies_name_the_schema(path):
    """Every shipped policy file carries the editor's modeline, and the path in it leads to the schema."""
    first = path.read_text(encoding="utf-8").splitlines()[0]
    marker = "# yaml-language-server: $schema="
    assert first.startswith(marker)
    assert (path.parent / first.removeprefix(marker)).resolve() == (packs_folder() / "bursar.schema.json").resolve()


def test_the_shipped_schema_is_current():
    """The schema beside the packs is the one the program writes."""
    written = json.loads((packs_folder() / "bursar.schema.json").read_text(encoding="utf-8"))
    assert json_schema(default_catalog(), remediations()) == written


@pytest.mark.parametrize("name", SHAPE_MISTAKES)
def test_mistakes_of_shape_show_in_the_editor(validator, name):
    """What is wrong by its shape alone is underlined before anybody runs Bursar."""
    assert list(validator.iter_errors(as_editors_read(AUTHORING / f"{name}.yaml")))


def test_defaults_can_be_written(validator):
    """Editors write defaults into files: each one that the schema names is a value the schema accepts."""
    schema = json_schema(default_catalog(), remediations())
    for definition in schema["$defs"].values():
        for variant in (definition, *definition.get("anyOf", ())):
            for about in variant.get("properties", {}).values():
                if "default" in about:
                    part = {**about, "$defs": schema["$defs"]}
                    assert list(jsonschema.Draft202012Validator(part).iter_errors(about["default"])) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": "true", "unless": []},
        {"rule": "true", "unless": None},
        {"rule": None},
        {"rule": "true", "where": None},
        {"rule": "true", "grace": "PT0S"},
        {"idle": {"for": "4h", "below": {}}},
        {"rule": "true", "remediate": ["tag"]},
        {"rule": "true", "remediate": [{"tag": {}}]},
        {"rule": "true", "remediate": [{"resize": {"too": "g5.xlarge"}}]},
        {"rule": "true", "remediate": [{"resize": {"to": "xlarge"}}]},
        {"rule": "true", "remediate": [{"stop": {}, "terminate": {}}]},
    ],
    ids=str,
)
def test_what_the_loader_refuses_is_underlined(validator, changed):
    """Empty lists, keys without a value and durations of other languages are not accepted by the schema either."""
    policy = {"name": "a", "description": "d", "resource": "compute.instance", **changed}
    assert list(validator.iter_errors({"version": 1, "policies": [policy]}))


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": "resource.running", "unless": "tags.a == 'b'"},
        {"rule": True},
        {"rule": {"when": "resource.running", "message": "m"}},
        {"required_tags": ["owner"]},
        {"required_tags": {"tags": {"owner": None, "team": {"values": [1, True, "x"]}}}},
        {"quota": {"group_by": "tags.team", "limits": {"accelerators": 16, "spend_rate": "$50/h"}}},
        {"quota": {"group_by": ["tags.team"], "limits": {"resources": 5}, "overrides": {"x": {"resources": 9}}}},
        {"resource": ["compute.instance", "aws.s3.bucket"], "encryption": {"at_rest": "required", "key": "customer"}},
        {"schedule": {"days": ["mon"], "hours": "22:00-06:00", "zone": "UTC", "holidays": ["2026-12-25"]}},
        {"rule": "true", "remediate": ["stop", {"tag": {"owner": "x", "cost-center": 7}}]},
        {"rule": "true", "remediate": [{"scale": {"to": 0}}]},
        {"budget": {"amount": "$50,000/mo", "ladder": [{"at": "80%"}, {"days_to_breach": "10d"}]}},
    ],
    ids=str,
)
def test_abbreviations_are_accepted(validator, changed):
    """Every way to write a check that the loader accepts is valid in the editor."""
    policy = {"name": "a", "description": "d", "resource": "compute.instance", **changed}
    assert [error.message for error in validator.iter_errors({"version": 1, "policies": [policy]})] == []


def test_every_key_is_described():
    """An editor can explain every key of the language."""
    schema = json_schema(default_catalog(), remediations())
    lacking = [
        f"{model}.{key}"
        for model, definition in schema["$defs"].items()
        for variant in (definition, *definition.get("anyOf", ()))
        for key, about in variant.get("properties", {}).items()
        if not about.get("description")
    ]
    assert lacking == []
