"""The buckets, endpoints and notebooks of Tallowmere Robotics: tables for `bursar.demo.company`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bursar.demo.estate import EAST, PERCEPTION, PLATFORM, RESEARCH, SERVING, WEST, tagged


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    story: str
    tags: Mapping[str, str]
    age: float
    region: str = EAST


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    type: str
    """Empty for a serverless one."""
    story: str
    tags: Mapping[str, str]
    age: float
    count: int = 1
    variants: tuple[str, ...] = ("AllTraffic",)
    region: str = EAST
    customer_key: bool = False
    isolated: bool = False


@dataclass(frozen=True, slots=True)
class Notebook:
    name: str
    type: str
    story: str
    tags: Mapping[str, str]
    age: float
    started: float = 14.0
    region: str = EAST
    agent: bool = False
    """An agent was installed by hand and publishes GPU telemetry."""
    internet: bool = True
    root: bool = True
    """Its users are root, as AWS has it where nobody says otherwise."""


def buckets() -> tuple[Bucket, ...]:
    """Return the S3 buckets."""
    return (
        Bucket("tallowmere-datasets", "sound", tagged("priya.nair", "data", "production", SERVING), 700),
        Bucket("tallowmere-models", "sound", tagged("ops", "platform", "production", PLATFORM), 640),
        Bucket("tallowmere-checkpoints", "no_tls", tagged("mira.osei", "research", "production"), 410),
        Bucket("tallowmere-demo-assets", "public", tagged("", "marketing", "production"), 290),
        Bucket("tallowmere-scratch", "unblocked", {}, 150),
        Bucket("tallowmere-logs", "log_target", tagged("ops", "platform", "production", PLATFORM), 700),
        Bucket("tallowmere-sim-west", "no_tls", tagged("jonas.brandt", "simulation", "dev"), 51, WEST),
    )


def endpoints() -> tuple[Endpoint, ...]:
    """Return the SageMaker endpoints."""
    live = tagged("priya.nair", "serving", "production", SERVING, bursar__protect="true")
    return (
        Endpoint("grasp-policy", "ml.g5.2xlarge", "serving", live, 120, count=2, customer_key=True, isolated=True),
        Endpoint("vision-embed", "ml.g5.12xlarge", "serving", live, 88, variants=("blue", "green")),
        Endpoint("speech-v1", "ml.g5.2xlarge", "no_traffic", tagged("priya.nair", "serving", "production"), 204),
        Endpoint("llm-chat-staging", "ml.p4d.24xlarge", "no_traffic", tagged("", "research", "staging"), 33),
        Endpoint("pose-estimate-4gpu", "ml.g5.24xlarge", "no_traffic", tagged("TODO", "perception", "dev"), 17),
        Endpoint("planner-shadow", "ml.g4dn.xlarge", "quiet", tagged("lucia.ferrante", "autonomy", "staging"), 12),
        Endpoint("rank-batch", "", "serverless", tagged("priya.nair", "data", "production", SERVING), 60),
        Endpoint(
            "depth-west",
            "ml.g6.2xlarge",
            "serving",
            tagged("anika.rao", "perception", "production", PERCEPTION),
            70,
            region=WEST,
        ),
    )


def notebooks() -> tuple[Notebook, ...]:
    """Return the SageMaker notebook instances."""
    return (
        Notebook("nb-mira", "ml.g5.xlarge", "silent", tagged("mira.osei", "research", "dev", RESEARCH), 90),
        Notebook(
            "nb-tomas",
            "ml.g4dn.xlarge",
            "idle",
            tagged("tomas.lindqvist", "research", "dev"),
            41,
            38,
            agent=True,
        ),
        Notebook("nb-anika", "ml.g5.2xlarge", "busy", tagged("anika.rao", "perception", "dev"), 20, 6, agent=True),
        Notebook("nb-onboarding", "ml.t3.medium", "cpu", {}, 260, 2000),
        Notebook(
            "nb-thesis", "ml.p3.2xlarge", "stopped", tagged("", "research", "dev"), 330, internet=False, root=False
        ),
        Notebook(
            "nb-lucia",
            "ml.g5.xlarge",
            "silent",
            tagged("lucia.ferrante", "autonomy", "dev", bursar__keep="true"),
            55,
            100,
            region=WEST,
        ),
    )
