"""What holds for every action on AWS, tried on the emulated account."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from actions.catalog import actions, remediations
from bursar.wiring import nobody
from engine.acting.action import ActError, Effect, Ready, Refused
from engine.acting.outcomes import intend
from engine.acting.outcomes import target_of as kept_target
from engine.acting.ports import LEASE, TTL, Ports, Tenure
from engine.findings import Subject
from engine.plan import Step
from engine.policy.model import Mode
from engine.state.records import ActionRecord, FindingRecord, Held, Status, put, restored
from engine.state.store import Table
from engine.values import Reason, Unknown
from integrations.aws.permissions import action_of
from tests.actions.aws.plants import CASES, Case
from tests.engine.state.fakes import MemoryStore

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
READS = ("Describe", "Get", "List", "AssumeRole")
UNDOABLE = [case for case in CASES if case.undoable]


def is_read(call: str) -> bool:
    return call.partition(":")[2].startswith(READS)


def ready(action, target):
    """Return the target with the state before, as the store gives it back: through JSON."""
    answer = action.check(target)
    assert isinstance(answer, Ready), answer
    return replace(target, inverse=json.loads(json.dumps(answer.inverse)))


def done(action, target) -> None:
    """Do it, in as many tries as it takes."""
    for _ in range(3):
        try:
            return action.do(target)
        except ActError as error:
            if not error.retryable:
                raise
    raise AssertionError("three tries were not enough")


def remembered(target, remediation):
    """Return the target as a later run knows it: by what the intent wrote down and nothing else."""
    store, resource = MemoryStore(), target.resource
    ports = Ports(store, {}, None, None, lambda: NOW, "run")
    subject = Subject(resource.uid, resource.kind, resource.id, resource.name, resource.account, resource.region)
    step = Step(
        "f-1", "f", "p", remediation, "", subject, Mode.ENFORCE, Mode.ENFORCE, reversible=True, undo="",
        grace=timedelta(0), approval=None, savings=Unknown(Reason.NOT_COLLECTED), fingerprint="",
        parameters=target.parameters,
    )  # fmt: skip
    finding = FindingRecord("f", "p", subject, Status.DUE, NOW)
    store.commit([put(finding, 0)])
    tenure = Tenure(ports, store.acquire(LEASE, "run", TTL, NOW))
    id_ = intend(step, Held(finding, 1), target, True, ports, tenure).action.record.id
    return kept_target(restored(ActionRecord, store.get(Table.ACTION, id_)).record)


def test_every_remediation_has_its_actions():
    """What a policy may ask for can be carried out on every kind it may be asked for, and nothing else can."""
    declared = {(name, kind) for name, found in remediations().items() for kind in found.kinds}
    assert set(actions(nobody)) == declared


def test_every_action_is_tried_here():
    """It is tried on each pair of remediation and kind; of tags and jobs on some kinds of each service."""
    tried = {(case.remediation, case.kind) for case in CASES}
    lacking = {key for key in actions(nobody) if key not in tried and key[0] not in ("tag", "stop_job")}
    assert lacking == set()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_check_only_reads(case: Case, aws, table, target_of):
    """A check changes nothing, and says what was there before."""
    target = target_of(case)
    aws.calls()
    answer = table[case.remediation, case.kind].check(target)
    calls = aws.calls()
    assert isinstance(answer, Ready), answer
    assert json.loads(json.dumps(answer.inverse)) == answer.inverse
    assert calls
    assert [call for call in calls if not is_read(call)] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_done_and_seen(case: Case, aws, clients, table, target_of):
    """Before the act its effect is absent, after it it is there, and the resource is changed."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    before = case.state(clients, target.resource)
    assert action.verify(target) is Effect.ABSENT
    aws.calls()
    done(action, target)
    changing = {call for call in aws.calls() if not is_read(call)}
    assert changing <= set(case.calls)
    assert changing
    assert action.verify(target) is Effect.DONE
    assert case.state(clients, target.resource) != before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_second_try_has_no_second_effect(case: Case, aws, clients, table, target_of):
    """With the same token nothing is made twice, and what is there afterwards is what the first try left."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    done(action, target)
    left = case.state(clients, target.resource)
    made = made_things(clients)
    done(action, target)
    assert case.state(clients, target.resource) == left
    assert made_things(clients) == made
    assert action.verify(target) is Effect.DONE


def made_things(clients) -> tuple[int, int]:
    """Return how many snapshots and images there are."""
    ec2 = clients("ec2")
    return (
        len(ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]),
        len(ec2.describe_images(Owners=["self"])["Images"]),
    )


@pytest.mark.parametrize("case", UNDOABLE, ids=str)
def test_do_then_undo_is_before(case: Case, clients, table, target_of):
    """Undone, the resource is as it was, and undoing twice is undoing once."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    before = case.state(clients, target.resource)
    done(action, target)
    for _ in range(2):
        action.undo(target)
        assert action.undone(target) is Effect.DONE
        assert case.state(clients, target.resource) == before


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_later_run_sees_the_same(case: Case, aws, clients, table, target_of):
    """What was written down before the call is enough to see whether it had its effect, and to undo it."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    before = case.state(clients, target.resource)
    later = remembered(target, case.remediation)
    assert action.verify(later) is Effect.ABSENT
    done(action, target)
    assert action.verify(later) is Effect.DONE
    if case.undoable:
        action.undo(later)
        assert action.undone(later) is Effect.DONE
        assert case.state(clients, target.resource) == before


@pytest.mark.parametrize("case", [case for case in CASES if not case.undoable], ids=str)
def test_what_cannot_be_undone_says_so(case: Case, table, target_of):
    """An irreversible act is labelled as one, and its undoing is refused."""
    assert not remediations()[case.remediation].reversible
    with pytest.raises(ActError) as caught:
        table[case.remediation, case.kind].undo(target_of(case))
    assert caught.value.problems[0].code == "irreversible"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_holds_already_is_settled(case: Case, table, target_of):
    """Where what the act is for holds already, or the resource is gone, nothing is to be done."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    done(action, target)
    answer = action.check(target)
    assert isinstance(answer, Refused)
    assert answer.settled or "exist" in answer.reason


@pytest.mark.parametrize("case", [c for c in CASES if not c.outlives and c.remove.__name__ != "nothing"], ids=str)
def test_what_is_gone_is_refused(case: Case, clients, table, target_of):
    """A resource that somebody deleted since is refused, by its check and by what is seen of it."""
    action = table[case.remediation, case.kind]
    planted = target_of(case)
    target = ready(action, planted)
    case.remove(clients, target.resource)
    answer = action.check(target)
    assert isinstance(answer, Refused), answer
    assert action.verify(target) in (Effect.GONE, Effect.DONE, Effect.PENDING)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_denied_call_is_not_tried_again(case: Case, aws, table, target_of):
    """A role that may not make the call gets an error that says which, and that time does not end."""
    action = table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    aws.faults({call: {"denied": True} for call in case.calls})
    with pytest.raises(ActError) as caught:
        action.do(target)
    assert (caught.value.problems[0].code, caught.value.retryable) == ("act-denied", False)
    assert "denied" in caught.value.problems[0].message


@pytest.mark.parametrize("case", {case.calls[-1].partition(":")[0]: case for case in CASES}.values(), ids=str)
def test_a_throttled_call_is_made_once_and_may_be_tried_again(case: Case, aws, own_table, target_of):
    """The SDK does not repeat a call that changes something: the error says that a later try may go through."""
    action = own_table[case.remediation, case.kind]
    target = ready(action, target_of(case))
    aws.faults({call: {"throttled": True} for call in case.calls})
    aws.calls()
    with pytest.raises(ActError) as caught:
        action.do(target)
    assert caught.value.retryable
    assert len([call for call in aws.calls() if call in case.calls]) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_call_is_declared(case: Case, aws, table, target_of):
    """Whatever check, do, verify and undo call is on the action's own list of permissions."""
    action = table[case.remediation, case.kind]
    target = target_of(case)
    aws.calls()
    target = ready(action, target)
    done(action, target)
    action.verify(target)
    if case.undoable:
        action.undo(target)
        action.undone(target)
    made = {action_of(*called.split(":")) for called in aws.calls()} - {"sts:AssumeRole", "sts:GetCallerIdentity"}
    assert made <= action.permissions


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_account_that_is_not_listed_is_refused(case: Case, aws, table, target_of):
    """Nothing is even asked about a resource of an account that may not be acted on."""
    target = target_of(case)
    foreign = replace(target, resource=replace(target.resource, account="210987654321"))
    aws.calls()
    answer = table[case.remediation, case.kind].check(foreign)
    assert isinstance(answer, Refused)
    assert "aws.act.accounts" in answer.reason
    assert aws.calls() == []
