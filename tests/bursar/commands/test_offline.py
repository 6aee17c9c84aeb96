"""Commands that read no cloud: init, validate, schema, and plan and explain over a recording."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.model import KindNeeds, Needs, Resource, Scope, ScopeReport, ScopeStatus, Usage
from engine.values import Reason, Unknown
from integrations.aws.registry import aws_kinds
from integrations.snapshot import record

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
KIND = "aws.ec2.instance"
POLICY = """\
version: 1
policies:
  - name: owners
    description: Every machine has an owner.
    severity: high
    resource: aws.ec2.instance
    required_tags: [owner]
    remediate: [{tag: {owner: unowned}}]
"""


class Recorded:
    """An estate of given items."""

    name = "AWS 123456789012 (us-east-1)"
    taken_at = NOW

    def __init__(self, *items):
        self.items = items

    def stream(self, needs):
        yield from self.items


def machine(name: str, **more) -> Resource:
    given = {
        "kind": KIND,
        "id": f"i-{name}",
        "account": "123456789012",
        "region": "us-east-1",
        "name": name,
        "fields": {"state": "running", "running": True, "created": NOW - timedelta(days=3)},
        "usage": (Usage("aws.ec2.linux.on_demand:g5.xlarge", Decimal(1), "hour"),),
        **more,
    }
    return Resource(**given)


COMPLETE = ScopeReport(Scope("123456789012", "us-east-1", KIND), ScopeStatus.COMPLETE, 2)
DENIED = ScopeReport(Scope("123456789012", "us-west-2", KIND), ScopeStatus.DENIED, 0, "ec2:DescribeInstances denied")


@pytest.fixture
def estate(here):
    """Record an estate of two machines, one without an owner, and return its file."""

    def write(*items) -> str:
        found = items or (machine("a"), machine("b", tags={"owner": "ana@example.com"}), COMPLETE)
        record(Recorded(*found), Needs({KIND: KindNeeds(frozenset({"tags"}))}), here / "estate.jsonl")
        (here / "p.yaml").write_text(POLICY, encoding="utf-8")
        return "estate.jsonl"

    return write


@pytest.mark.parametrize(
    "words",
    [
        ("schema", "-o", "file/schema.json"),
        ("plan", "-p", "p.yaml", "--estate", "estate.jsonl", "-o", "file/plan.json"),
        ("plan", "-p", "p.yaml", "--estate", "estate.jsonl", "-f", "csv=file/plan.csv"),
        ("report", "--framework", "FSBP", "-p", "pack:encryption", "--estate", "estate.jsonl", "-o", "file/report"),
        ("scan", "-p", "p.yaml", "--estate", "estate.jsonl", "-o", "file/estate.jsonl"),
    ],
    ids=lambda words: words[0],
)
def test_a_place_that_takes_no_file(bursar, estate, here, words):
    """Whatever writes a file says which one cannot be written, and why."""
    estate()
    (here / "file").write_text("in the way", encoding="utf-8")
    ran = bursar(*words)
    assert ran.status == 2
    assert "  the file cannot be written: " in ran.err
    assert "[file-unreadable]" in ran.err


def test_init_makes_a_folder_that_works(bursar, here):
    """What `init` writes is valid, only reports, and is not written twice."""
    assert bursar("init", "mine").status == 0
    assert bursar("validate", "-c", "mine/bursar.yaml").out == "4 policies in 1 file: all valid\n"
    again = bursar("init", "mine")
    assert again.status == 2
    assert again.err.count("[exists]") == 4


def test_init_writes_nothing_over_a_file(bursar, here):
    """One file in the way is enough to write none."""
    (here / "bursar.yaml").write_text("mine", encoding="utf-8")
    assert bursar("init").status == 2
    assert [path.name for path in here.iterdir()] == ["bursar.yaml"]


def test_validate_says_everything_at_once(bursar, here):
    """Every mistake of every file, with the line and a caret, and status 2."""
    (here / "a.yaml").write_text(POLICY.replace("severity: high", "severty: high"), encoding="utf-8")
    (here / "b.yaml").write_text(
        POLICY.replace("resource: aws.ec2.instance", "resource: aws.ec2.instnce"), encoding="utf-8"
    )
    ran = bursar("validate", ".")
    assert ran.status == 2
    assert ran.out == ""
    assert "a.yaml:5:5" in ran.err
    assert "hint: did you mean `severity`?" in ran.err
    assert "b.yaml:6:15" in ran.err
    assert "hint: did you mean `aws.ec2.instance`?" in ran.err


@pytest.mark.parametrize("args", [[], ["."], ["gone.yaml"], ["pack:nothing"]])
def test_nothing_loaded_is_never_fine(bursar, here, args):
    """No policy at all is status 2, whether the folder is missing, empty or misspelt."""
    assert bursar("validate", *args).status == 2


def test_schema_of_a_kind(bursar):
    """A kind, a class and the list of kinds are shown."""
    assert "resource.accelerator.count" in bursar("schema", "aws.ec2.instance").out
    assert "metrics.requests" in bursar("schema", "ml.endpoint").out
    assert bursar("schema", "kinds").out.count("\n") == len(aws_kinds())
    assert bursar("schema", "ec3").status == 2


def test_schema_is_json(bursar, here):
    """Without a kind it is the JSON Schema, to the output or to a file."""
    text = bursar("schema").out
    assert json.loads(text)["$schema"].endswith("2020-12/schema")
    bursar("schema", "-o", "s.json")
    assert (here / "s.json").read_text(encoding="utf-8") == text


def test_plan_over_a_recording(bursar, estate):
    """A recording is judged at the time it was taken, with no cloud."""
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(), "-f", "json")
    plan = json.loads(ran.out)
    assert ran.status == 0
    assert plan["taken_at"] == "2026-03-04T16:00:00Z"
    assert [(f["policy"], f["subject"]["name"]) for f in plan["findings"]] == [("owners", "a")]
    assert plan["findings"][0]["cost"]["hourly_usd"] == "1.0060"
    assert plan["policies"] == [{"policy": "owners", "compliant": 1, "violation": 1}]


@pytest.mark.parametrize(("severity", "status"), [("high", 1), ("critical", 0), ("never", 0)])
def test_fail_on(bursar, estate, severity, status):
    """Findings at or above the severity give status 1."""
    assert bursar("plan", "-p", "p.yaml", "--estate", estate(), "--fail-on", severity).status == status


def test_gaps_win_over_findings(bursar, estate):
    """A scope that could not be read gives status 3, whatever was found, and is named."""
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(machine("a"), COMPLETE, DENIED), "--fail-on", "high")
    assert ran.status == 3
    assert "denied" in ran.out
    assert "us-west-2" in ran.out


def test_denied_tags_are_undecided(bursar, estate):
    """A machine whose tags could not be read has no finding and no step; the run is incomplete."""
    silent = machine("a", gaps={"tags": Unknown(Reason.DENIED, "ec2:DescribeTags denied")})
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(silent, COMPLETE), "-f", "json")
    plan = json.loads(ran.out)
    assert ran.status == 3
    assert (plan["findings"], plan["steps"]) == ([], [])
    assert plan["undecided"][0]["unknowns"][0]["unknown"] == "denied"


def test_several_outputs(bursar, estate, here):
    """Formats go to files side by side, and the table to the screen."""
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(), "-f", "csv=f.csv", "-f", "table", "-o", "plan.json")
    assert "Nothing was changed." in ran.out
    assert (here / "f.csv").read_text(encoding="utf-8").startswith("FindingId,")
    assert json.loads((here / "plan.json").read_text(encoding="utf-8"))["bursar.plan"] == 1


def test_two_outputs_cannot_share_the_screen(bursar, estate):
    """Two formats without a file are a mistake."""
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(), "-f", "json", "-f", "csv")
    assert ran.status == 2
    assert "`json` and `csv` cannot both go to the standard output" in ran.err


def test_only_some_policies(bursar, estate):
    """`--only` chooses policies by name, and a name that does not exist is an error."""
    assert bursar("plan", "-p", "p.yaml", "--estate", estate(), "--only", "owners").status == 0
    ran = bursar("plan", "-p", "p.yaml", "--estate", estate(), "--only", "owner")
    assert ran.status == 2
    assert "did you mean `owners`?" in ran.err


def test_explain_by_name_id_and_finding(bursar, estate):
    """A resource is found by name, by id and by the id of a finding about it."""
    file = estate()
    plan = json.loads(bursar("plan", "-p", "p.yaml", "--estate", file, "-f", "json").out)
    for subject in ("a", "i-a", plan["findings"][0]["id"], plan["findings"][0]["id"][:8]):
        ran = bursar("explain", subject, "-p", "p.yaml", "--estate", file)
        assert ran.status == 0
        assert "tag `owner` is missing" in ran.out
        assert "$734 a month" in ran.out


def test_explain_what_is_compliant(bursar, estate):
    """What is compliant is explained too, with the value that decided it."""
    ran = bursar("explain", "b", "-p", "p.yaml", "--estate", estate())
    assert "compliant" in ran.out
    assert '"ana@example.com"' in ran.out


def test_explain_what_does_not_exist(bursar, estate):
    """A misspelt name is status 2 with the nearest one; where parts were not read it is 3."""
    twins = estate(machine("trainer-1"), COMPLETE)
    ran = bursar("explain", "trainer-2", "-p", "p.yaml", "--estate", twins)
    assert ran.status == 2
    assert "did you mean `trainer-1`?" in ran.err
    ran = bursar("explain", "trainer-2", "-p", "p.yaml", "--estate", estate(machine("trainer-1"), COMPLETE, DENIED))
    assert ran.status == 3


def test_now_goes_with_a_recording(bursar, estate, here):
    """A live estate cannot be judged at another time."""
    estate()
    ran = bursar("plan", "-p", "p.yaml", "--now", "2026-01-01T00:00:00Z")
    assert ran.status == 2
    assert "`--now` goes with `--estate`" in ran.err


@pytest.mark.parametrize("content", ["", "{}", '{"bursar.snapshot": 99}', "not json"])
def test_files_that_are_no_recording(bursar, estate, here, content):
    """Anything else is refused by name, with status 2."""
    estate()
    (here / "bad.jsonl").write_text(content, encoding="utf-8")
    ran = bursar("plan", "-p", "p.yaml", "--estate", "bad.jsonl")
    assert ran.status == 2
    assert "[bad-snapshot]" in ran.err


def test_max_mode_of_the_configuration(bursar, estate, here):
    """The configuration's `max_mode` caps every step, and a protected resource has none."""
    file = estate()
    (here / "bursar.yaml").write_text(
        "version: 1\npolicies: [p.yaml]\nmax_mode: enforce\nprotect: ['resource.name == \"a\"']\n", encoding="utf-8"
    )
    plan = json.loads(bursar("plan", "--estate", file, "-f", "json").out)
    assert plan["steps"] == []
    assert plan["withheld"][0]["reason"] == 'protected by the configuration: resource.name == "a"'


CONFIG = """\
version: 1
policies: [p.yaml]
aws: {regions: [us-east-1], act: {role: BursarAct, accounts: ["123456789012"]}}
"""


def test_the_policies_of_the_roles(bursar, here):
    """`iam read` and `iam act` print what the loaded policies need, where the configuration says that it is needed."""
    (here / "p.yaml").write_text(POLICY, encoding="utf-8")
    (here / "bursar.yaml").write_text(CONFIG, encoding="utf-8")
    (look,) = json.loads(bursar("iam", "read").out)["Statement"]
    assert "ec2:DescribeInstances" in look["Action"]
    assert "s3:ListAllMyBuckets" not in look["Action"]
    act = {one["Sid"]: one for one in json.loads(bursar("iam", "act").out)["Statement"]}
    assert act["ChangeEc2"]["Action"] == ["ec2:CreateTags", "ec2:DeleteTags"]
    assert "arn:aws:ec2:*:123456789012:*" in act["ChangeEc2"]["Resource"]
    assert act["NeverWhatIsProtected"]["Effect"] == "Deny"
    assert bursar("iam", "act", "--terraform").out.startswith('resource "aws_iam_policy" "bursar_act" {')


def test_nothing_to_act_for(bursar, here):
    """Where no policy has a remediation there is no policy for a role that acts."""
    (here / "p.yaml").write_text(POLICY.partition("    remediate")[0], encoding="utf-8")
    assert bursar("iam", "act", "-p", "p.yaml").status == 2
