"""The stream of resources: outcomes, tallies and isolation."""

from collections import Counter
from dataclasses import replace

import pytest

from engine.checks.context import Judgement, ResourceCheck
from engine.compiled import compile_policy
from engine.evaluate import WARM, Compiled, Tallies, compile_policies, judge_groups, judge_items
from engine.findings import Outcome
from engine.model import ScopeStatus
from engine.values import Reason, Unknown
from tests.engine.estates import BUCKET, DENIED, INSTANCE, complete, context, instance, policies, policy, verdicts

RULE = "resource: aws.ec2.instance\n    rule: resource.imdsv2"
MACHINES = [
    instance("true", fields={"imdsv2": True}),
    instance("false", fields={"imdsv2": False}),
    instance("denied", fields={"imdsv2": DENIED}),
]


def outcomes(entry: str, *items) -> dict[str, Outcome]:
    return {verdict.subject.id: verdict.outcome for verdict in verdicts(entry, *items)}


def test_outcomes():
    """Violations and unknowns are told, the rest is counted."""
    assert outcomes(RULE, *MACHINES) == {"true": Outcome.VIOLATION, "denied": Outcome.UNKNOWN}


def machine(where, check, unless):
    values = {True: True, False: False, None: DENIED}
    fields = {"public_ip": values[where], "imdsv2": values[check], "instance_store": values[unless]}
    return instance(fields=fields)


T, F, U = True, False, None


@pytest.mark.parametrize(
    ("where", "check", "unless", "outcome"),
    [
        (T, T, F, "violation"),
        (T, T, U, "unknown"),
        (T, T, T, "exempt"),
        (T, F, F, None),
        (T, F, U, None),
        (T, F, T, None),
        (T, U, F, "unknown"),
        (T, U, U, "unknown"),
        (T, U, T, "exempt"),
        (U, T, F, "unknown"),
        (U, T, U, "unknown"),
        (U, T, T, "exempt"),
        (U, F, F, None),
        (U, U, F, "unknown"),
        (U, U, T, "exempt"),
        (F, T, F, None),
        (F, U, U, None),
    ],
)
def test_where_check_and_unless(where, check, unless, outcome):
    """A violation is where the policy applies for certain, the check fails for certain and nothing excuses it."""
    entry = RULE + "\n    where: resource.public_ip\n    unless: [resource.instance_store, resource.id == 'x']"
    found = outcomes(entry, machine(where, check, unless))
    assert found == ({} if outcome is None else {"i-1": outcome})
    (verdict,) = verdicts(entry, machine(where, check, unless)) or [None]
    if verdict is not None:
        assert bool(verdict.unknowns) is (verdict.outcome == "unknown")
        assert verdict.evidence


@pytest.mark.parametrize(
    ("where", "check", "unless", "summary"),
    [
        (U, T, F, "resource.imdsv2 holds, but it is not known whether the policy applies"),
        (T, T, U, "resource.imdsv2 holds, but it is not known whether it is excused"),
        (T, U, F, "it is not known whether resource.imdsv2 holds"),
        (T, T, T, "exempt because resource.instance_store"),
        (T, T, F, "resource.imdsv2 holds"),
    ],
)
def test_summaries(where, check, unless, summary):
    """The sentence says what is not known."""
    entry = RULE + "\n    where: resource.public_ip\n    unless: resource.instance_store"
    (verdict,) = verdicts(entry, machine(where, check, unless))
    assert verdict.summary == summary


def run(entries: list[str], *items) -> tuple[Tallies, Counter]:
    tallies, seen = Tallies(), Counter()
    for judged, _, verdict in judge_items(compile_policies(policies(*entries).policies, context()), items, tallies):
        seen[judged.policy.name, verdict.outcome] += 1
    return tallies, seen


def test_tallies():
    """The outcomes of a policy add up to the resources it speaks about; those outside its scope are nobody's."""
    tallies, seen = run([RULE, RULE + "\n    where: resource.id != 'false'"], *MACHINES, *complete(INSTANCE))
    assert tallies.resources == 3
    assert tallies.counts == {
        "p0": {Outcome.COMPLIANT: 1, Outcome.VIOLATION: 1, Outcome.UNKNOWN: 1},
        "p1": {Outcome.VIOLATION: 1, Outcome.UNKNOWN: 1},
    }
    assert seen == {(p, o): 1 for p in ("p0", "p1") for o in (Outcome.VIOLATION, Outcome.UNKNOWN)}
    assert tallies.scopes == complete(INSTANCE)


def test_a_policy_without_resources():
    """It has a tally, and nothing in it."""
    assert run([RULE.replace(INSTANCE, BUCKET).replace("imdsv2", "public_access")], *MACHINES)[0].counts == {"p0": {}}


def test_a_second_run_counts_from_nothing():
    """Compiled policies keep nothing of a run."""
    compiled = compile_policies(policies(RULE).policies, context())
    for _ in range(2):
        tallies = Tallies()
        list(judge_items(compiled, MACHINES, tallies))
        assert tallies.counts["p0"][Outcome.COMPLIANT] == 1


# --- isolation


def broken(**halves) -> Compiled:
    """Return a policy of which some half raises or answers otherwise, beside a sound one."""
    ours = context()

    def fail(_resource):
        raise ZeroDivisionError("nothing to divide")

    check = ResourceCheck(halves.get("decide", fail), halves.get("judge", lambda _: Judgement(True, "violated")))
    other = replace(policy(RULE), name="sound")
    (sound,) = compile_policies([other], ours).single
    return Compiled((compile_policy(policy(RULE), check, ours), sound), (), ())


def judged(compiled: Compiled):
    tallies = Tallies()
    found = [(c.policy.name, v) for c, _, v in judge_items(compiled, MACHINES, tallies)]
    return found, tallies


@pytest.mark.parametrize("half", ["decide", "judge"])
def test_an_exception_is_an_error_of_one_policy_and_resource(half):
    """It is a verdict of its own; other policies and resources go on."""

    def fail(_resource):
        raise ZeroDivisionError("nothing to divide")

    found, tallies = judged(broken(**{"decide": lambda _: True, half: fail}))
    errors = [verdict for name, verdict in found if name == "p0"]
    assert [v.outcome for v in errors] == [Outcome.ERROR] * 3
    assert errors[0].summary == "the policy failed on this resource: ZeroDivisionError: nothing to divide"
    assert errors[0].actionable is False
    assert [u.reason for u in errors[0].unknowns] == [Reason.SOURCE_ERROR]
    assert tallies.counts == {
        "p0": {Outcome.ERROR: 3},
        "sound": {Outcome.COMPLIANT: 1, Outcome.VIOLATION: 1, Outcome.UNKNOWN: 1},
    }


@pytest.mark.parametrize(
    ("fast", "slow", "words"),
    [
        (True, False, "violation and compliant"),
        (True, DENIED, "violation and unknown"),
        (DENIED, True, "unknown and violation"),
    ],
)
def test_two_evaluators_have_to_agree(fast, slow, words):
    """A disagreement is an error, never a finding."""
    found, _ = judged(broken(decide=lambda _: fast, judge=lambda _: Judgement(slow, "", unknowns=(DENIED,))))
    errors = [verdict for name, verdict in found if name == "p0"]
    assert [v.outcome for v in errors] == [Outcome.ERROR] * 3
    assert errors[0].summary == f"the policy failed on this resource: the two evaluators disagree: {words}"


@pytest.mark.parametrize(
    "fields",
    [{"accelerator.count": 10**400, "imdsv2": 1}, {"launched": "x", "imdsv2": []}, {"imdsv2": object()}],
    ids=["huge", "text", "object"],
)
def test_values_that_no_collector_should_send(fields):
    """Whatever stands in a field, the answer is unknown or an error and the run goes on."""
    idle = "resource: aws.ec2.instance\n    idle: {for: 4h, below: {gpu.utilization: 5%}}"
    found = [verdict.outcome for entry in (RULE, idle) for verdict in verdicts(entry, instance(fields=fields))]
    assert set(found) <= {Outcome.UNKNOWN, Outcome.ERROR, Outcome.VIOLATION}
    assert found[0] is not Outcome.VIOLATION


# --- what has no source


@pytest.mark.parametrize(
    ("check", "source"),
    [
        ("budget: {amount: $50,000/mo}", "spend by group"),
        ("unit_cost: {per: request, target: $0.01}", "spend and units produced"),
        ("job_approval: {gpus: 8}", "jobs waiting to start"),
        ("vector_limits: {replicas: 2}", "vector collections"),
    ],
)
def test_checks_without_a_source(check, source):
    """They answer unknown, for want of collection, and nothing else."""
    if check.startswith("budget"):
        check = 'budget: {amount: "$50,000/mo"}'
    compiled = compile_policies(policies(check).policies, context())
    tallies = Tallies()
    assert list(judge_items(compiled, MACHINES, tallies)) == []
    ((_, verdict),) = judge_groups(compiled, tallies)
    assert (verdict.outcome, verdict.actionable) == (Outcome.UNKNOWN, False)
    assert verdict.summary == f"{source} cannot be read by this release"
    assert verdict.unknowns == (Unknown(Reason.NOT_COLLECTED, f"no source of this release reads {source}", source),)
    assert tallies.counts == {"p0": {Outcome.UNKNOWN: 1}}


def test_gaps_are_kept_as_they_come():
    """Scope reports of every status end in the tallies."""
    reports = [report for status in ScopeStatus for report in complete(INSTANCE, status=status)]
    assert run([RULE], *reports)[0].scopes == reports


# --- many resources, which are asked together


MANY = (
    "resource: aws.ec2.instance\n    rule: resource.imdsv2",
    "resource: aws.ec2.instance\n    where: resource.public_ip\n    rule: not resource.imdsv2",
    "resource: aws.ec2.instance\n    unless: resource.public_ip\n    rule: resource.imdsv2",
    "resource: aws.ec2.instance\n    where: cost.hourly > 1\n    rule: resource.imdsv2",
    "resource: aws.ec2.instance\n    required_tags: [owner]",
)


def many(count):
    values = (True, False, DENIED)
    tags = ({}, {"owner": "ana"})
    return [
        instance(f"i-{n}", fields={"imdsv2": values[n % 3], "public_ip": values[n // 3 % 3]}, tags=tags[n % 2])
        for n in range(count)
    ]


class NoPrices:
    """A price book that fails."""

    def cost_of(self, *_):
        raise ValueError("no prices")


@pytest.mark.parametrize("changes", [{}, {"prices": NoPrices()}], ids=["whole", "one policy fails"])
def test_many_resources_are_judged_as_each_alone(changes):
    """Verdicts and tallies are the same whether policies are asked one by one or together; failures stay apart."""
    items, ours = many(3 * WARM), context(**changes)
    compiled = compile_policies(policies(*MANY).policies, ours)
    together = Tallies()
    found = [(policy.policy.name, verdict) for policy, _, verdict in judge_items(compiled, items, together)]
    one_by_one, alone, nobody = [], Counter(), 0
    for item in items:
        tallies = Tallies()
        one_by_one += [(p.policy.name, verdict) for p, _, verdict in judge_items(compiled, [item], tallies)]
        alone.update({(name, outcome): n for name, counts in tallies.counts.items() for outcome, n in counts.items()})
        nobody += sum(not counts for counts in tallies.counts.values())
    assert found == one_by_one
    assert {(n, o): c for n, counts in together.counts.items() for o, c in counts.items()} == dict(alone)
    assert nobody > 0, "every policy has something to say about everything"
    assert any(verdict.outcome is Outcome.ERROR for _, verdict in found) is bool(changes)
