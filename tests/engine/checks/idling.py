"""Machines that are idle but for one thing, and the policies they are judged by."""

from engine.model import Resource
from engine.values import Unknown
from tests.engine.estates import instance, series, together, with_metrics

BOTH = """\
resource: aws.ec2.instance
    idle: {for: 4h, below: {gpu.utilization: 5%, gpu.power_over_idle: 15%}}
"""
USE_ALONE = BOTH.replace(", gpu.power_over_idle: 15%", "")
CPU = BOTH.replace("gpu.utilization: 5%, gpu.power_over_idle: 15%", "cpu.utilization: 5%, network.in: 10MiB")


def processors(values=(1.0,) * 48) -> tuple:
    return (series("cpu.utilization", values, "", step=300, interval=300),)


def machine(*devices, **changes) -> Resource:
    """Return a machine with the telemetry of `devices`, whose processors rest."""
    metrics = together(*devices) | {"cpu.utilization": processors()}
    return instance(devices=len(devices), metrics=metrics, **changes)


def reasons(judgement) -> set[str]:
    assert isinstance(judgement.violated, Unknown)
    assert judgement.violated in judgement.unknowns
    return {unknown.reason.value for unknown in judgement.unknowns}


def changed(**changes) -> Resource:
    return with_metrics(instance(), **changes)


def use(values, **more):
    return {"gpu__utilization": (series("gpu.utilization", values, **more),)}


def power(values, **more):
    return {"gpu__power": (series("gpu.power", values, **more),)}
