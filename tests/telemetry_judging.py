"""A machine with what sources know of it, judged by the engine as in a run."""

from dataclasses import replace
from datetime import datetime, timedelta

from engine.checks.context import Judgement
from engine.model import KindNeeds, Resource
from engine.values import Unknown
from integrations.telemetry.attaching import SourcesTelemetry
from tests.engine.estates import CATALOG, context, instance, judge

WINDOW = timedelta(hours=2)
POLICY = """\
resource: aws.ec2.instance
    idle: {for: 2h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}, protect_while: {}}
"""
NEED = KindNeeds(
    frozenset({"tags", "hardware"}),
    dict.fromkeys(("gpu.utilization", "gpu.power", "gpu.memory_used", "gpu.video", "gpu.fault"), WINDOW),
)


def machine(now: datetime, id_: str = "i-1", devices: int = 2, **fields) -> Resource:
    """Return a running machine with so many H100 and no telemetry."""
    named = {"accelerator.model": "H100", "launched": now - timedelta(days=3), "created": now - timedelta(days=9)}
    found = instance(id_, devices=devices, fields={**named, **fields})
    return replace(found, metrics={})


def measured(sources, now: datetime, *machines: Resource) -> list[Resource]:
    """Return the machines with the telemetry of the sources."""
    return SourcesTelemetry(CATALOG.kinds, sources).attach(list(machines), NEED, "us-east-1")


def judged(sources, now: datetime, resource: Resource) -> Judgement:
    """Return what the idle policy says of a machine."""
    (found,) = measured(sources, now, resource)
    return judge(POLICY, found, context(now))


def outcome(judgement: Judgement) -> bool | frozenset[str]:
    """Return whether it is idle and may be acted on, or the reasons of not knowing."""
    if isinstance(judgement.violated, Unknown):
        return frozenset(unknown.reason.value for unknown in judgement.unknowns)
    return judgement.violated and judgement.actionable


def as_expected(judgement: Judgement, expected: bool | frozenset[str]) -> bool:
    """Return whether a judgement is the one expected, or not known for one of the reasons expected."""
    found = outcome(judgement)
    return (
        bool(found & expected)
        if isinstance(found, frozenset) and isinstance(expected, frozenset)
        else found == expected
    )
