from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from bursar.demo.telemetry import Grid, card_of, devices_of, gpus, invocations

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
GRID = Grid.until(NOW, 60)
LAST_HOURS = slice(-240, None)


def _gpus(story, instance_type="p5.48xlarge", seed="x"):
    return gpus(story, instance_type, GRID, NOW, Random(seed))


def test_a_grid_holds_26_hours_of_whole_minutes_up_to_two_minutes_ago():
    """At 12:34:56 the last value is that of 12:32."""
    last = GRID.start + timedelta(minutes=GRID.count - 1)

    assert (GRID.count, last) == (26 * 60, datetime(2026, 11, 23, 12, 32, tzinfo=UTC))


def test_a_grid_may_begin_with_the_machine():
    """Nothing is published before a launch ten minutes ago, at 12:24:56."""
    grid = Grid.until(NOW, 60, NOW - timedelta(minutes=10))

    assert (grid.start, grid.count) == (datetime(2026, 11, 23, 12, 25, tzinfo=UTC), 8)


def test_a_machine_launched_just_now_has_no_values():
    """A grid that would begin after its end is empty."""
    assert Grid.until(NOW, 60, NOW).count == 0


def test_the_same_seed_tells_the_same_story():
    """Demos and tests can be repeated."""
    assert _gpus("busy") == _gpus("busy")


@pytest.mark.parametrize(
    ("story", "instance_type", "utilization", "power"),
    [
        ("idle", "p5.48xlarge", (0, 0), (68, 74)),
        ("idle", "p4d.24xlarge", (0, 0), (60, 66)),
        ("context_held", "p5.48xlarge", (0, 0), (110, 125)),
        ("context_held", "p4d.24xlarge", (0, 0), (85, 105)),
        ("stuck", "p5.48xlarge", (100, 100), (110, 125)),
    ],
)
def test_powers_of_cards_at_rest_follow_measurements(story, instance_type, utilization, power):
    """Power tells apart what utilization cannot, and varies as a real card's does."""
    for device in _gpus(story, instance_type):
        assert (min(device.utilization), max(device.utilization)) == utilization
        assert power[0] <= min(device.power) < max(device.power) <= power[1]
        assert len(set(device.power)) > 100


def test_a_busy_gpu_works_near_its_limit_except_for_checkpoints():
    """At least 95 % of the samples, and some of every hour, are above 90 % and 600 of 700 watts."""
    for device in _gpus("busy"):
        high = [u >= 90 and p >= 600 for u, p in zip(device.utilization, device.power, strict=True)]
        assert sum(high) >= 0.95 * GRID.count
        assert all(any(high[i : i + 60]) for i in range(0, GRID.count, 60))


def test_a_held_context_keeps_three_quarters_of_the_memory():
    """61,169 of the 81,559 MiB of an H100."""
    assert all(set(device.memory) == {61169.0} for device in _gpus("context_held"))


def test_two_of_eight_gpus_work_on_a_partly_idle_machine():
    """The rest show nothing."""
    assert [max(device.utilization) > 0 for device in _gpus("partly_idle")] == [True] * 2 + [False] * 6


def test_silent_devices_publish_nothing():
    """All of a silent machine, half of a half silent one."""
    assert _gpus("silent") == [None] * 8
    assert [device is None for device in _gpus("half_silent", "g5.12xlarge")] == [False, True, False, True]


def test_a_frozen_exporter_repeats_itself_for_nine_hours():
    """Not even the power moves, which no real card manages; before that it was busy."""
    (device,) = _gpus("frozen", "g5.2xlarge")

    assert len(set(device.power[-535:])) == 1
    assert set(device.utilization[-535:]) == {0.0}
    assert max(device.utilization[:-545]) >= 90


def test_a_dead_agent_ends_two_hours_ago():
    """The last value is from before 10:34:56."""
    (device,) = _gpus("agent_died", "g5.xlarge")
    last = GRID.start + timedelta(minutes=len(device.power) - 1)

    assert last == datetime(2026, 11, 23, 10, 34, tzinfo=UTC)


def test_minutes_without_requests_have_no_value():
    """Never a zero; every half hour of traffic has some, and none at all come without traffic."""
    serving = invocations("serving", GRID, NOW, Random("x"))
    quiet = invocations("quiet", GRID, NOW, Random("x"))

    assert 0 not in serving
    assert None in serving
    assert all(any(serving[i : i + 30]) for i in range(0, GRID.count, 30))
    assert 26 * 60 - len(quiet) in range(9 * 60 - 3, 9 * 60 + 1)
    assert invocations("no_traffic", GRID, NOW, Random("x")) == []


def test_types_without_an_nvidia_gpu_have_no_card():
    """Neither CPU machines nor AWS's own accelerators; SageMaker's prefix makes no difference."""
    assert card_of("m7i.xlarge") is None
    assert card_of("inf2.24xlarge") is None
    assert (devices_of("inf2.24xlarge"), devices_of("ml.g5.24xlarge"), devices_of("ml.g4dn.xlarge")) == (
        0,
        4,
        1,
    )
