"""What runs over a recording do, and whether it was right, on cases that can be counted by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from engine.backtest.latency import Latency
from engine.backtest.verdicts import Code, MachineColumns
from engine.policy.model import RunLimits
from tests.engine import estates
from tests.engine.backtest.machines import START, clock_of, machine, processors, replayed, still_watts, track

BODY = """\
resource: aws.ec2.instance
    idle: {for: 1h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 1000, max_share: 100%}
"""
ENFORCE = estates.policy(BODY)
ASKING = estates.policy(
    BODY.replace("mode: enforce", 'mode: approve\n    approval: {channel: "#gpu", approvers: ["@ml"]}')
)
HOURS = 60


def used(*spans: tuple[int, float]) -> list[float]:
    """Return use by the minute: so many minutes of a value, one span after the other."""
    return [value for minutes, value in spans for _ in range(minutes)]


def rested(use: list[float], identity: str = "i-1"):
    """Return a machine with that use, whose power follows."""
    watts = [200.3 if value >= 5 else rest for value, rest in zip(use, still_watts(len(use)), strict=True)]
    return machine(track(use=use, watts=watts), identity=identity)


def test_an_act_comes_when_the_window_is_full_and_saves_until_the_next_work():
    """Work ends after an hour, so the window is full after two; work begins again after five: three hours saved."""
    found = replayed([rested(used((60, 80), (240, 0), (60, 80)))], [ENFORCE], 360)
    (act,) = found.assessed
    assert act.act.at == START + timedelta(hours=2)
    assert (act.saved, act.regretted, act.observed, act.displaced) == (3.0, False, True, 0.0)
    assert found.dollars == 3


def test_work_within_the_horizon_is_regretted():
    """Work begins 30 minutes after the act and lasts: half an hour of the horizon of an hour is displaced."""
    found = replayed([rested(used((60, 80), (90, 0), (210, 80)))], [ENFORCE], 360)
    (act,) = found.assessed
    assert (act.saved, act.regretted, act.displaced, found.regret) == (0.5, True, 0.5, 1.0)


def test_an_act_whose_horizon_was_not_recorded_is_neither_right_nor_wrong():
    """The recording ends 30 minutes after the act: of the hour after it too little is known."""
    found = replayed([rested(used((60, 80), (90, 0)))], [ENFORCE], 150)
    (act,) = found.assessed
    assert (act.observed, found.regret, act.saved) == (False, None, 0.5)


def test_what_was_not_recorded_after_an_act_is_not_saved():
    """The samples stop an hour after the act: one hour is saved, and of the other two nothing is claimed."""
    found = replayed([rested(used((60, 80), (120, 0)))], [ENFORCE], 300)
    (act,) = found.assessed
    assert (act.saved, act.unrecorded) == (1.0, 2.0)


def test_a_machine_is_left_alone_for_a_day_after_an_act():
    """It rests twice on one day; the second time it is found and held back."""
    found = replayed([rested(used((60, 80), (180, 0), (60, 80), (180, 0)))], [ENFORCE], 480)
    assert (found.acts, found.played.findings) == (1, 2)
    assert set(found.played.held) == {"rest after an act"}


def test_a_machine_that_was_started_again_is_too_new_for_a_window():
    """It is wanted after 3 h for a minute; a window after that it is found again, and not earlier."""
    found = replayed([rested(used((60, 80), (120, 0), (1, 80), (119, 0)))], [ENFORCE], 300)
    assert found.played.findings == 2
    shorter = replayed([rested(used((60, 80), (120, 0), (1, 80), (58, 0)))], [ENFORCE], 239)
    assert shorter.played.findings == 1


def test_an_approval_delays_the_act_and_work_in_between_ends_the_question():
    """Asked after two hours and decided 30 minutes later; where work begins before that, nothing is done."""
    (act,) = replayed([rested(used((60, 80), (240, 0)))], [ASKING], 300).assessed
    assert act.act.at == START + timedelta(hours=2, minutes=30)
    working = replayed([rested(used((60, 80), (75, 0), (165, 80)))], [ASKING], 300)
    assert (working.played.asked, working.acts) == (1, 0)


def test_a_question_that_nobody_answers_in_time_expires():
    """Approvals expire after eight hours by default; whoever takes nine has not decided."""
    slow = replayed([rested(used((60, 80), (720, 0)))], [ASKING], 780, latency=Latency(timedelta(hours=9)))
    assert (slow.played.asked, slow.played.expired, slow.acts) == (1, 1, 0)


def test_limits_hold_all_of_a_run():
    """Three machines rest at once and two may be acted on: none is."""
    machines = [rested(used((60, 80), (240, 0)), f"i-{number}") for number in range(3)]
    held = replayed(machines, [ENFORCE], 180, limits=RunLimits(2, 10))
    assert (held.acts, set(held.played.held)) == (0, {"max_actions of a run"})
    assert replayed(machines, [ENFORCE], 180, limits=RunLimits(3, 10)).acts == 3


def test_grace_is_given_after_the_warning():
    """With two hours of grace the act comes two hours after the warning."""
    grace = estates.policy(BODY + "    grace: 2h\n")
    (act,) = replayed([rested(used((60, 80), (300, 0)))], [grace], 360).assessed
    assert act.act.at == START + timedelta(hours=4)


def test_one_signal_is_reported_and_acted_on_only_if_asked():
    """Without power a finding never leads to an act, unless the replay is told to take one signal for two."""
    alone = estates.policy(BODY.replace(", gpu.power_over_idle: 15%", ""))
    silent = [machine(track(use=used((60, 80), (240, 0))))]
    assert (replayed(silent, [alone], 300).acts, replayed(silent, [alone], 300).played.findings) == (0, 1)
    assert replayed(silent, [alone], 300, one_signal=True).acts == 1


def test_conditions_that_are_false_or_not_known_keep_a_machine_out():
    """`where` that is false leaves it out of what limits are shares of; an unknown `unless` leaves it undecided."""
    away = estates.policy("where: resource.accelerator.count > 8\n    " + BODY)
    assert replayed([rested(used((300, 0)))], [away], 300).played.judged == 0
    odd = estates.policy('unless: ["tags.missing == \\"yes\\""]\n    ' + BODY)
    quiet = rested(used((300, 0)))
    unread = machine(*quiet.tracks, gaps={"tags": estates.DENIED}, tags={})
    found = replayed([unread], [odd], 300)
    assert (found.played.findings, found.acts) == (0, 0)
    assert found.played.undecided > 0


def test_other_checks_are_replayed_by_the_check_itself():
    """A `rule` over a metric is judged at every run by the rule."""
    rule = estates.policy("""\
resource: aws.ec2.instance
    rule: {when: 'max(metrics.gpu.utilization, 1h) < 5'}
    mode: enforce
    remediate: [stop]
    limits: {max_actions: 1000, max_share: 100%}
""")
    (act,) = replayed([rested(used((60, 80), (240, 0)))], [rule], 300).assessed
    assert act.act.at == START + timedelta(hours=2)


@pytest.mark.parametrize(("held", "code"), [(9.9, Code.FOUND), (10.0, Code.COMPLIANT)])
def test_memory_tells_classes_apart_from_ten_percent_on(held, code):
    """Asked for machines with nothing loaded, one whose memory is a tenth full is none."""
    policy = estates.policy(BODY.replace("15%}}", "15%}, classes: [no_process]}"))
    found = machine(track(use=[0.0] * 90, watts=still_watts(90), memory=[held] * 90))
    clock = clock_of(90)
    codes = MachineColumns(found, clock.grid, devices=1, rest=65.0).codes(policy.check, clock.ends)
    assert codes[-1] == code


RESTS = used((60, 80), (240, 0), (60, 80))
"""Six hours: the GPU rests from the first to the fifth."""


def beside(processors_: list[float | None], use: list[float] = RESTS):
    """Return a machine of which the use of the processors was recorded as well."""
    return replace(rested(use), whole=processors(processors_))


@pytest.mark.parametrize(
    ("cpu", "acts"),
    [
        (used((360, 3)), [2]),
        (used((150, 55), (210, 3)), [3.5]),
        (used((360, 55)), []),
        (used((360, None)), []),
        (used((60, 3), (240, None), (60, 3)), []),
    ],
    ids=["at rest", "preparing data for ninety minutes more", "always at work", "silent", "silent meanwhile"],
)
def test_processors_at_work_protect_a_machine(cpu, acts):
    """Where it was recorded what else works, a replay acts when a run would have, by the hour."""
    found = replayed([beside(cpu)], [ENFORCE], 360)
    assert [(one.act.at - START) / timedelta(hours=1) for one in found.assessed] == acts


def test_a_policy_that_nothing_protects_from():
    """`protect_while: {}` acts whatever the processors do, and so does every replay of what has no processors."""
    careless = estates.policy(BODY.replace("15%}}", "15%}, protect_while: {}}"))
    working = beside(used((360, 55)))
    assert len(replayed([working], [careless], 360).assessed) == 1
    assert len(replayed([rested(RESTS)], [ENFORCE], 360).assessed) == 1


def test_one_signal_does_not_outvote_the_processors():
    """One signal stands for two, and for nothing else: what the processors do has to be known, and to be rest."""
    alone = estates.policy(BODY.replace(", gpu.power_over_idle: 15%", ""))
    for cpu, acts in ((used((360, 3)), 1), (used((360, 55)), 0), (used((360, None)), 0)):
        made = machine(track(use=RESTS), whole=processors(cpu))
        assert len(replayed([made], [alone], 360, one_signal=True).assessed) == acts
