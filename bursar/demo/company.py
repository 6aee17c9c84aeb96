"""
Build the account of Tallowmere Robotics in an emulated AWS account.

`build(endpoint, now)` speaks the real APIs, so that nothing is there that AWS would refuse; dates and
telemetry of the past go in by the server's own controls. The demo and the tests call it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bursar.demo.blueprint import INSTANCE, Blueprint
from bursar.demo.estate import REGIONS, machines, volumes
from bursar.demo.estate_services import buckets, endpoints, notebooks
from bursar.demo.plant_compute import Ground, Grown, plant_machines, plant_volumes
from bursar.demo.plant_services import ACCOUNT, plant_buckets, plant_endpoints, plant_notebooks
from bursar.demo.process import Server
from bursar.demo.signals import published

SERVICES = ("ec2", "kms", "s3", "sagemaker")


@dataclass(frozen=True)
class Company:
    """The planted account, whose telemetry can be brought up to a later time."""

    server: Server
    blueprint: Blueprint
    grown: Mapping[str, Sequence[Grown]]
    """By region."""

    def publish(self, now: datetime, stopped: frozenset[str] = frozenset()) -> None:
        """Let the telemetry of everything that runs end at `now`; machines named in `stopped` send none."""
        agents = frozenset(n.name for n in notebooks() if n.agent)
        self.server.clear_metrics()
        self.server.set_now(now)
        for region, grown in self.grown.items():
            running = [one for one in grown if one.planted.name not in stopped]
            self.server.load(region, published(now, running, endpoints(), agents))


def build(endpoint: str, now: datetime) -> Blueprint:
    """Plant the company as `found` does, and return what was planted."""
    return found(endpoint, now).blueprint


def found(endpoint: str, now: datetime) -> Company:
    """
    Empty the account behind `endpoint` and plant the estate as it stands at `now`.

    Args:
        endpoint: the address of a `running_server()`.
        now: with a time zone; the server takes it for the time that the retention of metrics counts from.
    """
    server = Server(endpoint)
    server.reset()
    everything: dict[str, list[Grown]] = {}
    for region in REGIONS:
        with _clients(endpoint, region) as clients:
            key = clients["kms"].create_key(Description="tallowmere-data")["KeyMetadata"]["Arn"]
            everything[region] = _plant(Ground(region, clients, key, now))
        server.backdate(region, {one.key: one.times for one in everything[region]})
    planted = tuple(one.planted for grown in everything.values() for one in grown)
    company = Company(server, Blueprint(ACCOUNT, now, planted), everything)
    company.publish(now)
    server.calls()
    return company


def _plant(ground: Ground) -> list[Grown]:
    here = ground.region
    grown = plant_machines(ground, [m for m in machines() if m.region == here])
    ids = {one.planted.name: one.planted.id for one in grown if one.planted.kind == INSTANCE}
    return [
        *grown,
        *plant_volumes(ground, [v for v in volumes() if v.region == here], ids),
        *plant_buckets(ground, [b for b in buckets() if b.region == here]),
        *plant_endpoints(ground, [e for e in endpoints() if e.region == here]),
        *plant_notebooks(ground, [n for n in notebooks() if n.region == here]),
    ]


@contextmanager
def _clients(endpoint: str, region: str) -> Iterator[Mapping[str, Any]]:
    from boto3.session import Session

    session = Session(aws_access_key_id="demo", aws_secret_access_key="demo", region_name=region)  # noqa: S106  moto asks for none
    with ExitStack() as stack:
        found: dict[str, Any] = {}
        for name in SERVICES:
            client: Any = session.client(name, endpoint_url=endpoint)
            stack.callback(client.close)
            found[name] = client
        yield found
