"""Resources, series, policies and runs for tests of the engine: complete, quiet and young enough to be changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from actions.catalog import remediations
from bursar.zones import zone
from engine.checks.context import Context, Judgement
from engine.compiled import compile_check
from engine.errors import Place
from engine.evaluate import Tallies, compile_policies, judge_items
from engine.expr.check import resolve
from engine.expr.parse import parse
from engine.findings import Verdict
from engine.kinds import Kind
from engine.model import Resource, Scope, ScopeReport, ScopeStatus, Series, Usage
from engine.plan import Plan
from engine.planning import Installation, plan_items
from engine.policy.load import load_policies
from engine.policy.model import Expression, Mode, Policy, PolicySet
from engine.ports import Item
from engine.prices import Price, PriceBook, PriceLayer
from engine.values import Answer, Reason, Unknown
from integrations.catalog import default_catalog

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
"""A Wednesday."""
CATALOG = default_catalog()
INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"
WATTS = {"A10G": 65.0, "H100": 125.0}
GPU_HOUR = "aws.ec2.linux.on_demand:g5.xlarge"
DENIED = Unknown(Reason.DENIED, "the call was denied")
ALL_LIMITS = "limits: {max_actions: 1000, max_share: 100%}"
APPROVE = f'mode: approve\n    approval: {{channel: "#gpu", approvers: ["@ml"]}}\n    {ALL_LIMITS}'


def price_book() -> PriceBook:
    """Return prices that are easy to add: a dollar an hour, 0.08 a GiB and month."""
    rows = [
        (GPU_HOUR, "1", "hour"),
        ("aws.ebs.gp3", "0.08", "GiB-month"),
        ("aws.sagemaker.hosting:ml.g5.xlarge", "2", "hour"),
        ("aws.sagemaker.notebook:ml.g5.xlarge", "3", "hour"),
        ("aws.sagemaker.notebook.storage", "0.10", "GiB-month"),
    ]
    prices = [
        Price(sku, Decimal(amount), unit, "us-east-1", "a list", date(2026, 1, 1), "list price")
        for sku, amount, unit in rows
    ]
    return PriceBook((PriceLayer.of("list", prices),))


def context(now: datetime = NOW, **changes: Any) -> Context:
    return replace(Context(now, CATALOG, price_book(), WATTS, zone), **changes)


# --- telemetry


def series(
    metric: str,
    values: Sequence[float | None],
    device: str = "0",
    *,
    end: datetime = NOW,
    step: int = 60,
    interval: int = 60,
    samples: tuple[int, ...] | None = None,
) -> Series:
    """Return a series whose last bucket ends at `end`."""
    start = end - timedelta(seconds=step) * len(values)
    return Series(metric, device, start, step, tuple(values), interval, "cloudwatch test", samples)


def watts(around: float, count: int = 240) -> list[float]:
    """Return power readings that move a little, as real ones do."""
    return [around + 0.1 * (number % 3) for number in range(count)]


def gpu(device: str = "0", *, use: float = 0.0, power: float = 58.0, memory: float = 1.0) -> dict[str, Series]:
    """Return four hours of one device's telemetry, at rest if nothing else is said."""
    return {
        "gpu.utilization": series("gpu.utilization", [use] * 239 + [max(use - 1, 0.0)], device),
        "gpu.power": series("gpu.power", watts(power), device),
        "gpu.memory_used": series("gpu.memory_used", [memory] * 240, device),
    }


def together(*devices: Mapping[str, Series]) -> dict[str, tuple[Series, ...]]:
    """Return the metrics of a resource with several devices."""
    names = dict.fromkeys(name for one in devices for name in one)
    return {name: tuple(one[name] for one in devices if name in one) for name in names}


# --- resources


def instance(identity: str = "i-1", *, devices: int = 1, **changes: Any) -> Resource:
    """Return a machine with GPUs that have done nothing for four hours; `fields` are added to its own."""
    fields: dict[str, Answer] = {
        "state": "running",
        "running": True,
        "instance.type": "g5.xlarge",
        "lifecycle": "on-demand",
        "platform": "linux",
        "launched": NOW - timedelta(days=3),
        "created": NOW - timedelta(days=30),
        "accelerator.count": devices,
        "accelerator.devices": devices,
        "accelerator.model": "A10G",
        "accelerator.vendor": "nvidia",
        "vcpus": 4,
        **changes.pop("fields", {}),
    }
    quiet = together(*(gpu(str(number)) for number in range(devices)))
    resource = Resource(
        INSTANCE,
        identity,
        "111122223333",
        "us-east-1",
        f"node-{identity}",
        fields,
        {"owner": "ana", "environment": "dev"},
        metrics=quiet | {"cpu.utilization": (series("cpu.utilization", [1.0] * 48, "", step=300, interval=300),)},
        usage=(Usage(GPU_HOUR, Decimal(1), "hour"),),
    )
    return replace(resource, **changes)


def with_metrics(resource: Resource, **changed: tuple[Series, ...]) -> Resource:
    """Return `resource` with other series; dots of the names are written as two underscores."""
    return replace(resource, metrics={**resource.metrics, **{k.replace("__", "."): v for k, v in changed.items()}})


def without(resource: Resource, *names: str) -> Resource:
    """Return `resource` without the fields and metrics of these names."""
    return replace(
        resource,
        fields={k: v for k, v in resource.fields.items() if k not in names},
        metrics={k: v for k, v in resource.metrics.items() if k not in names},
    )


def complete(*kinds: str, status: ScopeStatus = ScopeStatus.COMPLETE) -> list[ScopeReport]:
    return [ScopeReport(Scope("111122223333", "us-east-1", kind), status) for kind in kinds]


# --- policies


def expression(text: str, kinds: Sequence[Kind] | None = None) -> Expression:
    node, problems = resolve(parse(text), kinds or tuple(CATALOG.kinds.values()))
    assert problems == ()
    assert node is not None
    return Expression(text, node, Place("bursar.yaml", 1, 1))


def policies(*entries: str) -> PolicySet:
    """Return the policies whose keys beside `name` and `description` are given; they are called p0, p1, …"""
    text = "version: 1\npolicies:\n"
    for number, entry in enumerate(entries):
        text += f"  - name: p{number}\n    description: d\n    " + entry.strip() + "\n"
    return load_policies({"test.yaml": text}, CATALOG, remediations())


def policy(entry: str) -> Policy:
    (found,) = policies(entry).policies
    return found


def judge(entry: str, resource: Resource, ours: Context | None = None) -> Judgement:
    """Return the judgement of the check in `entry`; both of its halves have to agree."""
    ours = ours or context()
    check = compile_check(policy(entry), ours)
    assert check is not None
    judgement = check.judge(resource)
    decided = check.decide(resource)
    assert type(decided) is type(judgement.violated)
    if isinstance(decided, bool):
        assert decided == judgement.violated
    return judgement


def verdicts(entry: str, *items: Item, ours: Context | None = None) -> list[Verdict]:
    """Return what is not compliant."""
    compiled = compile_policies(policies(entry).policies, ours or context())
    return [verdict for _, _, verdict in judge_items(compiled, items, Tallies())]


def plan(found: PolicySet | str, items: Iterable[Item], ours: Context | None = None, **operator: Any) -> Plan:
    """Return the plan of `found` over `items`; nothing caps the modes unless `max_mode` is given."""
    installation = Installation(remediations(), **{"max_mode": Mode.ENFORCE, **operator})
    return plan_items(
        policies(found) if isinstance(found, str) else found, items, "test", ours or context(), installation
    )
