"""What groups hold: sums of known parts, and what is said where parts are not known."""

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from engine.evaluate import Tallies, compile_policies, judge_groups, judge_items
from engine.findings import Outcome, Verdict
from engine.model import Resource, ScopeStatus, Usage
from engine.values import Reason, Unknown
from tests.engine.estates import DENIED, GPU_HOUR, INSTANCE, complete, context, instance, policies, without

ABOUT = "resource: aws.ec2.instance\n    quota: {group_by: tags.team, limits: "


def holding(identity: str, team: str | None = "red", devices: object = 8, **changes) -> Resource:
    fields = {"accelerator.count": devices, **changes.pop("fields", {})}
    tags = {} if team is None else {"team": team}
    return replace(instance(identity, fields=fields), tags=tags, **changes)


def held(check: str, *resources: Resource, scopes=None) -> dict[str, Verdict | None]:
    """Return the verdict of each group by name; of those within their quota the policy's tally has the number."""
    return run(check, *resources, scopes=scopes)[0]


def run(check: str, *resources: Resource, scopes=None):
    compiled = compile_policies(policies(ABOUT + check).policies, context())
    tallies = Tallies()
    items = [*resources, *(complete(INSTANCE) if scopes is None else scopes)]
    assert list(judge_items(compiled, items, tallies)) == []
    found = {verdict.subject.name: verdict for _, verdict in judge_groups(compiled, tallies)}
    return found, tallies.counts["p0"]


SIXTEEN = "{accelerators: 16}}"


def test_within_the_quota():
    """Up to and including the limit."""
    assert run(SIXTEEN, holding("a"), holding("b")) == ({}, {Outcome.COMPLIANT: 1})


def test_over_the_quota():
    """The summary says what is held and allowed, the evidence by whom; a group is never acted on."""
    verdict = held(SIXTEEN, holding("b"), holding("a"), holding("c", devices=1))["red"]
    assert (verdict.outcome, verdict.actionable) == (Outcome.VIOLATION, False)
    assert verdict.summary == "holds 17 accelerators, 16 accelerators allowed"
    (evidence,) = verdict.evidence
    assert (evidence.path, evidence.value, evidence.expected, evidence.source) == (
        "quota.accelerators",
        Decimal(17),
        "at most 16 accelerators",
        "node-a, node-b, node-c",
    )
    assert (verdict.subject.uid, verdict.subject.kind) == ("group/p0/red", "group")


def test_several_limits():
    """Each limit counts by itself."""
    verdict = held("{accelerators: 16, resources: 1, spend_rate: $1.50/h}}", holding("a", devices=1), holding("b"))[
        "red"
    ]
    assert verdict.summary == "holds 2 resources, 1 resource allowed; holds $2.00/h, $1.50/h allowed"


def test_groups_are_apart():
    """Each group has its own sum; what has no tag is a group too."""
    found, counts = run(
        "{resources: 1}}", holding("a"), holding("b"), holding("c", "blue"), holding("d", None), holding("e", None)
    )
    assert sorted(found) == ["(none)", "red"]
    assert counts == {Outcome.VIOLATION: 2, Outcome.COMPLIANT: 1}


def test_overrides():
    """A group with limits of its own has those and no others; it is judged though it holds nothing."""
    check = "{resources: 1}, overrides: {red: {resources: 3}, grey: {accelerators: 1}}}"
    found, counts = run(check, holding("a"), holding("b"), holding("c", "blue"), holding("d", "blue"))
    assert list(found) == ["blue"]
    assert counts == {Outcome.VIOLATION: 1, Outcome.COMPLIANT: 2}


def test_two_parts():
    """A group may be named by several expressions."""
    entry = (
        "resource: aws.ec2.instance\n"
        "    quota: {group_by: [resource.account, tags.team], limits: {resources: 0}, "
        "overrides: {111122223333/blue: {resources: 1}}}"
    )
    compiled = compile_policies(policies(entry).policies, context())
    tallies = Tallies()
    list(judge_items(compiled, [holding("a"), holding("b", "blue"), holding("c", None)], tallies))
    names = [verdict.subject.name for _, verdict in judge_groups(compiled, tallies)]
    assert names == ["111122223333/(none)", "111122223333/red"]


@pytest.mark.parametrize("running", [False, True])
def test_what_does_not_run_holds_nothing(running):
    """A stopped machine holds no accelerators; it is a resource all the same."""
    resource = holding("a", devices=17, fields={"running": running})
    assert ("red" in held(SIXTEEN, resource)) is running
    assert "red" in held("{resources: 0}}", resource)


# --- what is not known


UNKNOWN_PARTS = [
    (holding("z", devices=DENIED), "denied"),
    (holding("z", devices="8"), "wrong_type"),
    (holding("z", devices=float("nan")), "wrong_type"),
    (holding("z", devices=-8), "wrong_type"),
    (without(holding("z"), "accelerator.count"), "missing"),
    (holding("z", fields={"running": DENIED}), "denied"),
    (holding("z", fields={"running": "yes"}), "wrong_type"),
]


@pytest.mark.parametrize(("part", "reason"), UNKNOWN_PARTS, ids=range(len(UNKNOWN_PARTS)))
def test_a_part_that_is_not_known(part, reason):
    """Sums are lower bounds: over the limit is over, within it is unknown."""
    verdict = held(SIXTEEN, holding("a"), part)["red"]
    assert verdict.outcome is Outcome.UNKNOWN
    assert [u.reason.value for u in verdict.unknowns] == [reason]
    assert verdict.summary == "within its quota as far as is known, but not everything could be counted"
    over = held(SIXTEEN, holding("a"), holding("b"), holding("c"), part)["red"]
    assert over.outcome is Outcome.VIOLATION
    assert over.evidence[0].source == "node-a, node-b, node-c, node-z; at least, 1 not counted"


def test_a_price_that_is_not_known():
    """A machine without a price makes the rate a lower bound."""
    unpriced = replace(holding("b"), usage=(Usage("aws.ec2.linux.on_demand:x9.huge", Decimal(1), "hour"),))
    verdict = held("{spend_rate: $5/h}}", holding("a"), unpriced)["red"]
    assert (verdict.outcome, verdict.unknowns[0].reason) == (Outcome.UNKNOWN, Reason.NOT_COLLECTED)


def test_an_unknown_group_may_be_any():
    """A machine whose team is not known may belong to every team, so none is within its quota."""
    hidden = replace(holding("z", None), gaps={"tags": DENIED})
    found = held(SIXTEEN, holding("a"), holding("b", "blue"), hidden)
    assert {name: v.outcome for name, v in found.items()} == {"red": Outcome.UNKNOWN, "blue": Outcome.UNKNOWN}


@pytest.mark.parametrize(
    ("resources", "scopes"),
    [
        ([replace(holding("z", None), gaps={"tags": DENIED})], None),
        ([], complete(INSTANCE, status=ScopeStatus.DENIED)),
    ],
    ids=["no tags", "no scope"],
)
def test_nothing_known_at_all(resources, scopes):
    """Where not even a group is known, the policy still says that it knows nothing."""
    found, counts = run(SIXTEEN, *resources, scopes=scopes)
    assert {name: v.outcome for name, v in found.items()} == {"(unknown)": Outcome.UNKNOWN}
    assert found["(unknown)"].unknowns
    assert counts == {Outcome.UNKNOWN: 1}


def test_nothing_there():
    """An estate that was read and is empty has no groups."""
    assert run(SIXTEEN) == ({}, {})


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (ScopeStatus.DENIED, Reason.DENIED),
        (ScopeStatus.FAILED, Reason.SOURCE_ERROR),
        (ScopeStatus.PARTIAL, Reason.SOURCE_ERROR),
    ],
)
def test_scopes_that_were_not_read(status, reason):
    """A group may hold more in a scope that could not be read."""
    verdict = held(SIXTEEN, holding("a"), scopes=complete(INSTANCE, status=status))["red"]
    assert (verdict.outcome, verdict.unknowns[0].reason) == (Outcome.UNKNOWN, reason)
    assert verdict.unknowns[0].path == "111122223333/us-east-1/aws.ec2.instance"


def test_scopes_of_other_kinds_do_not_matter():
    """A gap in buckets says nothing of machines."""
    scopes = [*complete(INSTANCE), *complete("aws.s3.bucket", status=ScopeStatus.DENIED)]
    assert held(SIXTEEN, holding("a"), scopes=scopes) == {}


@pytest.mark.parametrize(
    ("clause", "value", "outcome"),
    [
        ("where: resource.imdsv2", True, Outcome.VIOLATION),
        ("where: resource.imdsv2", False, None),
        ("where: resource.imdsv2", DENIED, Outcome.UNKNOWN),
        ("unless: resource.imdsv2", True, None),
        ("unless: resource.imdsv2", False, Outcome.VIOLATION),
        ("unless: resource.imdsv2", DENIED, Outcome.UNKNOWN),
    ],
)
def test_where_and_unless(clause, value, outcome):
    """What is known to be none of the policy's business is not counted; what may be is a part not known."""
    entry = f"resource: aws.ec2.instance\n    {clause}\n    quota: {{group_by: tags.team, limits: {{resources: 0}}}}"
    compiled = compile_policies(policies(entry).policies, context())
    tallies = Tallies()
    list(judge_items(compiled, [holding("a", fields={"imdsv2": value}), *complete(INSTANCE)], tallies))
    assert [v.outcome for _, v in judge_groups(compiled, tallies)] == ([outcome] if outcome else [])


def test_a_broken_resource_does_not_end_the_run():
    """A resource that cannot be counted for a defect is a part not known, and named."""
    broken = replace(holding("z"), usage=(Usage(GPU_HOUR, 1.5, "hour"),))
    verdict = held("{spend_rate: $5/h}}", holding("a"), broken)["red"]
    assert verdict.outcome is Outcome.UNKNOWN
    assert "the policy failed on node-z: AttributeError" in verdict.unknowns[0].detail


def test_the_order_of_resources_does_not_matter():
    """Sums, members and unknowns are the same in whatever order the estate is read."""
    third = Usage("aws.ebs.gp3", Decimal("0.37"), "GiB-month")
    resources = [
        replace(holding("a"), usage=(third,)),
        replace(holding("b"), usage=(replace(third, quantity=Decimal(1234567)),)),
        holding("c", devices=DENIED, fields={"accelerator.model": Unknown(Reason.NULL)}),
        replace(holding("d"), usage=Unknown(Reason.SOURCE_ERROR, "x")),
    ]
    check = "{spend_rate: $900/h, accelerators: 99}}"
    results = [held(check, *order) for order in permutations(resources)]
    assert all(result == results[0] for result in results)
