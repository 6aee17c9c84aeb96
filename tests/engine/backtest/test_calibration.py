"""Power at rest, learned from recordings that say less than they seem to."""

import numpy as np
import pytest

from engine.backtest.calibration import AtRest, power_of, resting
from engine.backtest.recording import Track
from tests.engine.backtest.machines import track


def watts(count: int, around: float) -> list[float]:
    return [around + number % 10 / 10 for number in range(count)]


def learned(found: Track) -> dict[bool, AtRest]:
    return dict(resting(found))


def test_held_and_bare_are_told_apart_by_memory():
    """100 minutes held at 95.0-95.9 W, then 100 bare at 35.0-35.9 W; the first (95.0) and last (35.9) do not count."""
    found = learned(track(use=[0.0] * 200, watts=watts(100, 95) + watts(100, 35), memory=[50.0] * 100 + [0.4] * 100))
    assert (found[True].middle, found[False].middle) == (95.5, 35.4)
    assert 95.8 < found[True].high < 95.91


def test_samples_beside_work_are_left_out():
    """Power falls after the work: of 300 W beside it nothing is learned."""
    use = ([80.0] + [0.0] * 9) * 20
    power = [300.0, 300.0, *watts(7, 90), 300.0] * 20
    found = learned(track(use=use, watts=power, memory=[50.0] * 200))
    assert found[True].high < 91
    assert found[True].samples == 7 * 20


def test_without_memory_or_power_nothing_is_learned():
    """Whether it is held is not known, or what it draws is not."""
    assert learned(track(use=[0.0] * 200, watts=watts(200, 95))) == {}
    assert learned(track(use=[0.0] * 200, memory=[50.0] * 200)) == {}


@pytest.mark.parametrize(
    "power", [[95.3] * 200, [0.0] * 200, [float("nan")] * 200, [0.4] * 200, watts(50, 95) + [None] * 150]
)
def test_what_cannot_have_been_measured_teaches_nothing(power):
    """A stopped exporter, nothing, less than a watt, and too few samples."""
    assert learned(track(use=[0.0] * 200, watts=power, memory=[50.0] * 200)) == {}


def test_samples_with_a_gap_between_them_do_not_stand_beside_each_other():
    """An hour apart, nothing is known of what was between."""
    sparse = track(use=[0.0] * 200, watts=watts(200, 95), memory=[50.0] * 200)
    assert learned(Track("0", np.arange(200) * 3600.0, sparse.values)) == {}


def test_three_boards_make_a_figure_and_two_do_not():
    """The upper bound is the 90th percentile of the boards' highest: between 97 and 98 of 96, 97, 98."""
    boards = [("L40S", True, AtRest(90.0, 95.0, high, 100)) for high in (96.0, 97.0, 98.0)]
    (found,) = power_of(boards)
    assert (found.held, found.watts, found.bare, found.devices) == (95.0, pytest.approx(97.8), None, 3)
    (few,) = power_of(boards[:2])
    assert (few.held, few.watts, few.devices) == (None, None, 2)
