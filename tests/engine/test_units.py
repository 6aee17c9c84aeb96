"""Quantities as people write them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.units import (
    Money,
    UnitError,
    format_bytes,
    format_duration,
    format_money,
    format_percent,
    parse_bytes,
    parse_duration,
    parse_money,
    parse_percent,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("4h", 14_400), ("1h30m", 5_400), ("3d", 259_200), ("2w", 1_209_600), ("0s", 0)],
)
def test_durations(text, seconds):
    """A duration is whole numbers with units, longest first."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("4", "write a unit, such as `4h`"),
        ("4 hours", "write `4h`"),
        ("90 Minutes", "write `90m`"),
        ("30m1h", "write such as `90s`, `15m`, `4h`, `1h30m`, `3d` or `2w`"),
        ("", "write such as `90s`, `15m`, `4h`, `1h30m`, `3d` or `2w`"),
        ("1.5h", "write such as `90s`, `15m`, `4h`, `1h30m`, `3d` or `2w`"),
        ("٤h", "write such as `90s`, `15m`, `4h`, `1h30m`, `3d` or `2w`"),
    ],
)
def test_what_is_no_duration(text, hint):
    """Anything else is refused with what to write instead."""
    with pytest.raises(UnitError) as caught:
        parse_duration(text)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("$5,000/mo", Money(Decimal(5000), "mo")),
        ("$50/h", Money(Decimal(50), "h")),
        ("$0.01", Money(Decimal("0.01"))),
        ("50 USD", Money(Decimal(50))),
        ("USD 1,234,567.89 / month", Money(Decimal("1234567.89"), "mo")),
    ],
)
def test_money(text, money):
    """Money is in USD and exact."""
    assert parse_money(text) == money


@pytest.mark.parametrize("text", ["50", "€50", "$5,00", "$1,0000", "$50/d", "$-5", "$", "$5k", "$1e3", "$५"])
def test_what_is_no_money(text):
    """No sign, another currency, odd groups, other periods and other numerals are refused."""
    with pytest.raises(UnitError):
        parse_money(text)


@pytest.mark.parametrize(("text", "size"), [("40GiB", 40 * 2**30), ("500MB", 500_000_000), ("1.5TiB", 3 * 2**39)])
def test_sizes(text, size):
    """Binary and decimal units are what they say."""
    assert parse_bytes(text) == size


@pytest.mark.parametrize(("text", "hint"), [("40", "write a unit, such as `40GiB`"), ("40g", "write `40GiB`")])
def test_what_is_no_size(text, hint):
    """A size without a proper unit is refused with one."""
    with pytest.raises(UnitError) as caught:
        parse_bytes(text)
    assert caught.value.hint == hint


@given(st.integers(0, 10**8))
def test_durations_survive(seconds):
    """What is written out is read back."""
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@given(st.decimals(0, 10**5, places=3))
def test_percentages_survive(percent):
    """What is written out is read back."""
    assert parse_percent(format_percent(percent)) == percent


@given(st.integers(0, 10**9))
def test_whole_dollars_survive(dollars):
    """What is written out is read back."""
    assert parse_money(format_money(Decimal(dollars), "mo")) == Money(Decimal(dollars), "mo")


@given(st.integers(0, 2**50))
def test_sizes_come_back_nearly(size):
    """A size is shown with two decimals of its unit, so it comes back within half a percent."""
    assert abs(parse_bytes(format_bytes(size)) - size) <= size * 0.005
