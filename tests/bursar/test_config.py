"""`bursar.yaml`."""

from pathlib import Path

import pytest

from bursar.config import Config, read_config
from engine.errors import ConfigError
from engine.policy.model import Mode
from integrations.aws.session import AwsSettings
from integrations.catalog import default_catalog

CATALOG = default_catalog()
FULL = """\
version: 1
policies: [policies, "pack:idle"]
max_mode: approve
protect:
  - tags.environment == "production"
  - resource.name.startsWith("core-")
aws:
  regions: [us-east-1, eu-central-1]
  profile: finops
prices: own/prices.yaml
fail_on: high
"""


def problems(folder: Path, text: str) -> list[str]:
    (folder / "bursar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_config(folder / "bursar.yaml", CATALOG)
    return [str(problem).partition("bursar.yaml:")[2] for problem in caught.value.problems]


def test_without_a_file(here):
    """Without a file there are defaults, and they only report."""
    found = read_config(None, CATALOG)
    assert found == Config(production=found.production)
    assert [clause.text for clause in found.production] == ['tags.environment in ["production", "prod", "live"]']
    assert Config().max_mode is Mode.REPORT
    assert Config().policies == ("policies",)


def test_every_key(here):
    """Every key is read; paths start from the file's folder."""
    (here / "sub").mkdir()
    (here / "sub" / "bursar.yaml").write_text(FULL, encoding="utf-8")
    found = read_config(here / "sub" / "bursar.yaml", CATALOG)
    assert found.policies == ("policies", "pack:idle")
    assert found.max_mode is Mode.APPROVE
    assert [clause.text for clause in found.protect] == [
        'tags.environment == "production"',
        'resource.name.startsWith("core-")',
    ]
    assert found.aws == AwsSettings(regions=("us-east-1", "eu-central-1"), profile="finops")
    assert found.prices == here / "sub" / "own" / "prices.yaml"
    assert found.fail_on == "high"


def test_the_file_here_is_found(here):
    """`bursar.yaml` in the current folder is used where none is named."""
    (here / "bursar.yaml").write_text("version: 1\nmax_mode: notify\n", encoding="utf-8")
    assert read_config(None, CATALOG).max_mode is Mode.NOTIFY


def test_all_mistakes_at_once(here):
    """Misspelt keys and values, and expressions over fields that not every kind has, are told together."""
    text = """\
version: 1
polices: [a]
max_mode: aprove
protect:
  - resource.instance.type == "p5.48xlarge"
  - tags.x ==
aws: {region: us-east-1}
"""
    found = problems(here, text)
    assert [line.split("  ")[0] for line in found] == ["2:1", "3:11", "5:14", "6:13", "7:7"]
    assert "did you mean `policies`?" in found[0]
    assert "did you mean `approve`?" in found[1]
    assert "did you mean `regions`?" in found[4]


@pytest.mark.parametrize("text", ["", "[]", "version: 2", "a", "version: 1\naws: {regions: []}"])
def test_files_that_are_no_configuration(here, text):
    """Anything else is refused with a place in the file or the file itself."""
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        read_config(None, CATALOG)


def test_a_file_that_is_not_there(here):
    """A configuration that was asked for and does not exist is an error, never the defaults."""
    with pytest.raises(ConfigError):
        read_config(here / "gone.yaml", CATALOG)
