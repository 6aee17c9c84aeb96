"""The demo's company read over HTTP keeps the contract of estates, whatever fails; and so does its recording."""

from datetime import UTC, datetime, timedelta

import pytest

from bursar.demo.company import build
from bursar.demo.estate import REGIONS
from engine.model import KindNeeds, Needs, Resource, Scope, ScopeReport, ScopeStatus
from engine.values import Unknown
from integrations.aws.live import live_estate
from integrations.aws.registry import aws_kinds
from integrations.aws.session import AwsSettings
from integrations.catalog import default_catalog
from integrations.snapshot import open_snapshot, record
from tests.integrations.estate_contract import holds

CATALOG = default_catalog()
ACCOUNT = "123456789012"
LENGTH = timedelta(hours=2)


def everything(window=LENGTH):
    return Needs(
        {
            kind.name: KindNeeds(
                frozenset({f.group for f in kind.fields} | {"tags"}) - {"core"},
                {metric.name: window for metric in kind.metrics if not metric.derived_from},
            )
            for kind in aws_kinds()
        }
    )


def nothing_but_the_listing():
    return Needs({kind.name: KindNeeds() for kind in aws_kinds()})


def scopes(needs):
    return [Scope(ACCOUNT, region, kind) for kind in needs.kinds for region in REGIONS]


@pytest.fixture(scope="module")
def company(aws_server):
    """The demo's company, built once; returns server and blueprint."""
    return aws_server, build(aws_server.endpoint, datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="module")
def live(company):
    """Return a function that reads the company under some faults: items, calls."""
    server, blueprint = company

    def read(needs, faults=None, **settings):
        given = {"attempts": 2, "read_seconds": 20, **settings}
        asked = AwsSettings(regions=REGIONS, endpoint_url=server.endpoint, access_key=("a", "b"), **given)
        server.faults(faults or {})
        server.calls()
        try:
            with live_estate(asked, blueprint.now) as estate:
                return list(estate.stream(needs)), server.calls()
        finally:
            server.faults({})

    return read


@pytest.fixture(scope="module")
def whole(live):
    """Everything, read once without faults: items, calls."""
    return live(everything())


SETTINGS = {"aws.opensearch.capacity"}
"""Kinds of which every region has one."""


def by_uid(items):
    return {item.uid: item for item in items if isinstance(item, Resource)}


NEEDS = {
    "nothing but the listing": nothing_but_the_listing(),
    "one kind": Needs({"aws.s3.bucket": KindNeeds(frozenset({"policy"}))}),
    "nothing": Needs(),
}


def test_everything_that_can_be_needed(whole):
    """With every group and metric asked for, the contract holds and nothing is left out."""
    items, _ = whole
    holds(items, everything(), CATALOG, scopes(everything()))
    assert {r.status for r in items if isinstance(r, ScopeReport)} == {ScopeStatus.COMPLETE}


@pytest.mark.parametrize("needs", NEEDS)
def test_what_is_needed_and_nothing_else(live, needs):
    """Each needed scope has one report after its resources; nothing is attested that nobody asked for."""
    items, _ = live(NEEDS[needs])
    holds(items, NEEDS[needs], CATALOG, scopes(NEEDS[needs]))
    assert {r.status for r in items if isinstance(r, ScopeReport)} <= {ScopeStatus.COMPLETE}


def test_everything_planted_is_found(live, company):
    """What was planted is what is read, by kind, region and id."""
    items, _ = live(nothing_but_the_listing())
    planted = {(p.kind, p.region, p.id) for p in company[1].planted}
    found = {(r.kind, r.region, r.id) for r in items if isinstance(r, Resource)}
    assert planted <= found
    # The volumes that machines boot from are planted with them, as are the keys of volumes and buckets.
    assert {kind for kind, _, _ in found - planted} <= {"aws.ebs.volume", "aws.kms.key", *SETTINGS}


FAULTS = {
    "details denied": {
        "sagemaker:DescribeNotebookInstance": {"denied": True},
        "sagemaker:DescribeEndpointConfig": {"denied": True},
        "sagemaker:ListTags": {"denied": True},
        "s3:GetBucketTagging": {"denied": True},
        "s3:GetBucketPolicy": {"denied": True},
        "kms:DescribeKey": {"denied": True},
        "ec2:DescribeInstanceTypes": {"denied": True},
    },
    "a region that is down": {"*": {"error_rate": 1, "region": REGIONS[1]}},
    "telemetry denied": {"cloudwatch:*": {"denied": True}},
    "a tenth of all calls fails": {"*": {"error_rate": 0.1, "after": 3}},
    "a region that is not enabled": {
        "*": {"error_rate": 1, "region": REGIONS[1], "code": "AuthFailure", "status": 401}
    },
}


@pytest.mark.parametrize("faults", FAULTS)
def test_the_contract_holds_whatever_fails(live, whole, faults):
    """Every scope is reported once, and what could not be read is neither attested nor invented."""
    items, _ = live(everything(), FAULTS[faults], attempts=1)
    holds(items, everything(), CATALOG, scopes(everything()))
    read = by_uid(whole[0])
    for uid, resource in by_uid(items).items():
        known = {name: value for name, value in resource.fields.items() if not isinstance(value, Unknown)}
        assert known.items() <= read[uid].fields.items(), uid
        assert set(resource.tags.items()) <= set(read[uid].tags.items())
        assert resource.tags == read[uid].tags or "tags" in resource.gaps


def test_a_region_that_is_down_leaves_the_other_whole(live):
    """The scopes of one region fail, those of the other are complete and as large as ever."""
    items, _ = live(nothing_but_the_listing(), FAULTS["a region that is down"], attempts=1)
    statuses = {(r.scope.region, r.status) for r in items if isinstance(r, ScopeReport)}
    assert statuses == {(REGIONS[0], ScopeStatus.COMPLETE), (REGIONS[1], ScopeStatus.FAILED)}


def test_calls(whole):
    """Listings take one call a scope, types one a region, and keys one each: not one for each resource."""
    _, calls = whole
    counted = {call: calls.count(call) for call in set(calls)}
    listings = ("ec2:DescribeInstances", "ec2:DescribeVolumes", "s3:ListBuckets")
    listings += ("sagemaker:ListEndpoints", "sagemaker:ListNotebookInstances")
    assert {call: counted[call] for call in listings} == dict.fromkeys(listings, len(REGIONS))
    assert counted["sts:GetCallerIdentity"] == 1
    # Once for whoever's key it is, and once for the key as a resource of its own.
    keys = len({r.id for r in by_uid(whole[0]).values() if r.kind == "aws.kms.key"})
    assert counted["kms:DescribeKey"] <= 2 * keys


def test_a_recording_is_the_same_estate(whole, company, tmp_path):
    """Recorded and read again, the company is equal to the last field, and keeps the contract."""
    server, blueprint = company
    asked = AwsSettings(regions=REGIONS, endpoint_url=server.endpoint, access_key=("a", "b"))
    with live_estate(asked, blueprint.now) as estate:
        record(estate, everything(), tmp_path / "company.jsonl.gz")
    recorded = list(open_snapshot(tmp_path / "company.jsonl.gz").stream(everything()))
    holds(recorded, everything(), CATALOG, scopes(everything()))
    items, _ = whole
    assert by_uid(recorded) == by_uid(items)
    assert {r.scope: r for r in recorded if isinstance(r, ScopeReport)} == {
        r.scope: r for r in items if isinstance(r, ScopeReport)
    }


@pytest.mark.parametrize("recorded", [nothing_but_the_listing(), everything()], ids=["the listing", "less time"])
def test_more_than_was_recorded(company, tmp_path, recorded):
    """Needs that go beyond a recording, in groups, metrics or length, find gaps and nothing attested."""
    server, blueprint = company
    asked = AwsSettings(regions=REGIONS, endpoint_url=server.endpoint, access_key=("a", "b"))
    with live_estate(asked, blueprint.now) as estate:
        record(estate, recorded, tmp_path / "company.jsonl")
    more = everything(3 * LENGTH)
    items = list(open_snapshot(tmp_path / "company.jsonl").stream(more))
    holds(items, more, CATALOG, scopes(more))
    for resource in by_uid(items).values():
        signals = {f"metrics.{metric.signal}" for metric in CATALOG.kinds[resource.kind].metrics}
        assert signals <= set(resource.gaps), resource.uid
