"""Samples to readings, and the samples that are none."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.model import Series
from engine.telemetry import (
    Window,
    WindowReading,
    believable_windows,
    expected_devices,
    frozen,
    metric_windows,
    read_window,
)
from engine.values import Reason, Unknown
from tests.engine.estates import (
    CATALOG,
    DENIED,
    INSTANCE,
    NOW,
    WATTS,
    gpu,
    instance,
    series,
    watts,
    with_metrics,
    without,
)

HOUR = timedelta(hours=1)
WINDOW = Window.ending(NOW, HOUR)
KIND = CATALOG.kinds[INSTANCE]
USE = KIND.metric_by_name["gpu.utilization"]
POWER = KIND.metric_by_name["gpu.power"]
OVER = KIND.metric_by_name["gpu.power_over_idle"]
MINUTE = timedelta(minutes=1)


def read(found: Series, window: Window = WINDOW, unit: str = "") -> WindowReading:
    reading = read_window(found, window, "m", unit)
    assert isinstance(reading, WindowReading), reading
    return reading


def reason(found: Series, window: Window = WINDOW, unit: str = "") -> Reason:
    reading = read_window(found, window, "m", unit)
    assert isinstance(reading, Unknown), reading
    assert reading.path == "m"
    return reading.reason


def test_statistics():
    """Peak, low, mean and total are those of the samples inside the window."""
    reading = read(series("m", [99.0] + [1.0, 2.0, 3.0] * 20))
    assert (reading.peak, reading.low, reading.mean, reading.total) == (3.0, 1.0, 2.0, 120.0)
    assert (reading.got, reading.expected) == (60, 60)
    assert (reading.first, reading.last) == (NOW - HOUR, NOW)
    assert reading.provenance() == "cloudwatch test, 60 of 60 samples, 15:00-16:00 UTC"


def test_the_window_is_half_open():
    """The bucket before the window does not count, the first and the last do, and the one after does not."""
    values = [9.0, 1.0] + [0.0] * 58 + [2.0, 9.0]
    reading = read(series("m", values, end=NOW + MINUTE))
    assert (reading.peak, reading.total) == (2.0, 3.0)


def test_a_window_between_the_buckets():
    """Half a minute past, the bucket cut by the start is left out; the one that has begun shows work."""
    half = Window.ending(NOW + MINUTE / 2, HOUR)
    reading = read(series("m", [9.0] + [0.0] * 59 + [5.0], end=NOW + MINUTE), half)
    assert (reading.peak, reading.got, reading.expected) == (5.0, 59, 59)
    assert reading.last == half.end


def test_work_in_a_coarse_bucket_that_has_begun():
    """At an hour a bucket, the last half hour is seen too."""
    end = Window.ending(NOW + HOUR / 2, timedelta(hours=12))
    coarse = replace(series("m", [0.0] * 13 + [80.0], step=3600), samples=(60,) * 13 + (30,), start=NOW - 13 * HOUR)
    reading = read(coarse, end)
    assert (reading.peak, reading.got, reading.expected) == (80.0, 660, 660)


# --- coverage


@pytest.mark.parametrize(("missing", "enough"), [(0, True), (6, True), (7, False), (59, False), (60, False)])
def test_nine_tenths(missing, enough):
    """Of sixty samples six may be missing."""
    values = [None] * missing + [1.0] * (60 - missing)
    found = read_window(series("m", values), WINDOW, "m")
    assert isinstance(found, WindowReading) is enough
    if not enough:
        assert isinstance(found, Unknown)
        assert found.reason is Reason.INSUFFICIENT_SAMPLES


def test_the_reason_has_numbers():
    """How many came and how many are needed."""
    found = read_window(series("m", [1.0] * 30), Window.ending(NOW, HOUR, 95.0), "m")
    assert found == Unknown(Reason.INSUFFICIENT_SAMPLES, "30 of 60 samples from cloudwatch test, 95% needed", "m")


@pytest.mark.parametrize(
    ("samples", "got"),
    [((5,) * 12, 60), ((5,) * 11 + (1,), 56), ((9,) * 12, 60), (None, 12), ((5,) * 6, 30), ((0,) * 12, 0)],
    ids=["full", "one short", "more than can be", "not said", "too few counts", "none"],
)
def test_coverage_of_coarse_buckets(samples, got):
    """A bucket of five minutes is full with five samples; where the source does not say, it has one."""
    window = Window.ending(NOW, HOUR, 0.0)
    reading = read(series("m", [1.0] * 12, step=300, samples=samples), window)
    assert (reading.got, reading.expected) == (got, 60)


def test_a_short_window():
    """Fewer than three buckets show no duration."""
    found = read_window(series("m", [1.0] * 60), Window.ending(NOW, timedelta(minutes=2)), "m")
    assert found == Unknown(Reason.INSUFFICIENT_SAMPLES, "a window holds only 2 buckets of 0:01:00", "m")
    assert read(series("m", [1.0] * 60), Window.ending(NOW, timedelta(minutes=3))).got == 3


@pytest.mark.parametrize("moved", [timedelta(hours=-9), timedelta(hours=-1)])
def test_samples_before_the_window(moved):
    """A series that ended before the window shows nothing of it."""
    assert reason(series("m", [1.0] * 60, end=NOW + moved)) is Reason.INSUFFICIENT_SAMPLES


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), -0.5])
def test_values_that_cannot_be(value):
    """What is not a number, endless or negative is no sample."""
    assert reason(series("m", [value] * 60)) is Reason.INSUFFICIENT_SAMPLES
    assert read(series("m", [value] + [1.0] * 59)).got == 59


def test_nothing_that_runs_draws_no_power():
    """0 W is what a broken sensor says; 0% is not."""
    assert reason(series("m", [0.0] * 60), unit="watt") is Reason.INSUFFICIENT_SAMPLES
    assert read(series("m", [0.0] * 60), unit="percent").peak == 0.0


def test_an_empty_series():
    """No buckets, no reading."""
    assert reason(series("m", [])) is Reason.INSUFFICIENT_SAMPLES


# --- time


@pytest.mark.parametrize(("minutes", "stale"), [(0, False), (10, False), (11, True)])
def test_the_newest_sample(minutes, stale):
    """It may be ten minutes old, even where coverage would do with less."""
    found = read_window(
        series("m", [1.0] * (60 - minutes), end=NOW - minutes * MINUTE), Window.ending(NOW, HOUR, 50.0), "m"
    )
    assert (
        found == Unknown(Reason.STALE, f"the newest sample of cloudwatch test is {minutes} minutes old", "m")
    ) is stale


@pytest.mark.parametrize(("minutes", "stale"), [(15, False), (20, True)])
def test_the_newest_of_a_slow_source(minutes, stale):
    """At five minutes a sample it may be three of them old."""
    values = [1.0] * (48 - minutes // 5)
    found = series("m", values, end=NOW - minutes * MINUTE, step=300, interval=300)
    window = Window.ending(NOW, timedelta(hours=4), 50.0)
    assert (
        read_window(found, window, "m")
        == Unknown(Reason.STALE, f"the newest sample of cloudwatch test is {minutes} minutes old", "m")
    ) is stale


@pytest.mark.parametrize(("ahead", "believed"), [(1, True), (10, True), (11, False), (600, False)])
def test_samples_after_the_window(ahead, believed):
    """Ten minutes are the time it takes to read an estate; beyond, the clock of the source is wrong."""
    found = read_window(series("m", [1.0] * (60 + ahead), end=NOW + ahead * MINUTE), WINDOW, "m")
    if believed:
        assert isinstance(found, WindowReading)
        assert (found.got, found.total) == (60, 60.0)
    else:
        assert found == Unknown(Reason.FUTURE_TIMESTAMP, "samples are dated after the end of the window", "m")


def test_empty_buckets_after_the_window():
    """A grid that reaches further without samples is no sign of anything."""
    assert read(series("m", [1.0] * 60 + [None] * 60, end=NOW + HOUR)).got == 60


# --- exporters that have stopped


def stopped(values, metric=POWER, window=WINDOW) -> bool:
    return frozen(read(series("m", values), window), metric)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([58.37] * 60, True),
        ([58.0] * 60, False),
        (watts(58.0, 60), False),
        (watts(58.0, 40) + [58.37] * 20, True),
        (watts(58.0, 41) + [58.37] * 19, False),
        (watts(58.0, 40) + [58.0] * 20, False),
        ([250.5] * 40 + watts(58.0, 20), False),
        (watts(58.0, 40) + [58.37] * 10 + [None] * 5 + [58.37] * 5, True),
        ([58.37] * 56 + [None] * 4, True),
    ],
    ids=["all", "whole watts", "moving", "20 minutes", "19", "20 whole", "earlier", "with a gap", "gap at the end"],
)
def test_frozen_power(values, expected):
    """Power in fractions of a watt is never the same for twenty samples; gaps in between do not hide it."""
    assert stopped(values) is expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [([0.0] * 60, False), ([100.0] * 60, False), ([3.0] * 60, True), ([3.0] * 59 + [2.0], False)],
)
def test_frozen_use(values, expected):
    """Rest and full use may last; a number in between does not for a whole window."""
    assert stopped(values, USE) is expected


def test_memory_may_stand_still():
    """What is loaded stays loaded."""
    assert stopped([43.7] * 60, KIND.metric_by_name["gpu.memory_used"]) is False


def test_a_short_window_cannot_tell():
    """Nineteen equal samples may be chance."""
    assert stopped([58.37] * 60, window=Window.ending(NOW, 19 * MINUTE)) is False


@given(st.lists(st.sampled_from([58.37, 58.5, None]), min_size=60, max_size=60), st.integers(0, 59))
def test_deleting_a_sample_never_wakes_an_exporter(values, position):
    """A stopped exporter stays stopped, or its window stays unread, whichever sample is taken away."""
    window = Window.ending(NOW, HOUR, 10.0)
    before = read_window(series("m", values), window, "m")
    after = read_window(series("m", [*values[:position], None, *values[position + 1 :]]), window, "m")
    if isinstance(before, WindowReading) and frozen(before, POWER) and isinstance(after, WindowReading):
        assert frozen(after, POWER)


# --- devices


@pytest.mark.parametrize(("count", "expected"), [(0, 0), (1, 1), (8, 8), (0.125, 1), (2.5, 3)])
def test_expected_devices(count, expected):
    """A part of a device is one that sends."""
    assert expected_devices(instance(fields={"accelerator.devices": count}), KIND, USE, NOW) == expected


@pytest.mark.parametrize("count", ["1", True, -1, float("nan"), float("inf"), DENIED], ids=str)
def test_devices_that_are_not_known(count):
    """Anything but a number of things is unknown."""
    assert isinstance(expected_devices(instance(fields={"accelerator.devices": count}), KIND, USE, NOW), Unknown)


def windows(resource, metric=USE, watts=WATTS):
    return metric_windows(resource, KIND, metric, Window.ending(NOW, 4 * HOUR), now=NOW, watts=watts)


def test_a_resource_that_says_it_has_a_billion_devices():
    """However many devices are said to be silent, a handful stands for them, and nothing is known of the machine."""
    found = windows(instance(fields={"accelerator.devices": 10**9}))
    assert len(found) == 65
    assert sum(isinstance(reading, Unknown) for reading in found.values()) == 64


def test_silent_devices_are_there():
    """Two of three devices send; the third is unknown under a name of its own."""
    resource = replace(instance(devices=2), fields=instance(devices=3).fields)
    found = windows(resource)
    assert [device for device, reading in found.items() if isinstance(reading, WindowReading)] == ["0", "1"]
    assert found["?0"] == Unknown(Reason.INSUFFICIENT_SAMPLES, "2 of 3 devices send gpu.utilization", "gpu.utilization")


def test_no_device_sends():
    """All are unknown, and the reason is that nothing was collected."""
    found = windows(without(instance(devices=2), "gpu.utilization"))
    expected = Unknown(Reason.NOT_COLLECTED, "nothing sends gpu.utilization for this resource", "gpu.utilization")
    assert found == {"?0": expected, "?1": expected}


def test_unknown_count_hides_every_device():
    """Where it is not known how many devices there are, none is known."""
    found = windows(instance(fields={"accelerator.devices": DENIED}))
    assert list(found) == ["?"]


def test_power_over_rest():
    """130.2 W are 100.3% above the 65 W of an A10G at rest."""
    (reading,) = windows(with_metrics(instance(), gpu__power=(series("gpu.power", watts(130.0)),)), OVER).values()
    assert isinstance(reading, WindowReading)
    assert reading.peak == pytest.approx(100.3077, abs=1e-4)
    assert reading.low == pytest.approx(100.0)
    assert reading.source == "cloudwatch test; at rest up to 65 W, peak 130.2 W"


@pytest.mark.parametrize(
    ("resource", "known"),
    [
        (without(instance(), "accelerator.model"), WATTS),
        (instance(fields={"accelerator.model": DENIED}), WATTS),
        (instance(), {}),
        (instance(), {"A10G": 0.0}),
    ],
    ids=["no model", "model denied", "model not listed", "no watts"],
)
def test_power_over_an_unknown_rest(resource, known):
    """Without the model or its power at rest there is nothing to compare with."""
    (reading,) = windows(resource, OVER, known).values()
    assert isinstance(reading, Unknown)


def test_power_over_rest_freezes_with_its_source():
    """A derived metric is as dead as what it is computed from."""
    resource = with_metrics(instance(), gpu__power=(series("gpu.power", [58.37] * 240),))
    found = believable_windows(resource, KIND, OVER, Window.ending(NOW, 4 * HOUR), now=NOW, watts=WATTS)
    assert found == {
        "0": Unknown(
            Reason.STALE,
            "cloudwatch test; at rest up to 65 W, peak 58.4 W repeats its last value: the exporter looks stopped",
            "gpu.power_over_idle[0]",
        )
    }


def test_two_series_of_one_device():
    """Neither of them is believed."""
    resource = with_metrics(instance(), gpu__utilization=(gpu()["gpu.utilization"],) * 2)
    assert windows(resource) == {"0": Unknown(Reason.SOURCE_ERROR, "two series for one device", "gpu.utilization[0]")}


# --- time that nobody saw


@pytest.mark.parametrize(
    ("values", "unseen"),
    [
        ([0.0] * 60, 0),
        ([None] + [0.0] * 59, 60),
        ([0.0] * 30 + [None] * 3 + [0.0] * 27, 180),
        ([0.0] * 30 + [float("nan")] + [0.0] * 29, 60),
        ([0.0] * 55 + [None] * 5, 0),
        ([0.0] * 30 + [None] + [0.0] * 24 + [None] * 5, 60),
    ],
    ids=["complete", "the first", "three", "NaN", "the newest", "one, and the newest"],
)
def test_unseen(values, unseen):
    """What is missing before the newest sample was not seen; what comes after it may not have been delivered yet."""
    reading = read_window(series("gpu.utilization", values), WINDOW, "gpu.utilization")
    assert isinstance(reading, WindowReading)
    assert reading.unseen == unseen


@pytest.mark.parametrize(
    ("counts", "unseen"),
    [([5] * 12, 0), ([5, 4] * 6, 0), ([5] * 6 + [3] + [5] * 5, 120), ([5] * 6 + [0] + [5] * 5, 300)],
    ids=["complete", "one in two drifted over an edge", "two of five", "a whole bucket"],
)
def test_unseen_in_longer_buckets(counts, unseen):
    """A bucket that should hold five samples may lack one, which fell into its neighbour."""
    values = [0.0 if count else None for count in counts]
    found = series("gpu.utilization", values, step=300, samples=tuple(counts))
    reading = read_window(found, Window.ending(NOW, HOUR, 80), "gpu.utilization")
    assert isinstance(reading, WindowReading)
    assert reading.unseen == unseen
