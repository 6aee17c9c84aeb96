"""What an idle verdict says beside its evidence, in every form."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bursar.render import encode, table
from bursar.render.explain import render_answers
from bursar.render.idleness import lines_of, summary_of
from engine.explaining import explain_subject
from engine.findings import Basis, Idleness, Outcome, Subject, Verdict
from engine.values import Reason, Unknown
from tests.engine.checks.idling import changed, machine, use
from tests.engine.estates import NOW, context, gpu, plan, policies, series, watts

POLICY = """resource: aws.ec2.instance
    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
    mode: approve
    approval: {channel: "#gpu", approvers: ["@ml"]}
    remediate: [stop]"""
DENIED = Unknown(Reason.DENIED, "the call was denied")
FIVE_HOURS = Idleness(NOW - timedelta(hours=5), True, Decimal(5), Decimal(730), 0.295, 0.236, True)


def since_work_ended():
    """Return a machine at $1 an hour that worked until five hours ago and draws 59 W since."""
    return machine(
        {
            "gpu.utilization": series("gpu.utilization", [90.0] * 60 + [0.0] * 300),
            "gpu.power": series("gpu.power", [250.5, 251.5] * 30 + [58.0, 60.0] * 150),
            "gpu.memory_used": series("gpu.memory_used", [1.0] * 360),
        }
    )


def explained(resource) -> list[str]:
    out = io.StringIO()
    render_answers(explain_subject(policies(POLICY), [resource], context(), resource.id), out, width=140, color=False)
    return out.getvalue().splitlines()


def test_an_explanation_says_since_when_and_for_how_much():
    """Since when, what it came to, what was read and not read, and what would change it."""
    lines = explained(since_work_ended())
    first = lines.index("  idle    since 2026-03-04 11:00 UTC: $5.00 so far, $730 a month if left")
    assert lines[first + 1 : first + 7] == [
        "  energy  0.29 kWh since then, 0.24 kWh in the window, at most",
        "  read    gpu.utilization, gpu.power_over_idle, cpu.utilization, gpu.memory_used",
        "  unread  gpu.video, gpu.fault, sessions.active, jobs.running, node.cordoned: nothing sends it",
        "          network.in, network.out: the policy does not ask for it",
        "  changes one sample of gpu.utilization at 5% or more within 4h",
        "          one sample of gpu.power_over_idle at 15% or more within 4h",
    ]


def test_an_explanation_says_what_would_have_to_be_known():
    """What is not known says what is missing of it."""
    lines = explained(changed(**use([0.0] * 100 + [None] + [0.0] * 139)))
    assert "  changes a window without a missing sample of gpu.utilization[0]" in lines
    (unknown,) = (line for line in lines if line.startswith("  unknown "))
    assert unknown.startswith("  unknown gpu.utilization[0]: insufficient_samples (1m of it unseen by ")


def test_json():
    """Money is text, energy a number, times are ISO 8601."""
    (finding,) = plan(policies(POLICY), [since_work_ended()]).findings
    found = json.loads(json.dumps(encode.finding_of(finding)))
    assert found["idleness"] == {
        "state": "idle",
        "devices": None,
        "since": "2026-03-04T11:00:00Z",
        "since_is_exact": True,
        "cost_usd": "5.0000",
        "cost_if_left_a_month_usd": "730.0000",
        "energy_kwh": 0.295,
        "energy_of_window_kwh": 0.236,
    }
    assert found["basis"]["unread"][0] == "gpu.video: nothing sends it"
    assert found["basis"]["changes"][0] == "one sample of gpu.utilization at 5% or more within 4h"


def test_json_of_what_is_not_known():
    """Unknown costs and energies are reasons; an undecided verdict has what would decide it."""
    found = encode.idleness_of(replace(FIVE_HOURS, cost=DENIED, energy=DENIED))
    assert found is not None
    assert (
        found["cost_usd"] == found["energy_kwh"] == {"unknown": "denied", "detail": "the call was denied", "path": ""}
    )
    (verdict,) = plan(policies(POLICY), [machine({})]).undecided
    assert encode.verdict_of(verdict)["basis"]["changes"] == [
        "telemetry: gpu.utilization",
        "telemetry: gpu.power_over_idle",
    ]


def test_what_may_be_idle_has_its_cost():
    """What nobody knows to be idle stands with what it costs, known or not; other verdicts have no such cost."""
    silent, unpriced = machine({}), replace(machine({}), id="i-2", usage=DENIED)
    found = plan(policies(POLICY), [silent, unpriced])
    at_stake = [encode.verdict_of(verdict)["at_stake"] for verdict in found.undecided]
    assert (at_stake[0]["monthly_usd"], at_stake[1]["unknown"]) == ("730.0000", "denied")

    def lines(*resources):
        out = io.StringIO()
        table.render(plan(policies(POLICY), resources), out, width=120, color=False)
        return [line for line in out.getvalue().splitlines() if line.startswith("p0")]

    (line,) = lines(silent)
    assert line.endswith(" $730")
    (line,) = lines(unpriced)
    assert line.endswith(" ?")
    (line,) = lines(silent, unpriced)
    assert line.endswith(" ≈ $730")
    rule = plan(
        policies("resource: aws.ec2.instance\n    rule: resource.running"), [machine({}, fields={"running": DENIED})]
    )
    assert [verdict.at_stake for verdict in rule.undecided] == [None]


@pytest.mark.parametrize(
    ("idleness", "told"),
    [
        (FIVE_HOURS, "no work for 4h; $5.00 so far"),
        (replace(FIVE_HOURS, exact=False), "no work for 4h; ≥ $5.00 so far"),
        (replace(FIVE_HOURS, telling=False), "no work for 4h"),
        (replace(FIVE_HOURS, cost=DENIED), "no work for 4h"),
        (replace(FIVE_HOURS, cost=Decimal(0)), "no work for 4h"),
        (None, "no work for 4h"),
        (replace(FIVE_HOURS, devices=(2, 8)), "no work for 4h; $5.00 so far, their share"),
        (replace(FIVE_HOURS, devices=(2, 8), state="stuck"), "no work for 4h; $5.00 so far"),
    ],
)
def test_in_short(idleness, told):
    """Tables tell the cost so far where it is more than window times price."""
    subject = Subject("u", "k", "i", "n", "a", "r")
    assert summary_of(Verdict("p", subject, Outcome.VIOLATION, "no work for 4h", idleness=idleness)) == told


def test_lines_of_what_is_not_known():
    """A question mark with its reason."""
    lines = dict(lines_of(replace(FIVE_HOURS, exact=False, cost=DENIED, monthly=DENIED, energy=DENIED), Basis()))
    assert lines == {
        "idle": "since 2026-03-04 11:00 UTC or longer, as far as telemetry reaches: "
        "a cost that is not known so far, a cost that is not known a month if left",
        "energy": "? kWh (the call was denied) since then, 0.24 kWh in the window, at most",
    }


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("idle", ("idle", "; their share of the cost, not what a stop would save")),
        ("stuck", ("stuck", "; what the whole machine costs")),
        ("faulted", ("broken", "; what the whole machine costs")),
    ],
)
def test_lines_of_a_part(state, line):
    """What is about some devices says how many, and whose cost it is; it never promises what a stop would not save."""
    name, whose = line
    told = "2 of 8 devices since 2026-03-04 11:00 UTC: $5.00 so far, $730 a month if left"
    lines = dict(lines_of(replace(FIVE_HOURS, devices=(2, 8), state=state), Basis()))
    assert lines[name] == told + whose
    assert encode.idleness_of(replace(FIVE_HOURS, devices=(2, 8), state=state))["devices"] == [2, 8]


@pytest.mark.parametrize(("hours", "told"), [(5, False), (7, True)])
def test_far_longer_than_the_window(hours, told):
    """Idleness that telemetry does not see the beginning of is told in short once it is far longer than the window."""
    count = hours * 60
    resource = machine(
        {
            **gpu(),
            "gpu.utilization": series("gpu.utilization", [0.0] * count),
            "gpu.power": series("gpu.power", watts(58.0, count)),
        }
    )
    (finding,) = plan(policies(POLICY), [resource]).findings
    assert ("so far" in summary_of(finding.verdict)) is told
