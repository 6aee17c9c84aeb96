"""DescribeInstanceTypes to the field group `hardware`: accelerators, vCPUs, memory, local disks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.values import Answer, clean

VENDORS = {"nvidia": "nvidia", "amd": "amd", "aws": "aws", "amazon": "aws", "habana": "habana", "xilinx": "xilinx"}
NEURON_MODELS = {"inferentia": "Inferentia", "inferentia2": "Inferentia2", "trainium": "Trainium"}


def hardware_of(described: Mapping[str, Any], count: int = 1) -> dict[str, Answer]:
    """
    Return the fields of the group `hardware` for `count` machines of a type.

    Fractional GPUs (g6f) come as a count of 0 with a partition size; they count as that fraction, and the
    operating system sees one device each. Neuron devices are read from `NeuronInfo`: older Inferentia stands
    in `InferenceAcceleratorInfo` too and would count twice.
    """
    memory = described.get("MemoryInfo", {}).get("SizeInMiB")
    found: dict[str, Answer] = {
        "vcpus": _times(described.get("VCpuInfo", {}).get("DefaultVCpus"), count, "resource.vcpus"),
        "memory_gib": clean(None if memory is None else _tidy(memory / 1024 * count), "resource.memory_gib"),
        "instance_store": bool(described.get("InstanceStorageSupported", False)),
    }
    found.update(_accelerators(described, count))
    return found


def _times(value: Any, count: int, path: str) -> Answer:
    return clean(value * count if isinstance(value, int) else None, path)


def _tidy(number: float) -> float:
    """Return `number` as an int where it is one."""
    return int(number) if float(number).is_integer() else round(number, 4)


def _accelerators(described: Mapping[str, Any], count: int) -> dict[str, Answer]:
    for key, list_name in (
        ("GpuInfo", "Gpus"),
        ("NeuronInfo", "NeuronDevices"),
        ("InferenceAcceleratorInfo", "Accelerators"),
        ("FpgaInfo", "Fpgas"),
    ):
        entries = described.get(key, {}).get(list_name) or ()
        if entries:
            return _summed(entries, count, maker="aws" if key == "NeuronInfo" else "")
    return {"accelerator.count": 0, "accelerator.devices": 0}


def _summed(entries: Any, count: int, maker: str) -> dict[str, Answer]:
    whole, devices = Decimal(0), 0
    for entry in entries:
        physical = int(entry.get("Count") or 0)
        logical = int(entry.get("LogicalGpuCount") or 0)
        share = Decimal(str(entry.get("GpuPartitionSize") or 1))
        if physical:
            whole += physical
            devices += physical
        else:
            whole += logical * share
            devices += logical
    first = entries[0]
    size = first.get("MemoryInfo", {}).get("SizeInMiB")
    found: dict[str, Answer] = {
        "accelerator.count": _tidy(float(whole * count)),
        "accelerator.devices": devices * count,
    }
    if first.get("Name"):
        found["accelerator.model"] = model_name(str(first["Name"]))
    maker = str(first.get("Manufacturer") or maker).lower()
    if maker:
        found["accelerator.vendor"] = VENDORS.get(maker.split()[0], maker)
    if isinstance(size, int) and size > 0:
        found["accelerator.memory_gib"] = _tidy(size / 1024)
    return found


def model_name(name: str) -> str:
    """Return a model's name as people and price lists write it: `A100`, `L40S`, `Trainium2`."""
    word = name.strip()
    known = NEURON_MODELS.get(word.lower())
    if known:
        return known
    short = re.sub(r"(?i)^(nvidia|tesla|amd|radeon pro|radeon)\s+", "", word)
    return re.sub(r"[- ](sxm\d?|pcie|hbm\d?\w?|\d+gb).*$", "", short, flags=re.IGNORECASE)
