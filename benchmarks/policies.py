"""
The policies of the measurements, in Custodian's language; `bursar import custodian` makes the equal ones of them.

So both programs are asked exactly the same, and the driver checks that they answer the same.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TEN_KINDS = (
    "ec2",
    "ebs",
    "s3",
    "rds",
    "asg",
    "eks",
    "efs",
    "batch-compute",
    "sagemaker-endpoint",
    "sagemaker-notebook",
)
FAMILIES = ("^(g5|g6|p4d|p5)", "^(p4d|p5)[.]", "^g[56][.]", "[.](12|24|48)xlarge$", "^(m7i|c7i|g5)[.]")


def five_conditions(count: int) -> list[dict[str, Any]]:
    """Return `count` policies of five conditions each, joined by `and` and `or`."""
    return [
        {
            "name": f"orphaned-{n}",
            "resource": "aws.ec2",
            "filters": [
                {"State.Name": "running"},
                {
                    "or": [
                        {"tag:owner": "absent"},
                        {
                            "and": [
                                {"type": "value", "key": "InstanceType", "op": "regex", "value": FAMILIES[n % 5]},
                                {"type": "instance-age", "op": "gt", "days": 2 * n + 1},
                                {"type": "value", "key": "tag:team", "op": "in", "value": ["former", f"gone-{n}"]},
                            ]
                        },
                    ]
                },
            ],
        }
        for n in range(count)
    ]


def ten_kinds(count: int) -> list[dict[str, Any]]:
    """Return `count` policies of five conditions that take turns with ten kinds of resources."""
    return [
        {
            "name": f"tags-{n}",
            "resource": f"aws.{TEN_KINDS[n % 10]}",
            "filters": [
                {"type": "value", "key": "tag:environment", "op": "in", "value": ["production", "staging"]},
                {
                    "or": [
                        {"tag:owner": "absent"},
                        {
                            "and": [
                                {"type": "value", "key": "tag:stack", "op": "regex", "value": f"^train-{n}"},
                                {"type": "value", "key": "tag:team", "op": "in", "value": ["former", f"gone-{n}"]},
                                {"type": "value", "key": "tag:cost-center", "op": "eq", "value": f"cc-{n}"},
                            ]
                        },
                    ]
                },
            ],
        }
        for n in range(count)
    ]


def two_metrics() -> list[dict[str, Any]]:
    """Return two policies about a day of two metrics."""
    wanted = (("idle-cpu", "CPUUtilization", "Maximum", 5), ("idle-network", "NetworkIn", "Sum", 1_000_000))
    return [
        {
            "name": name,
            "resource": "aws.ec2",
            "filters": [
                {
                    "type": "metrics",
                    "name": metric,
                    "statistics": statistic,
                    "days": 1,
                    "period": 86400,
                    "op": "lt",
                    "value": most,
                }
            ],
        }
        for name, metric, statistic, most in wanted
    ]


def write(policies: list[dict[str, Any]], file: Path) -> Path:
    """Write policies for Custodian; JSON is YAML."""
    file.write_text(json.dumps({"policies": policies}, indent=1), encoding="utf-8")
    return file
