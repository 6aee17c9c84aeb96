"""The templates for AWS, as linters see them; `test_lambda_page.py` deploys them."""

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.deploy.following import MIRROR, terraform_rc

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEMPLATE = DEPLOY / "aws-sam" / "template.yaml"


def iam(what):
    done = subprocess.run(
        [sys.executable, "-m", "bursar", "iam", what, "-p", "pack:all"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("what", ["read", "act"])
def test_roles_are_what_bursar_prints(what):
    """What both templates allow is what `bursar iam` prints for all shipped policies: `make docs` writes it anew."""
    text = (DEPLOY / "terraform" / "iam" / f"{what}.json").read_text(encoding="utf-8")
    assert json.loads(text) == iam(what)
    assert len("".join(text.split())) < 6_144, "larger than AWS takes in one managed policy"


# --- SAM -----------------------------------------------------------------------------------------


def resources():
    """Return the template's resources, with functions such as `!Ref X` as mappings."""
    from cfnlint.decode.cfn_yaml import load

    return load(str(TEMPLATE))["Resources"]


@pytest.fixture
def cfn_lint():
    if find_spec("cfnlint") is None:
        pytest.skip("NOT TESTED: `cfn-lint` is not installed, so the SAM template was not checked")


def test_template_is_sound(cfn_lint):
    """CloudFormation's own schemas find nothing wrong, and CloudFormation's YAML, which has no aliases, can be read."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("cfn-lint")), "--region", "us-east-1", "eu-central-1", "--", str(TEMPLATE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    import yaml

    events = yaml.parse(TEMPLATE.read_text(encoding="utf-8"))
    assert not any(isinstance(e, yaml.AliasEvent) for e in events)


def test_template_has_what_it_promises(cfn_lint):
    """Recovery of the state, both permissions of the address, retention of every log, an alarm of every kind."""
    found = resources()
    table = found["Table"]["Properties"]
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
    assert (table["DeletionProtectionEnabled"], found["Table"]["DeletionPolicy"]) == (True, "Retain")
    permissions = [r["Properties"] for r in found.values() if r["Type"] == "AWS::Lambda::Permission"]
    assert {p["Action"]: (p.get("FunctionUrlAuthType"), p.get("InvokedViaFunctionUrl")) for p in permissions} == {
        "lambda:InvokeFunctionUrl": ("NONE", None),
        "lambda:InvokeFunction": (None, True),
    }
    functions = [r["Properties"] for r in found.values() if r["Type"] == "AWS::Serverless::Function"]
    assert {f["Handler"].rsplit(".", 2)[1] for f in functions} == {"schedule", "deferred", "slack"}
    logs = [r["Properties"] for r in found.values() if r["Type"] == "AWS::Logs::LogGroup"]
    assert len(logs) == len(functions)
    assert all("RetentionInDays" in log for log in logs)
    alarms = {name for name, r in found.items() if r["Type"] == "AWS::CloudWatch::Alarm"}
    assert alarms == {"NoHeartbeat", "FailedActs", "RunErrors", "SlackErrors", "FailuresKept"}


def test_the_public_function_can_do_little(cfn_lint):
    """The function that the world can call may neither read the cloud nor assume a role."""
    role = json.dumps(resources()["SlackRole"]["Properties"]["Policies"])
    assert "AssumeRole" not in role
    assert "Include" not in role


@pytest.mark.parametrize("handler", ["schedule", "deferred", "slack"])
def test_handlers_exist(handler):
    """What the templates name is there."""
    from importlib import import_module

    assert callable(import_module(f"bursar.lambdas.{handler}").handler)
    assert f"bursar.lambdas.{handler}.handler" in TEMPLATE.read_text(encoding="utf-8")
    files = (path.read_text(encoding="utf-8") for path in (DEPLOY / "terraform").glob("*.tf"))
    assert f"bursar.lambdas.{handler}.handler" in "".join(files)


# --- Terraform -----------------------------------------------------------------------------------


@pytest.fixture
def terraform(tmp_path):
    """Return a function that runs Terraform on the module."""
    if shutil.which("terraform") is None or not MIRROR.is_dir():
        pytest.skip("NOT TESTED: there is no `terraform` with its AWS provider, so the module was not tried")
    env = {**os.environ, "TF_CLI_CONFIG_FILE": str(terraform_rc(tmp_path)), "CHECKPOINT_DISABLE": "1"}
    shutil.copytree(DEPLOY / "terraform", tmp_path / "bursar")

    def run(*arguments):
        done = subprocess.run(
            ["terraform", *arguments], cwd=tmp_path / "bursar", env=env, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-3000:]}"
        return done.stdout

    return run


def test_module_is_formatted_and_valid(terraform):
    """Terraform finds nothing to format and nothing wrong."""
    assert terraform("fmt", "-check", "-recursive") == ""
    terraform("init", "-input=false")
    assert "valid" in terraform("validate")
