"""The parts of `bursar agent`, put together: the driver, who this machine is, and the publishers asked for."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import ConfigError
from integrations.aws.instance_metadata import instance_identity
from integrations.nvml.agent import Identity, run_agent, take
from integrations.nvml.gpm import APART
from integrations.nvml.publishing import FilePublisher, PrometheusPublisher, Publisher
from integrations.nvml.reading import opened_nvml
from integrations.nvml.samples import encode

DEFAULT = ("127.0.0.1", 9836)
"""Loopback: what runs on a machine is nobody else's business unless somebody says so."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    interval: float
    once: bool = False
    listen: tuple[str, int] | None = None
    jsonl: Path | None = None
    jsonl_size: int = 64 * 1024 * 1024
    jsonl_keep: int = 8
    cloudwatch: bool = False
    region: str = ""
    instance_id: str | None = None
    host: str | None = None
    labels: dict[str, str] = field(default_factory=dict)


def serve(wanted: Wanted) -> int:
    """Sample and publish until told to stop; return the exit status."""
    with opened_nvml() as nvml, ExitStack() as stack:
        instance, region = wanted.instance_id or "", wanted.region
        if not instance or (wanted.cloudwatch and not region):
            found, place = instance_identity(os.environ)
            instance, region = instance or found, region or place
        identity = Identity(wanted.host or socket.gethostname(), instance, wanted.labels)
        publishers = _publishers(wanted, region, stack)
        if wanted.once:
            if nvml.begin():
                time.sleep(2 * APART)
            sample = take(nvml, identity, wanted.interval)
            for publisher in publishers:
                publisher.publish(sample)
            if not publishers:
                print(encode(sample))
            return 0
        stopped = stack.enter_context(_stopped())
        for publisher in publishers:
            _say(f"publishing to {publisher.name}")
        run_agent(lambda: take(nvml, identity, wanted.interval), publishers, wanted.interval, stopped, _say)
    return 0


def _say(text: str) -> None:
    print(f"bursar agent: {text}", file=sys.stderr, flush=True)


def _publishers(wanted: Wanted, region: str, stack: ExitStack) -> list[Publisher]:
    """Return the places for samples; each is closed at the end."""
    found: list[Publisher] = []
    listen = wanted.listen
    if listen is None and not (wanted.jsonl or wanted.cloudwatch or wanted.once):
        listen = DEFAULT
    where = "--listen"
    try:
        if listen is not None and not wanted.once:
            found.append(PrometheusPublisher(*listen))
            stack.callback(found[-1].close)
        where = "--jsonl"
        if wanted.jsonl is not None:
            found.append(FilePublisher(wanted.jsonl, wanted.jsonl_size, wanted.jsonl_keep))
            stack.callback(found[-1].close)
    except ImportError as error:
        message, hint = "prometheus-client is not installed", "pip install 'bursar[gpu]'"
        raise ConfigError.of("missing-extra", message, where=where, hint=hint) from error
    except OSError as error:
        raise ConfigError.of("usage", f"this place cannot be had: {error}", where=where) from error
    if wanted.cloudwatch:
        found.append(_cloudwatch(region))
        stack.callback(found[-1].close)
    return found


def _cloudwatch(region: str) -> Publisher:
    from integrations.aws.metric_publish import CloudWatchPublisher, cloudwatch_client

    if not region and not os.environ.get("AWS_REGION") and not os.environ.get("AWS_DEFAULT_REGION"):
        hint = "write --region us-east-1"
        raise ConfigError.of("usage", "it is not known in which region this is", where="--cloudwatch", hint=hint)
    return CloudWatchPublisher(cloudwatch_client(region))


@contextmanager
def _stopped() -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set."""
    stopped = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopped.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
