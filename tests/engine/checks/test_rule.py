"""Conditions as checks: what they say and what they show."""

import pytest

from engine.values import Reason, Unknown
from tests.engine.estates import DENIED, instance, judge, series, verdicts, with_metrics, without

ABOUT = "resource: aws.ec2.instance\n    rule: "


@pytest.mark.parametrize(
    ("rule", "violated", "summary"),
    [
        ('resource.state == "running"', True, 'resource.state == "running" holds'),
        ('resource.state == "stopped"', False, 'resource.state == "stopped" does not hold'),
        ("resource.imdsv2", None, "it is not known whether resource.imdsv2 holds"),
        ("cost.hourly > 0.5", True, "cost.hourly > 0.5 holds"),
        ("resource.age > 29d", True, "resource.age > 29d holds"),
        ("max(metrics.cpu.utilization, 4h) < 5", True, "max(metrics.cpu.utilization, 4h) < 5 holds"),
    ],
)
def test_summary(rule, violated, summary):
    """Without a message the condition is the summary."""
    found = judge(ABOUT + f"'{rule}'", instance())
    assert (None if isinstance(found.violated, Unknown) else found.violated) is violated
    assert found.summary == summary


def test_message():
    """A message stands instead of a condition that holds, and of no other."""
    entry = ABOUT + '{when: resource.running, message: "it runs"}'
    assert judge(entry, instance()).summary == "it runs"
    assert judge(entry, instance(fields={"running": False})).summary == "resource.running does not hold"


def test_evidence_is_all_that_was_read():
    """Every path once, also of parts that did not decide."""
    found = judge(ABOUT + "'resource.running or tags.owner == \"x\" or resource.running'", instance())
    assert [(e.path, e.value) for e in found.evidence] == [("resource.running", True), ("tags.owner", "ana")]


@pytest.mark.parametrize("rule", ["size(tags) == 0", '"owner" not in tags', "true"])
def test_conditions_that_read_no_name(rule):
    """Where nothing was read by name the tags are shown: a violation always has evidence."""
    found = judge(ABOUT + f"'{rule}'", instance(tags={}))
    assert found.violated is True
    assert [(e.path, e.value) for e in found.evidence] == [("tags", {})]


def test_unknown_parts():
    """Each part that is not known is named."""
    found = judge(ABOUT + "resource.imdsv2 and resource.public_ip", instance(fields={"public_ip": DENIED}))
    assert [(u.path, u.reason) for u in found.unknowns] == [
        ("resource.imdsv2", Reason.SOURCE_ERROR),
        ("resource.public_ip", Reason.DENIED),
    ]


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (with_metrics(instance(), gpu__power=(series("gpu.power", [58.37] * 240),)), Reason.STALE),
        (without(instance(), "gpu.power"), Reason.NOT_COLLECTED),
        (instance(devices=0), Reason.NOT_COLLECTED),
        (instance(devices=2, metrics=instance().metrics), Reason.INSUFFICIENT_SAMPLES),
    ],
    ids=["frozen", "none", "no device", "one of two devices"],
)
def test_metrics_that_prove_nothing(resource, reason):
    """A metric function rests on every device, and on no exporter that has stopped."""
    found = judge(ABOUT + "max(metrics.gpu.power, 4h) < 100", resource)
    assert isinstance(found.violated, Unknown)
    assert found.violated.reason is reason


@pytest.mark.parametrize(
    ("function", "expected"), [("max", 60.0), ("min", 10.0), ("sum", 240 * 10.0 + 240 * 60.0), ("avg", 35.0)]
)
def test_metric_functions(function, expected):
    """They are taken over all devices."""
    values = (series("gpu.memory_used", [10.0] * 240, "0"), series("gpu.memory_used", [60.0] * 240, "1"))
    resource = with_metrics(instance(devices=2), gpu__memory_used=values)
    found = judge(ABOUT + f"{function}(metrics.gpu.memory_used, 4h) > 1", resource)
    assert found.evidence[0].value == pytest.approx(expected)


def test_verdict_of_an_unknown_rule():
    """An unknown rule is an unknown verdict with its reasons."""
    (verdict,) = verdicts(ABOUT + "resource.imdsv2", instance())
    assert verdict.outcome == "unknown"
    assert [u.reason for u in verdict.unknowns] == [Reason.SOURCE_ERROR]
