"""
The AWS kinds: what a policy may ask of each.

Beside the collectors, in one place, because the kinds share fields and because the policy loader
needs all of them without loading any collector.
"""

from __future__ import annotations

from engine.kinds import Field, Kind, Metric, Type

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"

KEYS = ("aws_owned", "aws_managed", "customer")
"""Who manages an encryption key: AWS without the account seeing it, AWS inside the account, the account."""


def aws_kinds() -> tuple[Kind, ...]:
    """Return the kinds of this integration."""
    return (_instance(), _volume(), _bucket(), _endpoint(), _notebook())


def _instance() -> Kind:
    return Kind(
        name=INSTANCE,
        title="EC2 instance",
        classes=("compute.instance",),
        fields=(
            Field(
                "state",
                Type.STRING,
                "State as EC2 reports it; terminated instances are listed for about an hour.",
                values=("pending", "running", "shutting-down", "terminated", "stopping", "stopped"),
            ),
            _running("Whether it is charged for compute: pending or running."),
            _instance_type(),
            Field("availability_zone", Type.STRING, "The availability zone, such as `us-east-1a`."),
            Field(
                "lifecycle",
                Type.STRING,
                "How its capacity is bought. Capacity blocks are paid in advance: a stop saves nothing.",
                values=("on-demand", "spot", "capacity-block"),
            ),
            Field("tenancy", Type.STRING, "Whose hardware it runs on.", values=("default", "dedicated", "host")),
            Field(
                "platform",
                Type.STRING,
                "The operating system it is charged for.",
                values=("linux", "windows", "rhel", "suse", "other"),
            ),
            Field("launched", Type.TIMESTAMP, "When it was last started (`LaunchTime`)."),
            Field(
                "managed_by",
                Type.STRING,
                "What would replace it when it is stopped, by its `aws:` and cluster tags.",
                group="tags",
                optional=True,
                values=("autoscaling", "eks", "batch", "emr", "sagemaker", "parallelcluster"),
            ),
            Field("imdsv2", Type.BOOL, "Whether instance metadata is read with session tokens only (IMDSv2)."),
            Field("public_ip", Type.BOOL, "Whether it has a public IPv4 address."),
            Field(
                "private_dns_name", Type.STRING, "The private DNS name, a node's name in many clusters.", optional=True
            ),
            *_hardware("one instance"),
            Field("instance_store", Type.BOOL, "Whether it has local disks that a stop erases.", group="hardware"),
        ),
        metrics=(*_agent_gpu_metrics(), _cpu(300), *_network()),
    )


def _volume() -> Kind:
    return Kind(
        name=VOLUME,
        title="EBS volume",
        classes=("storage.volume",),
        fields=(
            Field(
                "state",
                Type.STRING,
                "State as EC2 reports it; `available` is attached to nothing.",
                values=("creating", "available", "in-use", "deleting", "deleted", "error"),
            ),
            Field("attached", Type.BOOL, "Whether it is attached to an instance."),
            Field("attached_to", Type.STRING, "The id of the instance.", optional=True),
            Field(
                "volume.type",
                Type.STRING,
                "The volume type.",
                values=("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"),
            ),
            Field("volume.size_gib", Type.NUMBER, "Provisioned size.", unit="GiB"),
            Field(
                "volume.iops", Type.NUMBER, "Provisioned or baseline operations per second.", unit="1/s", optional=True
            ),
            Field("volume.throughput_mibps", Type.NUMBER, "Provisioned throughput.", unit="MiB/s", optional=True),
            Field("availability_zone", Type.STRING, "The availability zone."),
            Field("encryption.at_rest", Type.BOOL, "Whether it is encrypted."),
            _key(),
        ),
        metrics=(
            Metric("volume.read_ops", "count", 300, "io", "Completed reads.", reduce="sum"),
            Metric("volume.write_ops", "count", 300, "io", "Completed writes.", reduce="sum"),
        ),
    )


def _bucket() -> Kind:
    return Kind(
        name=BUCKET,
        title="S3 bucket",
        classes=("storage.bucket",),
        fields=(
            Field("encryption.at_rest", Type.BOOL, "Whether new objects are encrypted by default.", group="encryption"),
            _key(),
            Field(
                "encryption.in_transit",
                Type.BOOL,
                "Whether the bucket policy refuses everyone without TLS.",
                group="policy",
            ),
            Field(
                "public_access",
                Type.BOOL,
                "Whether the public can reach it, by policy or ACL, after public access blocks.",
                group="public_access",
            ),
            Field(
                "public_access_blocked",
                Type.BOOL,
                "Whether all four public access blocks are on.",
                group="public_access",
            ),
            Field("access_logging", Type.BOOL, "Whether server access is logged.", group="logging"),
        ),
    )


def _endpoint() -> Kind:
    return Kind(
        name=ENDPOINT,
        title="SageMaker endpoint",
        classes=("ml.endpoint",),
        fields=(
            Field(
                "state",
                Type.STRING,
                "State as SageMaker reports it.",
                values=(
                    "OutOfService",
                    "Creating",
                    "Updating",
                    "SystemUpdating",
                    "RollingBack",
                    "InService",
                    "Deleting",
                    "Failed",
                    "UpdateRollbackFailed",
                ),
            ),
            _running("Whether its instances are charged for."),
            Field("modified", Type.TIMESTAMP, "When it was last changed."),
            Field(
                "instance.type",
                Type.STRING,
                "Instance type of the first variant; absent where it is serverless.",
                group="config",
                optional=True,
            ),
            Field("instance.types", Type.STRINGS, "Instance types of all variants.", group="config"),
            Field("instance.count", Type.NUMBER, "Instances of all variants.", group="config"),
            Field("variants", Type.NUMBER, "Production variants.", group="config"),
            Field(
                "serverless",
                Type.BOOL,
                "Whether every variant is serverless: no charge without requests.",
                group="config",
            ),
            Field("data_capture", Type.BOOL, "Whether requests are captured.", group="config"),
            Field("network_isolation", Type.BOOL, "Whether containers have no network.", group="config"),
            Field(
                "encryption.at_rest",
                Type.BOOL,
                "Whether storage volumes are encrypted: by a key, or by hardware on types with local NVMe disks.",
                group="encryption",
            ),
            _key(),
            *_hardware("all instances together"),
        ),
        metrics=(
            Metric(
                "requests",
                "count",
                60,
                "requests",
                "Requests to a variant (`Invocations`); nothing is sent when there are none.",
                devices="variants",
                event_driven=True,
                reduce="sum",
            ),
            Metric(
                "gpu.utilization",
                "percent",
                60,
                "compute",
                "Use of a variant's GPUs; the published sum over GPUs is divided by their number.",
                devices="variants",
            ),
            Metric(
                "gpu.memory_used",
                "percent",
                60,
                "memory",
                "Used memory of a variant's GPUs, likewise divided.",
                devices="variants",
            ),
            Metric(
                "cpu.utilization",
                "percent",
                60,
                "cpu",
                "Use of a variant's vCPUs, likewise divided.",
                devices="variants",
            ),
        ),
    )


def _notebook() -> Kind:
    return Kind(
        name=NOTEBOOK,
        title="SageMaker notebook instance",
        classes=("ml.notebook",),
        fields=(
            Field(
                "state",
                Type.STRING,
                "State as SageMaker reports it.",
                values=("Pending", "InService", "Stopping", "Stopped", "Failed", "Deleting", "Updating"),
            ),
            _running("Whether it is charged for compute."),
            _instance_type(),
            Field("modified", Type.TIMESTAMP, "When it was last changed, started or stopped."),
            Field("volume.size_gib", Type.NUMBER, "Size of its volume.", unit="GiB", group="details"),
            Field("public_access", Type.BOOL, "Whether it reaches the internet directly.", group="details"),
            Field("root_access", Type.BOOL, "Whether its users are root.", group="details"),
            Field("in_vpc", Type.BOOL, "Whether it is in a VPC of the account.", group="details"),
            Field(
                "encryption.at_rest", Type.BOOL, "Whether its volume is encrypted; it always is.", group="encryption"
            ),
            _key(),
            *_hardware("the notebook instance"),
        ),
        metrics=(*_agent_gpu_metrics(), _cpu(60)),
    )


def _running(doc: str) -> Field:
    return Field("running", Type.BOOL, doc)


def _instance_type() -> Field:
    return Field("instance.type", Type.STRING, "The instance type, such as `p5.48xlarge`.")


def _key() -> Field:
    return Field(
        "encryption.key",
        Type.STRING,
        "Who manages the key; absent where nothing is encrypted.",
        group="encryption",
        optional=True,
        values=KEYS,
    )


def _hardware(whole: str) -> tuple[Field, ...]:
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


def _agent_gpu_metrics() -> tuple[Metric, ...]:
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
    )


def _cpu(interval: int) -> Metric:
    return Metric("cpu.utilization", "percent", interval, "cpu", "Use of all vCPUs together.")


def _network() -> tuple[Metric, ...]:
    return (
        Metric("network.in", "bytes", 300, "network", "Bytes received.", reduce="sum"),
        Metric("network.out", "bytes", 300, "network", "Bytes sent.", reduce="sum"),
    )
