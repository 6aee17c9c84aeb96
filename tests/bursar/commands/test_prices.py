"""`bursar prices`, and what a plan says of prices and commitments."""

import json
from datetime import UTC, datetime

import pytest

from tests.integrations.aws.pricing.price_server import Prices, machine, product, serving
from tests.integrations.aws.pricing.test_bulk import HEAD, NAMES, row

P5 = "aws.ec2.linux.on_demand:p5.48xlarge"
POLICY = """\
version: 1
policies:
  - name: running
    description: Tell of machines that run.
    severity: low
    resource: aws.ec2.instance
    rule: resource.running
    mode: approve
    approval: {channel: "#gpu", approvers: ["@ml"]}
    remediate: [stop]
"""
MACHINE = (
    "<DescribeInstancesResponse><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId>"
    "<instanceState><name>running</name></instanceState><instanceType>p5.48xlarge</instanceType>"
    "<platformDetails>Linux/UNIX</platformDetails><launchTime>2026-01-01T00:00:00Z</launchTime>"
    "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"
)


@pytest.fixture
def aws_prices():
    """An AWS with one machine and what it says of prices."""
    prices = Prices(answers={"DescribeInstances": MACHINE})
    with serving(prices):
        yield prices


def fetched(folder) -> dict:
    found = json.loads((folder / "prices.json").read_text(encoding="utf-8"))
    return {(row["sku"], row["region"]): row["price"] for row in found["prices"]}


def planned(bursar, here, aws_prices, prices: str, *more: str):
    (here / "policies.yaml").write_text(POLICY, encoding="utf-8")
    config = f"version: 1\npolicies: [policies.yaml]\naws: {{regions: [us-east-1]}}\nprices: {prices}\n"
    (here / "bursar.yaml").write_text(config, encoding="utf-8")
    ran = bursar("plan", "--endpoint-url", aws_prices.address, "-f", "json", *more)
    return ran, json.loads(ran.out)["findings"][0]


class TestFetch:
    def test_skus(self, bursar, here, aws_prices):
        """The prices of skus in regions stand in a file that a run can name."""
        aws_prices.products = [machine("p5.48xlarge", "50"), machine("p5.48xlarge", "60", regionCode="eu-west-1")]

        ran = bursar(
            "prices", "fetch", "--sku", P5, "--region", "us-east-1", "--region", "eu-west-1",
            "--endpoint-url", aws_prices.address,
        )  # fmt: skip

        assert (ran.status, ran.out, ran.err) == (0, "2 prices in prices.json; 0 refused\n", "")
        assert fetched(here) == {(P5, "us-east-1"): "50", (P5, "eu-west-1"): "60"}

    def test_a_service(self, bursar, here, aws_prices):
        """All of a service is read, page by page."""
        disk = {"volumeApiName": "gp3", "usagetype": "EBS:VolumeUsage.gp3"}
        aws_prices.products = [machine("p5.48xlarge", "50"), product("AmazonEC2", "0.08", "GB-Mo", **disk)]

        ran = bursar(
            "prices", "fetch", "--service", "ebs", "--region", "us-east-1", "--endpoint-url", aws_prices.address
        )

        assert ran.status == 0
        assert fetched(here) == {("aws.ebs.gp3", "us-east-1"): "0.08"}

    def test_an_offer_file(self, bursar, here):
        """A file that was downloaded is read without asking anybody."""
        (here / "offers.csv").write_text(HEAD + NAMES + row() + row("g5.xlarge", "100.6", gpu="0"), encoding="utf-8")

        ran = bursar("prices", "fetch", "--from", "offers.csv")

        assert ran.status == 3
        assert ran.out == "1 price in prices.json; 1 refused\n"
        assert ran.err == (
            "prices: refused aws.ec2.linux.on_demand:g5.xlarge in us-east-1: $100.6 is 100 times the list price "
            "of 2026-01-19: it looks like cents\n"
        )

    def test_what_is_denied(self, bursar, here, aws_prices):
        """Without permission there is no file, the reason is told, and the status says so."""
        aws_prices.refused["GetProducts"] = (400, "AccessDeniedException")

        ran = bursar("prices", "fetch", "--sku", P5, "--region", "us-east-1", "--endpoint-url", aws_prices.address)

        assert (ran.status, ran.out) == (3, "no price was read; 0 refused\n")
        assert ran.err == "prices: 1 question without an answer: pricing:GetProducts denied (AccessDeniedException)\n"
        assert not (here / "prices.json").exists()

    def test_what_is_there_already(self, bursar, here):
        """A file is replaced only where that is asked for."""
        (here / "prices.json").write_text("mine", encoding="utf-8")

        assert bursar("prices", "fetch", "--sku", P5).status == 2
        assert (here / "prices.json").read_text(encoding="utf-8") == "mine"

    def test_nothing_is_asked_for(self, bursar, here):
        """It has to be said which prices."""
        ran = bursar("prices", "fetch")

        assert ran.status == 2
        assert "it is not said which prices" in ran.err


class TestShow:
    def test_every_source(self, bursar, here):
        """The price that a run takes comes first, then what each source says."""
        text = "date: 2026-11-01\nsource: contract\nprices:\n  - {sku: aws.ebs.gp3, price: 0.07, per: GiB-month}\n"
        (here / "own.yaml").write_text(text, encoding="utf-8")
        (here / "bursar.yaml").write_text("version: 1\nprices: own.yaml\n", encoding="utf-8")

        ran = bursar("prices", "show", "aws.ebs.gp3", "--region", "us-east-1")

        assert ran.status == 0
        lines = ran.out.splitlines()
        assert lines[0] == "aws.ebs.gp3 in us-east-1"
        assert lines[1].startswith("  $0.07 for one GiB-month  own price (own.yaml of 2026-11-01")
        assert [line.split()[0] for line in lines[3:]] == ["own.yaml", "AWS"]

    def test_live(self, bursar, here, aws_prices):
        """AWS is asked where that is wanted, and what it said is kept."""
        aws_prices.products = [machine("p5.48xlarge", "50")]

        ran = bursar("prices", "show", P5, "--live", "--region", "us-east-1", "--endpoint-url", aws_prices.address)

        assert ran.status == 0
        assert "  $50 for one hour  us-east-1 list price" in ran.out
        assert (here / ".bursar" / "prices.json").exists()

    def test_a_sku_without_a_price(self, bursar, here):
        """What has no price says so and is not done."""
        ran = bursar("prices", "show", "aws.kms.key", "--region", "us-east-1")

        assert ran.status == 3
        assert "not known: no price for `aws.kms.key` in us-east-1" in ran.out

    def test_a_type_in_the_place_of_a_sku(self, bursar, here):
        """The skus that it may have stood for are named."""
        ran = bursar("prices", "show", "p5.48xlarge", "--region", "us-east-1")

        assert ran.status == 3
        assert "  there are prices of aws.ec2.linux.on_demand:p5.48xlarge" in ran.out


class TestPlan:
    def test_live(self, bursar, here, aws_prices):
        """A plan takes the price that AWS says, keeps it, and does not ask for it in the next run."""
        aws_prices.products = [machine("p5.48xlarge", "50")]

        for _ in range(2):
            ran, finding = planned(bursar, here, aws_prices, "{live: true}")
            assert finding["cost"]["hourly_usd"] == "50.0000"
            assert ran.err == ""

        today = datetime.now(UTC).date().isoformat()
        assert f"AWS prices of {today}" in finding["cost"]["basis"]
        assert aws_prices.calls["GetProducts"] == 1

    def test_aws_does_not_answer(self, bursar, here, aws_prices):
        """Where prices may not be read, the list that is shipped answers, and both plan and terminal say so."""
        aws_prices.refused["GetProducts"] = (400, "AccessDeniedException")

        ran, finding = planned(bursar, here, aws_prices, "{live: true}")

        assert finding["cost"]["hourly_usd"] == "55.0400"
        assert finding["cost"]["basis"].endswith("; AWS prices: pricing:GetProducts denied (AccessDeniedException)")
        assert "1 question without an answer: pricing:GetProducts denied" in ran.err
        assert not (here / ".bursar").exists()

    def test_a_price_that_cannot_be_true(self, bursar, here, aws_prices):
        """A refused price is named on the terminal and in the basis."""
        aws_prices.products = [machine("p5.48xlarge", "0")]

        ran, finding = planned(bursar, here, aws_prices, "{live: true}")

        assert finding["cost"]["hourly_usd"] == "55.0400"
        assert ran.err == f"prices: refused {P5} in us-east-1: it is zero\n"

    def test_covered(self, bursar, here, aws_prices):
        """Where a plan covers everything, a stop saves nothing and the basis says why."""
        aws_prices.plans = [{"savingsPlanType": "Compute", "end": "2027-03-01T00:00:00Z"}]
        aws_prices.coverage = [("100", "0", "100")] * 7

        _, finding = planned(bursar, here, aws_prices, "{commitments: true}")

        assert finding["cost"]["hourly_usd"] == "55.0400"
        assert finding["savings"]["hourly_usd"] == "0.0000"
        assert finding["savings"]["basis"].startswith("nothing: covered by the Compute Savings Plan until 2027-03-01")

    def test_the_table_says_why(self, bursar, here, aws_prices):
        """Under the step stands what goes on to be paid."""
        aws_prices.reserved = [
            {"instanceType": "p5.48xlarge", "instanceCount": "1", "productDescription": "Linux/UNIX"}
        ]
        planned(bursar, here, aws_prices, "{commitments: true}")

        ran = bursar("plan", "--endpoint-url", aws_prices.address)

        assert "  stop the machine: i-1  saves nothing\n" in ran.out
        assert "      saves nothing: covered by 1 reserved p5.48xlarge, which is paid for, used or not\n" in ran.out

    def test_commitments_that_may_not_be_read(self, bursar, here, aws_prices):
        """Without permission savings are upper bounds, in the plan and on the terminal."""
        aws_prices.refused["DescribeSavingsPlans"] = (403, "AccessDeniedException")

        ran, finding = planned(bursar, here, aws_prices, "{commitments: true}")

        assert finding["savings"]["exact"] is False
        assert finding["savings"]["basis"].startswith("at most its price: how far Savings Plans covers it is not known")
        assert ran.err.startswith("commitments: savings are upper bounds where Savings Plans may apply")

    def test_a_fetched_file(self, bursar, here, aws_prices):
        """Prices that were fetched come before the list, without asking AWS for any."""
        (here / "offers.csv").write_text(HEAD + NAMES + row(price="51"), encoding="utf-8")
        bursar("prices", "fetch", "--from", "offers.csv")

        _, finding = planned(bursar, here, aws_prices, "{fetched: prices.json}")

        assert finding["cost"]["hourly_usd"] == "51.0000"
        assert "prices.json of 2026-11-20" in finding["cost"]["basis"]
        assert "GetProducts" not in aws_prices.calls
