"""The estate's stream with an AWS that answers in ways the emulated one cannot: cut pages, nonsense, huge fleets."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from engine.model import Asked, KindNeeds, Needs, Resource, ScopeReport, ScopeStatus
from integrations.aws.estate import CHUNK, AwsEstate
from integrations.aws.session import AwsSettings
from integrations.aws.telemetry_port import NoTelemetry
from tests.integrations.aws.kind_names import INSTANCE, NOTEBOOK

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)


class Pages:
    """A client whose paginators give prepared pages; an exception among them is raised."""

    def __init__(self, pages):
        self.pages = pages

    def can_paginate(self, operation):
        return True

    def get_paginator(self, operation):
        return self

    def paginate(self, **parameters):
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield page


class Session:
    """A session whose clients are given by region."""

    def __init__(self, **regions):
        self.by_region = {name.replace("_", "-"): Pages(pages) for name, pages in regions.items()}
        self.regions = tuple(self.by_region)
        self.settings = AwsSettings(workers=2)

    def client(self, service, region):
        return self.by_region[region]


class Quiet(NoTelemetry):
    """Telemetry that adds nothing."""

    def attach(self, resources, need, region):
        return resources


def machines(*numbers):
    entries = [
        {"InstanceId": f"i-{n}", "State": {"Name": "running"}, "InstanceType": "m5.large", "LaunchTime": NOW}
        for n in numbers
    ]
    return {"Reservations": [{"Instances": entries}]}


def read(session, kind=INSTANCE, telemetry=None):
    estate = AwsEstate(session, "1", NOW, telemetry or Quiet())
    items = list(estate.stream(Needs({kind: KindNeeds(frozenset({"tags"}))})))
    reports = {item.scope.region: item for item in items if isinstance(item, ScopeReport)}
    return [item.id for item in items if isinstance(item, Resource)], reports


def test_a_page_without_its_list_is_not_an_empty_page():
    """An answer that lacks the list it should hold makes the scope partial, or failed when it is the first."""
    ids, reports = read(Session(us_east_1=[machines(1), {}], us_west_2=[{}]))
    assert ids == ["i-1"]
    assert reports["us-east-1"].status is ScopeStatus.PARTIAL
    assert reports["us-west-2"].status is ScopeStatus.FAILED
    assert reports["us-west-2"].detail == "ec2:DescribeInstances sent a page without Reservations"


def test_items_without_identity_make_the_scope_partial():
    """An instance without an id is left out and said to be; the others stay."""
    page = {"Reservations": [{"Instances": [{"State": {"Name": "running"}}]}, *machines(2)["Reservations"]]}
    ids, reports = read(Session(us_east_1=[page]))
    assert ids == ["i-2"]
    assert reports["us-east-1"].status is ScopeStatus.PARTIAL
    assert "without InstanceId" in reports["us-east-1"].detail


def test_what_was_read_before_a_failure_is_kept():
    """A connection that breaks on the third page leaves two pages and a partial scope."""
    ids, reports = read(Session(us_east_1=[machines(1), machines(2), ConnectionError("gone")]))
    assert ids == ["i-1", "i-2"]
    assert (reports["us-east-1"].status, reports["us-east-1"].resources) == (ScopeStatus.PARTIAL, 2)
    assert reports["us-east-1"].detail == "ec2:DescribeInstances failed (ConnectionError)"


def test_a_large_fleet_streams_in_chunks():
    """Several thousand machines arrive once each, and telemetry is asked for in chunks."""
    sizes = []

    class Counting(Quiet):
        def attach(self, resources, need, region):
            sizes.append(len(resources))
            return resources

    pages = [machines(*range(start, start + 100)) for start in range(0, 3000, 100)]
    ids, reports = read(Session(us_east_1=pages), telemetry=Counting())
    assert len(set(ids)) == len(ids) == 3000
    assert reports["us-east-1"].resources == 3000
    assert sizes == [CHUNK] * (3000 // CHUNK)


def test_the_report_says_what_was_asked():
    """Of telemetry, for all chunks of the scope."""

    class Priced(Quiet):
        def asked(self, kind, region):
            return Asked(7, Decimal("0.00007")) if (kind, region) == (INSTANCE, "us-east-1") else Asked()

    _, reports = read(Session(us_east_1=[machines(1)], us_west_2=[machines(2)]), telemetry=Priced())
    assert reports["us-east-1"].asked == Asked(7, Decimal("0.00007"))
    assert reports["us-west-2"].asked == Asked()


def test_an_exact_chunk_has_one_report():
    """A fleet that fills its chunks exactly is complete."""
    ids, reports = read(Session(us_east_1=[machines(*range(CHUNK))]))
    assert (len(ids), reports["us-east-1"].status) == (CHUNK, ScopeStatus.COMPLETE)


def test_telemetry_that_fails_is_the_scopes_failure():
    """An unexpected error while measuring is reported and raises nothing."""

    class Broken(Quiet):
        def attach(self, resources, need, region):
            raise RuntimeError("defect")

    ids, reports = read(Session(us_east_1=[machines(1)], us_west_2=[machines()]), telemetry=Broken())
    assert ids == []
    assert reports["us-east-1"].status is ScopeStatus.FAILED


def test_nothing_is_asked_of_kinds_that_nobody_needs():
    """A kind without needs has no scope."""
    estate = AwsEstate(Session(us_east_1=[machines(1)]), "1", NOW, Quiet())
    assert list(estate.stream(Needs())) == []


@pytest.mark.parametrize("state", [None, "InService"])
def test_a_notebook_without_a_state(state):
    """A state that did not come is not known, and so is whether it runs."""
    entry = {"NotebookInstanceName": "n", "NotebookInstanceArn": "arn:aws:sagemaker:r:1:notebook-instance/n"}
    page = {"NotebookInstances": [{**entry, **({"NotebookInstanceStatus": state} if state else {})}]}
    estate = AwsEstate(Session(us_east_1=[page]), "1", NOW, Quiet())
    (found, _) = estate.stream(Needs({NOTEBOOK: KindNeeds()}))
    assert (found.fields["running"] is True) == (state is not None)


def test_the_name_says_where():
    """The estate's name has the account and the regions."""
    assert AwsEstate(Session(us_east_1=[]), "123", NOW, Quiet()).name == "AWS 123 (us-east-1)"
