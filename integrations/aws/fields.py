"""Fields and metrics that several AWS kinds declare alike."""

from __future__ import annotations

from engine.kinds import Field, Metric, Type

KEYS = ("aws_owned", "aws_managed", "customer")
"""Who manages an encryption key: AWS without the account seeing it, AWS inside the account, the account."""


def running(doc: str) -> Field:
    return Field("running", Type.BOOL, doc)


def instance_type() -> Field:
    return Field("instance.type", Type.STRING, "The instance type, such as `p5.48xlarge`.")


def encryption_key() -> Field:
    return Field(
        "encryption.key",
        Type.STRING,
        "Who manages the key; absent where nothing is encrypted.",
        group="encryption",
        optional=True,
        values=KEYS,
    )


def hardware(whole: str) -> tuple[Field, ...]:
    return (
        Field(
            "accelerator.count",
            Type.NUMBER,
            f"Accelerators of {whole}; a fraction where a GPU is shared, 0 where there are none.",
            group="hardware",
        ),
        Field(
            "accelerator.devices",
            Type.NUMBER,
            f"Accelerators that the operating systems of {whole} see: as many send telemetry.",
            group="hardware",
        ),
        Field("accelerator.model", Type.STRING, "The model, such as `H100`.", group="hardware", optional=True),
        Field(
            "accelerator.vendor",
            Type.STRING,
            "Who makes it.",
            group="hardware",
            optional=True,
            values=("nvidia", "aws", "amd", "habana", "qualcomm", "xilinx"),
        ),
        Field(
            "accelerator.memory_gib",
            Type.NUMBER,
            "Memory of one accelerator.",
            unit="GiB",
            group="hardware",
            optional=True,
        ),
        Field("vcpus", Type.NUMBER, f"vCPUs of {whole}.", group="hardware"),
        Field("memory_gib", Type.NUMBER, f"Memory of {whole}.", unit="GiB", group="hardware"),
    )


def agent_gpu_metrics() -> tuple[Metric, ...]:
    """Return the GPU metrics that the CloudWatch agent publishes."""
    devices = "accelerator.devices"
    return (
        Metric(
            "gpu.utilization",
            "percent",
            60,
            "compute",
            "Share of time in which a kernel ran (`nvidia_smi_utilization_gpu`); says nothing of how much ran.",
            devices=devices,
        ),
        Metric("gpu.memory_used", "percent", 60, "memory", "Used memory of the device.", devices=devices),
        Metric("gpu.power", "watt", 60, "power", "Power drawn (`nvidia_smi_power_draw`).", devices=devices),
        Metric(
            "gpu.power_over_idle",
            "percent",
            60,
            "power",
            "Power drawn above what the GPU model draws at rest; computed from `gpu.power`.",
            devices=devices,
            derived_from="gpu.power",
        ),
        Metric(
            "gpu.video",
            "percent",
            60,
            "video",
            "Use of the engines that encode and decode video, the higher of the two; no part of `gpu.utilization`.",
            devices=devices,
            optional=True,
        ),
        Metric(
            "gpu.fault",
            "count",
            60,
            "health",
            "What is broken: the number of an XID error of the hardware, 1,000 and the error where the driver "
            "itself says so, 0 where nothing is known to be.",
            devices=devices,
            optional=True,
        ),
    )


def cpu(interval: int) -> Metric:
    return Metric("cpu.utilization", "percent", interval, "cpu", "Use of all vCPUs together.")


def network() -> tuple[Metric, ...]:
    return (
        Metric("network.in", "bytes", 300, "network", "Bytes received.", reduce="sum"),
        Metric("network.out", "bytes", 300, "network", "Bytes sent.", reduce="sum"),
    )


def owners() -> tuple[Metric, ...]:
    """
    Return what says whose a machine is: it can protect it, and where nothing sends it, it says nothing.

    Buckets of five minutes: exporters of clusters are asked every minute, and a scrape that comes late is no hole.
    """
    return (
        Metric(
            "sessions.active",
            "count",
            300,
            "sessions",
            "Terminals of logins into which something was typed in the last 15 minutes.",
            optional=True,
        ),
        Metric(
            "jobs.running",
            "count",
            300,
            "jobs",
            "Slurm jobs and pods that hold the machine or GPUs of it, at work or not.",
            optional=True,
        ),
        Metric(
            "node.cordoned",
            "count",
            300,
            "cordon",
            "1 while its node takes no new work: cordoned in Kubernetes; drained, down or in maintenance in Slurm.",
            optional=True,
        ),
    )
