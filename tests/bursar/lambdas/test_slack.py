"""The endpoint behind the Function URL, with events as Lambda sends them and a Slack workspace on loopback."""

import json
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from bursar.lambdas import deferred, schedule
from bursar.lambdas.desk import open_answering
from bursar.lambdas.kept import Kept
from bursar.lambdas.slack import Door
from engine.errors import ConfigError
from engine.state.store import StateError
from tests.bursar.lambdas.conftest import CONFIG, POLICIES
from tests.bursar.lambdas.events import clicked, scheduled

MIRA = "U0MIRA"


@pytest.fixture
def workspace():
    made = Workspace(lambda: datetime.now(UTC))
    made.add_user(MIRA, "Mira Osei", "mira@example.com")
    made.add_group("S0MLLEADS", "ml-leads", MIRA)
    made.add_channel("gpu-approvals")
    made.add_channel("ml-costs")
    with running_slack(made):
        yield made


@pytest.fixture
def asking(function, workspace, client):
    """A function whose policy asks before it acts, its secrets in Secrets Manager and Parameter Store."""
    policies = POLICIES.replace("mode: enforce", "mode: approve").replace(
        "remediate:", 'approval: {channel: "#gpu-approvals", approvers: ["@ml-leads"]}\n    remediate:'
    )
    (function / "config" / "policies" / "p.yaml").write_text(policies, encoding="utf-8")
    slack = (
        f"slack: {{token: 'secretsmanager:bursar/slack#token', signing_secret: ssm:/bursar/signing, team: {TEAM}, "
        f"app: {APP}, channel: '#ml-costs', address: '{workspace.address}'}}\n"
    )
    (function / "config" / "bursar.yaml").write_text(CONFIG + slack, encoding="utf-8")
    client("secretsmanager").create_secret(Name="bursar/slack", SecretString=json.dumps({"token": TOKEN}))
    client("ssm").put_parameter(Name="/bursar/signing", Value=SECRET, Type="SecureString")
    return function


@pytest.fixture
def door():
    """A warm function, and what it handed over."""
    errands = []
    made = Door(Kept(open_answering), errands.append)
    made.errands = errands
    yield made
    made.answering.close()


def click(workspace, action="bursar-approve", which=0, **changed):
    """Return the event of a click on a question, signed as Slack signs."""
    asked = [key for key, message in workspace.messages.items() if "actions" in json.dumps(message["blocks"])]
    signed = workspace.signed(workspace.payload(*asked[which], action, MIRA))
    headers = {name.lower(): value for name, value in signed.headers.items()}
    return clicked(signed.body, headers={**headers, **changed.pop("headers", {})}, **changed)


def test_a_click_is_carried_out(asking, workspace, door, context, blocked):
    """From the scheduled question over the click, in base64, to the deferred act and the message that tells of it."""
    assert schedule.handler(scheduled(), context())["asked"] == 2
    answer = door(click(workspace))
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (200, "", False)
    (errand,) = door.errands
    assert not blocked("first")
    assert not blocked("second")
    done = deferred.handler(json.loads(json.dumps(errand)), context())
    assert (done["status"], done["acted"]) == (0, 1)
    assert sorted((blocked("first"), blocked("second"))) == [False, True]


def test_the_same_event_again(asking, workspace, door, context, account):
    """Lambda and Slack may both say things twice: the click is refused, the errand does nothing again."""
    schedule.handler(scheduled(), context())
    event = click(workspace)
    door(event)
    assert door(event)["statusCode"] == 409
    (errand,) = door.errands
    deferred.handler(errand, context())
    account.calls()
    assert deferred.handler(errand, context())["acted"] == 0
    assert [call for call in account.calls() if call.startswith("s3:Put")] == []


def test_a_modal_is_opened_at_once(asking, workspace, door, context):
    """What has to be done within three seconds of the click is not left to another function."""
    schedule.handler(scheduled(), context())
    assert door(click(workspace, "bursar-deny"))["statusCode"] == 200
    assert len(workspace.views) == 1
    assert door.errands == []


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"headers": {"x-slack-signature": "v0=" + "0" * 64}}, 401),
        ({"headers": {"x-slack-request-timestamp": "1"}}, 401),
        ({"headers": {"x-slack-request-timestamp": "noon"}}, 401),
        ({"path": "/"}, 404),
        ({"path": "/slack/interactions/../admin"}, 404),
        ({"method": "GET"}, 405),
    ],
)
def test_what_is_refused(asking, workspace, door, context, changed, status):
    """A wrong signature, path or method is refused, and nothing is handed over."""
    schedule.handler(scheduled(), context())
    assert door(click(workspace, **changed))["statusCode"] == status
    assert door.errands == []


def test_a_body_that_is_not_encoded(asking, workspace, door, context):
    """The same bytes without base64 are the same request."""
    schedule.handler(scheduled(), context())
    assert door(click(workspace, encoded=False))["statusCode"] == 200


@pytest.mark.parametrize(
    "event",
    [
        None, [], {}, {"rawPath": "/slack/interactions"}, scheduled(),
        {**clicked(b"x"), "body": "not base64!"}, {**clicked(b"x"), "body": 7}, {**clicked(b"x"), "headers": None},
    ],
)  # fmt: skip
def test_odd_events(asking, door, context, event):
    """Whatever is no request is answered in the four hundreds."""
    schedule.handler(scheduled(), context())
    assert 400 <= door(event)["statusCode"] < 500


def test_a_missing_secret(asking, door, context, client, capsys):
    """A secret that is not there is told in the log, by its name; the stranger who asks is told nothing."""
    schedule.handler(scheduled(), context())
    client("ssm").delete_parameter(Name="/bursar/signing")
    answer = door(clicked(b"payload=%7B%7D"))
    assert (answer["statusCode"], answer["body"]) == (503, "Service Unavailable")
    said = capsys.readouterr().err
    assert "`slack.signing_secret`: ssm:/bursar/signing cannot be read (ParameterNotFound)" in said
    assert "[no-secret]" in said


def test_without_slack(function, door, context):
    """Where Slack is not configured there is no such page."""
    schedule.handler(scheduled(), context())
    assert door(clicked(b"x"))["statusCode"] == 404


def test_secrets_are_read_anew(asking, workspace, context, client):
    """A warm function notices a new signing secret after five minutes, and does not ask for it at every click."""
    schedule.handler(scheduled(), context())
    clock = [0.0]
    door = Door(Kept(open_answering, lambda: clock[0]), lambda _errand: None)
    assert door(click(workspace))["statusCode"] == 200
    client("ssm").put_parameter(Name="/bursar/signing", Value="new", Type="SecureString", Overwrite=True)
    clock[0] = 299
    assert door(click(workspace, "bursar-details"))["statusCode"] == 200
    clock[0] = 301
    assert door(click(workspace, which=1))["statusCode"] == 401
    door.answering.close()


def test_no_secret_is_shown(asking, door, context, capsys):
    """Neither what is kept nor what is answered shows a secret."""
    schedule.handler(scheduled(), context())
    answer = door(clicked(b"payload=%7B%7D"))
    shown = "".join((repr(door), repr(door.answering._found), repr(answer), *capsys.readouterr()))
    assert SECRET not in shown
    assert TOKEN not in shown


def test_a_click_that_cannot_be_handed_over(asking, workspace, context, capsys, blocked):
    """It is written down and acknowledged, and the next run counts it and acts."""
    schedule.handler(scheduled(), context())

    def failing(_errand):
        raise ConfigError.of("not-invoked", "the function bursar-deferred was not called (TooManyRequestsException)")

    door = Door(Kept(open_answering), failing)
    assert door(click(workspace))["statusCode"] == 200
    assert "not-invoked" in capsys.readouterr().err
    door.answering.close()
    assert schedule.handler(scheduled(), context())["acted"] == 1


# --- deferred ------------------------------------------------------------------------------------


def test_nothing_is_done_without_an_approval(asking, workspace, context, blocked):
    """Whoever may invoke the function can have nothing done that nobody has approved."""
    schedule.handler(scheduled(), context())
    id_ = next(iter(_approvals(context)))
    assert deferred.handler({"do": "act", "approval": id_}, context()) == {"status": 0, "acted": 0}
    assert not blocked("first")
    assert not blocked("second")


@pytest.mark.parametrize(
    "event", [{}, {"do": "run"}, {"do": "act"}, {"errand": "Nonsense"}, {"do": "act", "approval": "x"}]
)
def test_events_that_say_nothing(asking, context, event):
    """An event that is none of ours, or names an approval that is not there, is an error."""
    schedule.handler(scheduled(), context())
    with pytest.raises(ConfigError):
        deferred.handler(event, context())


def test_deferred_while_a_run_is_at_work(asking, workspace, door, context):
    """It fails, so that Lambda tries again."""
    from datetime import timedelta

    from bursar.lambdas.place import configured
    from bursar.stores import open_store

    schedule.handler(scheduled(), context())
    door(click(workspace))
    with configured() as (_, setup), open_store(setup.config) as store:
        lease = store.acquire("run", "somebody", timedelta(minutes=5), datetime.now(UTC))
        with pytest.raises(StateError, match="run-held"):
            deferred.handler(door.errands[0], context())
        store.release(lease)
    assert deferred.handler(door.errands[0], context())["acted"] == 1


def _approvals(context):
    from bursar.approving import approvals
    from bursar.lambdas.place import configured
    from bursar.stores import open_store

    with configured() as (_, setup), open_store(setup.config) as store:
        return [one.id for one in approvals(store)]


def test_what_is_kept_is_closed():
    """What was opened is closed before it is opened anew, and nothing is kept of an opening that failed."""
    clock, closed, opened = [0.0], [], []

    def make(stack: ExitStack) -> int:
        if len(opened) == 1:
            opened.append(None)
            raise ConfigError.of("bad-config", "not now")
        opened.append(len(opened))
        stack.callback(closed.append, opened[-1])
        return opened[-1]

    kept = Kept(make, lambda: clock[0])
    assert (kept.get(), kept.get(), closed) == (0, 0, [])
    clock[0] = 301
    with pytest.raises(ConfigError):
        kept.get()
    assert closed == [0]
    assert (kept.get(), closed) == (2, [0])
