"""
Figures of a run as CloudWatch metrics, in a line of the log: no call is made, none can fail.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

NAMESPACE = "Bursar"


def metrics_line(figures: Mapping[str, float], function: str, now: datetime) -> str:
    """Return the line that CloudWatch turns into the metrics `figures` of a function."""
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [["Function"]],
        "Metrics": [{"Name": name} for name in figures],
    }
    about = {"Timestamp": int(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, "Function": function, **figures})
