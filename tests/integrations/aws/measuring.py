"""What tests of CloudWatch telemetry have in common: the time, and what the engine makes of what was read."""

from datetime import UTC, datetime, timedelta

from engine.model import KindNeeds
from engine.telemetry import Window, metric_windows
from engine.values import Unknown
from integrations.aws.registry import aws_kinds

NOW = datetime(2026, 11, 23, 12, 0, 20, tzinfo=UTC)
NOON = NOW.replace(second=0)
HOUR = timedelta(hours=1)
EAST = "us-east-1"
ACCOUNT = "123456789012"
KINDS = {kind.name: kind for kind in aws_kinds()}
READ, LIST = "cloudwatch:GetMetricData", "cloudwatch:ListMetrics"


def need_of(*names, window=HOUR):
    """Return the need of so much of some metrics."""
    return KindNeeds(metrics=dict.fromkeys(names, window))


def readings(resource, metric, window=HOUR):
    """Return peak, samples and samples due of each device, or the reason why it is not known."""
    kind = KINDS[resource.kind]
    found = metric_windows(resource, kind, kind.metric_by_name[metric], Window.ending(NOON, window), now=NOW, watts={})
    return {d: r.reason if isinstance(r, Unknown) else (r.peak, r.got, r.expected) for d, r in found.items()}
