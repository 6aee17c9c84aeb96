"""Many accounts as one estate, over HTTP: what goes wrong in one of them is a gap of that one."""

import json
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime

import pytest

from engine.errors import CollectError, ConfigError
from engine.model import KindNeeds, Needs, Resource, ScopeReport, ScopeStatus
from integrations.aws.account_clients import CALLER
from integrations.aws.live import live_estate
from integrations.aws.read_only import session_policy
from integrations.aws.session import AwsSettings, OrganizationFilter
from integrations.catalog import default_catalog
from tests.integrations.aws.kind_names import INSTANCE
from tests.integrations.aws.organization_server import HOME, Organization, account_id, serving
from tests.integrations.estate_contract import holds

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1")
NEEDS = Needs({INSTANCE: KindNeeds()})
WHOLE = OrganizationFilter()


def read(organization, regions=REGIONS[:1], filter_=WHOLE, **settings):
    """Return what reading the organization gives: resources and reports."""
    with serving(organization) as address:
        given = {"attempts": 2, "read_seconds": 30, "role": "BursarRead", **settings}
        asked = AwsSettings(regions, endpoint_url=address, access_key=("AKIAHOME", "s"), organization=filter_, **given)
        with live_estate(asked, NOW) as estate:
            items = list(estate.stream(NEEDS))
    resources = [item for item in items if isinstance(item, Resource)]
    return resources, {item.scope: item for item in items if isinstance(item, ScopeReport)}, items


def by_account(reports):
    return {scope.account: report for scope, report in reports.items()}


def test_five_hundred_accounts(figures):
    """500 accounts in 4 regions, one throttled, one denied, one slow: only those three are gaps."""
    odd = {"throttled": account_id(17), "denied": account_id(250), "slow": account_id(3)}
    organization = Organization(500, **{name: frozenset({account}) for name, account in odd.items()})
    began, cpu, before = time.monotonic(), time.process_time(), peak_mib()
    resources, reports, items = read(organization, REGIONS, account_seconds=20, workers=4, accounts_at_once=16)
    spent, used = time.monotonic() - began, time.process_time() - cpu
    assert len(reports) == 2000
    assert len(resources) == 497 * 4
    gaps = {scope.account for scope, report in reports.items() if report.status is not ScopeStatus.COMPLETE}
    assert gaps == set(odd.values())
    holds(items, NEEDS, default_catalog(), set(reports))
    details = {name: by_account(reports)[account] for name, account in odd.items()}
    assert "RequestLimitExceeded" in details["throttled"].detail
    assert details["denied"].status is ScopeStatus.DENIED
    assert "AssumeRole denied" in details["denied"].detail
    assert details["slow"].detail == "the account took longer than 20 s"
    # 499 roles, whose identity is checked, and the home account's; one listing for each region of who may be listed.
    assert organization.calls["sts:AssumeRole"] == 500
    assert organization.calls["sts:GetCallerIdentity"] == 500
    assert organization.calls["organizations:ListAccounts"] == 25
    figures(
        f"500 accounts x 4 regions: {spent:.1f} s ({used:.1f} s of CPU, the server's among them), "
        f"{organization.calls.total():,} calls, peak memory {peak_mib():.0f} MiB, {peak_mib() - before:.0f} MiB more "
        f"than before; gaps: one account throttled, one denied, one slow ({len(gaps)} of 500)"
    )


def peak_mib():
    """Return the most memory that this process had so far, in MiB; macOS tells bytes and others KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def test_each_call_is_signed_by_its_own_account():
    """No account ever answers for another: every machine is of the account and region it is reported in."""
    resources, _, _ = read(Organization(40, instances=3), REGIONS, accounts_at_once=8)
    assert len(resources) == 40 * 4 * 3
    assert {r.id.rpartition("-")[0] for r in resources} == {f"i-{r.account}-{r.region}" for r in resources}


def test_a_call_that_nobody_makes_is_not_signed():
    """Keys are there for the length of a call, and afterwards there are none."""
    read(Organization(2))
    with pytest.raises(LookupError):
        CALLER.get()


def test_sessions_may_only_read_and_show_their_external_id():
    """Whatever the role allows, its session carries a policy of reading calls alone."""
    organization = Organization(3)
    read(organization, external_id="xyz")
    assert organization.external_ids == {"xyz"}
    (policy,) = set(organization.policies)
    assert policy == session_policy()
    assert len(policy) <= 2048
    (statement,) = json.loads(policy)["Statement"]
    verbs = {action.partition(":")[2] for action in statement["Action"]}
    assert all(verb.startswith(("Get", "List", "Describe", "BatchGet", "Search")) for verb in verbs)
    assert not {"s3:Get*", "ec2:Describe*", "sts:AssumeRole"} & set(statement["Action"])


def test_a_role_that_leads_elsewhere():
    """An account is believed to be itself only if AWS says so."""
    organization = Organization(3, elsewhere={account_id(1): account_id(2)})
    _, reports, _ = read(organization)
    report = by_account(reports)[account_id(1)]
    assert report.status is ScopeStatus.FAILED
    assert report.resources == 0
    assert by_account(reports)[account_id(2)].resources == 1


def test_regions_that_accounts_have_enabled():
    """Each account is read where it can have something."""
    organization = Organization(2, regions={account_id(0): ("us-east-1", "sa-east-1"), account_id(1): ("us-east-1",)})
    _, reports, _ = read(organization, ("enabled",))
    regions = Counter(scope.account for scope in reports)
    assert regions == {account_id(0): 2, account_id(1): 1}


def test_accounts_that_are_not_active_are_left_out():
    """Nothing runs in a suspended account, and nobody can enter it."""
    organization = Organization(4, suspended=frozenset({account_id(2)}))
    _, reports, _ = read(organization)
    assert set(by_account(reports)) == {account_id(0), account_id(1), account_id(3)}


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (OrganizationFilter(include_ous=("ou-odd",)), {1, 3, 5}),
        (OrganizationFilter(include_ous=("ou-all",)), {0, 1, 2, 3, 4, 5}),
        (OrganizationFilter(exclude_ous=("ou-odd",)), {0, 2, 4}),
        (OrganizationFilter(tags=(("governed", "true"),)), {2, 3}),
        (OrganizationFilter(include_ous=("ou-odd",), tags=(("governed", "true"),)), {3}),
    ],
    ids=["a unit", "a unit with those below", "without a unit", "by tag", "both"],
)
def test_filters(chosen, expected):
    """By organizational unit, with all below it, and by tags of accounts."""
    tags = {account_id(2): {"governed": "true"}, account_id(3): {"governed": "true"}, account_id(4): {"governed": "no"}}
    _, reports, _ = read(Organization(6, tags=tags), filter_=chosen)
    assert set(by_account(reports)) == {account_id(n) for n in expected}


def test_named_accounts_and_the_home_account():
    """Accounts can be named; the one whose credentials these are takes no role."""
    organization = Organization(0)
    _, reports, _ = read(organization, filter_=None, accounts=(HOME, account_id(1)))
    assert set(by_account(reports)) == {HOME, account_id(1)}
    assert organization.calls["sts:AssumeRole"] == 1


def test_all_denied():
    """Where every account refuses, the run fails, after each was reported."""
    organization = Organization(3, denied=frozenset(account_id(n) for n in range(3)))
    with pytest.raises(CollectError, match="refused everything"):
        read(organization)


def test_an_organization_that_cannot_be_listed():
    """Nobody could say which accounts are missing, so nothing is read."""
    with pytest.raises(ConfigError, match="organization cannot be read"):
        read(Organization(3), filter_=OrganizationFilter(include_ous=("ou-unknown",)))


def test_a_consumer_that_stops_early():
    """The readers end with it."""
    organization = Organization(50, instances=20)
    with serving(organization) as address:
        asked = AwsSettings(
            REGIONS[:1], endpoint_url=address, access_key=("A", "s"), organization=WHOLE, role="r", attempts=1
        )
        with live_estate(asked, NOW) as estate:
            stream = estate.stream(NEEDS)
            next(stream)
            stream.close()
    assert organization.calls["sts:AssumeRole"] < 50
