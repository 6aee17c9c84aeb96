"""DescribeInstanceTypes to accelerators. The answers are those of AWS, as moto has captured them."""

import gzip
import json
from importlib.resources import files

import pytest

from integrations.aws.hardware import hardware_of, model_name


@pytest.fixture(scope="module")
def described():
    with files("moto.ec2").joinpath("resources/instance_types.json.gz").open("rb") as packed:
        return json.loads(gzip.decompress(packed.read()))


@pytest.mark.parametrize(
    ("kind", "count", "devices", "model", "vendor"),
    [
        ("p5.48xlarge", 8, 8, "H100", "nvidia"),
        ("p4d.24xlarge", 8, 8, "A100", "nvidia"),
        ("p5en.48xlarge", 8, 8, "H200", "nvidia"),
        ("p6-b200.48xlarge", 8, 8, "B200", "nvidia"),
        ("g5.12xlarge", 4, 4, "A10G", "nvidia"),
        ("g6.xlarge", 1, 1, "L4", "nvidia"),
        ("g4dn.xlarge", 1, 1, "T4", "nvidia"),
        ("trn1.32xlarge", 16, 16, "Trainium", "aws"),
        ("inf2.48xlarge", 12, 12, "Inferentia2", "aws"),
    ],
)
def test_accelerators(described, kind, count, devices, model, vendor):
    """Count, devices, model and vendor are those of AWS's own description."""
    found = hardware_of(described[kind])
    assert (found["accelerator.count"], found["accelerator.devices"]) == (count, devices)
    assert (found["accelerator.model"], found["accelerator.vendor"]) == (model, vendor)


@pytest.mark.parametrize(("kind", "share"), [("g6f.large", 0.125), ("g6f.2xlarge", 0.25), ("g6f.4xlarge", 0.5)])
def test_shared_gpus(described, kind, share):
    """AWS counts 0 GPUs where one is shared; it counts as its share, and one device sends telemetry."""
    found = hardware_of(described[kind])
    assert (found["accelerator.count"], found["accelerator.devices"], found["accelerator.model"]) == (share, 1, "L4")


def test_inferentia_counts_once(described):
    """Older Inferentia stands in two places of the description and counts once."""
    assert described["inf1.xlarge"]["InferenceAcceleratorInfo"]
    assert hardware_of(described["inf1.xlarge"])["accelerator.count"] == 1


def test_no_accelerator(described):
    """A machine without accelerators has zero of them and no model."""
    found = hardware_of(described["m7i.large"])
    assert (found["accelerator.count"], found["accelerator.devices"]) == (0, 0)
    assert "accelerator.model" not in found
    assert (found["vcpus"], found["memory_gib"]) == (2, 8)


def test_several_machines(described):
    """The hardware of several machines of a type is added up."""
    found = hardware_of(described["g5.12xlarge"], 3)
    assert (found["accelerator.count"], found["accelerator.devices"], found["vcpus"]) == (12, 12, 144)


@pytest.mark.parametrize(
    ("kind", "maker", "name", "vendor", "model"),
    [
        ("g4ad.xlarge", "AMD", "Radeon Pro V520", "amd", "V520"),
        ("dl1.24xlarge", "Habana", "Gaudi HL-205", "habana", "Gaudi HL-205"),
        ("p3.2xlarge", "NVIDIA", "V100", "nvidia", "V100"),
    ],
)
def test_other_makers(kind, maker, name, vendor, model):
    """Names are shortened to what people call them."""
    described = {"InstanceType": kind, "GpuInfo": {"Gpus": [{"Name": name, "Manufacturer": maker, "Count": 1}]}}
    found = hardware_of(described)
    assert (found["accelerator.vendor"], found["accelerator.model"]) == (vendor, model)


@pytest.mark.parametrize(
    ("name", "model"),
    [("NVIDIA A100-SXM4-40GB", "A100"), ("Tesla T4", "T4"), ("H100 80GB HBM3", "H100"), ("L40S", "L40S")],
)
def test_model_names(name, model):
    """Maker, form factor and memory size are no part of the model."""
    assert model_name(name) == model


def test_a_description_without_anything():
    """What a description lacks is not known, and never a number."""
    found = hardware_of({})
    assert str(found["vcpus"]).startswith("resource.vcpus: null")
    assert str(found["memory_gib"]).startswith("resource.memory_gib: null")
