"""
Hold the state of the emulated account: moto's models, patched, a metric store, and dates in the past.

`bursar.demo.server` calls `Emulation.install` once, in its own process, before the first request.
Nothing here touches a process that only talks to the server.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.moto_api._internal.models import moto_api_backend
from moto.s3.models import s3_backends
from moto.sagemaker.models import sagemaker_backends

from bursar.demo.metric_answers import patch_metrics
from bursar.demo.patches import patch_resources
from bursar.demo.patches_acting import patch_acting
from bursar.demo.series import MetricStore

ACCOUNT = "123456789012"


@dataclass(slots=True)
class Emulation:
    """The state of the emulated account that moto does not hold itself."""

    store: MetricStore = field(default_factory=MetricStore)
    now: float | None = None
    """Epoch seconds that retention of metrics counts from; the clock where None."""

    def install(self) -> None:
        """Patch moto in this process."""
        patch_resources()
        patch_acting()
        patch_metrics(self.store, self.time)

    def reset(self) -> None:
        """Forget everything: resources, series and the set clock."""
        moto_api_backend.reset()
        self.store.clear()
        self.now = None

    def time(self) -> int:
        return int(time.time() if self.now is None else self.now)

    def backdate(self, region: str, times: Mapping[str, Mapping[str, float]]) -> None:
        """Set when resources were `created` and `changed`, in epoch seconds, by id or `type/name`."""
        for name, at in times.items():
            created, changed = (_moment(at.get(k)) for k in ("created", "changed"))
            match name.split("/", 1):
                case ["endpoint", short]:
                    _date_model(sagemaker_backends[ACCOUNT][region].endpoints[short], created, changed)
                case ["notebook", short]:
                    _date_model(sagemaker_backends[ACCOUNT][region].notebook_instances[short], created, changed)
                case ["bucket", short]:
                    if created:
                        s3_backends[ACCOUNT]["aws"].buckets[short].creation_date = created.replace(tzinfo=UTC)
                case _ if name.startswith("snap-"):
                    if created:
                        ec2_backends[ACCOUNT][region].snapshots[name].start_time = created
                case _ if name.startswith("ami-"):
                    if created:
                        ec2_backends[ACCOUNT][region].amis[name].creation_date = created
                case _ if name.startswith("i-"):
                    _date_instance(ec2_backends[ACCOUNT][region].get_instance(name), created, changed)
                case _:
                    _date_volume(ec2_backends[ACCOUNT][region].volumes[name], created, changed)


def _moment(seconds: float | None) -> datetime | None:
    """Return what moto's own clock would: UTC without saying so, which it compares with its other dates."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _date_model(model: Any, created: datetime | None, changed: datetime | None) -> None:
    if created:
        model.creation_time = created
    if changed or created:
        model.last_modified_time = changed or created


def _date_instance(instance: Any, created: datetime | None, changed: datetime | None) -> None:
    """`changed` is the launch time, which a stop and start renews; attachments keep `created`."""
    if changed or created:
        instance.launch_time = changed or created
    if created is None:
        return
    for interface in instance.nics.values():
        interface.attach_time = created
    for device in instance.block_device_mapping.values():
        device.attach_time = created
        if device.volume_id in instance.ec2_backend.volumes:
            _date_volume(instance.ec2_backend.volumes[device.volume_id], created, None)


def _date_volume(volume: Any, created: datetime | None, changed: datetime | None) -> None:
    if created:
        volume.create_time = created
    if volume.attachment and (changed or created):
        volume.attachment.attach_time = changed or created
