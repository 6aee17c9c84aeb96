"""The fast verdicts of a replay against the `idle` check itself, moment by moment."""

from datetime import timedelta

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.backtest.judges import CheckJudge, idle_of, plain_devices
from engine.backtest.model import Fleet, Part
from engine.backtest.prepare import Aims, Setting, prepare
from engine.backtest.recording import Machine
from engine.backtest.replay import replay
from engine.backtest.verdicts import Code, MachineColumns
from engine.policy.model import Policy
from tests.engine import estates
from tests.engine.backtest.machines import clock_of, conduct, context_at, installation, machine, still_watts, track

MINUTES = 90
BODY = """\
resource: aws.ec2.instance
    idle: {{for: {length}, below: {{{below}}}, coverage: {coverage}{classes}}}
    mode: enforce
    remediate: [stop]
    limits: {{max_actions: 1000, max_share: 100%}}
"""

BOTH = estates.policy(
    BODY.format(length="30m", below="gpu.utilization: 5%, gpu.power_over_idle: 15%", coverage="90%", classes="")
)

USES = st.sampled_from([0.0, 0.0, 0.0, 4.9, 5.0, 60.0, 94.9, 95.0, 99.4, 99.5, 99.6, 100.0, 100.0, float("inf"), -1.0])
WATTS = st.sampled_from([58.0, 58.0, 58.1, 58.2, 58.3, 60.0, 74.7, 74.75, 74.8, 200.5, 0.0, 0.5, float("nan")])
MEMORY = st.sampled_from([0.5, 9.9, 10.0, 80.0])


@st.composite
def recorded(draw, values):
    """Draw up to 90 minutes of one metric in runs of one value, with gaps; or none at all."""
    kind = draw(st.sampled_from(["none", "steady", "steady", "mixed", "mixed", "mixed"]))
    if kind == "none":
        return None
    found: list[float | None] = []
    if kind == "steady":
        value, gap = draw(values), draw(st.tuples(st.integers(0, MINUTES), st.integers(0, 60)))
        other, place = draw(values), draw(st.integers(0, MINUTES))
        return [None if gap[0] <= n < sum(gap) else other if n == place else value for n in range(MINUTES)]
    while len(found) < MINUTES:
        value = draw(st.one_of(st.none(), values)) if draw(st.integers(0, 5)) == 0 else draw(values)
        length = draw(st.sampled_from([1, 2, 3, 7, 19, 20, 21, 40]))
        if draw(st.booleans()):
            found += [value] * length
        else:
            found += [None if value is None else value + 0.1 * (n % 2) for n in range(length)]
    return found[:MINUTES]


@st.composite
def machines(draw) -> Machine:
    """Draw a machine of one to three devices, of which one may be silent."""
    tracks = []
    for number in range(draw(st.integers(1, 3))):
        use, watts, memory = draw(recorded(USES)), draw(recorded(WATTS)), draw(recorded(MEMORY))
        if use is not None or watts is not None or memory is not None:
            tracks.append(track(str(number), use=use, watts=watts, memory=memory))
    tracks = tracks or [track("0", use=[0.0] * MINUTES)]
    silent = draw(st.sampled_from([0, 0, 0, 1]))
    model = draw(st.sampled_from(["A10G", "A10G", "A10G", "Unheard-of"]))
    fields = {
        "accelerator.count": len(tracks) + silent, "accelerator.devices": len(tracks) + silent,
        "accelerator.model": model,
    }  # fmt: skip
    return machine(*tracks, since=timedelta(minutes=draw(st.sampled_from([0, 10, 4000]))), fields=fields)


@st.composite
def idle_policies(draw) -> Policy:
    """Draw an idle policy over the metrics that recordings have."""
    use = draw(st.sampled_from(["", "gpu.utilization: 5%", "gpu.utilization: 60%"]))
    power = draw(
        st.sampled_from(
            [
                "",
                "gpu.power_over_idle: 15%",
                "gpu.power_over_idle: 15%",
                "gpu.power: 74.8W",
                "gpu.power: 60W, gpu.power_over_idle: 15%",
            ]
        )
    )
    below = ", ".join(one for one in (use, power) if one) or "gpu.utilization: 1%"
    chosen = draw(
        st.sampled_from(["", "no_process", "context_held", "no_process, context_held", "stuck", "partly_idle"])
    )
    return estates.policy(
        BODY.format(
            length=draw(st.sampled_from(["3m", "4m", "20m", "30m", "45m"])), below=below,
            coverage=draw(st.sampled_from(["1%", "50%", "90%", "100%"])),
            classes=f", classes: [{chosen}]" if chosen else "",
        )
    )  # fmt: skip


@given(machines(), idle_policies(), st.booleans())
@settings(max_examples=400)
@example(machine(track(use=[0.0] * 90, watts=still_watts(90))), BOTH, False)
def test_the_fast_way_says_what_the_check_says(found, policy, one_signal):
    """For any machine, policy and moment the code is that of the real check on what was recorded before."""
    clock = clock_of(MINUTES, 7)
    check, devices = idle_of(policy), plain_devices(found)
    assert check is not None
    assert devices is not None
    rest = estates.WATTS.get(str(found.resource.fields["accelerator.model"]))
    fast = MachineColumns(found, clock.grid, devices=devices, rest=rest).codes(check, clock.ends, one_signal=one_signal)
    slow = CheckJudge(policy, ((0, found),), clock, context_at, one_signal)
    launched = np.array([found.resource.fields["launched"].timestamp()])
    window = check.window.total_seconds()
    for run in range(len(clock.ends)):
        (real,) = slow.codes(run, launched, np.array([False]))
        young = clock.moment(run).timestamp() - launched[0] < window
        assert Code(real) is (Code.UNKNOWN if young else Code(fast[run])), clock.moment(run)


@given(st.lists(machines(), min_size=1, max_size=3), idle_policies())
@settings(max_examples=40)
def test_both_ways_act_alike(found, policy):
    """Whole replays by the fast verdicts and by the real check do the same things at the same times."""
    clock = clock_of(MINUTES, 7)
    made = [
        machine(*one.tracks, identity=f"i-{number}", fields=one.resource.fields) for number, one in enumerate(found)
    ]
    fast = prepare(made, Aims((Setting((), (policy,)),), 5.0), clock, context_at, installation())
    (part,) = fast.parts[0]
    judge = CheckJudge(policy, tuple(enumerate(made)), clock, context_at)
    slow = Part(policy, judge, part.candidates, part.looked_at)
    fleet: Fleet = fast.fleet
    assert replay((slow,), fleet, clock, conduct()) == replay((part,), fleet, clock, conduct())


@given(machines(), idle_policies(), st.integers(0, 11), st.data())
@settings(max_examples=80)
def test_nothing_after_a_run_changes_what_it_sees(found, policy, run, data):
    """No look-ahead: other samples after a moment leave its verdict as it is."""
    clock = clock_of(MINUTES, 7)
    until = int(clock.ends[run])
    later = data.draw(st.lists(USES, min_size=MINUTES - until, max_size=MINUTES - until))
    changed = Machine(
        found.resource,
        tuple(
            track(
                one.device,
                **{
                    key: [*one.values[name][:until].tolist(), *later]
                    for key, name in (("use", "gpu.utilization"), ("watts", "gpu.power"), ("memory", "gpu.memory_used"))
                    if name in one.values
                },
            )
            for one in found.tracks
        ),
    )
    check, devices = idle_of(policy), plain_devices(found)
    assert check is not None
    assert devices is not None
    before, after = (
        MachineColumns(one, clock.grid, devices=devices, rest=65.0).codes(check, clock.ends) for one in (found, changed)
    )
    assert before[: run + 1].tolist() == after[: run + 1].tolist()


@given(machines(), st.data())
@settings(max_examples=80)
def test_losing_samples_never_makes_a_machine_idle(found, data):
    """With full coverage asked for, whatever is deleted, what was not found before is not found after."""
    policy = estates.policy(
        BODY.format(length="20m", below="gpu.utilization: 5%, gpu.power_over_idle: 15%", coverage="100%", classes="")
    )
    check, devices = idle_of(policy), plain_devices(found)
    assert check is not None
    assert devices is not None
    lost = set(data.draw(st.lists(st.integers(0, MINUTES - 1), max_size=30)))
    kept = Machine(
        found.resource,
        tuple(
            track(one.device, **{
                key: [None if n in lost else value for n, value in enumerate(one.values[name].tolist())]
                for key, name in (("use", "gpu.utilization"), ("watts", "gpu.power"), ("memory", "gpu.memory_used"))
                if name in one.values
            })
            for one in found.tracks
        ),
    )  # fmt: skip
    clock = clock_of(MINUTES, 7)
    before, after = (
        MachineColumns(one, clock.grid, devices=devices, rest=65.0).codes(check, clock.ends) for one in (found, kept)
    )
    assert not np.any((after == Code.FOUND) & (before != Code.FOUND))
