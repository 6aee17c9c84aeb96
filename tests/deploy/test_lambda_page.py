"""
The page on Lambda, followed from top to bottom, with SAM and with Terraform: each command typed as it stands there.

Real are the sources and `make lambda`, `bursar`, the AWS CLI, SAM CLI, Terraform and its AWS provider; AWS's own
translator of SAM's templates; and the functions: the zip that was deployed, unpacked, and run with the environment
that was deployed by AWS's runtime client, without anything else that is installed here. They read and change the
emulated account of the demo's company and keep their state in the table that was made.

Emulated are AWS, by moto; what moto lacks, by `tests/deploy/cloud`: CloudFormation's macros and its alarms, schedules
and addresses of functions, Lambda's Runtime API, invocations, requests to a Function URL; and a Slack workspace.

Not seen here: whether the roles suffice, as moto lets everybody do everything; that EventBridge keeps the schedule,
that alarms go off, that lines of a log become metrics; Amazon Linux.

Filled in, where the page leaves that to its reader: secrets and ids of Slack, a policy that asks, the address of Slack.
"""

import http.client
import json
import re
import shutil
from datetime import UTC, datetime
from importlib.util import find_spec
from urllib.parse import urlsplit

import boto3
import pytest

from bursar.demo.company import build
from bursar.demo.process import running_server
from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from tests.bursar.lambdas.events import scheduled
from tests.deploy.following import MIRROR, WAYS, Somebody, environment, sources
from tests.pages import same

MIRA = "U0MIRA"
BUCKET = "page-open-to-all"
ASKS = f"""
version: 1
policies:
  - name: close-buckets
    description: Buckets that everybody can read.
    severity: critical
    resource: storage.bucket
    where: resource.name == "{BUCKET}"
    rule: {{when: not resource.public_access_blocked}}
    mode: approve
    grace: 0s
    remediate: [block_public_access]
    approval: {{channel: "#ml-costs", approvers: ["@ml-leads"]}}
    limits: {{max_share: 100%}}
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def company(no_credentials, aws_tools):
    """The demo's company, in an emulated account that something can be deployed to."""
    for module in ("moto", "awslambdaric"):
        if find_spec(module) is None:
            pytest.skip(f"NOT TESTED: `{module}` is not installed, so the page on Lambda was not followed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAM_PYTHON", str(aws_tools / "python"))
        with running_server(module="tests.deploy.cloud.server") as server:
            build(server.endpoint, datetime.now(UTC).replace(microsecond=0))
            yield server
            server.reset()  # It ends the functions, whose folders would stay behind.


@pytest.fixture
def clients(company):
    """Clients of an account with the company and an open bucket alone, by the names of their services."""
    build(company.endpoint, datetime.now(UTC).replace(microsecond=0))
    names = ("cloudwatch", "dynamodb", "iam", "lambda", "logs", "s3", "scheduler", "sqs")
    made = {name: boto3.client(name, "us-east-1", endpoint_url=company.endpoint) for name in names}
    made["s3"].create_bucket(Bucket=BUCKET)
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def workspace():
    made = Workspace(lambda: datetime.now(UTC))
    made.add_user(MIRA, "Mira Osei", "mira@example.com")
    made.add_group("S0MLLEADS", "ml-leads", MIRA)
    made.add_channel("ml-costs")
    with running_slack(made):
        yield made


@pytest.fixture(scope="module")
def begun(company, aws_tools, tmp_path_factory):
    """The sources, with what the page has made of them before its ways part."""
    tree = sources(tmp_path_factory.mktemp("page") / "bursar")
    reader = Somebody(WAYS[0], tree, environment(tree, company.endpoint, aws_tools))
    assert "All well." in reader.section("1.")["bursar doctor -c site/bursar.yaml"][0]
    ((out, shown),) = reader.section("2.").values()
    same([measured(line) for line in shown if line], [measured(line) for line in out.splitlines()])
    reader.section("3.")
    return reader


@pytest.fixture
def somebody(begun, company, aws_tools, tmp_path, workspace):
    """Return a function that makes somebody who has begun, and goes on one way."""
    tree = shutil.copytree(begun.tree, tmp_path / "bursar", symlinks=True, ignore=shutil.ignore_patterns(".home"))
    filled = {
        "xoxb-…": TOKEN,
        '"signing_secret": "…"': f'"signing_secret": "{SECRET}"',
        "T0123ABCD": TEAM,
        "A0123ABCD": APP,
        '  channel: "#ml-costs"': f'  channel: "#ml-costs"\n  address: {workspace.address}',
    }
    return lambda way: Somebody(way, tree, environment(tree, company.endpoint, aws_tools), filled, set(begun.done))


def test_with_sam(somebody, clients, workspace, company):
    """What a reader sees on the way from nothing to a click that acts, and back to nothing."""
    reader = somebody("SAM")
    deployed(reader, clients)
    said = asked(reader)
    (outputs,) = (json.loads(out) for command, (out, _) in said.items() if command.startswith("sam list"))
    (address,) = (one["OutputValue"] for one in outputs if one["OutputKey"] == "SlackRequestUrl")
    acted(reader, clients, workspace, company, address)
    taken_away(reader, clients)


def test_with_terraform(somebody, clients, workspace, company):
    """The same with Terraform."""
    if shutil.which("terraform") is None or not MIRROR.is_dir():
        pytest.skip(
            "NOT TESTED: there is no `terraform` with its AWS provider, so that way of the page was not followed"
        )
    reader = somebody("Terraform")
    deployed(reader, clients)
    said = asked(reader)
    (address,) = (out for command, (out, _) in said.items() if command.startswith("terraform output"))
    acted(reader, clients, workspace, company, address)
    taken_away(reader, clients)


def deployed(reader, clients):
    """Follow the page to where it looks at what was deployed."""
    reader.section("4")
    made(clients)
    plan, run, log = (out for out, _ in reader.section("5.").values())
    assert json.loads(plan)["StatusCode"] == 200
    assert "FunctionError" not in plan
    assert json.loads(run) == {"StatusCode": 202}
    written = json.loads((reader.tree / "plan.json").read_text(encoding="utf-8"))
    printed = json.loads(reader.type("bursar plan -c site/bursar.yaml -f json", written["status"]))
    # What rests on tags alone is the same a moment later; telemetry of the emulated account stands still meanwhile.
    owners = [
        {f["id"] for f in plan["findings"] if f["policy"] == "gpus-have-owners"} for plan in (written["plan"], printed)
    ]
    assert owners[0] == owners[1] != set()
    assert "Nothing was changed in your cloud." in log
    assert re.search(r"[1-9]\d* findings", log)


def measured(line):
    """Leave out what differs from machine to machine: sizes and the version of Python."""
    return re.sub(r"\d+\.\d+", "N", line)


def made(clients):
    """See that what the page promises was made."""
    names = {one["FunctionName"] for one in clients["lambda"].list_functions()["Functions"]}
    assert names == {"bursar-run", "bursar-deferred", "bursar-slack"}
    table = clients["dynamodb"].describe_table(TableName="bursar-state")["Table"]
    assert table["DeletionProtectionEnabled"] is True
    backups = clients["dynamodb"].describe_continuous_backups(TableName="bursar-state")["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert {one["retentionInDays"] for one in clients["logs"].describe_log_groups()["logGroups"]} == {90}
    assert len(clients["cloudwatch"].describe_alarms()["MetricAlarms"]) == 5
    assert clients["sqs"].list_queues()["QueueUrls"][0].endswith("/bursar-failures")
    (act,) = (r for r in clients["iam"].list_roles()["Roles"] if r["RoleName"] == "BursarAct")
    assert "a-text-of-yours" in json.dumps(act["AssumeRolePolicyDocument"])


def asked(reader):
    """Follow the page to where a policy asks in Slack."""
    (reader.tree / "site" / "policies" / "asks.yaml").write_text(ASKS, encoding="utf-8")
    said = reader.section("6.")
    assert "lambda:bursar-run" in said["bursar audit list -c site/bursar.yaml"][0]
    return said


def acted(reader, clients, workspace, company, address):
    """Let the schedule ask, let somebody click, and see that it is done."""
    (schedule,) = clients["scheduler"].list_schedules()["Schedules"]
    target = clients["scheduler"].get_schedule(Name=schedule["Name"])["Target"]["Arn"]
    clients["lambda"].invoke(FunctionName=target, InvocationType="Event", Payload=json.dumps(scheduled()))
    reader.settle()
    ((key, _),) = ((key, m) for key, m in workspace.messages.items() if "actions" in json.dumps(m["blocks"]))
    assert not blocked(clients["s3"])
    click = workspace.signed(workspace.payload(*key, "bursar-approve", MIRA))
    assert posted(company, address, {**click.headers, "X-Slack-Signature": "v0=" + "0" * 64}, click.body) == 401
    assert posted(company, address, click.headers, click.body) == 200
    reader.settle()
    assert blocked(clients["s3"])
    assert "lambda:bursar-deferred" in reader.type("bursar audit list -c site/bursar.yaml")


def posted(company, address, headers, body):
    """Post to a Function URL, which is at the emulated account; return the status."""
    there, here = urlsplit(address.strip()), urlsplit(company.endpoint)
    connection = http.client.HTTPConnection(here.hostname, here.port, timeout=60)
    try:
        connection.request("POST", there.path, body, {**headers, "Host": there.hostname})
        return connection.getresponse().status
    finally:
        connection.close()


def blocked(s3):
    try:
        return all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    except s3.exceptions.ClientError:
        return False


def taken_away(reader, clients):
    """Follow the page to its end, and see that nothing is left, neither of it nor of the page."""
    reader.section("7.")
    assert clients["lambda"].list_functions()["Functions"] == []
    assert clients["dynamodb"].list_tables()["TableNames"] == []
    assert clients["logs"].describe_log_groups()["logGroups"] == []
    assert clients["cloudwatch"].describe_alarms()["MetricAlarms"] == []
    assert clients["scheduler"].list_schedules()["Schedules"] == []
    assert [r["RoleName"] for r in clients["iam"].list_roles()["Roles"] if "ursar" in r["RoleName"]] == []
    assert reader.left_out() == []
