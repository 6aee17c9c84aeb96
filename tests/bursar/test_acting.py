"""The verbs that act, from the command line to the emulated account and back."""

import json

import boto3
import pytest

from bursar.configuring import store_of
from bursar.operating import ask_undo, keep_act
from bursar.running import utc_now

POLICIES = """
version: 1
policies:
  - name: close-buckets
    description: Buckets that everybody can read.
    severity: critical
    resource: storage.bucket
    where: has(tags.team)
    rule: {when: not resource.public_access_blocked}
    mode: enforce
    grace: GRACE
    remediate: [block_public_access]
    limits: {max_share: 100%}
"""
CONFIG = """
version: 1
max_mode: MODE
policies: [p.yaml]
aws:
  regions: [us-east-1]
  act: {role: BursarAct, accounts: ["123456789012"]}
anchor: anchor.jsonl
"""


@pytest.fixture
def s3(account):
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    yield client
    client.close()


@pytest.fixture
def site(here, s3):
    """A configuration that may act, its policy, and two open buckets of a team and one of nobody."""

    def write(*, grace="0s", mode="enforce", policies=POLICIES):
        (here / "p.yaml").write_text(policies.replace("GRACE", grace), encoding="utf-8")
        (here / "bursar.yaml").write_text(CONFIG.replace("MODE", mode), encoding="utf-8")

    for name in ("first", "second"):
        make_bucket(s3, name, team="perception")
    make_bucket(s3, "nobodys")
    write()
    return write


def make_bucket(s3, name, **tags):
    s3.create_bucket(Bucket=name)
    if tags:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": pairs})


def blocked(s3, name):
    """Return whether the account says that public access to the bucket is blocked."""
    try:
        found = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    except s3.exceptions.ClientError:
        return False
    return all(found.values())


def report(ran):
    return json.loads(ran.out)


def test_nothing_is_done_by_default(bursar, site, s3, account):
    """With `max_mode: report`, which is the default, a run remembers findings and changes nothing."""
    site(mode="report")
    account.calls()
    ran = bursar("run", "-f", "json")
    assert ran.status == 0
    assert report(ran)["outcomes"] == []
    assert {change["status"] for change in report(ran)["changes"]} == {"open"}
    assert [c for c in account.calls() if not c.partition(":")[2].startswith(("Describe", "Get", "List", "Head"))] == []
    assert not blocked(s3, "first")


def test_warned_and_done_and_undone(bursar, site, s3):
    """Without a grace a finding is warned of and acted on in one run; undoing brings back what was there."""
    ran = bursar("run", "-f", "json")
    assert ran.status == 0
    assert ran.err.count("warning: close-buckets") == 2
    done = report(ran)
    assert {o["subject"]["name"]: o["result"] for o in done["outcomes"]} == {"first": "done", "second": "done"}
    assert blocked(s3, "first")
    assert blocked(s3, "second")
    assert not blocked(s3, "nobodys")
    assert bursar("undo", done["id"]).out.count("undone") == 2
    assert not blocked(s3, "first")
    assert not blocked(s3, "second")
    assert bursar("undo", done["id"]).status == 4
    assert bursar("audit", "verify").status == 0


def test_undone_by_the_next_run(bursar, site, s3):
    """What was asked to be undone where nothing may be done at once, the next run undoes, and says for whom."""
    done = report(bursar("run", "-f", "json"))
    acts = {outcome["subject"]["name"]: outcome["action"] for outcome in done["outcomes"]}
    with store_of(None) as store:
        for act in acts.values():
            ask_undo(store, act, "it was needed", utc_now(), "web:mira@example.com")
        keep_act(store, acts["second"], utc_now(), "web:mira@example.com")
    assert bursar("plan", "-o", "plan.json").status == 0
    assert bursar("apply", "plan.json").status == 0
    assert blocked(s3, "first")
    ran = bursar("run")
    assert ran.status == 0
    assert "UNDONE  as somebody asked" in ran.out
    assert f"{acts['first']}  first: block_public_access: undone, as web:mira@example.com asked" in ran.out
    assert "1 step undone." in ran.out
    assert not blocked(s3, "first")
    assert blocked(s3, "second")
    assert report(bursar("run", "-f", "json"))["undone"] == []
    actors = [json.loads(line)["actor"] for line in bursar("audit", "list", "--kind", "action.undone", "-f",
                                                           "jsonl").out.splitlines()]  # fmt: skip
    assert actors == ["web:mira@example.com"]


def test_an_undo_in_an_account_that_is_not_listed_any_more(bursar, site, s3, here):
    """Where nothing may be acted on any more, a wish to undo is refused, and told."""
    (act, *_) = [outcome["action"] for outcome in report(bursar("run", "-f", "json"))["outcomes"]]
    with store_of(None) as store:
        ask_undo(store, act, "it was needed", utc_now(), "web:mira@example.com")
    text = (here / "bursar.yaml").read_text(encoding="utf-8").replace("123456789012", "210987654321")
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    (undone,) = report(bursar("run", "-f", "json"))["undone"]
    assert undone["status"] == "refused"
    assert blocked(s3, "first")
    assert blocked(s3, "second")


def test_a_second_run_does_nothing_again(bursar, site, s3, account):
    """What was done is not done twice, and a run without news writes nothing but that it ran."""
    bursar("run")
    account.calls()
    again = report(bursar("run", "-f", "json"))
    assert again["outcomes"] == []
    assert not any(call.partition(":")[2].startswith("Put") for call in account.calls())
    third = report(bursar("run", "-f", "json"))
    assert third["changes"] == []


def test_the_grace_is_waited_for(bursar, site, s3):
    """With a grace there is a warning and no act."""
    site(grace="1h")
    ran = bursar("run", "-f", "json")
    assert report(ran)["outcomes"] == []
    assert len(report(ran)["warned"]) == 2
    assert report(bursar("run", "-f", "json"))["warned"] == []
    assert not blocked(s3, "first")


def test_a_freeze_stops_everything(bursar, site, s3):
    """While frozen nothing is done; findings and warnings go on, and unfreezing lets it be done."""
    assert bursar("freeze", "--reason", "audit").status == 0
    ran = bursar("run", "-f", "json")
    assert ran.status == 4
    assert all("frozen by" in one["reason"] and "audit" in one["reason"] for one in report(ran)["blocked"])
    assert not blocked(s3, "first")
    assert bursar("unfreeze", "--reason", "done").status == 0
    assert len(report(bursar("run", "-f", "json"))["outcomes"]) == 2


def test_an_account_must_be_listed(bursar, site, s3, here):
    """An account that is not listed is not acted on."""
    text = (here / "bursar.yaml").read_text(encoding="utf-8").replace("123456789012", "210987654321")
    (here / "bursar.yaml").write_text(text, encoding="utf-8")
    ran = bursar("run", "-f", "json")
    assert ran.status == 4
    assert {one["reason"] for one in report(ran)["blocked"]} == {
        "account 123456789012 is not listed under `aws.act.accounts` in bursar.yaml"
    }
    assert not blocked(s3, "first")


def test_exempt_and_snoozed(bursar, site, s3):
    """What is exempt or snoozed is left alone, and the rest is not."""
    site(grace="1h")
    found = {c["subject"]["name"]: c["finding"] for c in report(bursar("run", "-f", "json"))["changes"]}
    made = bursar(
        "exempt", found["first"], "--owner", "mira", "--reason", "a public data set", "--expires", "2027-06-30"
    )
    assert made.status == 0, made.err
    assert bursar("snooze", found["second"], "--for", "3d").status == 0
    ran = report(bursar("run", "-f", "json"))
    assert {c["subject"]["name"]: c["status"] for c in ran["changes"]} == {"first": "exempt", "second": "snoozed"}
    listed = bursar("exempt", "--list").out
    assert "a public data set" in listed
    assert bursar("exempt", "--withdraw", listed.split()[0]).status == 0
    again = report(bursar("run", "-f", "json"))
    assert {c["subject"]["name"]: c["status"] for c in again["changes"]} == {"first": "open"}


def test_a_finding_by_its_resource(bursar, site, s3, here):
    """The only finding of a resource may be named by it; of several each is shown with its id and policy."""
    site(grace="1h")
    bursar("run")
    assert bursar("snooze", "first", "--for", "3d").status == 0
    text = (here / "p.yaml").read_text(encoding="utf-8")
    other = text.partition("policies:")[2].replace("close-buckets", "close-again")
    (here / "p.yaml").write_text(f"{text}{other}", encoding="utf-8")
    bursar("run")
    ran = bursar("snooze", "second", "--for", "3d")
    assert ran.status == 2
    assert "2 findings are of `second`" in ran.err
    assert "(close-again)" in ran.err
    assert bursar("snooze", "nobodys", "--for", "3d").status == 2


def test_what_could_not_be_read_is_told(bursar, site, account):
    """A run that ends with status 3 says why, also where the scope was read and a part of a resource was not."""
    site(mode="report")
    account.faults({"s3:GetBucketTagging": {"denied": True}})
    ran = bursar("run")
    assert ran.status == 3
    assert "not read: first, nobodys, second (s3:GetBucketTagging denied (AccessDenied))" in ran.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("exempt",), "--owner, --reason and --expires are needed"),
        (("exempt", "--owner", "m", "--reason", "r", "--expires", "2026-12-31"), "exempt everything"),
        (("exempt", "--policy", "p", "--owner", "m", "--reason", "r", "--expires", "2099-12-31"), "within a year"),
        (("exempt", "--where", "tags.x = 1", "--owner", "m", "--reason", "r", "--expires", "2026-12-31"), "--where"),
        (("snooze", "0123456789", "--for", "3d"), "no finding"),
        (("snooze", "0123456789", "--for", "60d"), "30 days at most"),
        (("accept", "surge", "--reason", "r"), "there is no breaker `surge`"),
        (("undo", "nothing"), "nothing was done"),
    ],
)
def test_what_operators_get_wrong(bursar, site, arguments, words):
    """A mistake of an operator is told in a sentence, with status 2, and decides nothing."""
    ran = bursar(*arguments)
    assert ran.status == 2
    assert words in ran.err


def test_changes_of_what_decides_are_in_the_ledger(bursar, site):
    """The first run by other policies or another configuration says so; a run by the same ones does not."""
    bursar("run")
    bursar("run")

    def changes():
        ran = bursar("audit", "list", "--kind", "configuration.changed", "-f", "jsonl")
        return [json.loads(line)["body"] for line in ran.out.splitlines()]

    assert [set(body) for body in changes()] == [{"policies", "configuration", "max_mode"}]
    site(mode="notify")
    bursar("run")
    assert set(changes()[0]) == {"configuration", "max_mode"}
    assert changes()[0]["max_mode"] == "enforce -> notify"


# --- apply ---------------------------------------------------------------------------------------


def test_apply_does_exactly_the_plan(bursar, site, s3):
    """What came after the plan is not done."""
    assert bursar("plan", "-o", "plan.json").status == 0
    make_bucket(s3, "third", team="perception")
    ran = bursar("apply", "plan.json", "-f", "json")
    assert ran.status == 0, ran.err
    assert {o["subject"]["name"] for o in report(ran)["outcomes"]} == {"first", "second"}
    assert blocked(s3, "first")
    assert not blocked(s3, "third")


def test_apply_refuses_what_changed(bursar, site, s3):
    """A resource that is not as it was planned on is refused, and the others are done."""
    bursar("plan", "-o", "plan.json")
    pairs = [{"Key": "team", "Value": "perception"}, {"Key": "purpose", "Value": "web"}]
    s3.put_bucket_tagging(Bucket="first", Tagging={"TagSet": pairs})
    ran = bursar("apply", "plan.json", "-f", "json")
    assert ran.status == 4
    assert [s["reason"] for s in report(ran)["stale"]] == ["the resource or the policy changed since it was planned"]
    assert not blocked(s3, "first")
    assert blocked(s3, "second")


def test_apply_twice_is_once(bursar, site, account):
    """The second time everything is refused: it is not a violation any more."""
    bursar("plan", "-o", "plan.json")
    assert bursar("apply", "plan.json").status == 0
    account.calls()
    again = bursar("apply", "plan.json", "-f", "json")
    assert again.status == 4
    assert {s["reason"] for s in report(again)["stale"]} == {"it is not a violation any more"}
    assert not any(call.partition(":")[2].startswith("Put") for call in account.calls())


@pytest.mark.parametrize("damage", ["changed", "no json", "no plan", "other policies", "missing"])
def test_apply_wants_the_very_plan(bursar, site, s3, here, damage):
    """A file that is not what `plan -o` wrote for these policies is refused whole."""
    bursar("plan", "-o", "plan.json")
    file = here / "plan.json"
    text = file.read_text(encoding="utf-8")
    match damage:
        case "changed":
            file.write_text(text.replace('"name": "first"', '"name": "nobodys"'), encoding="utf-8")
        case "no json":
            file.write_text(text[:200], encoding="utf-8")
        case "no plan":
            file.write_text("{}", encoding="utf-8")
        case "other policies":
            site(grace="2h")
        case _:
            file.unlink()
    ran = bursar("apply", "plan.json")
    assert ran.status == (4 if damage == "other policies" else 2)
    assert not blocked(s3, "second")


def test_a_state_that_was_put_back(bursar, site, here, s3):
    """An older copy of the state is noticed by the anchor, and nothing is done with it."""
    site(grace="1h")
    bursar("run")
    copy = {name: (here / name).read_bytes() for name in ("bursar.db", "bursar.db-wal") if (here / name).exists()}
    bursar("run")
    for leftover in here.glob("bursar.db*"):
        leftover.unlink()
    for name, content in copy.items():
        (here / name).write_bytes(content)
    ran = bursar("run")
    assert ran.status == 4
    assert "an older state was put back" in ran.err


# --- approvals -----------------------------------------------------------------------------------

ASKS = POLICIES.replace(
    "mode: enforce",
    'mode: approve\n    approval: {channel: "#data", approvers: ["@data-leads"], quorum: 2, expires: 8h}',
)
PEOPLE = """
people:
  mira@example.com: {user: USER, aws: "arn:aws:sts::123456789012:user/moto"}
  tomas@example.com: {aws: "arn:aws:iam::123456789012:user/tomas"}
groups: {"@data-leads": [MEMBERS]}
"""


@pytest.fixture
def asking(site, here, bursar):
    """A site whose policy asks two of its data leads, after the run that asks."""
    import os
    import pwd

    site(policies=ASKS)
    # Whoever runs it, cron as a rule, is nobody's approver.
    ran = bursar("run", "-f", "json")
    assert ran.status == 0, ran.err
    assert report(ran)["outcomes"] == []

    def write(members="mira@example.com, tomas@example.com"):
        user = pwd.getpwuid(os.getuid()).pw_name
        text = (here / "bursar.yaml").read_text(encoding="utf-8").partition("people:")[0]
        people = PEOPLE.replace("USER", user).replace("MEMBERS", members)
        (here / "bursar.yaml").write_text(text.rstrip() + "\n" + people.lstrip(), encoding="utf-8")

    write()
    return write, {a["subject"]["name"]: a["id"] for a in json.loads(bursar("approvals", "list", "-f", "json").out)}


def test_two_have_to_agree(bursar, asking, s3):
    """A quorum counts people, not voices; only a whole quorum lets the next run act."""
    _, ids = asking
    assert set(ids) == {"first", "second"}
    first = bursar("approvals", "approve", ids["first"])
    assert first.status == 0, first.err
    assert "1 of 2 agreed" in first.out
    again = bursar("approvals", "approve", ids["first"])
    assert again.status == 4
    assert "has said so already" in again.out
    assert report(bursar("run", "-f", "json"))["outcomes"] == []
    # The same person by another door is still one person.
    assert "1 of 2 agreed" in bursar("approvals", "approve", ids["first"], "--identity", "aws").out
    assert report(bursar("run", "-f", "json"))["outcomes"] == []
    assert not blocked(s3, "first")


def test_nobody_approves_his_own(bursar, asking, s3):
    """Who asks by running it by hand cannot be the one who approves."""
    _, ids = asking
    s3.put_bucket_tagging(Bucket="first", Tagging={"TagSet": [{"Key": "team", "Value": "sim"}]})
    bursar("run")  # asks anew, as mira
    waiting = json.loads(bursar("approvals", "list", "-f", "json").out)
    (again,) = [one["id"] for one in waiting if one["subject"]["name"] == "first" and one["id"] != ids["first"]]
    ran = bursar("approvals", "approve", again)
    assert ran.status == 4
    assert "asked for it, and another has to approve" in ran.out


def test_a_no_ends_it(bursar, asking, s3):
    """One no denies; nothing is done, nobody is asked again, and both are in the ledger."""
    _, ids = asking
    assert bursar("approvals", "deny", ids["first"], "--reason", "it is a public data set").status == 0
    assert "denied already" in bursar("approvals", "approve", ids["first"]).out
    ran = report(bursar("run", "-f", "json"))
    assert (ran["outcomes"], ran["asked"]) == ([], [])
    assert "it is a public data set" in bursar("approvals", "show", ids["first"]).out
    assert "approval.no" in bursar("audit", "list").out
    assert bursar("audit", "verify").status == 0


def test_who_is_no_approver(bursar, asking):
    """Membership counts at the moment of the decision."""
    write, ids = asking
    write(members="tomas@example.com")
    ran = bursar("approvals", "approve", ids["first"])
    assert ran.status == 4
    assert "mira@example.com is not one of its approvers" in ran.out


def test_an_approval_does_not_outlive_a_change(bursar, asking, s3, here):
    """Approved, and then the resource changes: it is asked anew, and nothing is done."""
    _, ids = asking
    (here / "p.yaml").write_text(ASKS.replace("GRACE", "0s").replace("quorum: 2", "quorum: 1"), encoding="utf-8")
    bursar("run")
    ids = {a["subject"]["name"]: a["id"] for a in json.loads(bursar("approvals", "list", "-f", "json").out)}
    assert bursar("approvals", "approve", ids["first"]).status in (0, 4)
    s3.put_bucket_tagging(Bucket="first", Tagging={"TagSet": [{"Key": "team", "Value": "sim"}]})
    ran = report(bursar("run", "-f", "json"))
    assert [o["subject"]["name"] for o in ran["outcomes"]] == []
    assert not blocked(s3, "first")
