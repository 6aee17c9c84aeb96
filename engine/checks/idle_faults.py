"""Which devices of a machine are broken: paid for and unusable, which is not idle."""

from __future__ import annotations

from collections.abc import Mapping

from engine.checks.faults import Fault
from engine.checks.idle_devices import Device, DeviceState

WORKING = frozenset({DeviceState.BUSY, DeviceState.STUCK, DeviceState.DISPUTED})
"""States of devices of which a signal shows work."""


def with_faults(states: Mapping[str, Device], faults: Mapping[str, Fault]) -> dict[str, Device]:
    """
    Return the states with those of broken devices.

    A device that has worked in a window in which no error came up has been reset since.
    """
    found = dict(states)
    for device, fault in faults.items():
        silent = device not in found
        if not fault.new and not silent and found[device].state in WORKING:
            continue
        if silent:
            # It is one of those that should be there and sent nothing.
            found.pop(next((name for name in found if name.startswith("?")), ""), None)
        found[device] = Device(DeviceState.FAULTED)
    return found
