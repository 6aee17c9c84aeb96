"""
The demo: an AI company's account, the shipped policies over it, and what to look at.

`bursar demo` calls it. Everything goes the way a real run goes, over HTTP and through the same wiring;
only the address differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bursar.config import Config
from bursar.demo.blueprint import Blueprint
from bursar.demo.company import build
from bursar.demo.estate import REGIONS
from bursar.demo.process import Server, running_server
from bursar.packs import packs_folder
from bursar.wiring import Choice, context_at, load
from engine.explaining import Answers, explain_subject
from engine.plan import Plan
from engine.planning import Installation, run
from engine.policy.model import PolicySet
from engine.policy.needs import needs_of
from engine.ports import Progress
from integrations.aws.live import live_estate
from integrations.aws.session import AwsSettings

COMPANY = "Tallowmere Robotics"
READS = ("Describe", "List", "Get", "Head", "Lookup")
"""How the names of operations that change nothing begin."""


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    server: Server
    blueprint: Blueprint
    policies: PolicySet
    config: Config


@dataclass(frozen=True, slots=True)
class Calls:
    """What was asked of the account."""

    counts: Counter[str]

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def writes(self) -> tuple[str, ...]:
        """Calls that may change something."""
        return tuple(sorted(c for c in self.counts if not c.partition(":")[2].startswith(READS)))


@contextmanager
def running_demo(installation_note: Progress, port: int = 0) -> Iterator[Demo]:
    """Yield the demo's account, built, with the shipped policies loaded."""
    installation_note("starting an emulated AWS account", 1)
    with running_server(port) as server:
        installation_note(f"building the account of {COMPANY}", 1)
        blueprint = build(server.endpoint, datetime.now(UTC).replace(microsecond=0))
        config = demo_config(server.endpoint)
        yield Demo(server, blueprint, load(config, ()), config)
