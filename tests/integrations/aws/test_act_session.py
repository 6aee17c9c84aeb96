"""Sessions that act: in listed accounts alone, through a role of their own, and no call that no action declares."""

from types import SimpleNamespace

import pytest
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.model import ServiceModel

from bursar.wiring import declared
from engine.acting.action import ActError
from integrations.aws.act_session import ActSettings, NotDeclared, act_sessions, refuse_all_but
from integrations.aws.permissions import READ_ACTIONS, action_of
from integrations.aws.session import AwsSettings

ACCOUNT = "123456789012"
IAM_ONLY = frozenset({"ec2:CreateTags"})
"""Permissions that a call needs beside its own."""


@pytest.fixture
def settings(aws):
    return AwsSettings(("us-east-1",), endpoint_url=aws.endpoint, access_key=("a", "b"), connect_seconds=2)


@pytest.mark.parametrize("service", sorted({action.partition(":")[0] for action in declared()}))
def test_only_declared_calls_pass(service):
    """Of all that a service can do, what no action declares is refused before it is sent (T26)."""
    emitter = HierarchicalEmitter()
    refuse_all_but(declared())(SimpleNamespace(get_component=lambda _: emitter))
    model = ServiceModel(Loader().load_service_model({"es": "opensearch"}.get(service, service), "service-2"))
    passed = set()
    for name in model.operation_names:
        operation = model.operation_model(name)
        try:
            emitter.emit(f"before-call.{model.service_id.hyphenize()}.{name}", model=operation)
        except NotDeclared:
            continue
        passed.add(action_of(model.signing_name, name))
    assert passed == {action for action in declared() if action.partition(":")[0] == service}


def test_reading_and_acting_overlap_in_reads_alone():
    """No permission that changes anything is on the list of the role that reads."""
    shared = declared() & set(READ_ACTIONS)
    assert all(action.partition(":")[2].startswith(("Describe", "Get", "List")) for action in shared)


def test_a_call_that_no_action_declares_is_not_sent(aws, settings):
    """The session that may stop machines cannot make users or buckets, whatever its role may do."""
    with act_sessions(settings, ActSettings("BursarAct", "", (ACCOUNT,)), {"ec2:StopInstances"}) as sessions:
        session = sessions(ACCOUNT)
        aws.calls()
        for service, call in (
            ("iam", lambda client: client.create_user(UserName="u")),
            ("ec2", lambda client: client.terminate_instances(InstanceIds=["i-1"])),
            ("s3", lambda client: client.create_bucket(Bucket="bucket")),
        ):
            with pytest.raises(NotDeclared):
                call(session.client(service, "us-east-1"))
    assert aws.calls() == []


def test_an_account_has_to_be_listed(aws, settings):
    """Of an account that nobody listed not even the role is assumed (T24)."""
    with act_sessions(settings, ActSettings("BursarAct", "", (ACCOUNT,)), declared()) as sessions:
        aws.calls()
        with pytest.raises(ActError) as caught:
            sessions("210987654321")
    assert caught.value.problems[0].code == "account-not-listed"
    assert aws.calls() == []


def test_the_role_of_the_account_is_assumed_once(aws, settings):
    """Its session is opened when it is first asked for, and proved to be of that account."""
    with act_sessions(settings, ActSettings("BursarAct", "of-ours", (ACCOUNT,)), declared()) as sessions:
        assert sessions(ACCOUNT) is sessions(ACCOUNT)
        keys = sessions(ACCOUNT).clients.core.get_credentials()
        assert keys.access_key.startswith("ASIA")
    assert aws.calls() == ["sts:AssumeRole", "sts:GetCallerIdentity"]


def test_calls_are_paced_and_made_once(settings):
    """The SDK's token bucket slows down where AWS throttles, and repeats no call behind an action's back (T19)."""
    with act_sessions(settings, ActSettings("BursarAct", "", (ACCOUNT,)), declared()) as sessions:
        retries = sessions(ACCOUNT).client("ec2", "us-east-1").meta.config.retries
    assert retries == {"mode": "adaptive", "total_max_attempts": 1}


def test_a_role_that_cannot_be_assumed(aws, settings):
    """The error says which role of which account, and that time does not help."""
    aws.faults({"sts:AssumeRole": {"denied": True}})
    listed = ActSettings("BursarAct", "", (ACCOUNT,))
    with act_sessions(settings, listed, declared()) as sessions, pytest.raises(ActError) as caught:
        sessions(ACCOUNT)
    problem = caught.value.problems[0]
    assert (problem.code, caught.value.retryable) == ("act-denied", False)
    assert "BursarAct of account 123456789012" in problem.message


def test_secrets_are_in_no_message(settings):
    """Neither keys nor the external id can be read from a session's text (T54)."""
    with act_sessions(settings, ActSettings("BursarAct", "canary-id", (ACCOUNT,)), declared()) as sessions:
        keys = sessions(ACCOUNT).clients.core.get_credentials()
        text = f"{sessions!r} {sessions(ACCOUNT)!r} {sessions(ACCOUNT).clients!r} {keys!r}"
        assert keys.secret_key not in text
        assert keys.token not in text
        assert "canary-id" not in text
