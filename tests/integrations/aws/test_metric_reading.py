"""How many samples a bucket stands for, where several senders share a series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.aws.metric_reading import evened


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([2, 2, 2], [2, 2, 2]),
        ([1, 3, 2], [2, 2, 2]),  # one came late
        ([3, 1, 2], [2, 2, 2]),  # or early
        ([1, 3, 1], [2, 2, 1]),  # one of two that are missing
        ([2, 1, 2], [2, 1, 2]),
        ([1, 2, 3], [1, 2, 2]),  # two minutes late is too late
        ([0, 4, 0], [2, 2, 0]),
        ([4, 4], [2, 2]),
        ([], []),
    ],
)
def test_a_sample_that_came_a_little_late_is_not_missing(counts, expected):
    """Two are due in each bucket."""
    assert evened(counts, 2) == expected


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 5))
def test_no_sample_counts_twice(counts, due):
    """There are never more than were sent, in no bucket more than are due, and none of those that count is lost."""
    found = evened(counts, due)

    assert sum(found) <= sum(counts)
    assert all(min(count, due) <= now <= due for count, now in zip(counts, found, strict=True))
