"""The templates for AWS: linted, and made in the emulated account."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import boto3
import pytest

from bursar.lambdas import schedule
from tests.bursar.lambdas.conftest import CONFIG, POLICIES, FakeContext
from tests.bursar.lambdas.events import scheduled

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
TEMPLATE = DEPLOY / "aws-sam" / "template.yaml"
MIRROR = Path("/opt/tf-plugins")


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
def terraform(tmp_path, aws):
    """Return a function that runs Terraform on the module, in the emulated account."""
    if shutil.which("terraform") is None or not MIRROR.is_dir():
        pytest.skip("NOT TESTED: there is no `terraform` with its AWS provider, so the module was not tried")
    mirror = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{MIRROR}"\n  }}\n}}\n'
    (tmp_path / "rc").write_text(mirror, encoding="utf-8")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("x.py", "")
    (tmp_path / "bursar.zip").write_bytes(content.getvalue())
    shutil.copytree(DEPLOY / "terraform", tmp_path / "bursar")
    main = (
        'provider "aws" {\n  region = "us-east-1"\n}\n'
        'module "bursar" {\n  source = "./bursar"\n  zip = "bursar.zip"\n  external_id = "x"\n}\n'
    )
    (tmp_path / "main.tf").write_text(main, encoding="utf-8")
    env = {
        **os.environ, "TF_CLI_CONFIG_FILE": str(tmp_path / "rc"), "CHECKPOINT_DISABLE": "1",
        "AWS_ENDPOINT_URL": aws.endpoint, "AWS_REGION": "us-east-1",
    }  # fmt: skip

    def run(*arguments):
        done = subprocess.run(
            ["terraform", *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}{done.stderr[-3000:]}"
        return done.stdout

    return run


def test_module_is_formatted_and_valid(terraform):
    """Terraform finds nothing to format and nothing wrong."""
    assert terraform("fmt", "-check", "-recursive", "bursar") == ""
    terraform("init", "-input=false")
    assert "valid" in terraform("validate")


@pytest.mark.slow
def test_module_is_made_and_works(terraform, aws, monkeypatch, tmp_path):
    """Applied to the emulated account, its function's environment, table and roles are those that a run needs."""
    terraform("init", "-input=false")
    terraform("apply", "-input=false", "-auto-approve")
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    made = {
        name: boto3.client(name, "us-east-1", endpoint_url=aws.endpoint) for name in ("lambda", "dynamodb", "s3", "iam")
    }
    backups = made["dynamodb"].describe_continuous_backups(TableName="bursar-state")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    trust = made["iam"].get_role(RoleName="BursarAct")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert [s["Condition"] for s in ([trust] if isinstance(trust, dict) else trust)] == [
        {"StringEquals": {"sts:ExternalId": "x"}}
    ]
    environment = made["lambda"].get_function_configuration(FunctionName="bursar-run")["Environment"]["Variables"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LAMBDA_TASK_ROOT", str(tmp_path))
    (tmp_path / "config" / "policies").mkdir(parents=True)
    (tmp_path / "config" / "bursar.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "config" / "policies" / "p.yaml").write_text(POLICIES, encoding="utf-8")
    made["s3"].create_bucket(Bucket="first")
    made["s3"].put_bucket_tagging(Bucket="first", Tagging={"TagSet": [{"Key": "team", "Value": "perception"}]})
    assert schedule.handler(scheduled(), FakeContext())["acted"] == 1
    assert made["dynamodb"].list_tables()["TableNames"] == ["bursar-state"]
    for client in made.values():
        client.close()
