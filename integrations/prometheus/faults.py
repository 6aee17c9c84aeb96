"""Which GPUs are broken now: paid for and unusable, which is not idle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from integrations.prometheus.client import Row
from integrations.prometheus.exporters import Labels
from integrations.telemetry.joining import Directory

XID = "DCGM_FI_DEV_XID_ERRORS"
HARDWARE: Mapping[int, str] = {
    48: "an ECC error of two bits",
    64: "a row that could not be remapped",
    74: "an NVLink error",
    79: "the GPU has fallen off the bus",
    95: "an uncontained ECC error",
    119: "its GSP does not answer",
    120: "an error of its GSP",
    140: "an ECC error that was not recovered",
    143: "it could not be initialised",
}
"""XID errors of the hardware, after dcgm-exporter's internal/pkg/collector/xid_errors.go; most others are programs'."""


def fault_queries(match: str, window: timedelta) -> tuple[str, str]:
    """
    Return the queries of what the agent calls faulted, and of the XID errors that came up in the window.

    The exporter's gauge keeps the last error until it is restarted: one that did not change in the window is old.
    """
    some = f"{{{match}}}" if match else ""
    gauge, seconds = f"{XID}{some}", int(window.total_seconds())
    return f"bursar_gpu_faulted{some} == 1", f"{gauge} and changes({gauge}[{seconds}s]) > 0"


def faults_of(agent: Iterable[Row], xids: Iterable[Row], labels: Labels, directory: Directory) -> dict[str, str]:
    """Return what is broken, by the key of the resource that it is in."""
    found: dict[str, str] = {}
    for row, value in ((row, points[0][1]) for row, points in (*agent, *xids)):
        sender = labels.sender(row)
        key = directory.key_of(sender)
        what = _said(row.get("__name__", ""), value)
        if key and what:
            device = sender.device.index or sender.device.uuid
            found.setdefault(key, f"device {device} is broken, not idle: {what}")
    return found


def _said(name: str, value: float) -> str:
    """Return what a series says is broken; empty where the error is none of the hardware."""
    if name != XID:
        return "its driver says so"
    return f"{HARDWARE[int(value)]} (XID {int(value)})" if value in HARDWARE else ""
