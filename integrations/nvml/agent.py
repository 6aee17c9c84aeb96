"""The loop of `bursar agent`: a sample every interval, to every publisher, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from integrations.nvml.owners import Host
from integrations.nvml.publishing import Publisher
from integrations.nvml.reading import Nvml
from integrations.nvml.samples import HostSample


@dataclass(frozen=True, slots=True)
class Identity:
    """Which machine this is."""

    host: str
    instance: str = ""
    labels: Mapping[str, str] | None = None


def take(nvml: Nvml, identity: Identity, interval: float, host: Host | None = None) -> HostSample:
    """Return what the GPUs of this machine do now, and who uses it."""
    gpus, problem = nvml.sample()
    now = datetime.now(UTC)
    return HostSample(
        now,
        identity.host,
        identity.instance,
        identity.labels or {},
        interval,
        nvml.driver,
        problem,
        gpus,
        (host or Host()).sample(now.timestamp()),
    )


def run_agent(
    sample: Callable[[], HostSample],
    publishers: Sequence[Publisher],
    interval: float,
    stopped: threading.Event,
    complain: Callable[[str], None],
) -> None:
    """
    Sample and publish until `stopped` is set.

    A publisher that fails is complained of once until it works again; the others and the next sample go on.
    """
    failing: set[str] = set()
    due = time.monotonic()
    while not stopped.is_set():
        taken = sample()
        for publisher in publishers:
            try:
                publisher.publish(taken)
            except OSError as error:
                if publisher.name not in failing:
                    complain(f"{publisher.name}: {error}")
                failing.add(publisher.name)
            else:
                failing.discard(publisher.name)
        due = max(due + interval, time.monotonic())
        stopped.wait(due - time.monotonic())
