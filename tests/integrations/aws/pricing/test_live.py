"""What a run asks AWS for, and what answers where AWS does not."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from engine.model import Needs, Resource, Scope, ScopeReport, ScopeStatus, Usage
from engine.prices import Price, PriceBook, PriceLayer
from engine.values import Reason, Unknown
from integrations.aws.pricing.live import LivePrices
from integrations.aws.pricing.query import PriceQuery
from integrations.prices.ahead import CHUNK, PricedEstate
from integrations.prices.load import bundled
from tests.integrations.aws.pricing.price_server import machine

P5 = "aws.ec2.linux.on_demand:p5.48xlarge"
G5 = "aws.ec2.linux.on_demand:g5.xlarge"
SPOT = "aws.ec2.linux.spot:g5.xlarge"
LISTED = bundled()


@pytest.fixture
def live(session, now):
    return LivePrices(PriceQuery(session, now.date()), now, LISTED, max_age=timedelta(days=7))


def kept(sku: str, amount: str, day: date, region: str = "us-east-1") -> dict:
    price = Price(sku, Decimal(amount), "hour", region, "AWS", day, "list price, on demand")
    return {(sku, region): price}


def quoted(live: LivePrices, sku: str, *below: PriceLayer, region: str = "us-east-1"):
    book = PriceBook((live.layer, *below, LISTED), live.now.date(), live.max_age)
    return book.quote(sku, region)


def test_what_aws_says_now(aws_prices, live):
    """The price of today comes first and says where it is from."""
    aws_prices.products = [machine("p5.48xlarge", "50")]

    live.want([(P5, "us-east-1")])

    quote = quoted(live, P5)
    assert quote.amount == 50
    assert quote.basis == "us-east-1 list price, on demand, Linux, shared tenancy (AWS prices of 2026-11-25)"


def test_each_is_asked_once(aws_prices, live):
    """However many resources want a price, and however often, AWS is asked once; skus without a list never."""
    aws_prices.products = [machine("p5.48xlarge", "50")]

    for _ in range(3):
        live.want([(P5, "us-east-1"), (P5, "us-east-1"), ("aws.kms.key", "us-east-1"), (P5, "")])

    assert aws_prices.calls == {"GetProducts": 1}


def test_the_layer_fills(aws_prices, live):
    """A book made before a price was wanted has it afterwards."""
    aws_prices.products = [machine("p5.48xlarge", "50")]
    book = PriceBook((live.layer,))

    live.want([(P5, "us-east-1")])

    assert book.quote(P5, "us-east-1").amount == 50


def test_a_young_price_is_not_asked_for(aws_prices, live):
    """What was read within the allowed age is taken as it is; its date stays."""
    live.kept = kept(P5, "51", date(2026, 11, 18))

    live.want([(P5, "us-east-1")])

    assert quoted(live, P5).amount == 51
    assert "of 2026-11-18" in quoted(live, P5).basis
    assert not aws_prices.calls


def test_an_old_price_is_asked_for(aws_prices, live):
    """What is older is asked for anew."""
    live.kept = kept(P5, "51", date(2026, 11, 17))
    aws_prices.products = [machine("p5.48xlarge", "50")]

    live.want([(P5, "us-east-1")])

    assert quoted(live, P5).amount == 50


def test_an_old_price_where_aws_does_not_answer(aws_prices, live):
    """Where AWS cannot be asked, the kept price answers, with its age and the reason."""
    live.kept = kept(P5, "51", date(2026, 11, 1))
    aws_prices.refused["GetProducts"] = (400, "AccessDeniedException")

    live.want([(P5, "us-east-1")])

    quote = quoted(live, P5, PriceLayer("kept", live.kept))
    assert quote.amount == 51
    assert quote.basis == (
        "us-east-1 list price, on demand (kept of 2026-11-01, 24 days old); "
        "AWS prices: pricing:GetProducts denied (AccessDeniedException)"
    )


def test_the_shipped_list_where_nothing_else_answers(aws_prices, live):
    """Without a kept price the list answers and says so; what is in no list stays unknown with the reason."""
    aws_prices.refused["GetProducts"] = (400, "ThrottlingException")

    live.want([(P5, "us-east-1"), ("aws.eks.cluster", "us-east-1")])

    assert quoted(live, P5).basis.endswith("AWS prices: pricing:GetProducts failed (ThrottlingException)")
    answer = quoted(live, "aws.eks.cluster")
    assert isinstance(answer, Unknown)
    assert answer.detail.endswith("AWS prices: pricing:GetProducts failed (ThrottlingException)")


def test_a_refusal_is_not_tried_again(aws_prices, live):
    """After one denial the call is not made for the next price, which says so too."""
    aws_prices.refused["GetProducts"] = (400, "AccessDeniedException")

    live.want([(P5, "us-east-1")])
    live.want([(G5, "us-east-1")])

    assert aws_prices.calls["GetProducts"] == 1
    assert live.notes[G5, "us-east-1"] == "not asked again after pricing:GetProducts denied (AccessDeniedException)"


def test_failures_are_tried_three_times(aws_prices, live):
    """A call that fails otherwise is given up after three failures; another call goes on."""
    aws_prices.refused["GetProducts"] = (500, "InternalErrorException")
    aws_prices.spot = [("g5.xlarge", "us-east-1a", "0.50", "2026-11-25T06:00:00Z")]

    for size in ("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"):
        live.want([(f"aws.ec2.linux.on_demand:g5.{size}", "us-east-1")])
    live.want([(SPOT, "us-east-1")])

    assert aws_prices.calls["GetProducts"] == 3
    assert quoted(live, SPOT).amount == Decimal("0.50")


def test_a_price_that_cannot_be_true(aws_prices, live):
    """A refused price is told, and the next source answers."""
    aws_prices.products = [machine("p5.48xlarge", "5504", gpu="8"), machine("g5.xlarge", "0")]

    live.want([(P5, "us-east-1"), (G5, "us-east-1")])

    assert quoted(live, P5).amount == Decimal("55.04")
    assert quoted(live, P5).basis.endswith("AWS prices: refused, $5504 for one hour cannot be")
    assert quoted(live, G5).basis.endswith("AWS prices: refused, it is zero")
    assert {one.sku for one in live.refused} == {P5, G5}
    assert not live.sound.prices


def test_spot_is_asked_with_on_demand(aws_prices, live):
    """For a spot price the price on demand is read too, and one above it is refused."""
    aws_prices.products = [machine("g5.xlarge", "1.006")]
    aws_prices.spot = [("g5.xlarge", "us-east-1a", "1.10", "2026-11-25T06:00:00Z")]

    live.want([(SPOT, "us-east-1")])

    assert live.notes[SPOT, "us-east-1"] == "refused, $1.1 for spot is above $1.006 on demand"
    assert isinstance(quoted(live, SPOT), Unknown)


def test_a_kept_spot_price_is_not_the_price_of_now(aws_prices, live):
    """Spot prices are asked for in each run, and an old one answers only where they cannot be."""
    live.kept = kept(SPOT, "0.40", date(2026, 11, 25))
    aws_prices.spot = [("g5.xlarge", "us-east-1a", "0.50", "2026-11-25T06:00:00Z")]

    live.want([(SPOT, "us-east-1")])

    assert quoted(live, SPOT).amount == Decimal("0.50")


def test_nothing_is_listed(aws_prices, live):
    """A sku that AWS does not list in a region says so; another region's list price stands in and is marked."""
    live.want([(P5, "eu-central-1")])

    quote = quoted(live, P5, region="eu-central-1")
    assert not quote.exact
    assert quote.basis.endswith("; AWS prices: AWS lists no price for it")


# --- resources and their prices


class Recorded:
    """An estate that yields what it was given."""

    name = "test"

    def __init__(self, now, items):
        self.taken_at = now
        self.items = items

    def stream(self, needs):
        yield from self.items


class Asked:
    """Remembers what was wanted, and when."""

    def __init__(self):
        self.places = []

    def want(self, places):
        self.places.append(set(places))


def machine_of(sku: str, n: int = 0) -> Resource:
    return Resource("aws.ec2.instance", f"i-{n}", "1", "us-east-1", usage=(Usage(sku, Decimal(1), "hour"),))


def test_prices_come_before_their_resources(now):
    """What a resource is charged for is wanted before it is handed on; nothing is lost or reordered."""
    report = ScopeReport(Scope("1", "us-east-1", "aws.ec2.instance"), ScopeStatus.COMPLETE, 2)
    unknown = Resource("aws.s3.bucket", "b", "1", "us-east-1", usage=Unknown(Reason.DENIED))
    items = [machine_of(P5), unknown, report, machine_of(G5)]
    asked = Asked()
    estate = PricedEstate(Recorded(now, items), asked)

    stream = estate.stream(Needs())

    assert next(stream) == items[0]
    assert asked.places == [{(P5, "us-east-1")}]
    assert list(stream) == items[1:]
    assert asked.places[1:] == [{(G5, "us-east-1")}]
    assert (estate.name, estate.taken_at) == ("test", now)


def test_no_more_than_a_chunk_waits(now):
    """A scope of any size is handed on in chunks."""
    items = [machine_of(P5, n) for n in range(2 * CHUNK + 1)]
    asked = Asked()

    assert list(PricedEstate(Recorded(now, items), asked).stream(Needs())) == items
    assert len(asked.places) == 3
