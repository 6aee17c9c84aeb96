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
from tests.pages import PAGES, ROOT, blocks, commands, lines, same

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


def follow(bursar, page):
    """Yield what each command of the shells of a page does, in order; write the files it names on the way."""
    for block in blocks(page):
        if block.file:
            Path(block.file).parent.mkdir(parents=True, exist_ok=True)
            Path(block.file).write_text(block.text, encoding="utf-8")
        for words in lines(block) if block.language == "sh" else ():
            if words[0] == "cd":
                os.chdir(words[1])
            if words[0] == "bursar":
                yield words[1:], (lambda words=words: bursar(*words[1:]))


def test_the_tutorial(bursar, at_the_company):
    """From an empty folder to why a machine is left alone: the mistake is told, mended, and explained."""
    ran = {}
    for words, run in follow(bursar, "../tutorial/first-policy.md"):
        if words[0] == "demo":
            continue  # the account is there
        ran[" ".join(words)] = done = run()
        if words[0] == "validate":
            assert done.status == 2
            assert "policies/oversized.yaml:8:21  unknown field `acelerator.count`" in done.err
            assert "did you mean `accelerator.count`?" in done.err
            text = Path("policies/oversized.yaml").read_text(encoding="utf-8").replace("acelerator", "accelerator")
            Path("policies/oversized.yaml").write_text(text, encoding="utf-8")
            assert bursar("validate").out == "5 policies in 2 files: all valid\n"
    assert ran["init my-policies"].out.rstrip().endswith("Next: cd my-policies && bursar validate && bursar plan")
    assert ran["plan"].status == 3
    assert "max_mode is report: none would be carried out" in ran["plan"].out
    assert "legacy-bert" in ran["plan --only big-machines-have-a-project"].out
    assert "idle-gpus  no work for 4h" in ran["explain legacy-bert"].out
    assert re.search(r"^unknown +idle-gpus", ran["explain reward-model-2"].out, re.MULTILINE)
    assert "repeats its last value" in ran["explain reward-model-2"].out


def test_your_own_account(bursar, company, at_the_company):
    """All shipped policies over two regions, one resource by its id, and what AWS needs to allow for it."""
    machine = next(planted.id for planted in company[1].planted if planted.name == "dev-mira")
    plan, explain = (words for words, _ in follow(bursar, "your-account.md"))
    assert bursar(*plan).status == 3
    ran = bursar(*(machine if word.startswith("i-") else word for word in explain))
    assert ran.out.startswith("dev-mira\n")
    assert bursar("iam", "read", "-p", "pack:all").status == 0


def test_running_and_its_state(bursar, at_the_company):
    """A plan that is carried out, what operators do about a finding, and a ledger that verifies as it is shown."""
    config = next(block.text for block in blocks("run.md") if block.language == "yaml")
    assert bursar("init").status == 0
    Path("bursar.yaml").write_text(config.replace("/var/lib/bursar/", ""), encoding="utf-8")
    assert "NEW  findings of this run" in bursar("run").out
    made, applied = (run() for _, run in follow(bursar, "run.md"))
    assert made.status == 3
    assert applied.out.rstrip().endswith("Nothing was changed in your cloud.")
    page = (PAGES / "run.md").read_text(encoding="utf-8")
    known = {"undo": "nothing was done", "accept": "is let pass until", "freeze": "frozen: nothing is done until",
             "snooze": "rests until", "savings": "Nothing was done yet", "audit": "bursar.db"}  # fmt: skip
    for command in re.findall(r"`bursar ((?:undo|accept|freeze|snooze|savings|audit) [^`]*)`", page):
        words = shlex.split(command)
        done = bursar(*words)
        assert known[words[0]] in done.out + done.err, command

    (shown,) = (shown for block in blocks("state.md") for _, shown in commands(block) if block.language == "console")
    verified = bursar("audit", "verify")
    assert verified.status == 0
    masked = [re.sub(r"[0-9a-f]{32,}|[\d,]+ |[\d,]+$|/mnt/elsewhere/", "", line) for line in shown]
    assert masked == [re.sub(r"[0-9a-f]{32,}|[\d,]+ |[\d,]+$", "", line) for line in verified.out.splitlines()]


def test_a_policy_that_asks(bursar, at_the_company):
    """What the page on Slack has as an example leads to a question: it rests on two signals."""
    text = next(block.text for block in blocks("slack.md") if block.text.startswith("version: 1\npolicies:"))
    Path("p.yaml").write_text(text, encoding="utf-8")
    ran = bursar("plan", "-p", "p.yaml", "--region", "us-east-1")
    assert "approve by @ml-leads in #gpu-approvals" in ran.out


def test_a_pull_request(bursar, at_the_company):
    """Policies are checked without an account, and a recording is judged with a comment and a status."""
    bursar("init")
    ran = {words[0]: run() for words, run in follow(bursar, "pull-requests.md")}
    assert (ran["validate"].status, ran["test"].status) == (0, 2)
    assert "no tests, so none ran" in ran["test"].err
    assert ran["scan"].status in (0, 3)
    assert ran["plan"].status == 3
    assert "idle-gpus" in Path("plan.md").read_text(encoding="utf-8")


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
