"""The scheduled run, called as EventBridge calls it, on the emulated account with its state in DynamoDB."""

import json

import pytest

from bursar.lambdas import schedule
from engine.errors import ConfigError
from engine.state.store import StateError
from tests.bursar.lambdas.events import scheduled


def metrics(out):
    """Return the figures of the one line of metrics."""
    (line,) = [json.loads(line) for line in out.splitlines() if line.startswith('{"_aws"')]
    return line


def test_a_run_acts_and_tells(function, context, blocked, capsys):
    """What is due is carried out, and the figures are in the log as metrics of the function."""
    done = schedule.handler(scheduled(), context())
    assert {key: done[key] for key in ("status", "findings", "warned", "acted", "failed", "held", "gaps")} == {
        "status": 0, "findings": 2, "warned": 2, "acted": 2, "failed": 0, "held": [], "gaps": [],
    }  # fmt: skip
    assert blocked("first")
    assert blocked("second")
    line = metrics(capsys.readouterr().out)
    assert (line["Function"], line["Runs"], line["Findings"], line["Acted"]) == ("bursar-run", 1, 2, 2)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Bursar"
    assert {metric["Name"] for metric in directive["Metrics"]} == set(line) - {"_aws", "Function"}


def test_what_was_done_is_not_done_again(function, context, account):
    """The next invocation remembers, through DynamoDB."""
    schedule.handler(scheduled(), context())
    account.calls()
    again = schedule.handler(scheduled(), context())
    assert (again["status"], again["acted"]) == (0, 0)
    assert [call for call in account.calls() if call.startswith("s3:Put")] == []


def test_no_act_is_begun_near_the_end(function, context, blocked):
    """With less time than is kept back findings are kept and warned of, and the next run carries them out."""
    done = schedule.handler(scheduled(), context([900] * 3 + [119]))
    assert (done["status"], done["acted"], done["warned"]) == (4, 0, 2)
    assert done["held"] == ["close-buckets: the function has 119 s left, and keeps 120 s back"]
    assert not blocked("first")
    again = schedule.handler(scheduled(), context())
    assert (again["status"], again["acted"]) == (0, 2)


def test_it_stops_between_two_acts(function, context, blocked):
    """The act at hand is finished and written down; the second is not begun."""
    reads, acts = 3, 1
    done = schedule.handler(scheduled(), context([900] * (reads + acts) + [60]))
    assert (done["acted"], len(done["held"])) == (1, 1)
    assert sorted((blocked("first"), blocked("second"))) == [False, True]
    assert schedule.handler(scheduled(), context())["acted"] == 1


def test_an_estate_that_takes_too_long_is_not_judged(function, context):
    """Where time is over before everything was read, nothing is concluded, and the lease is given back."""
    with pytest.raises(StateError, match="run-stopped"):
        schedule.handler(scheduled(), context([10]))
    assert schedule.handler(scheduled(), context())["acted"] == 2


def test_another_run_is_at_work(function, context, capsys):
    """A run that finds the lease taken says so, and that is no error."""
    from datetime import UTC, datetime, timedelta

    from bursar.lambdas.place import configured
    from bursar.stores import open_store

    with configured() as (_, setup), open_store(setup.config) as store:
        lease = store.acquire("run", "somebody", timedelta(minutes=5), datetime.now(UTC))
        assert schedule.handler(scheduled(), context()) == {"status": 4, "reason": "another run is at work"}
        store.release(lease)
    assert metrics(capsys.readouterr().out)["Skipped"] == 1


def test_a_throttled_store_is_waited_for(function, context, account):
    """Calls of the store that are throttled are made again."""
    schedule.handler(scheduled(), context())
    account.faults({"dynamodb:*": {"throttled": True, "times": 2}})
    assert schedule.handler(scheduled(), context())["status"] == 0


def test_a_store_that_cannot_be_used(function, context, account, blocked):
    """Without its memory a run ends before anything is done, as an error that an alarm sees; the next goes on."""
    account.faults({"dynamodb:*": {"denied": True}})
    with pytest.raises(StateError, match="state-unavailable"):
        schedule.handler(scheduled(), context())
    account.faults({})
    assert not blocked("first")
    assert schedule.handler(scheduled(), context())["acted"] == 2


def test_an_event_chooses_nothing(function, context, blocked):
    """Neither policies nor modes come from the event: whoever may invoke the function decides when, and not what."""
    (function / "config" / "bursar.yaml").write_text("version: 1\naws: {regions: [us-east-1]}\n", encoding="utf-8")
    done = schedule.handler({"max_mode": "enforce", "config": "/etc", "policies": ["pack:all"]}, context())
    assert (done["status"], done["findings"], done["acted"]) == (0, 2, 0)
    assert not blocked("first")


@pytest.mark.parametrize("event", [None, [], "run", 7, {}, {"do": ["plan"]}])
def test_odd_events_are_runs(function, context, event):
    """Whatever a schedule was set up to send, it is a run."""
    assert schedule.handler(event, context())["findings"] == 2


def test_a_plan_changes_nothing(function, context, account):
    """A plan is returned, and neither the account nor the state is written to."""
    account.calls()
    done = schedule.handler({"do": "plan"}, context())
    assert (done["status"], len(done["plan"]["findings"]), len(done["plan"]["steps"])) == (0, 2, 2)
    assert [call for call in account.calls() if call.startswith("dynamodb:") or ":Put" in call] == []


# --- configuration -------------------------------------------------------------------------------


def test_configuration_from_s3(function, context, client, monkeypatch):
    """`BURSAR_CONFIG` may name a prefix: what lies there is read by each run."""
    s3 = client("s3")
    s3.create_bucket(Bucket="settings")
    for file in (function / "config").rglob("*.yaml"):
        s3.put_object(Bucket="settings", Key=f"bursar/{file.relative_to(function / 'config')}", Body=file.read_bytes())
    s3.put_object(Bucket="settings", Key="bursarother/bursar.yaml", Body=b"not: ours")
    monkeypatch.setenv("BURSAR_CONFIG", "s3://settings/bursar")
    first, second = (schedule.handler({"do": "plan"}, context())["plan"] for _ in range(2))
    assert len(first["findings"]) == 2
    assert first["policies_digest"] == second["policies_digest"]
    s3.delete_object(Bucket="settings", Key="bursar/policies/p.yaml")
    with pytest.raises(ConfigError, match="there are no policies"):
        schedule.handler({"do": "plan"}, context())


def test_configuration_from_parameters(function, context, client, monkeypatch):
    """So may a path of Parameter Store."""
    ssm = client("ssm")
    for file in (function / "config").rglob("*.yaml"):
        name = f"/bursar/config/{file.relative_to(function / 'config')}"
        ssm.put_parameter(Name=name, Value=file.read_text(encoding="utf-8"), Type="String")
    monkeypatch.setenv("BURSAR_CONFIG", "ssm:/bursar/config")
    assert len(schedule.handler({"do": "plan"}, context())["plan"]["findings"]) == 2


def test_files_that_lead_elsewhere(function, context, client, monkeypatch, tmp_path):
    """An object whose name would leave the folder is refused, and nothing is written."""
    s3 = client("s3")
    s3.create_bucket(Bucket="settings")
    s3.put_object(Bucket="settings", Key="c/bursar.yaml", Body=b"version: 1")
    s3.put_object(Bucket="settings", Key="c/a/../../../escaped.yaml", Body=b"x")
    monkeypatch.setenv("BURSAR_CONFIG", "s3://settings/c")
    with pytest.raises(ConfigError, match="leads elsewhere"):
        schedule.handler({"do": "plan"}, context())
    assert not list(tmp_path.rglob("escaped.yaml"))


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://no-such-bucket/x", "cannot be read .NoSuchBucket."),
        ("ssm:/nowhere", "nothing is there"),
        ("https://example.com/x", "neither"),
        ("elsewhere", "there is no bursar.yaml"),
    ],
)
def test_configuration_that_is_not_there(function, context, monkeypatch, address, words):
    """A configuration that cannot be found is an error that names it: never the defaults."""
    monkeypatch.setenv("BURSAR_CONFIG", address)
    with pytest.raises(ConfigError, match=words):
        schedule.handler(scheduled(), context())


def test_a_file_is_no_state(function, context, monkeypatch):
    """Without a store the run is refused: what it remembered would be lost with the function."""
    monkeypatch.delenv("BURSAR_STATE")
    with pytest.raises(ConfigError, match="a function keeps no files"):
        schedule.handler(scheduled(), context())


def test_the_state_of_the_configuration_is_taken(function, context, monkeypatch, client):
    """`BURSAR_STATE` is for configurations that name no state."""
    config = function / "config" / "bursar.yaml"
    config.write_text(f"{config.read_text()}state: dynamodb://its-own?region=us-east-1\n", encoding="utf-8")
    schedule.handler(scheduled(), context())
    assert client("dynamodb").list_tables()["TableNames"] == ["its-own"]
