"""Settings, and which of them is recommended: chosen on the first part, checked on the second."""

from datetime import timedelta

import pytest

from engine.backtest.model import Clock
from engine.backtest.recording import Machine
from engine.backtest.sweep import Recommendation, Trust, recommend, settings_of
from engine.errors import ConfigError
from tests.engine import estates
from tests.engine.backtest.machines import clock_of, conduct, machine, prepared, still_watts, track

BODY = """\
resource: aws.ec2.instance
    idle: {for: 1h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 1000, max_share: 100%}
"""
POLICY = estates.policy(BODY)
DAY = 1440
AXES = {"for": ["30m", "1h", "2h"]}


def worked(*busy: range, identity: str) -> Machine:
    """Return a machine that works in these minutes of a day and rests in all others."""
    use = [80.0 if any(n in span for span in busy) else 0.0 for n in range(DAY)]
    watts = [200.3 if value else rest for value, rest in zip(use, still_watts(DAY), strict=True)]
    return machine(track(use=use, watts=watts), identity=identity)


def recommended(machines: list[Machine], bound: float) -> Recommendation:
    clock: Clock = clock_of(DAY)
    made = prepared(machines, [POLICY], clock, axes=AXES)
    return recommend(made, settings_of([POLICY], AXES), clock, conduct(), timedelta(hours=1), bound=bound)


def test_every_value_with_every_other():
    """Two windows and three thresholds are six settings, in the order given, and other parts stay as they are."""
    found = settings_of([POLICY], {"for": ["1h", "2h"], "below.gpu.utilization": ["1%", "5%", "9%"]})
    assert [dict(one.values)["for"] for one in found] == ["1h"] * 3 + ["2h"] * 3
    check = found[-1].policies[0].check
    assert (check.window, check.below["gpu.utilization"].value) == (timedelta(hours=2), 9)
    assert check.below["gpu.power_over_idle"].value == 15


@pytest.mark.parametrize("axes", [{"below.gpu.utilization": ["5W"]}, {"for": ["5%"]}, {"coverage": ["90%"]}])
def test_values_of_another_kind_are_refused(axes):
    """Watts are no use, a share is no time, and what is no axis is named."""
    with pytest.raises(ConfigError):
        settings_of([POLICY], axes)


def test_the_setting_that_saves_most_within_the_bound_is_taken():
    """Work of an hour and of two, and long rests: half an hour is as right as two, and saves more."""
    found = recommended([worked(range(60), range(820, 930), identity=f"i-{n}") for n in range(40)], 0.1)
    assert found.best is not None
    assert dict(found.best.setting.values) == {"for": "30m"}
    assert found.best.outcome.regretted == 0


def test_with_enough_acts_the_second_part_confirms_it():
    """Of 40 acts after the split none is wrong: with 90% confidence regret is below 10%."""
    found = recommended([worked(range(60), range(820, 930), identity=f"i-{n}") for n in range(40)], 0.1)
    assert found.trust is Trust.CONFIRMED
    assert found.interval is not None
    assert found.interval[1] < 0.1


def test_few_acts_are_likely_at_best():
    """Of three acts none is wrong, which says little."""
    found = recommended([worked(range(60), range(820, 930), identity=f"i-{n}") for n in range(3)], 0.1)
    assert found.trust is Trust.LIKELY


def test_what_fits_the_first_part_alone_is_refuted():
    """From the evening on they work for ten minutes an hour: acts after half an hour are wrong there."""
    evening = [range(start, start + 10) for start in range(880, DAY, 60)]
    found = recommended([worked(range(60), *evening, identity=f"i-{n}") for n in range(10)], 0.1)
    assert found.best is not None
    assert dict(found.best.setting.values) == {"for": "30m"}
    assert found.trust is Trust.REFUTED


def test_where_every_setting_is_wrong_too_often_none_is_taken():
    """Rests of 80 minutes: after 30 or 60 of them work comes within the hour, and none lasts for two hours."""
    busy = [range(start, start + 20) for start in range(0, DAY, 100)]
    found = recommended([worked(*busy, identity=f"i-{n}") for n in range(3)], 0.02)
    assert found.best is None


def test_the_choice_does_not_know_the_second_part():
    """No look-ahead: whatever happens after the split, the same setting is chosen for the same reasons."""
    calm = [worked(range(60), identity=f"i-{n}") for n in range(5)]
    busy = [worked(range(60), range(900, DAY), identity=f"i-{n}") for n in range(5)]
    one, other = recommended(calm, 0.1), recommended(busy, 0.1)
    assert one.best is not None
    assert other.best is not None
    assert one.best.setting == other.best.setting
    assert [row.outcome.regret for row in one.fitted] == [row.outcome.regret for row in other.fitted]
    assert [row.outcome.saved for row in one.fitted] == [row.outcome.saved for row in other.fitted]
