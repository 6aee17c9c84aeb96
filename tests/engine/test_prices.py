"""What a price book answers, and what it refuses to guess."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.findings import Cost
from engine.model import Usage
from engine.prices import ANY_REGION, Discount, Price, PriceBook, PriceLayer, Quote
from engine.values import Reason, Unknown

GPU = "aws.ec2.linux.on_demand:g5.xlarge"
DISK = "aws.ebs.gp3"
IOPS = "aws.ebs.gp3.iops"


def price(sku: str, amount: str, unit: str = "hour", region: str = "us-east-1", *, exact: bool = True) -> Price:
    return Price(sku, Decimal(amount), unit, region, "a price list", date(2026, 1, 19), "list price", exact)


def usage(sku: str, quantity: str = "1", unit: str = "hour", role: str = "compute") -> Usage:
    return Usage(sku, Decimal(quantity), unit, role)


@pytest.fixture
def listed() -> PriceLayer:
    return PriceLayer.of(
        "AWS",
        [price(GPU, "1.006"), price(DISK, "0.08", "GiB-month"), price(IOPS, "0.005", "IOPS-month")],
        reference_region="us-east-1",
    )


@pytest.fixture
def book(listed) -> PriceBook:
    return PriceBook((listed,))


class TestQuote:
    def test_price_of_the_region(self, book):
        """A price for the region is quoted as it is, with kind, origin and date."""
        expected = Quote(Decimal("1.006"), "hour", "us-east-1 list price (AWS of 2026-01-19)", exact=True)

        assert expected == book.quote(GPU, "us-east-1")

    def test_reference_region_stands_in(self, book):
        """Where the region has no price, the reference region's is quoted and marked as inexact."""
        quote = book.quote(GPU, "eu-central-1")

        assert isinstance(quote, Quote)
        assert Decimal("1.006") == quote.amount
        assert quote.exact is False
        assert quote.basis == "us-east-1 list price; none for eu-central-1 (AWS of 2026-01-19)"

    def test_no_stand_in_without_reference_region(self):
        """A layer without a reference region never lends its prices to other regions."""
        book = PriceBook((PriceLayer.of("AWS", [price(GPU, "1")]),))

        answer = book.quote(GPU, "eu-central-1")

        assert isinstance(answer, Unknown)

    def test_unknown_sku_is_not_free(self, book):
        """A sku without a price is unknown, never zero."""
        expected = Unknown(Reason.NOT_COLLECTED, "no price for `aws.ec2.linux.spot:g5.xlarge` in us-east-1", "cost")

        assert expected == book.quote("aws.ec2.linux.spot:g5.xlarge", "us-east-1")

    def test_empty_book(self):
        """Without layers nothing has a price."""
        assert isinstance(PriceBook().quote(GPU, "us-east-1"), Unknown)

    def test_no_region(self, book):
        """A resource without a region gets no price silently."""
        quote = book.quote(GPU, "")

        assert isinstance(quote, Quote)
        assert quote.exact is False
        assert "none for no region" in quote.basis

    def test_first_layer_wins(self, listed):
        """The user's own price comes before the list price."""
        own = PriceLayer.of("own prices", [price(GPU, "0.5")])

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert Decimal("0.5") == quote.amount

    def test_price_for_every_region(self, listed):
        """A price without a region of its own holds everywhere and is exact."""
        own = PriceLayer.of("own prices", [price(GPU, "0.5", region=ANY_REGION)])

        quote = PriceBook((own, listed)).quote(GPU, "eu-central-1")

        expected = Quote(Decimal("0.5"), "hour", "list price (own prices of 2026-01-19)", exact=True)
        assert expected == quote

    def test_exact_price_below_beats_stand_in_above(self, listed):
        """A price of the right region in a lower layer is better than another region's in a higher one."""
        own = PriceLayer.of("own prices", [price(GPU, "0.5", region="eu-west-1")], reference_region="eu-west-1")

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert Decimal("1.006") == quote.amount

    def test_like_product_is_never_exact(self):
        """A price that stands in for a like product stays marked."""
        book = PriceBook((PriceLayer.of("AWS", [price(GPU, "1", exact=False)]),))

        quote = book.quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert quote.exact is False

    def test_asking_twice(self, book):
        """The same question has the same answer, known or not."""
        assert book.quote(GPU, "us-east-1") is book.quote(GPU, "us-east-1")
        assert book.quote("nothing", "us-east-1") is book.quote("nothing", "us-east-1")

    def test_books_do_not_share_answers(self, listed):
        """What one book has answered is not seen by another."""
        PriceBook((listed,)).quote(GPU, "us-east-1")

        assert isinstance(PriceBook().quote(GPU, "us-east-1"), Unknown)


class TestNotes:
    """A source that has no price says why, and the next one answers."""

    LIVE = PriceLayer.of("AWS prices", [], notes={(GPU, "us-east-1"): "refused, it is zero"})

    def test_the_next_source_answers(self, listed):
        """The reason of the first source is part of the basis of the second one's price."""
        quote = PriceBook((self.LIVE, listed)).quote(GPU, "us-east-1")

        expected = "us-east-1 list price (AWS of 2026-01-19); AWS prices: refused, it is zero"
        assert quote == Quote(Decimal("1.006"), "hour", expected, exact=True)

    def test_no_source_answers(self):
        """Without another source the price is unknown and the reason stands in it."""
        answer = PriceBook((self.LIVE,)).quote(GPU, "us-east-1")

        assert isinstance(answer, Unknown)
        assert answer.detail == f"no price for `{GPU}` in us-east-1; AWS prices: refused, it is zero"

    def test_beside_a_price_that_stands_in(self, listed):
        """Another region's price that stands in carries the note too."""
        live = PriceLayer.of("AWS prices", [], notes={(GPU, "eu-west-1"): "denied"})

        quote = PriceBook((live, listed)).quote(GPU, "eu-west-1")

        assert isinstance(quote, Quote)
        assert quote.basis.endswith("none for eu-west-1 (AWS of 2026-01-19); AWS prices: denied")

    def test_a_source_that_is_not_needed(self, listed):
        """What a lower source has to say does not matter where a higher one answers."""
        quote = PriceBook((listed, self.LIVE)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert "refused" not in quote.basis


class TestAge:
    @pytest.mark.parametrize(("days", "told"), [(6, ""), (7, ""), (8, ", 8 days old"), (1000, ", 1,000 days old")])
    def test_an_old_price_says_so(self, listed, days, told):
        """A price that is older than it may be says how old it is; one as old as it may be does not."""
        today = date(2026, 1, 19) + timedelta(days=days)

        quote = PriceBook((listed,), today, timedelta(days=7)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert quote.basis == f"us-east-1 list price (AWS of 2026-01-19{told})"

    def test_where_nobody_minds(self, listed):
        """Without a limit no price is called old."""
        quote = PriceBook((listed,), date(2036, 1, 1)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert "old" not in quote.basis


class TestDiscount:
    def test_taken_off_the_layers_below(self, listed):
        """A discount lowers list prices and is named in the basis."""
        own = PriceLayer("own prices", discounts=(Discount("aws.ec2.", Decimal(20), "agreement 2026"),))

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert Decimal("0.8048") == quote.amount
        assert quote.basis.endswith("(AWS of 2026-01-19), less 20% (agreement 2026)")

    def test_not_taken_off_its_own_prices(self, listed):
        """A price the user wrote is what is paid: the user's discount does not lower it again."""
        own = PriceLayer.of("own prices", [price(GPU, "0.9")], discounts=(Discount("aws.ec2.", Decimal(20)),))

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert Decimal("0.9") == quote.amount

    def test_longest_prefix_wins(self, listed):
        """The discount that names the sku most closely is the one that counts."""
        own = PriceLayer("own", discounts=(Discount("aws.", Decimal(5)), Discount("aws.ec2.linux.", Decimal(50))))

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert Decimal("0.503") == quote.amount

    def test_other_skus_stay_at_list_price(self, listed):
        """A discount touches nothing beside its prefix."""
        own = PriceLayer("own", discounts=(Discount("aws.sagemaker.", Decimal(20)),))

        quote = PriceBook((own, listed)).quote(GPU, "us-east-1")

        assert isinstance(quote, Quote)
        assert "less" not in quote.basis


class TestCost:
    def test_hours_and_months(self, book):
        """Hourly and monthly charges are added up an hour: 1.006 + (100 x 0.08 + 1000 x 0.005) / 730."""
        parts = (
            usage(GPU),
            usage(DISK, "100", "GiB-month", "storage"),
            usage(IOPS, "1000", "IOPS-month", "storage"),
        )

        cost = book.cost_of(parts, "us-east-1")

        assert isinstance(cost, Cost)
        assert Decimal("1.0238") == cost.hourly.quantize(Decimal("0.0001"))
        assert Decimal("747.38") == cost.monthly.quantize(Decimal("0.01"))

    def test_nothing_used(self, book):
        """A resource that uses nothing costs nothing, and that is known."""
        cost = book.cost_of((), "us-east-1")

        assert isinstance(cost, Cost)
        assert Decimal(0) == cost.hourly
        assert cost.exact is True

    def test_usage_not_known(self, book):
        """Where it is not known what is charged, the cost is unknown for the same reason."""
        answer = book.cost_of(Unknown(Reason.DENIED, "DescribeVolumes"), "us-east-1")

        assert Unknown(Reason.DENIED, "DescribeVolumes", "cost") == answer

    def test_one_unknown_part(self, book):
        """One part without a price makes the sum unknown; the known part is only mentioned."""
        answer = book.cost_of((usage(GPU), usage("aws.ec2.windows.on_demand:x")), "us-east-1")

        expected = "no price for `aws.ec2.windows.on_demand:x` in us-east-1; the other parts cost $1.0060/h"
        assert Unknown(Reason.NOT_COLLECTED, expected, "cost") == answer

    def test_every_missing_part_is_named(self, book):
        """All parts without a price are named, each once."""
        answer = book.cost_of((usage("a"), usage("b"), usage("a")), "us-east-1")

        assert isinstance(answer, Unknown)
        assert answer.detail == "no price for `a` in us-east-1; no price for `b` in us-east-1"

    def test_roles(self, book):
        """Only the parts with a wanted role count: a stop ends compute and leaves storage."""
        parts = (usage(GPU), usage(DISK, "730", "GiB-month", "storage"))

        compute = book.cost_of(parts, "us-east-1", frozenset({"compute"}))
        storage = book.cost_of(parts, "us-east-1", frozenset({"storage"}))

        assert isinstance(compute, Cost)
        assert isinstance(storage, Cost)
        assert Decimal("1.006") == compute.hourly
        assert Decimal("0.08") == storage.hourly

    def test_unknown_price_of_another_role(self, book):
        """A missing price of a part that is not asked for does not matter."""
        parts = (usage(GPU), usage("aws.ebs.strange", "1", "GiB-month", "storage"))

        cost = book.cost_of(parts, "us-east-1", frozenset({"compute"}))

        assert isinstance(cost, Cost)

    def test_no_roles(self, book):
        """What ends no charge saves nothing, whatever the usage is."""
        cost = book.cost_of(Unknown(Reason.NOT_COLLECTED), "us-east-1", frozenset())

        assert isinstance(cost, Cost)
        assert Decimal(0) == cost.hourly

    def test_inexact_part(self, book):
        """One inexact price makes the whole cost inexact."""
        cost = book.cost_of((usage(GPU),), "eu-central-1")

        assert isinstance(cost, Cost)
        assert cost.exact is False

    @pytest.mark.parametrize(
        ("part", "reason"),
        [
            (usage(GPU, "NaN"), Reason.NAN),
            (usage(GPU, "Infinity"), Reason.NAN),
            (usage(GPU, "-1"), Reason.SOURCE_ERROR),
            (usage(GPU, "1", "GiB-month"), Reason.WRONG_TYPE),
            (usage(DISK, "100", "hour"), Reason.WRONG_TYPE),
        ],
    )
    def test_quantities_that_lie(self, book, part, reason):
        """A quantity that cannot be, or in another unit than the price, is never multiplied."""
        answer = book.cost_of((part,), "us-east-1")

        assert isinstance(answer, Unknown)
        assert reason == answer.reason

    def test_basis_names_each_price_once(self, book):
        """Parts with the same kind of price share one sentence."""
        cost = book.cost_of((usage(GPU), usage(GPU)), "us-east-1")

        assert isinstance(cost, Cost)
        assert cost.basis == "us-east-1 list price (AWS of 2026-01-19)"


known = st.sampled_from([usage(GPU), usage(DISK, "10", "GiB-month", "storage"), usage(GPU, "3")])
strange = st.sampled_from([usage("nothing"), usage(GPU, "NaN"), usage(GPU, "1", "GiB-month")])


@given(st.lists(known | strange, max_size=6), st.sampled_from(["us-east-1", "eu-central-1"]))
def test_a_sum_is_known_only_if_every_part_is(parts, region):
    """Adding a part that is not known never gives a number, and order never matters."""
    layer = PriceLayer.of("AWS", [price(GPU, "1.006"), price(DISK, "0.08", "GiB-month")], reference_region="us-east-1")
    book = PriceBook((layer,))

    cost = book.cost_of(tuple(parts), region)
    backwards = book.cost_of(tuple(reversed(parts)), region)

    all_known = all(isinstance(book.cost_of((part,), region), Cost) for part in parts)
    assert all_known == isinstance(cost, Cost)
    assert isinstance(cost, Cost) == isinstance(backwards, Cost)
    if isinstance(cost, Cost) and isinstance(backwards, Cost):
        assert abs(cost.hourly - backwards.hourly) < Decimal("1e-20")
