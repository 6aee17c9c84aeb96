"""
The machines and disks of Tallowmere Robotics, the company of the demo: tables for `bursar.demo.company`.

Tags are as careless as in real accounts: owners are missing or `TODO`, the cost centre has several
names, and a few resources ask to be left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EAST, WEST = "us-east-1", "us-west-2"
REGIONS = (EAST, WEST)


@dataclass(frozen=True, slots=True)
class Machine:
    name: str
    type: str
    story: str
    tags: Mapping[str, str]
    age: float
    """Days since it was created."""
    started: float = 0.0
    """Hours since it was last launched; its age where 0."""
    region: str = EAST
    spot: bool = False
    group: str = ""
    """The auto scaling group it belongs to."""
    disk: int = 200
    """GiB of the root volume."""
    encrypted: bool = True
    imdsv2: bool = True
    public: bool = False
    """It has an address on the internet."""


@dataclass(frozen=True, slots=True)
class Volume:
    name: str
    type: str
    size: int
    story: str
    tags: Mapping[str, str]
    age: float
    region: str = EAST
    iops: int = 0
    throughput: int = 0
    encrypted: bool = True
    on: str = ""
    """The machine it is attached to."""


def tagged(owner: str, team: str, environment: str, centre: str = "", **more: str) -> Mapping[str, str]:
    """Return tags under the agreed keys; empty ones are left out and a placeholder owner stays as it is."""
    tags = {
        "owner": f"{owner}@tallowmere.example" if owner.islower() else owner,
        "team": team,
        "environment": environment,
        "cost-center": centre,
        **{key.replace("__", "/").replace("_", "-"): value for key, value in more.items()},
    }
    return {key: value for key, value in tags.items() if value}


RESEARCH = "cc-1102"
PERCEPTION = "cc-1107"
SIMULATION = "cc-1120"
SERVING = "cc-1201"
PLATFORM = "cc-1300"


def machines() -> tuple[Machine, ...]:
    """Return every EC2 instance."""
    return (*_training(), *_interactive(), *_fleet(), *_west(), *_without_gpu())


def _training() -> tuple[Machine, ...]:
    vla = tagged("mira.osei", "research", "production", RESEARCH, project="vla-pretrain")
    return (
        *(Machine(f"vla-pretrain-{i}", "p5.48xlarge", "busy", vla, 31, 400, disk=500) for i in range(3)),
        Machine(
            "vla-sweep-7",
            "p5.48xlarge",
            "idle",
            tagged("tomas.lindqvist", "research", "dev", RESEARCH, project="vla-sweep"),
            12,
            71,
        ),
        Machine(
            "grasp-hang-3",
            "p5.48xlarge",
            "stuck",
            tagged("anika.rao", "perception", "dev", "", CostCenter=PERCEPTION, project="grasp"),
            9,
            52,
        ),
        Machine(
            "rlhf-eval-2",
            "p4d.24xlarge",
            "context_held",
            tagged("kenji.watari", "research", "dev", RESEARCH, project="rlhf"),
            22,
            190,
        ),
        Machine(
            "distill-4",
            "p4d.24xlarge",
            "partly_idle",
            tagged("mira.osei", "research", "staging", RESEARCH, project="distill"),
            18,
            120,
            public=True,
        ),
        Machine(
            "depth-train-1",
            "p4d.24xlarge",
            "busy",
            tagged("anika.rao", "perception", "production", "", CostCenter=PERCEPTION),
            44,
        ),
        Machine("legacy-bert", "p4d.24xlarge", "idle", tagged("", "research", "dev"), 143, encrypted=False),
        Machine(
            "lidar-pretrain-0",
            "p4d.24xlarge",
            "silent",
            tagged("TODO", "perception", "production", PERCEPTION),
            27,
        ),
        Machine("old-train-1", "p4d.24xlarge", "stopped", tagged("", "", "dev"), 210, disk=2000),
    )


def _interactive() -> tuple[Machine, ...]:
    return (
        Machine("dev-mira", "g6.xlarge", "idle", tagged("mira.osei", "research", "dev", RESEARCH), 35, 63),
        Machine(
            "dev-tomas",
            "g6.2xlarge",
            "idle",
            tagged("tomas.lindqvist", "research", "dev", RESEARCH, bursar__keep="true"),
            35,
            87,
        ),
        Machine("dev-kenji", "g6.xlarge", "busy", tagged("kenji.watari", "research", "dev", RESEARCH), 35, 9),
        Machine(
            "planner-eval-1",
            "g5.12xlarge",
            "half_silent",
            tagged("lucia.ferrante", "autonomy", "dev", "changeme"),
            15,
            public=True,
        ),
        Machine(
            "reward-model-2", "g5.12xlarge", "frozen", tagged("kenji.watari", "research", "staging", RESEARCH), 24, 300
        ),
        Machine("annot-gpu-1", "g5.xlarge", "agent_died", tagged("priya.nair", "data", "production"), 60),
        Machine(
            "nightly-bench",
            "g6.12xlarge",
            "too_new",
            tagged("ci", "platform", "dev", PLATFORM),
            20 / 1440,
            20 / 60,
        ),
    )


def _fleet() -> tuple[Machine, ...]:
    render = tagged("jonas.brandt", "simulation", "production", SIMULATION)
    serve = tagged("priya.nair", "serving", "production", SERVING, bursar__protect="true")
    return (
        Machine("sim-render-1", "g5.2xlarge", "busy", render, 19, spot=True, group="sim-render"),
        Machine("sim-render-2", "g5.2xlarge", "busy", render, 19, spot=True, group="sim-render"),
        Machine("sim-render-3", "g5.2xlarge", "idle", render, 19, spot=True, group="sim-render"),
        Machine("sim-render-4", "g5.2xlarge", "frozen", render, 19, spot=True, group="sim-render"),
        Machine("serve-asr-1", "g4dn.xlarge", "serving", serve, 180, group="serve-asr"),
        Machine("serve-asr-2", "g4dn.xlarge", "serving", serve, 180, group="serve-asr"),
        Machine("serve-ocr-canary", "g4dn.xlarge", "idle", serve, 96),
        Machine("neuron-serve-1", "inf2.xlarge", "silent", tagged("priya.nair", "serving", "production"), 77),
        Machine("neuron-bench", "inf2.24xlarge", "silent", tagged("TODO", "serving", "dev", SERVING), 40, 300),
    )


def _west() -> tuple[Machine, ...]:
    farm = tagged("jonas.brandt", "simulation", "production", SIMULATION)
    return (
        Machine("sim-farm-0", "g6.4xlarge", "busy", farm, 51, region=WEST, group="sim-farm"),
        Machine("sim-farm-1", "g6.4xlarge", "busy", farm, 51, region=WEST, group="sim-farm"),
        Machine("sim-farm-2", "g6.4xlarge", "idle", farm, 51, region=WEST, group="sim-farm"),
        Machine("sim-farm-3", "g6.4xlarge", "silent", farm, 51, region=WEST, group="sim-farm"),
        Machine(
            "policy-train-0",
            "p5.48xlarge",
            "busy",
            tagged("lucia.ferrante", "autonomy", "production", "", costcentre="cc-1140"),
            25,
            region=WEST,
        ),
        Machine(
            "policy-train-1",
            "p5.48xlarge",
            "context_held",
            tagged("lucia.ferrante", "autonomy", "dev", "", costcentre="cc-1140"),
            25,
            66,
            region=WEST,
        ),
        Machine("west-jump", "t3.micro", "cpu", tagged("ops", "platform", "production"), 400, region=WEST),
        Machine("west-cache", "r6i.2xlarge", "cpu", tagged("ops", "platform", "production"), 120, region=WEST),
    )


def _without_gpu() -> tuple[Machine, ...]:
    platform = tagged("ops", "platform", "production", PLATFORM)
    return (
        Machine("airflow", "m7i.xlarge", "cpu", platform, 320, imdsv2=False),
        Machine("build-runner-1", "c7i.4xlarge", "cpu", tagged("ci", "platform", "dev", PLATFORM), 8),
        Machine("build-runner-2", "c7i.4xlarge", "cpu", tagged("ci", "platform", "dev", PLATFORM), 8),
        Machine("feature-store", "r6i.4xlarge", "cpu", tagged("", "data", "production"), 260, encrypted=False),
    )


def volumes() -> tuple[Volume, ...]:
    """Return the EBS volumes beside the machines' root volumes."""
    return (
        Volume(
            "vla-scratch",
            "gp3",
            8000,
            "attached",
            tagged("mira.osei", "research", "production", RESEARCH),
            31,
            iops=16000,
            throughput=1000,
            on="vla-pretrain-0",
        ),
        Volume(
            "feature-store-data",
            "io2",
            2000,
            "attached",
            tagged("", "data", "production"),
            260,
            iops=20000,
            on="feature-store",
        ),
        Volume("bert-ckpt", "gp3", 4000, "unattached", tagged("", "research", "dev"), 137, encrypted=False),
        Volume("grasp-2025-raw", "gp3", 16000, "unattached", tagged("TODO", "perception", "dev"), 301),
        Volume("planner-tmp", "gp2", 500, "unattached", {}, 88, encrypted=False),
        Volume(
            "asr-index-old",
            "io2",
            1000,
            "unattached",
            tagged("priya.nair", "serving", "production", SERVING),
            64,
            iops=12000,
        ),
        Volume(
            "audit-archive",
            "gp3",
            1000,
            "unattached",
            tagged("ops", "platform", "production", PLATFORM, bursar__protect="true"),
            390,
        ),
        Volume("farm-cache", "gp3", 2000, "unattached", tagged("jonas.brandt", "simulation", ""), 3, WEST),
        Volume(
            "policy-ckpt",
            "gp3",
            6000,
            "attached",
            tagged("lucia.ferrante", "autonomy", "production"),
            25,
            WEST,
            throughput=500,
            on="policy-train-0",
        ),
    )
