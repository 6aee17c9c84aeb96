"""The Price List Query API to prices: what is asked, and what is made of answers that lie."""

import json
from decimal import Decimal

import pytest
from botocore.exceptions import ClientError

from engine.prices import Price
from integrations.aws.pricing.products import NAMES, product_of
from integrations.aws.pricing.query import PriceQuery, endpoint_for
from integrations.aws.pricing.spot import SKU as SPOT
from integrations.aws.reader import PageCut
from integrations.aws.registry import AWS_KINDS
from tests.integrations.aws.pricing.price_server import machine, product
from tests.integrations.aws.replayed import replay

P5 = "aws.ec2.linux.on_demand:p5.48xlarge"
HAS_NO_LIST = (
    "aws.bedrock.",
    "aws.fsx.",
    "aws.kms.",
    "aws.sagemaker.training.spot:",
)
"""What is told in docs/how-to/prices.md to need a price of one's own."""


@pytest.fixture
def query(session, now):
    return PriceQuery(session, now.date())


def amounts(found) -> dict[str, Decimal]:
    return {one.price.sku: one.price.amount for one in found}


def test_one_machine(aws_prices, query, now):
    """One sku is one question, with all that tells it from its neighbours; the answer is a price of today."""
    aws_prices.products = [machine("p5.48xlarge", "55.0400000000", gpu="8"), machine("p4d.24xlarge", "21.96")]

    (found,) = query.of_sku(P5, "us-east-1")

    basis = "list price, on demand, Linux, shared tenancy"
    source = "AWS Price List Query API"
    assert found.price == Price(P5, Decimal("55.04"), "hour", "us-east-1", source, now.date(), basis)
    assert (found.expected, found.currency, found.accelerators) == ("hour", "USD", 8)
    asked = {(f["Field"], f["Value"]) for f in aws_prices.asked[0]["Filters"]}
    assert asked == {
        ("instanceType", "p5.48xlarge"),
        ("operatingSystem", "Linux"),
        ("tenancy", "Shared"),
        ("preInstalledSw", "NA"),
        ("capacitystatus", "Used"),
        ("licenseModel", "No License required"),
        ("regionCode", "us-east-1"),
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"operatingSystem": "Windows"},
        {"tenancy": "Host"},
        {"preInstalledSw": "SQL Std"},
        {"capacitystatus": "UnusedCapacityReservation"},
        {"capacitystatus": "AllocatedCapacityReservation"},
        {"licenseModel": "Bring your own license"},
        {"marketoption": "CapacityBlock"},
        {"regionCode": "us-gov-west-1"},
    ],
)
def test_a_neighbour_is_not_taken(aws_prices, query, changed):
    """Even where AWS answers with more than was asked for, another product's price is never this one's."""
    aws_prices.products = [json.dumps(machine("p5.48xlarge", "1", **changed))]

    assert query.of_sku(P5, "us-east-1") == []


@pytest.mark.parametrize(
    ("sku", "answer", "price"),
    [
        (
            "aws.ec2.windows.on_demand:g5.xlarge",
            machine("g5.xlarge", "1.19", operatingSystem="Windows"),
            ("1.19", "hour"),
        ),
        ("aws.ec2.rhel.on_demand:g5.xlarge", machine("g5.xlarge", "1.06", operatingSystem="RHEL"), ("1.06", "hour")),
        (
            "aws.ec2.linux.on_demand.dedicated:g5.xlarge",
            machine("g5.xlarge", "1.10", tenancy="Dedicated"),
            ("1.1", "hour"),
        ),
        (
            "aws.ebs.gp3",
            product("AmazonEC2", "0.08", "GB-Mo", volumeApiName="gp3", usagetype="EBS:VolumeUsage.gp3"),
            ("0.08", "GiB-month"),
        ),
        (
            "aws.ebs.io1.iops",
            product("AmazonEC2", "0.065", "IOPS-Mo", volumeApiName="io1", usagetype="EUC1-EBS:VolumeP-IOPS.piops"),
            ("0.065", "IOPS-month"),
        ),
        (
            "aws.ebs.gp3.throughput",
            product("AmazonEC2", "40.96", "GiBps-mo", volumeApiName="gp3", usagetype="EBS:VolumeP-Throughput.gp3"),
            ("0.04", "MiBps-month"),
        ),
        (
            "aws.sagemaker.hosting:ml.g5.2xlarge",
            product("AmazonSageMaker", "1.515", usagetype="USE1-Host:ml.g5.2xlarge"),
            ("1.515", "hour"),
        ),
        (
            "aws.sagemaker.studio:ml.t3.medium",
            product("AmazonSageMaker", "0.05", usagetype="USE1-Studio:KernelGateway-ml.t3.medium"),
            ("0.05", "hour"),
        ),
        (
            "aws.sagemaker.hyperpod:ml.p5.48xlarge",
            product("AmazonSageMaker", "63.3", usagetype="USE1-Cluster:ml.p5.48xlarge"),
            ("63.3", "hour"),
        ),
        (
            "aws.opensearch:r6g.xlarge.search",
            product("AmazonES", "0.334", instanceType="r6g.xlarge.search", usagetype="ESInstance:r6g.xlarge"),
            ("0.334", "hour"),
        ),
        (
            "aws.opensearch.ocu.search",
            product("AmazonES", "0.24", "OCU-Hours", usagetype="USE1-SearchOCU"),
            ("0.24", "hour"),
        ),
        (
            "aws.rds.postgres.multi_az:db.r6g.2xlarge",
            product(
                "AmazonRDS",
                "1.8",
                instanceType="db.r6g.2xlarge",
                databaseEngine="PostgreSQL",
                deploymentOption="Multi-AZ",
                storage="EBS Only",
            ),
            ("1.8", "hour"),
        ),
        (
            "aws.elasticache.valkey:cache.r7g.xlarge",
            product("AmazonElastiCache", "0.35", instanceType="cache.r7g.xlarge", cacheEngine="Valkey"),
            ("0.35", "hour"),
        ),
        (
            "aws.efs.infrequent_access",
            product(
                "AmazonEFS", "0.025", "GB-Mo", storageClass="Infrequent Access", usagetype="IATimedStorage-ByteHrs"
            ),
            ("0.025", "GiB-month"),
        ),
        ("aws.eks.cluster", product("AmazonEKS", "0.10", usagetype="USE1-AmazonEKS-Hours:perCluster"), ("0.1", "hour")),
    ],
)
def test_each_family(aws_prices, query, sku, answer, price):
    """Each family of products is found by its attributes and priced by its unit."""
    aws_prices.products = [answer]

    (found,) = query.of_sku(sku, "us-east-1")

    assert (found.price.amount, found.price.unit) == (Decimal(price[0]), price[1])
    assert found.expected == price[1]


def test_pages(aws_prices, query):
    """All pages are read: five machines at two a page."""
    aws_prices.products = [machine(f"g5.{size}", "1") for size in ("xlarge", "2xlarge", "4xlarge", "8xlarge", "metal")]

    found = query.of_service("ec2", "us-east-1")

    assert len(amounts(found)) == 5
    assert aws_prices.calls["GetProducts"] == 3


def test_a_page_cut_short(aws_prices, query):
    """A page without its list is an error and not the end."""
    aws_prices.cut = True

    with pytest.raises(PageCut):
        query.of_sku(P5, "us-east-1")


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "AccessDeniedException"), (400, "ThrottlingException"), (500, "InternalErrorException")],
)
def test_an_error(aws_prices, query, status, code):
    """What AWS refuses or cannot do is raised to whoever decides what answers instead."""
    aws_prices.refused["GetProducts"] = (status, code)

    with pytest.raises(ClientError, match=code):
        query.of_sku(P5, "us-east-1")


def dimension(**given) -> dict:
    return {"OnDemand": {"a": {"priceDimensions": {"b": {"unit": "Hrs", **given}}}}}


def broken(**changes) -> str:
    return json.dumps({**machine("p5.48xlarge", "55.04"), **changes})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "a product that is not JSON"),
        ("[" * 100_000, "a product that is not JSON"),
        ("[]", "a product that is no object"),
        ("null", "a product that is no object"),
        ("{}", "a product without attributes"),
        (broken(terms=None), "a product without a price on demand"),
        (broken(terms={"Reserved": {}}), "a product without a price on demand"),
        (broken(terms={"OnDemand": {}}), "a product without a price on demand"),
        (broken(terms={"OnDemand": {"a": {"priceDimensions": {}}}}), "a product with 0 first prices on demand"),
        (broken(terms=dimension()), "a price without an amount"),
        (
            broken(terms=dimension(pricePerUnit={"USD": "x"})),
            "a price of `x`",
        ),
    ],
)
def test_products_that_make_no_sense(aws_prices, query, text, problem):
    """What cannot be read is noted and leaves its neighbours."""
    aws_prices.products = [text, machine("p5.48xlarge", "55.04")]

    assert amounts(query.of_sku(P5, "us-east-1")) == {P5: Decimal("55.04")}
    assert query.problems == [problem]


def test_tiers(aws_prices, query):
    """Where further units have another price, the first price is taken and marked as not exact."""
    tiered = product("AmazonEC2", "0.065", "IOPS-Mo", volumeApiName="io2", usagetype="EBS:VolumeP-IOPS.io2")
    dimensions = tiered["terms"]["OnDemand"]["a.b"]["priceDimensions"]
    dimensions["d"] = {"unit": "IOPS-Mo", "beginRange": "32000", "endRange": "Inf", "pricePerUnit": {"USD": "0.0455"}}
    aws_prices.products = [tiered]

    (found,) = query.of_sku("aws.ebs.io2.iops", "us-east-1")

    assert found.price.amount == Decimal("0.065")
    assert not found.price.exact
    assert found.price.basis == "list price of the first units; further ones have another price"


def test_another_currency(aws_prices, query):
    """A price in another currency keeps it, for the checks to refuse."""
    aws_prices.products = [machine("p5.48xlarge", "400", currency="CNY")]

    (found,) = query.of_sku(P5, "us-east-1")

    assert found.currency == "CNY"


def test_every_sku_of_every_kind_is_read_or_known_not_to_be():
    """What a kind says it is charged for is in AWS's lists as they are read here, or known not to be."""
    skus = {
        part.sku
        for kind in AWS_KINDS
        for resource in replay(kind).resources.values()
        if isinstance(resource.usage, tuple)
        for part in resource.usage
    }

    unread = {sku for sku in skus if product_of(sku) is None and not SPOT.fullmatch(sku)}

    assert len(skus) > 40
    assert {sku for sku in unread if not sku.startswith(HAS_NO_LIST)} == set()


def test_the_nearest_endpoint():
    """Three regions answer for all."""
    regions = ("us-east-1", "eu-west-1", "ap-south-2", "sa-east-1")
    assert [endpoint_for(region) for region in regions] == ["us-east-1", "eu-central-1", "ap-south-1", "us-east-1"]


def test_the_command_line_names_every_service():
    """What `bursar prices fetch --service` offers is what there is."""
    from bursar.commands.prices import SERVICES

    assert SERVICES == NAMES
