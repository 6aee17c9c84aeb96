"""Quiet spells: how often a device was below a threshold for so long."""

import numpy as np
import pytest

from engine.backtest.spells import spell_lengths, spells_of

NAN = float("nan")


def lengths(*samples: tuple[float, float], below: float = 5.0) -> list[float]:
    """Return the lengths of the spells in `samples`, pairs of a second and a value."""
    found = spell_lengths(np.array([at for at, _ in samples]), np.array([value for _, value in samples]), below)
    return found.tolist()


def test_a_spell_lasts_from_its_first_sample_to_its_last():
    """Nothing is claimed of the time before the first quiet sample and after the last one."""
    assert lengths((0, 0.0), (60, 4.9), (120, 0.0), (180, 5.0), (240, 0.0)) == [120, 0]


def test_the_threshold_is_not_below_itself():
    """A sample at exactly the threshold is work."""
    assert lengths((0, 5.0), (60, 5.0)) == []


def test_a_gap_of_300_seconds_is_bridged_and_a_longer_one_is_not():
    """What was not recorded for more than five minutes may have been work."""
    assert lengths((0, 0.0), (300, 0.0), (601, 0.0), (700, 0.0)) == [300, 99]


def test_a_sample_without_a_number_is_no_sample():
    """NaN neither ends a spell nor makes one, and the gap it leaves counts."""
    assert lengths((0, 0.0), (200, NAN), (300, 0.0), (500, NAN), (700, 0.0)) == [300, 0]
    assert lengths((0, NAN), (60, NAN)) == []


def test_no_samples_have_no_spells():
    """A device that sent nothing was not quiet."""
    assert lengths() == []


@pytest.mark.parametrize(("window", "count", "hours"), [(1800, 2, 1.5), (1801, 1, 1.0), (3600, 1, 1.0), (3601, 0, 0.0)])
def test_a_spell_counts_once_from_the_window_on(window, count, hours):
    """Spells of 30 minutes, an hour and ten minutes: each counts once, with all its hours."""
    found = spells_of([np.array([1800.0, 600.0]), np.array([3600.0])], window)
    assert (found.count, found.hours) == (count, hours)
