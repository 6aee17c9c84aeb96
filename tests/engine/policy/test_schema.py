"""The JSON Schema that editors use."""

import json
from pathlib import Path

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


def as_editors_read(path: Path):
    """Return the document with YAML's own types, and dates as text, as a JSON-minded editor has them."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


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
