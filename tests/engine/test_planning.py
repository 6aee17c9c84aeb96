"""Verdicts to a plan: costs, steps, protection, order and what holds them back."""

import hashlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from actions.catalog import remediations
from engine.findings import Cost
from engine.ids import finding_id
from engine.model import Needs, Resource, Usage
from engine.plan import Hold
from engine.planning import PROTECT_TAG, Installation, fingerprint, run
from engine.policy.model import Mode
from engine.values import Reason, Unknown
from tests.engine.estates import (
    APPROVE,
    DENIED,
    GPU_HOUR,
    INSTANCE,
    NOTEBOOK,
    NOW,
    VOLUME,
    complete,
    context,
    expression,
    instance,
    plan,
    policies,
    policy,
)

RUNNING = f"resource: aws.ec2.instance\n    rule: resource.running\n    remediate: [stop]\n    {APPROVE}"
PARTLY = (
    "resource: aws.ec2.instance\n    idle: {for: 4h, below: {gpu.utilization: 5%}}\n    remediate: [stop]\n    "
    + APPROVE
)


def steps(found) -> list[str]:
    return [f"{step.subject.id} {step.remediation}" for step in found.steps]


# --- cost and savings


TAG = "{tag: {owner: unowned}}"


def notebook(**changes) -> Resource:
    usage = (
        Usage("aws.sagemaker.notebook:ml.g5.xlarge", Decimal(1), "hour"),
        Usage("aws.sagemaker.notebook.storage", Decimal(73), "GiB-month", "storage"),
    )
    found = Resource(NOTEBOOK, "n", "1", "us-east-1", fields={"running": True}, usage=usage)
    return replace(found, **changes)


def priced(remediate: str, resource: Resource):
    entry = f"resource: {resource.kind}\n    rule: true\n    remediate: [{remediate}]\n    {APPROVE}"
    (finding,) = plan(entry, [resource]).findings
    return finding


def hourly(answer) -> Decimal | Reason:
    return answer.hourly if isinstance(answer, Cost) else answer.reason


@pytest.mark.parametrize(("remediate", "savings"), [("stop", "3"), (TAG, "0"), (f"{TAG}, stop", "3")])
def test_a_stop_saves_compute_alone(remediate, savings):
    """The notebook costs $3 an hour and 73 GiB at $0.10 a month, a cent an hour; a stop leaves its disk."""
    finding = priced(remediate, notebook())
    assert (hourly(finding.cost), hourly(finding.savings)) == (Decimal("3.01"), Decimal(savings))


@pytest.mark.parametrize(("to", "savings"), [("0", Decimal(3)), ("1", Reason.NOT_COLLECTED)])
def test_scaling_saves_all_or_a_part(to, savings):
    """To nothing ends the charges of compute; to something ends a part, and no figure is made up for it."""
    finding = priced(f"{{scale: {{to: {to}}}}}", notebook(kind="aws.sagemaker.endpoint"))
    assert hourly(finding.savings) == savings


def test_a_stop_after_a_part_saves_all():
    """Where one remediation ends all of what another ends a part of, all of it is saved."""
    finding = priced("{resize: {to: g5.xlarge}}, stop", notebook(kind="aws.ec2.instance"))
    assert hourly(finding.savings) == Decimal(3)


def test_parameters_are_part_of_the_step():
    """A step carries what it was asked with, and is stale when that changes."""
    texts = [RUNNING.replace("[stop]", f"[{{resize: {{to: {to}}}}}]") for to in ("g5.xlarge", "g5.2xlarge")]
    steps = [plan(text, [instance("i-1")]).steps[0] for text in texts]
    assert [dict(step.parameters) for step in steps] == [{"to": "g5.xlarge"}, {"to": "g5.2xlarge"}]
    assert steps[0].fingerprint != steps[1].fingerprint


def test_a_deletion_saves_storage():
    """730 GiB at 8 cents are 8 cents an hour."""
    usage = (Usage("aws.ebs.gp3", Decimal(730), "GiB-month", "storage"),)
    finding = priced("snapshot_and_delete", Resource(VOLUME, "v", "1", "us-east-1", usage=usage))
    assert (hourly(finding.savings), finding.savings.monthly) == (Decimal("0.08"), Decimal("58.4"))


@pytest.mark.parametrize(
    ("usage", "cost", "savings"),
    [
        ((), Decimal(0), Decimal(0)),
        (DENIED, Reason.DENIED, Reason.DENIED),
        ((Usage("no.such.sku", Decimal(1), "hour"),), Reason.NOT_COLLECTED, Reason.NOT_COLLECTED),
        (
            (Usage(GPU_HOUR, Decimal(1), "hour"), Usage("no.such.sku", Decimal(1), "month", "storage")),
            Reason.NOT_COLLECTED,
            Decimal(1),
        ),
    ],
    ids=["free", "usage denied", "no price", "no price of the storage"],
)
def test_prices_that_are_not_known(usage, cost, savings):
    """An unknown part makes the cost unknown, and the savings only if it is among them."""
    finding = priced("stop", notebook(usage=usage))
    assert (hourly(finding.cost), hourly(finding.savings)) == (cost, savings)


def test_what_is_not_acted_on_saves_nothing():
    """A violation by one signal has neither remediation nor savings nor steps."""
    found = plan(PARTLY, [instance()])
    (finding,) = found.findings
    assert (finding.remediate, hourly(finding.savings), hourly(finding.cost)) == ((), Decimal(0), Decimal(1))
    assert (found.steps, found.withheld) == ((), ())


# --- steps


def test_step():
    """A step says what is done to whom, on whose word, and how it is undone."""
    entry = RUNNING + "\n    grace: 4h"
    found = plan(entry, [instance()])
    (step,), (finding,) = found.steps, found.findings
    assert step.id == f"{finding.id}-stop"
    assert (step.finding, step.policy, step.remediation) == (finding.id, "p0", "stop")
    assert (step.title, step.reversible) == (remediations()["stop"].title, True)
    assert (step.mode, step.wanted, step.grace) == (Mode.APPROVE, Mode.APPROVE, timedelta(hours=4))
    assert step.approval.approvers == ("@ml",)
    assert step.savings == finding.savings
    assert step.subject.owner == "ana"


@pytest.mark.parametrize("most", list(Mode))
@pytest.mark.parametrize("wanted", list(Mode))
def test_modes_are_capped(wanted, most):
    """The installation's word is the last; what the policy wanted stays visible."""
    entry = RUNNING.replace("mode: approve", f"mode: {wanted.value}")
    (step,) = plan(entry, [instance()], max_mode=most).steps
    assert step.wanted is wanted
    assert step.mode is min(wanted, most, key=list(Mode).index)


def test_a_fresh_installation_only_reports():
    """Without a word of the operator nothing goes beyond a report."""
    assert Installation(remediations()).max_mode is Mode.REPORT


def test_several_remediations():
    """They keep the policy's order."""
    found = plan(RUNNING.replace("[stop]", f"[stop, {TAG}]"), [instance("i-1"), instance("i-2")])
    assert [step.remediation for step in found.steps] == ["stop", "tag", "stop", "tag"]


def test_ids_are_stable():
    """The id is of the policy and the resource, and of nothing else."""
    uid = "aws.ec2.instance/111122223333/us-east-1/i-1"
    assert finding_id("p0", uid) == hashlib.sha256(b"p0\0" + uid.encode()).hexdigest()[:16]
    later = plan(RUNNING, [instance(tags={}, fields={"vcpus": 8})], context(NOW + timedelta(days=1)))
    assert later.findings[0].id == plan(RUNNING, [instance()]).findings[0].id == finding_id("p0", uid)


def test_hostile_ids():
    """Any text is an id."""
    found = plan(RUNNING, [instance("\ud800\0<b>")])
    assert len(found.steps) == 1


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        (instance(), True),
        (replace(instance(), metrics={}), True),
        (instance(fields={"launched": NOW}), False),
        (instance(tags={"owner": "ana"}), False),
        (instance("i-2"), False),
        (instance(fields={"vcpus": DENIED}), False),
    ],
    ids=["same", "telemetry", "launched", "tags", "id", "a field that is not known any more"],
)
def test_fingerprint_of_the_resource(changed, same):
    """A step is stale when what it rested on has changed, telemetry apart."""
    found = policy(RUNNING)
    assert (fingerprint(changed, found) == fingerprint(instance(), found)) is same


@pytest.mark.parametrize(
    "entry",
    [
        RUNNING.replace("resource.running", "resource.running and true"),
        RUNNING + "\n    where: resource.running",
        RUNNING + "\n    unless: resource.imdsv2",
        RUNNING.replace("[stop]", "[terminate]"),
    ],
)
def test_fingerprint_of_the_policy(entry):
    """It is stale too when the policy says something else."""
    assert fingerprint(instance(), policy(entry)) != fingerprint(instance(), policy(RUNNING))


# --- protection


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ({}, ""),
        ({PROTECT_TAG: "true"}, "protected by tag bursar/protect=true"),
        ({PROTECT_TAG: ""}, "protected by tag bursar/protect="),
        ({PROTECT_TAG: "no"}, "protected by tag bursar/protect=no"),
        ({PROTECT_TAG: "until friday"}, "protected by tag bursar/protect=until friday"),
        ({"Bursar/Protect": "yes"}, "protected by tag Bursar/Protect=yes"),
        ({PROTECT_TAG: "false", "BURSAR/PROTECT": "true"}, "protected by tag BURSAR/PROTECT=true"),
        ({PROTECT_TAG: "false"}, ""),
        ({PROTECT_TAG: " False "}, ""),
    ],
)
def test_protection_by_tag(tags, reason):
    """Any value but `false` protects, an empty one too; the violation is reported all the same."""
    found = plan(RUNNING, [instance(tags=tags)])
    assert len(found.findings) == 1
    assert [w.reason for w in found.withheld] == ([reason] if reason else [])
    assert len(found.steps) == (0 if reason else 1)


@pytest.mark.parametrize(("tags", "count"), [({}, 0), ({PROTECT_TAG: "false"}, 1), ({PROTECT_TAG: "true"}, 0)])
def test_tags_that_could_not_be_read(tags, count):
    """What may be protected is not touched, unless it is known not to be."""
    found = plan(RUNNING, [instance(tags=tags, gaps={"tags": DENIED})])
    assert len(found.steps) == count
    if not tags:
        (withheld,) = found.withheld
        assert withheld.reason == "its tags could not be read, so it is not known whether it is protected"
        assert (withheld.remediation, withheld.subject.id) == ("stop", "i-1")


@pytest.mark.parametrize(
    ("clauses", "reason"),
    [
        (['resource.account == "999999999999"'], ""),
        (['tags.environment == "production"'], ""),
        (['tags.nothing == "x"'], ""),
        (['tags.environment == "dev"'], 'protected by the configuration: tags.environment == "dev"'),
        (['resource.account == "9"', "resource.age > 1d"], "protected by the configuration: resource.age > 1d"),
        (["resource.age > 60d", "cost.hourly > 100"], ""),
    ],
)
def test_protection_by_configuration(clauses, reason):
    """A resource that meets one of the conditions is not touched; an absent tag equals nothing."""
    found = plan(RUNNING, [instance()], protect=tuple(map(expression, clauses)))
    assert [w.reason for w in found.withheld] == ([reason] if reason else [])
    assert len(found.steps) == (0 if reason else 1)


def test_protection_that_is_not_known():
    """A condition that cannot be decided protects."""
    resource = instance(fields={"created": DENIED})
    found = plan(RUNNING, [resource], protect=(expression("resource.age > 60d"), expression("resource.id == 'x'")))
    assert [w.reason for w in found.withheld] == ["it is not known whether the configuration protects it"]


def test_each_remediation_is_withheld():
    """One line for each."""
    found = plan(RUNNING.replace("[stop]", f"[stop, {TAG}]"), [instance(tags={PROTECT_TAG: "true"})])
    assert [w.remediation for w in found.withheld] == ["stop", "tag"]


# --- what leads to no step


def test_exempt():
    """An exempt resource is listed, and nothing is done to it."""
    found = plan(RUNNING + '\n    unless: tags.environment == "dev"', [instance()])
    assert [v.summary for v in found.exempt] == ['exempt because tags.environment == "dev"']
    assert (found.findings, found.steps, found.undecided) == ((), (), ())


def test_undecided():
    """An unknown verdict is listed with its reason, and nothing is done."""
    found = plan(RUNNING, [instance(fields={"running": DENIED})])
    assert [v.unknowns[0].reason for v in found.undecided] == [Reason.DENIED]
    assert (found.findings, found.steps) == ((), ())


def test_groups_cost_nothing_by_themselves():
    """A group that is over its quota is a finding without steps."""
    found = plan("resource: aws.ec2.instance\n    quota: {limits: {resources: 1}}", [instance("a"), instance("b")])
    (finding,) = found.findings
    assert (finding.subject.id, hourly(finding.cost)) == ("111122223333", Decimal(0))
    assert found.steps == ()


# --- the whole plan


def machine(identity: str, count: int) -> Resource:
    return instance(identity, usage=(Usage(GPU_HOUR, Decimal(count), "hour"),))


def test_order():
    """Most savings first, then cost, then severity, then name; what has no price comes last."""
    entries = [
        "resource: aws.ec2.instance\n    rule: resource.running",
        "resource: aws.ec2.instance\n    severity: critical\n    rule: resource.running",
        RUNNING,
    ]
    unpriced = instance("x", usage=DENIED)
    found = plan(policies(*entries), [machine("a", 1), unpriced, machine("b", 2)])
    assert [(f.verdict.policy, f.subject.id) for f in found.findings] == [
        ("p2", "b"), ("p2", "a"),
        ("p1", "b"), ("p0", "b"),
        ("p1", "a"), ("p0", "a"),
        ("p1", "x"), ("p0", "x"), ("p2", "x"),
    ]  # fmt: skip
    assert steps(found) == ["b stop", "a stop", "x stop"]


def test_holds():
    """More than the policy may do holds its steps, and the plan still shows them."""
    entry = RUNNING.replace("max_actions: 1000", "max_actions: 2")
    found = plan(entry, [instance(f"i-{n}") for n in range(3)])
    assert found.holds == (Hold("p0", "max_actions", "2", "3"),)
    assert len(found.steps) == 3


def test_header_and_tallies():
    """The plan says where it comes from and how much was looked at."""
    scopes = complete("aws.s3.bucket", INSTANCE)
    loaded = policies(RUNNING)
    found = plan(loaded, [instance(), instance("b", fields={"running": False}), *scopes])
    assert (found.estate, found.taken_at, found.policies) == ("test", NOW, loaded.digest)
    assert (found.max_mode, found.resources) == (Mode.ENFORCE, 2)
    assert found.scopes == tuple(sorted(scopes, key=lambda r: r.scope))
    assert [(t.policy, dict(t.counts)) for t in found.tallies] == [("p0", {"compliant": 1, "violation": 1})]


def test_run():
    """An estate is asked for what the policies need; progress hears of each resource."""
    asked: list[Needs] = []
    heard: list[tuple[str, int]] = []

    class Estate:
        name = "a fleet"
        taken_at = NOW

        def stream(self, needs):
            asked.append(needs)
            yield instance()
            yield from complete(INSTANCE)

    installation = Installation(remediations(), Mode.ENFORCE)
    found = run(policies(RUNNING), Estate(), context(), installation, lambda stage, done: heard.append((stage, done)))
    assert (found.estate, len(found.steps)) == ("a fleet", 1)
    assert [sorted(needs.kinds) for needs in asked] == [[INSTANCE]]
    assert heard == [("resources read", 1), ("resources read", 0)]


def test_an_empty_estate():
    """Nothing gives an empty plan."""
    found = plan(RUNNING, [])
    assert (found.findings, found.steps, found.holds, found.resources) == ((), (), (), 0)


def test_unknown_prices_do_not_hide_findings():
    """A finding without a price is a finding."""
    (finding,) = plan(RUNNING, [instance(usage=DENIED)]).findings
    assert finding.cost == Unknown(Reason.DENIED, "the call was denied", "cost")
