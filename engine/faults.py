"""
What a broken GPU says of itself: the errors of the hardware, as the numbers that `gpu.fault` has.

Numbers below 1,000 are NVIDIA's XID errors, after dcgm-exporter's internal/pkg/collector/xid_errors.go; the rest of
those are mostly programs'. From 1,000 on they are 1,000 and the NVML error by which the driver says so itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

XIDS: Mapping[int, str] = {
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
DRIVER = 1_000
"""What is added to an error of NVML."""
NVML: Mapping[int, str] = {
    15: "the GPU is lost",
    16: "the GPU needs a reset",
    999: "the driver failed in an unknown way",
}


def fault_text(number: float) -> str:
    """Return what a value of `gpu.fault` says, for a person; empty where it says that nothing is broken."""
    if not math.isfinite(number):
        return ""
    code = int(number)
    if code >= DRIVER:
        return NVML.get(code - DRIVER, "the driver says so")
    return f"{XIDS[code]} (XID {code})" if code in XIDS else ""


def fault_of_driver(text: str) -> int:
    """Return the number of what the driver says; of an error that is not listed, that of an unknown one."""
    return DRIVER + next((error for error, known in NVML.items() if known == text), 999)
