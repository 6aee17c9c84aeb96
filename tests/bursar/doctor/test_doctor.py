"""`bursar doctor` on the emulated account: what works, what does not, and how to mend it."""

import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from bursar.demo.slack import APP, TEAM, TOKEN, Workspace, running_slack
from bursar.doctor.check import Check, State, exit_status_of
from bursar.doctor.memory import skew

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
CONFIG = """
version: 1
max_mode: MODE
policies: [p.yaml]
aws:
  regions: [us-east-1]
  act: {role: BursarAct, accounts: ["123456789012"]}
anchor: anchor.jsonl
people: {mira@example.com: {slack: U0MIRA}}
groups: {"@ml-leads": [mira@example.com]}
"""
POLICIES = """
version: 1
policies:
  - name: stop-idle-gpus
    description: Machines that have done no work.
    severity: high
    resource: aws.ec2.instance
    where: resource.accelerator.count > 0 and tags.keep != "true"
    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: approve
    remediate: [stop]
    approval: {channel: "#gpu-approvals", approvers: ["@ml-leads"]}
  - name: buckets-have-owners
    description: Buckets without an owner.
    severity: low
    resource: storage.bucket
    required_tags: [owner]
"""


@pytest.fixture
def site(here, account):
    """A configuration with a policy that acts and one that does not; what is in the account is up to the test."""

    def write(mode="approve", config="", policies=POLICIES):
        (here / "bursar.yaml").write_text(CONFIG.replace("MODE", mode) + config, encoding="utf-8")
        (here / "p.yaml").write_text(policies, encoding="utf-8")

    write()
    return write


@pytest.fixture
def ec2(account):
    client = boto3.client("ec2", region_name="us-east-1", endpoint_url=account.endpoint)
    yield client
    client.close()


def machine(ec2, name="trainer"):
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": name}]}]
    made = ec2.run_instances(
        ImageId="ami-12c6146b", InstanceType="g5.xlarge", MinCount=1, MaxCount=1, TagSpecifications=tags
    )
    return made["Instances"][0]["InstanceId"]


def examined(ran):
    """Return status and checks by part and what; several of one name as a list of what they say."""
    found = {}
    for check in json.loads(ran.out)["checks"]:
        found.setdefault((check["part"], check["what"]), []).append(check)
    return found


def one(found, part, what):
    (check,) = found[part, what]
    return check["state"], check["says"], check["mend"]


def test_all_well(bursar, site, here):
    """With an account, a state and approvers everything is well, and nothing was changed."""
    assert bursar("run").status == 0
    ran = bursar("doctor", "-f", "json")
    found = examined(ran)
    assert one(found, "AWS", "credentials")[0] == "well"
    assert one(found, "AWS", "reading")[1].startswith("2 kinds that the policies are about")
    assert one(found, "AWS", "acting in 123456789012")[:2] == ("well", "the role BursarAct can be assumed")
    assert one(found, "AWS", "clock")[0] == "well"
    assert one(found, "state", "writable")[:2] == ("well", "a lease was taken and given back")
    assert one(found, "state", "anchor")[0] == "well"
    assert one(found, "approvers", "policies that ask")[:2] == ("well", "1 policy can be approved")
    assert (ran.status, json.loads(ran.out)["status"]) == (0, 0)


def test_nothing_is_changed(bursar, site, account, ec2, here):
    """It calls nothing that changes anything but with EC2's own dry run, and writes neither records nor entries."""
    id_ = machine(ec2)
    bursar("run")
    before = bursar("audit", "list", "-f", "json").out
    account.calls()
    bursar("doctor")
    reads = ("Describe", "Get", "List", "Head", "AssumeRole", "Simulate")
    changes = [call for call in account.calls() if not call.partition(":")[2].startswith(reads)]
    assert set(changes) <= {"ec2:StopInstances", "ec2:StartInstances"}
    state = ec2.describe_instances(InstanceIds=[id_])["Reservations"][0]["Instances"][0]["State"]["Name"]
    assert state == "running"
    assert bursar("audit", "list", "-f", "json").out == before


def test_a_read_that_is_denied(bursar, site, account):
    """The call that is missing is named, with where, and how to allow it; status 3."""
    account.faults({"ec2:DescribeInstances": {"denied": True}})
    ran = bursar("doctor", "-f", "json")
    state, says, mend = next(
        (c["state"], c["says"], c["mend"]) for c in examined(ran)["AWS", "reading"] if c["state"] != "well"
    )
    assert ran.status == 3
    assert state == "cannot be read"
    assert says == "ec2:DescribeInstances denied (UnauthorizedOperation): aws.ec2.instance in us-east-1"
    assert "bursar iam read" in mend


def test_a_detail_that_is_denied(bursar, site, account):
    """A call about single resources, which a listing does not show to be missing, is tried too."""
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    for number in range(5):
        s3.create_bucket(Bucket=f"bucket-{number}")
    s3.close()
    account.faults({"s3:GetBucketTagging": {"denied": True}})
    account.calls()
    ran = bursar("doctor", "-f", "json")
    assert "s3:GetBucketTagging denied (AccessDenied): aws.s3.bucket in us-east-1" in ran.out
    assert account.calls().count("s3:GetBucketTagging") == 2


def test_an_act_that_is_denied(bursar, site, account, ec2):
    """EC2 itself says what the role that acts may not do, without it being done."""
    id_ = machine(ec2)
    account.faults({"ec2:StopInstances": {"denied": True}})
    ran = bursar("doctor", "-f", "json")
    said = {c["says"]: c["state"] for c in examined(ran)["AWS", "dry runs"]}
    assert said[f"ec2:StopInstances would be refused on {id_} (UnauthorizedOperation)"] == "cannot be read"
    assert ran.status == 3


def test_a_role_that_cannot_be_assumed(bursar, site, account):
    """The role that acts has to trust whoever runs Bursar."""
    account.faults({"sts:AssumeRole": {"denied": True}})
    state, says, mend = one(examined(bursar("doctor", "-f", "json")), "AWS", "acting in 123456789012")
    assert (state, says) == (
        "cannot be read",
        "the role BursarAct of account 123456789012 cannot be assumed (AccessDenied)",
    )
    assert "docs/how-to/acting.md" in mend


def test_permissions_that_iam_may_not_be_asked_of(bursar, site):
    """Where IAM cannot be asked, that is not checked, and said so: never taken for a yes."""
    state, says, mend = one(examined(bursar("doctor", "-f", "json")), "AWS", "permissions in 123456789012")
    assert state == "not checked"
    assert "IAM cannot be asked" in says
    assert "iam:SimulatePrincipalPolicy" in mend


def test_without_credentials(bursar, site, account):
    """Nothing else of AWS is asked when it does not know us; what does not need it is still looked at."""
    account.faults({"sts:GetCallerIdentity": {"denied": True, "code": "InvalidClientTokenId"}})
    ran = bursar("doctor", "-f", "json")
    found = examined(ran)
    assert one(found, "AWS", "credentials")[0] == "cannot be read"
    assert [what for part, what in found if part == "AWS"] == ["credentials"]
    assert ("state", "reachable") in found
    assert ran.status == 3


def test_machines_that_send_nothing(bursar, site, ec2):
    """The share of machines with signals is told, with the names of the silent ones."""
    machine(ec2, "silent-1")
    machine(ec2, "silent-2")
    ran = bursar("doctor", "-f", "json")
    state, says, mend = one(examined(ran), "telemetry", "aws.ec2.instance")
    assert state == "cannot be read"
    assert says == "0 of 2 with GPUs (0%) send gpu.power and gpu.utilization; not silent-1, silent-2"
    assert "gpu-telemetry.md" in mend
    assert ran.status == 3


def test_no_state_yet(bursar, site):
    """Before the first run there is no state, which is a note; looking makes none."""
    found = examined(bursar("doctor", "-f", "json"))
    assert one(found, "state", "reachable")[0] == "note"
    assert one(examined(bursar("doctor", "-f", "json")), "state", "reachable")[0] == "note"


def test_a_region_that_is_misspelt(bursar, site, here):
    """It is told with the one that was meant; AWS may have more than the SDK knows, so that it is a note."""
    text = (here / "bursar.yaml").read_text(encoding="utf-8").replace("[us-east-1]", "[us-east1]")
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    found = one(examined(bursar("doctor", "-f", "json")), "AWS", "regions")
    assert found == ("note", "`us-east1` is no region that the SDK knows", "did you mean `us-east-1`?")


def test_folders_that_are_not_there(bursar, site, here):
    """A state and an anchor that no run could make are told before the first run fails; status 3."""
    config = (here / "bursar.yaml").read_text(encoding="utf-8").replace("anchor: ", "anchor: elsewhere/")
    (here / "bursar.yaml").write_text(f"{config}state: sqlite:///nowhere/bursar.db\n", encoding="utf-8")
    ran = bursar("doctor", "-f", "json")
    found = examined(ran)
    for what in ("reachable", "anchor"):
        state, says, mend = one(found, "state", what)
        assert (state, says.rpartition(": ")[2]) == ("cannot be read", "its folder is not there")
        assert mend.startswith("make it")
    assert ran.status == 3


def test_a_source_of_telemetry_that_does_not_answer(bursar, site, ec2, here):
    """It is told by its name and reason, and nobody is sent to install agents because of it."""
    machine(ec2)
    config = (here / "bursar.yaml").read_text(encoding="utf-8")
    telemetry = "telemetry: [{prometheus: {url: 'http://127.0.0.1:9/p', token_env: NOT_THERE}}]\n"
    (here / "bursar.yaml").write_text(config + telemetry, encoding="utf-8")
    ran = bursar("doctor", "-f", "json")
    found = examined(ran)
    state, says, mend = one(found, "telemetry", "prometheus 127.0.0.1:9/p")
    assert (state, says) == ("cannot be read", "127.0.0.1:9/p: the variable NOT_THERE is not set")
    assert "docs/how-to/gpu-telemetry.md" in mend
    assert one(found, "telemetry", "aws.ec2.instance")[2] == "first mend the source of telemetry above"
    assert ran.status == 3


def test_a_state_that_was_put_back(bursar, site, here):
    """A state that ends before what was anchored is told."""
    bursar("run")
    backup = (here / "bursar.db").read_bytes()
    bursar("run")
    for path in here.glob("bursar.db-*"):
        path.unlink()
    (here / "bursar.db").write_bytes(backup)
    state, says, _ = one(examined(bursar("doctor", "-f", "json")), "state", "anchor")
    assert state == "cannot be read"
    assert "older" in says or "ends" in says


@pytest.mark.parametrize(("mode", "state", "status"), [("approve", "wrong", 2), ("report", "note", 0)])
def test_nobody_can_approve(bursar, site, here, mode, state, status):
    """A group without members is wrong where something is asked, and a note where nothing is."""
    site(mode, policies=POLICIES.replace("@ml-leads", "@nobody"))
    bursar("run")
    ran = bursar("doctor", "-f", "json")
    found = one(examined(ran), "approvers", "@nobody")
    assert found[:2] == (state, "no members: nobody can approve what stop-idle-gpus would do")
    assert ran.status == status


def test_a_configuration_that_cannot_be_used(bursar, site, here):
    """It is the one thing that is told, with its place."""
    (here / "bursar.yaml").write_text("version: 1\nmax_mod: report\n", encoding="utf-8")
    ran = bursar("doctor")
    assert ran.status == 2
    assert "bursar.yaml:2:1" in ran.out
    assert "did you mean `max_mode`" in ran.out


def test_the_table(bursar, site, here, monkeypatch):
    """What is well takes a line; what is not says on the next one how to mend it."""
    monkeypatch.setenv("COLUMNS", "120")
    text = bursar("doctor").out
    assert "✓  configuration  files" in text
    assert "→ `bursar run` makes it" in text
    assert text.rstrip().splitlines()[-1].startswith("All well.")
    assert max(map(len, text.splitlines())) <= 120


# --- Slack ---------------------------------------------------------------------------------------


class Scoped(Workspace):
    """A workspace that says what the token allows, and which channels the app is in."""

    scopes = "chat:write,chat:write.public,usergroups:read,users:read,users:read.email,channels:read,groups:read"
    member = ("gpu-approvals",)

    def answer(self, method, arguments, token):
        status, headers, body = super().answer(method, arguments, token)
        if method == "auth.test" and body.get("ok"):
            headers = {**headers, "X-OAuth-Scopes": self.scopes}
        if method == "users.conversations":
            channels = [{"id": self.channels[name], "name": name} for name in self.member]
            return 200, {}, {"ok": True, "channels": channels, "response_metadata": {"next_cursor": ""}}
        return status, headers, body


@pytest.fixture
def workspace():
    made = Scoped(lambda: datetime.now(UTC))
    made.add_user("U0MIRA", "Mira Osei", "mira@example.com")
    made.add_group("S0OPS", "ops", "U0MIRA")
    made.add_group("S0EMPTY", "empty")
    made.add_channel("gpu-approvals")
    made.add_channel("ml-costs")
    with running_slack(made):
        yield made


@pytest.fixture
def slack(site, workspace, monkeypatch, bursar):
    """The same site with Slack, whose state is there; returns how to look at it."""
    monkeypatch.setenv("SLACK_TOKEN", TOKEN)

    def look(team=TEAM, approvers="@ops"):
        config = (
            f"slack: {{token: 'env:SLACK_TOKEN', team: {team}, app: {APP}, channel: '#ml-costs', "
            f"address: '{workspace.address}'}}\n"
        )
        site(config=config, policies=POLICIES.replace("@ml-leads", approvers))
        bursar("run")
        return bursar("doctor", "-f", "json")

    return look


def test_slack_is_well(slack, workspace):
    """The app, its scopes and the groups are there; a channel it is not in is a note."""
    ran = slack()
    found = examined(ran)
    assert one(found, "Slack", "app")[:2] == ("well", f"bursar in {TEAM}")
    assert one(found, "Slack", "scopes")[0] == "well"
    assert one(found, "Slack", "channels")[:2] == ("note", "the app is not in #ml-costs")
    assert one(found, "approvers", "policies that ask")[0] == "well"
    assert ran.status == 0


def test_a_channel_that_the_app_is_not_in(slack, workspace):
    """Without the scope for public channels it can say nothing there."""
    workspace.scopes = workspace.scopes.replace("chat:write.public,", "")
    ran = slack()
    state, says, mend = one(examined(ran), "Slack", "channels")
    assert (state, says) == ("cannot be read", "the app is not in #ml-costs")
    assert mend == "invite the app: `/invite @bursar`"
    assert ran.status == 3


def test_scopes_that_are_missing(slack, workspace):
    """They are named."""
    workspace.scopes = "chat:write,users:read"
    ran = slack()
    assert one(examined(ran), "Slack", "scopes")[:2] == (
        "cannot be read",
        "the app lacks channels:read, groups:read, usergroups:read, users:read.email",
    )  # fmt: skip
    assert one(examined(ran), "Slack", "channels")[0] == "not checked"
    assert ran.status == 3


def test_a_token_of_another_workspace(slack):
    """It is wrong in the configuration."""
    ran = slack(team="T0OTHER")
    assert one(examined(ran), "Slack", "app")[:2] == ("wrong", f"the token is of {TEAM}, and T0OTHER is configured")
    assert ran.status == 2


def test_an_empty_group_of_slack(slack):
    """A user group without members is nobody."""
    ran = slack(approvers="@empty")
    assert one(examined(ran), "approvers", "@empty")[0] == "wrong"
    assert ran.status == 2


def test_slack_that_refuses_the_token(slack, workspace):
    """It is told with what to do, and the token is not."""
    workspace.errors["auth.test"] = "token_revoked"
    ran = slack()
    state, says, mend = one(examined(ran), "Slack", "app")
    assert (state, says) == ("cannot be read", "Slack refused `auth.test`: token_revoked")
    assert mend.startswith("the token is not valid: copy it from the app again")
    assert TOKEN not in ran.out + ran.err


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ([], 0), ([State.WELL, State.NOTE, State.SKIPPED], 0), ([State.WELL, State.UNREAD], 3),
        ([State.UNREAD, State.WRONG], 2), ([State.WRONG], 2),
    ],
)  # fmt: skip
def test_statuses(states, status):
    """What is wrong in the configuration comes before what cannot be read."""
    assert exit_status_of(Check("p", "w", state, "") for state in states) == status


@pytest.mark.parametrize(("off", "state"), [(0, "well"), (30, "well"), (-30, "well"), (31, "wrong"), (-31, "wrong")])
def test_clocks(off, state):
    """Half a minute is what a run bears, in both directions."""
    assert skew("AWS", NOW + timedelta(seconds=off), NOW, "AWS's clock").state.value == state


def test_accounts_that_cannot_be_entered(bursar, site, account, here):
    """Of other accounts that are to be read, those that do not let us in are named."""
    config = CONFIG.replace("MODE", "report").replace(
        "  regions: [us-east-1]\n", '  regions: [us-east-1]\n  role: BursarRead\n  accounts: ["111122223333"]\n'
    )
    (here / "bursar.yaml").write_text(config, encoding="utf-8")
    found = examined(bursar("doctor", "-f", "json"))
    assert one(found, "AWS", "other accounts")[:2] == ("well", "1 of 1 can be entered")
    account.faults({"sts:AssumeRole": {"denied": True}})
    state, says, mend = one(examined(bursar("doctor", "-f", "json")), "AWS", "other accounts")
    assert (state, says) == ("cannot be read", "sts:AssumeRole denied (AccessDenied): 111122223333")
    assert "BursarRead" in mend
