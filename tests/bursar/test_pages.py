"""What pages say about the command line and the configuration, without an account: it is understood, and comes true."""

import json
import re
import shlex
import subprocess
import sys

import click
import pytest

from bursar.cli import cli
from bursar.config import read_config
from bursar.config_document import ConfigDocument
from integrations.catalog import default_catalog
from tests.pages import ROOT, blocks, commands, lines, same

WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
KEYS = set(ConfigDocument.model_fields)


def typed(page):
    """Yield the words of each `bursar` command that a page has people type, and whether it is whole."""
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        if block.language == "console":
            found = [shlex.split(command) for command, _ in commands(block)]
        else:
            found = list(lines(block)) if block.language == "sh" and "<<" not in block.text else []
        yield from ((words[1:], True) for words in found if words[0] == "bursar")
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for command in re.findall(r"`bursar ([^`]+)`", prose):
        if "…" not in command:
            yield shlex.split(command.replace("\n", " ")), False


def understood(words):
    """Read a command line as the program does, and carry nothing out."""
    words = words[: words.index(">")] if ">" in words else words
    command = cli
    with click.Context(cli) as above:
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            name, *words = words
            found = command.get_command(above, name)
            assert found is not None, f"there is no command `{name}`"
            command = found
        command.make_context(command.name, list(words), parent=above)


@pytest.mark.parametrize("page", WRITTEN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_command_is_one(page):
    """Every command line of a page has commands, options and values that there are; mentions may leave some out."""
    wrong = []
    for words, whole in typed(page):
        try:
            understood(words)
        except (click.MissingParameter, click.BadOptionUsage, click.exceptions.NoArgsIsHelpError) as error:
            if whole:
                wrong.append(f"{words}: {error}")
        except (click.UsageError, AssertionError) as error:
            wrong.append(f"{words}: {error}")
        except click.exceptions.Exit:
            pass
    assert wrong == []


def fragments():
    """Yield every part of a configuration that a page shows, whole or not."""
    for page in WRITTEN:
        for number, block in enumerate(blocks(page)):
            keys = set(re.findall(r"^([\w.]+):", block.text, re.MULTILINE))
            part = block.language == "yaml" and keys and keys <= KEYS and "email:" not in block.text  # of a policy
            if part and not re.search(r"policies:\n +- name:", block.text):
                yield pytest.param(block.text, id=f"{page.name}-{number}")


@pytest.mark.parametrize("text", list(fragments()))
def test_parts_of_the_configuration_are_valid(here, text):
    """What a page says to write into `bursar.yaml` is taken, also where it shows a part."""
    whole = text if re.search(r"^version:", text, re.MULTILINE) else f"version: 1\n{text}"
    (here / "bursar.yaml").write_text(whole, encoding="utf-8")
    read_config(here / "bursar.yaml", default_catalog())


def readme_policy():
    return next(block.text for block in blocks(ROOT / "README.md") if block.language == "yaml")


def test_testing_policies(bursar, here):
    """The tests of the page hold for the policy of the README, and one that fails is shown as there."""
    policy, tests = here / "policies" / "gpus.yaml", here / "policies" / "gpus_test.yaml"
    policy.parent.mkdir()
    policy.write_text(readme_policy(), encoding="utf-8")
    page = list(blocks("test-policies.md"))
    (written,) = (block for block in page if block.file == "policies/gpus_test.yaml")
    tests.write_text(written.text, encoding="utf-8")
    ran = [bursar(*words[1:]) for block in page if block.language == "sh" for words in lines(block)]
    assert [one.status for one in ran] == [0, 0]
    assert "2 cases of 1 policy in 1 file: all as expected" in ran[0].out
    tests.write_text(written.text.replace("expect: violation\n    steps: [stop]", "expect: compliant"), "utf-8")
    failed = bursar("test", "policies")
    assert failed.status == 1
    shown = next(block.text for block in page if block.text.startswith("FAILED"))
    same(shown.splitlines(), [line for line in failed.out.splitlines() if line.strip()])


def test_roles_for_acting(bursar, here):
    """With its configuration and a policy that acts, both policies of IAM are made, and the Terraform of one."""
    config = next(block.text for block in blocks("acting.md") if block.text.startswith("version:"))
    (here / "policies").mkdir()
    (here / "policies" / "p.yaml").write_text(readme_policy(), encoding="utf-8")
    (here / "bursar.yaml").write_text(config, encoding="utf-8")
    made = {}
    for block in blocks("acting.md"):
        for words in lines(block) if block.language == "sh" and " iam " in block.text else ():
            ran = bursar(*words[1 : words.index(">")])
            assert ran.status == 0, ran.err
            made[words[-1]] = ran.out
    allowed = {name: str(json.loads(made[name])["Statement"]) for name in ("read.json", "act.json")}
    assert "ec2:StopInstances" in allowed["act.json"]
    assert "ec2:StopInstances" not in allowed["read.json"]
    assert 'resource "aws_iam_role_policy"' in made["act.tf"] or 'resource "aws_iam_policy"' in made["act.tf"]


def test_backtesting(bursar, here):
    """The morning of the page, replayed: limits hold ten acts, without them they are done, and a sweep has a plot."""
    page = list(blocks("backtest.md"))
    (script,) = (block.text for block in page if "<< 'END'" in block.text)
    subprocess.run(["bash", "-c", f'python() {{ "{sys.executable}" "$@"; }}\n{script}'], cwd=here, check=True)
    ran = [
        bursar(*shlex.split(command)[1:])
        for block in page
        if block.language == "console"
        for command, _ in commands(block)
    ]
    assert [one.status for one in ran] == [0, 0, 0]
    assert "Nothing was done: limits held it all." in ran[0].out
    assert re.search(r"^acted +10$", ran[1].out, re.MULTILINE)
    assert len(re.findall(r"^ *(?:30m|1h|2h|4h) ", ran[2].out, re.MULTILINE)) == 12
    assert (here / "curve.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_prices_of_ones_own(bursar, here):
    """The file of the page answers before any other source, and its discounts hold for the rest."""
    page = list(blocks("prices.md"))
    (own,) = (block.text for block in page if block.text.startswith("# prices.yaml"))
    (here / "prices.yaml").write_text(own, encoding="utf-8")
    (here / "bursar.yaml").write_text("version: 1\naws: {regions: [us-east-1]}\nprices: prices.yaml\n", "utf-8")
    shown = bursar("prices", "show", "aws.ec2.linux.on_demand:p5.48xlarge")
    assert "$38.5 for one hour" in shown.out
    assert "less 12% (enterprise agreement)" in bursar("prices", "show", "aws.ec2.linux.on_demand:g5.xlarge").out
