"""The how-to pages, followed from top to bottom: each command is run, and shows what the page shows."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bursar.config import read_config
from integrations.aws.read_only import session_policy
from integrations.catalog import default_catalog
from tests.pages import PAGES, ROOT, blocks, commands, same

SOURCES = ("actions", "bursar", "docs", "engine", "integrations", "policies", "tests", "pyproject.toml", "README.md")


@pytest.fixture
def at_the_company(company, here, monkeypatch):
    """The demo's company, found through the environment, at a screen as wide as the pages."""
    server, _ = company
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("COLUMNS", "120")
    return here


@pytest.mark.parametrize("page", ["compliance.md", "custodian.md", "flight-recorder.md"])
def test_commands_show_what_the_page_shows(bursar, at_the_company, page):
    """With the files that the page names, in a folder with nothing else in it."""
    ran = 0
    for block in blocks(page):
        if block.file:
            (at_the_company / block.file).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for command, shown in commands(block):
            program, *words = shlex.split(command)
            assert program == "bursar"
            result = bursar(*words)
            printed = [line for line in (result.out + result.err).splitlines() if line.strip()]
            same([line for line in shown if line.strip()], printed)
            ran += 1
    assert ran


def test_the_doctor_of_the_page_on_cron(bursar, at_the_company):
    """With the configuration of the page and one policy it shows what the page shows."""
    (config,) = (b.text for b in blocks("cron.md") if b.language == "yaml" and b.text.startswith("version:"))
    for elsewhere in ("/var/lib/bursar", "/mnt/elsewhere"):
        config = config.replace(elsewhere, str(at_the_company))
    (at_the_company / "bursar.yaml").write_text(config, encoding="utf-8")
    (at_the_company / "policies").mkdir()
    policy = "{name: p, description: d, resource: storage.bucket, required_tags: [owner]}"
    (at_the_company / "policies" / "p.yaml").write_text(f"version: 1\npolicies: [{policy}]\n", encoding="utf-8")
    (console,) = (b for b in blocks("cron.md") if b.language == "console")
    ((command, shown),) = commands(console)
    out = re.sub(r"clock is \d+ s", "clock is 0 s", bursar(*shlex.split(command)[1:]).out)
    printed = [line for line in out.splitlines() if line.strip()]
    same([line for line in shown if line.strip()], printed)


def test_what_telemetry_costs_is_told(bursar, at_the_company):
    """At the end of a plan of a live account, in its JSON and in what a scan prints; a recording costs nothing."""
    asked = ("-p", "pack:idle", "--region", "us-east-1")
    live = bursar("plan", *asked, "-f", "json")
    metrics = json.loads(live.out)["asked"]["metrics"]
    assert metrics > 100
    assert f"{metrics:,} metrics asked of CloudWatch: " in live.err
    assert "metrics asked of CloudWatch" in bursar("scan", *asked, "-o", "e.jsonl").out
    recorded = bursar("plan", "-p", "pack:idle", "--estate", "e.jsonl", "-f", "json")
    assert json.loads(recorded.out)["asked"]["metrics"] >= metrics
    assert recorded.err == ""


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_policies_and_configurations_are_valid(bursar, here, page):
    """Every YAML of a how-to page with a `version` loads."""
    for number, block in enumerate(blocks(page)):
        if block.language == "yaml" and block.text.startswith("version:") and "aws.ecr" not in block.text:
            file = here / f"{number}.yaml"
            file.write_text(block.text, encoding="utf-8")
            if "\ncases:" in block.text:
                continue  # a test file, which the page's own test runs
            if re.search(r"policies:\n +- name:", block.text):
                assert bursar("validate", str(file)).status == 0
            else:
                read_config(file, default_catalog())


def test_the_role_for_many_accounts():
    """What it allows is what its sessions may do."""
    (template,) = (json.loads(block.text) for block in blocks("many-accounts.md") if block.language == "json")
    properties = template["Resources"]["Role"]["Properties"]
    (statement,) = properties["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement == json.loads(session_policy())["Statement"][0]
    (config,) = (block.text for block in blocks("many-accounts.md") if block.language == "yaml")
    assert f"role: {properties['RoleName']}" in config


def plant(endpoint):
    """Make two repositories."""
    import boto3

    def client(service):
        return boto3.client(service, "us-east-1", endpoint_url=endpoint)

    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    client("ecr").create_repository(
        repositoryName="trainer",
        imageTagMutability="IMMUTABLE",
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key},
        tags=[{"Key": "team", "Value": "platform"}],
    )
    client("ecr").create_repository(repositoryName="scratch")


def registered(tree):
    """Do what the page says in words: name the module in the registry, and say why there is no policy."""
    registry = tree / "integrations" / "aws" / "registry.py"
    text = registry.read_text(encoding="utf-8")
    text = text.replace("    ecs_services,\n    efs", "    ecr_repositories,\n    ecs_services,\n    efs", 1)
    text = text.replace("            volumes,\n", "            volumes,\n            ecr_repositories,\n", 1)
    registry.write_text(text, encoding="utf-8")
    tables = tree / "tests" / "integrations" / "aws" / "test_registry.py"
    said = tables.read_text(encoding="utf-8").replace(
        "WITHOUT_POLICY = {\n", 'WITHOUT_POLICY = {\n    "aws.ecr.repository": "an example",\n', 1
    )
    tables.write_text(said, encoding="utf-8")


@pytest.mark.slow
def test_a_kind_is_added_as_the_page_says(aws, tmp_path):
    """In a copy of the sources: its code, its recording, its tests, and the tests of every kind pass for it."""
    plant(aws.endpoint)
    for name in SOURCES:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name, **({"ignore": shutil.ignore_patterns("__pycache__")} if source.is_dir() else {}))
    env = {**os.environ, "AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": "us-east-1", "PYTHONPATH": str(tmp_path)}
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    registered(tmp_path)
    last = ""
    for block in blocks("add-a-kind.md"):
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        if block.language == "console":
            for command, _ in commands(block):
                done = subprocess.run(
                    ["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
                last = done.stdout
    passed = re.search(r"(\d+) passed", last)
    assert int(passed[1]) >= 15
