"""Turn planted resources into the CloudWatch series they would publish, for `bursar.demo.company` to load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from bursar.demo.blueprint import ENDPOINT, INSTANCE, NOTEBOOK, VOLUME
from bursar.demo.estate_services import Endpoint
from bursar.demo.plant_compute import Grown
from bursar.demo.process import Series
from bursar.demo.telemetry import WARM_UP, Grid, card_of, disk, gpus, hosting, invocations, load

UNITS = {"CPUUtilization": "Percent", "NetworkIn": "Bytes", "NetworkOut": "Bytes"}

VOLUME_HISTORY = timedelta(days=14, hours=2)
ENDPOINT_HISTORY = timedelta(days=7, hours=2)
"""As long as the shipped policies look back."""


def published(
    now: datetime, grown: Sequence[Grown], endpoints: Sequence[Endpoint], agents: frozenset[str]
) -> Iterator[Series]:
    """Yield every series; `agents` are the names of the notebooks that have an agent."""
    described = {endpoint.name: endpoint for endpoint in endpoints}
    for one in grown:
        match one.planted.kind:
            case _ if one.planted.story == "stopped":
                continue
            case k if k == INSTANCE:
                yield from _gpu(now, one, "InstanceId", one.planted.id)
                yield from _machine(now, one)
            case k if k == NOTEBOOK and one.planted.name in agents:
                yield from _gpu(now, one, "NotebookInstanceName", one.planted.name)
                yield from _kernel(now, one)
            case k if k == VOLUME and one.planted.story == "attached":
                yield from _volume(now, one)
            case k if k == ENDPOINT:
                endpoint = described[one.planted.name]
                for variant in endpoint.variants:
                    yield from _endpoint(now, one, variant, endpoint.count)
            case _:
                continue


def _seeded(*words: str) -> Random:
    return Random("/".join(words))  # noqa: S311  values to look at, the same in every run


def _launched(one: Grown) -> datetime | None:
    return one.times.changed or one.times.created


def _gpu(now: datetime, one: Grown, dimension: str, value: str) -> Iterator[Series]:
    card = card_of(one.planted.type)
    launched = _launched(one)
    if card is None or launched is None:
        return
    grid = Grid.until(now, 60, launched + WARM_UP)
    rng = _seeded(one.planted.name, "gpu")
    for index, device in enumerate(gpus(one.planted.story, one.planted.type, grid, now, rng)):
        if device is None:
            continue
        dimensions = {
            dimension: value,
            "index": str(index),
            "name": card.title,
            "host": one.host or f"{one.planted.name}.notebook",
        }
        for metric, values in (
            ("utilization_gpu", device.utilization),
            ("memory_used", device.memory),
            ("memory_total", [float(card.memory)] * len(device.memory)),
            ("power_draw", device.power),
        ):
            yield Series("CWAgent", f"nvidia_smi_{metric}", dimensions, grid.start, grid.step, values)


def _kernel(now: datetime, one: Grown) -> Iterator[Series]:
    """Yield the processors of a notebook, which nobody but its agent sees."""
    grid = Grid.until(now, 60, _launched(one))
    dimensions = {"NotebookInstanceName": one.planted.name, "cpu": "cpu-total"}
    values = load(one.planted.story, grid, _seeded(one.planted.name, "kernel"))["CPUUtilization"]
    yield Series("CWAgent", "cpu_usage_active", dimensions, grid.start, grid.step, values, "Percent")


def _machine(now: datetime, one: Grown) -> Iterator[Series]:
    grid = Grid.until(now, 300, _launched(one))
    for name, values in load(one.planted.story, grid, _seeded(one.planted.name, "load")).items():
        dimensions = {"InstanceId": one.planted.id}
        yield Series("AWS/EC2", name, dimensions, grid.start, grid.step, values, UNITS[name])


def _volume(now: datetime, one: Grown) -> Iterator[Series]:
    grid = Grid.until(now, 300, one.times.created, VOLUME_HISTORY)
    for name, values in disk(one.planted.story, grid, _seeded(one.planted.name, "disk")).items():
        yield Series("AWS/EBS", name, {"VolumeId": one.planted.id}, grid.start, grid.step, values, "Count")


def _endpoint(now: datetime, one: Grown, variant: str, instances: int) -> Iterator[Series]:
    if not one.planted.type:
        return
    grid = Grid.until(now, 60, one.times.created, ENDPOINT_HISTORY)
    rng = _seeded(one.planted.name, variant)
    dimensions = {"EndpointName": one.planted.name, "VariantName": variant}
    requests = invocations(one.planted.story, grid, now, rng)
    if requests:
        yield Series("AWS/SageMaker", "Invocations", dimensions, grid.start, grid.step, requests)
    for name, values in hosting(one.planted.type, requests, grid, rng).items():
        series = Series("/aws/sagemaker/Endpoints", name, dimensions, grid.start, grid.step, values, "Percent")
        yield from [series] * instances
