"""
Samples of `bursar agent` to CloudWatch, under the names that the CloudWatch agent has for them.

So they are read back by the source that reads that agent's. What that agent does not have is called `bursar_…`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from integrations.aws.metric_sources import AGENT
from integrations.nvml.samples import HostSample

MOST = 1_000
"""Values that PutMetricData takes in one call."""
EVERY = 60
"""Seconds between calls: CloudWatch keeps custom metrics by the minute."""
KEPT = 100_000
"""Values that wait while CloudWatch does not answer; older ones are given up."""
MIB = 1024 * 1024
PUBLISHED: Mapping[str, tuple[str, float]] = {
    "nvidia_smi_utilization_gpu": ("utilization_peak_percent", 1),
    "nvidia_smi_power_draw": ("power_peak_watts", 1),
    "nvidia_smi_memory_used": ("memory_used_bytes", 1 / MIB),
    "nvidia_smi_memory_total": ("memory_total_bytes", 1 / MIB),
}


class Client(Protocol):
    """The part of a boto3 CloudWatch client that is used."""

    def put_metric_data(self, **parameters: Any) -> Mapping[str, Any]: ...


@dataclass
class CloudWatchPublisher:
    """CloudWatch as a place for samples."""

    client: Client
    namespace: str = AGENT
    clock: Callable[[], float] = time.monotonic
    _waiting: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    _sent: float = float("-inf")

    @property
    def name(self) -> str:
        return f"cloudwatch {self.namespace}"

    def publish(self, sample: HostSample) -> None:
        """Take `sample`, and send what waits once a minute."""
        self._waiting.extend(_data(sample))
        if self.clock() - self._sent >= EVERY:
            self._send()

    def close(self) -> None:
        """Send what waits."""
        self._send()

    def _send(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        self._sent = self.clock()
        while self._waiting:
            batch = [self._waiting[n] for n in range(min(MOST, len(self._waiting)))]
            try:
                self.client.put_metric_data(Namespace=self.namespace, MetricData=batch)
            except (BotoCoreError, ClientError) as error:
                raise OSError(str(error)) from error
            for _ in batch:
                self._waiting.popleft()


def _data(sample: HostSample) -> Iterator[dict[str, Any]]:
    for gpu in sample.gpus:
        dimensions = _listed({**_host(sample), "index": gpu.index, "name": gpu.model})
        for metric, (value, factor) in PUBLISHED.items():
            if value in gpu.values:
                yield {
                    "MetricName": metric,
                    "Dimensions": dimensions,
                    "Timestamp": sample.at,
                    "Value": gpu.values[value] * factor,
                }

    dimensions = _listed(_host(sample))
    for name, number in sample.owners.values.items():
        yield {"MetricName": f"bursar_{name}", "Dimensions": dimensions, "Timestamp": sample.at, "Value": number}


def _host(sample: HostSample) -> dict[str, str]:
    return {"InstanceId": sample.instance, "host": sample.host}


def _listed(named: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in named.items() if value]


def cloudwatch_client(region: str) -> Any:
    """Return a client of `region`; raises `botocore.exceptions.BotoCoreError` without a region or credentials."""
    from boto3.session import Session
    from botocore.config import Config

    retries = {"mode": "standard", "total_max_attempts": 5}
    return Session(region_name=region or None).client("cloudwatch", config=Config(retries=retries))
