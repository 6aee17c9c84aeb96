"""How many samples a bucket stands for, where several senders share a series."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.aws.metric_plan import Ask, Plan
from integrations.aws.metric_reading import evened, measurements_of
from integrations.aws.registry import source_of
from integrations.telemetry.frame import Frame
from tests.integrations.aws.kind_names import ENDPOINT
from tests.integrations.aws.measuring import KINDS


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


BUCKETS = 6
SAMPLES = st.lists(st.one_of(st.none(), st.sampled_from([0.0, 2.0, 60.0])), min_size=BUCKETS, max_size=BUCKETS)
METRIC = KINDS[ENDPOINT].metric_by_name["gpu.utilization"]
MINUTES = Frame(0, BUCKETS * 60, BUCKETS * 60, 60, 60)


def _together(parts, due):
    """Return values and samples of a variant with so many accelerators, read from each of them."""
    source = source_of(ENDPOINT, METRIC.name)
    asks = [Ask(0, METRIC, source, "v1", MINUTES, value=n, parts=due) for n in range(len(parts))]
    (measured,) = measurements_of(Plan(asks=asks), [tuple(part) for part in parts], 1)
    if not measured.series:
        return (None,) * BUCKETS, (0,) * BUCKETS
    ((_, series),) = measured.series
    return series.values, series.samples


@given(st.lists(SAMPLES, min_size=1, max_size=5), st.integers(1, 5), st.data())
def test_a_sample_less_of_an_accelerator_hides_no_work(parts, due, data):
    """
    Without any one sample, what was seen at work is so still, or is not seen.

    The first and the last of an accelerator are another matter: it may have come later, or gone before.
    """
    values, samples = _together(parts, due)
    inner = [
        (n, i)
        for n, part in enumerate(parts)
        for i, value in enumerate(part)
        if value is not None and any(v is not None for v in part[:i]) and any(v is not None for v in part[i + 1 :])
    ]
    if not inner:
        return
    n, i = data.draw(st.sampled_from(inner))
    less = [[None if (m, j) == (n, i) else v for j, v in enumerate(part)] for m, part in enumerate(parts)]
    after, seen = _together(less, due)

    assert seen[i] == 0
    assert [v for j, v in enumerate(after) if j != i] == [v for j, v in enumerate(values) if j != i]
    assert all(now <= before for now, before in zip(seen, samples, strict=True))


@given(st.lists(SAMPLES, min_size=1, max_size=5), st.integers(1, 5))
def test_time_is_seen_only_if_enough_accelerators_were(parts, due):
    """And the busiest of them is what counts."""
    values, samples = _together(parts, due)

    for index in range(BUCKETS):
        present = [part[index] for part in parts if part[index] is not None]
        assert values[index] == max(present, default=None)
        assert samples[index] == 0 or len(present) >= due
