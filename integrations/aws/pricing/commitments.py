"""
Savings Plans and reserved instances of the account, as `engine.commitments` wants them.

How much eligible use a Savings Plan leaves uncovered is asked of Cost Explorer, once for each kind of plan: the
lowest of the last seven whole days that it knows. It also tells of plans that other accounts of the organization
own. What cannot be read becomes a commitment of which that is not known, so that no saving is promised that it may
eat.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.commitments import Commitment
from engine.prices import ANY_REGION
from engine.values import Reason, Unknown
from integrations.aws.kinds.instances import PLATFORMS
from integrations.aws.reader import PageCut
from integrations.aws.refusals import as_gap, code_of
from integrations.aws.session import AwsSession

PLANS, RESERVED, COVERAGE = (
    "savingsplans:DescribeSavingsPlans",
    "ec2:DescribeReservedInstances",
    "ce:GetSavingsPlansCoverage",
)
HOME = "us-east-1"
"""Savings Plans and Cost Explorer have one endpoint for all regions."""
EC2 = ("aws.ec2.*.on_demand*:*",)
SAGEMAKER = tuple(
    f"aws.sagemaker.{part}:*" for part in ("hosting", "notebook", "training", "processing", "studio", "hyperpod")
)
"""Training on spot is another sku and not eligible."""
SERVICES = {
    "Compute": "Amazon Elastic Compute Cloud - Compute",
    "EC2Instance": "Amazon Elastic Compute Cloud - Compute",
    "SageMaker": "Amazon SageMaker",
}
"""Plan types to the service whose coverage is asked for; use of Fargate and Lambda is left out, which understates."""
TITLES = {
    "Compute": "Compute Savings Plan",
    "EC2Instance": "EC2 Instance Savings Plan",
    "SageMaker": "SageMaker Savings Plan",
}
NO_DATA = "DataUnavailableException"
"""What Cost Explorer answers where there is nothing of what was asked."""
DAYS, LATE = 7, 2
"""Whole days to look at, and how many days Cost Explorer needs to know one."""
ONE_SIZE = frozenset({"p4d", "p4de", "p5e", "p5en", "p6-b200", "p6-b300", "p3dn", "trn1n", "dl1"})
NOT_FLEXIBLE = ONE_SIZE | {
    "g4ad", "g4dn", "g5", "g5g", "g6", "g6e", "g6f", "gr6", "gr6f", "p5", "inf1", "inf2", "vt1",
}  # fmt: skip
"""Families whose regional reservations hold for one size, by the EC2 user guide, or that have one size only."""


def commitments(session: AwsSession, today: date) -> tuple[Commitment, ...]:
    """Return what `session`'s account has committed to; nothing is raised, what cannot be read is a commitment too."""
    return (*_plans(session, today), *(found for region in session.regions for found in _reserved(session, region)))


# --- Savings Plans


def _plans(session: AwsSession, today: date) -> Iterator[Commitment]:
    try:
        plans = list(_described(session.client("savingsplans", HOME)))
        groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = defaultdict(list)
        for plan in plans:
            kind = str(plan.get("savingsPlanType"))
            if kind == "EC2Instance":
                groups[kind, str(plan["ec2InstanceFamily"]), str(plan["region"])].append(plan)
            elif kind in SERVICES:
                groups[kind, "", ANY_REGION].append(plan)
    except Exception as error:  # noqa: BLE001  (whatever went wrong, the plans are not known)
        yield Commitment("Savings Plans", (*EC2, *SAGEMAKER), uncovered=as_gap(error, PLANS))
        return
    for (kind, family, region), same in sorted(groups.items()):
        days = _coverage(session, kind, family, region, today)
        yield Commitment(_title(kind, family, same), _skus(kind, family), region, _uncovered(days))
    for kind in ("Compute", "SageMaker"):
        if (kind, "", ANY_REGION) not in groups:
            yield from _of_others(session, kind, today)


def _of_others(session: AwsSession, kind: str, today: date) -> Iterator[Commitment]:
    """Yield the plans of other accounts of the organization, where their coverage reaches this one."""
    days = _coverage(session, kind, "", ANY_REGION, today)
    if isinstance(days, Unknown):
        yield Commitment(f"a {TITLES[kind]} of another account", _skus(kind, ""), uncovered=days)
    elif any(day.covered for day in days):
        yield Commitment(f"a {TITLES[kind]} of another account", _skus(kind, ""), uncovered=_uncovered(days))


def _skus(kind: str, family: str) -> tuple[str, ...]:
    if kind == "SageMaker":
        return SAGEMAKER
    return (f"aws.ec2.*.on_demand*:{family}.*",) if family else EC2


def _described(client: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the active plans; the SDK has no paginator for them."""
    given: dict[str, Any] = {"states": ["active"]}
    while True:
        page = client.describe_savings_plans(**given)
        if not isinstance(page.get("savingsPlans"), list):
            raise PageCut("a page without savingsPlans")
        yield from page["savingsPlans"]
        if not page.get("nextToken"):
            return
        given["nextToken"] = page["nextToken"]


def _title(kind: str, family: str, plans: Sequence[Mapping[str, Any]]) -> str:
    name = f"{family} {TITLES[kind]}".strip()
    if len(plans) > 1:
        return f"{len(plans)} {name}s"
    until = str(plans[0].get("end", ""))[:10]
    return f"the {name} until {until}" if until else f"the {name}"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of eligible use, in USD."""

    covered: Decimal
    """What a plan covered."""
    uncovered: Decimal
    """What was paid on demand, by the more careful of the two ways to say it."""


def _coverage(session: AwsSession, kind: str, family: str, region: str, today: date) -> tuple[Day, ...] | Unknown:
    """Return the last whole days of eligible use; none where no plan covered anything for long."""
    wanted = {"SERVICE": SERVICES[kind], "INSTANCE_FAMILY": family, "REGION": region.replace(ANY_REGION, "")}
    each = [{"Dimensions": {"Key": key, "Values": [value]}} for key, value in wanted.items() if value]
    end = today - timedelta(days=LATE)
    given: dict[str, Any] = {
        "TimePeriod": {"Start": (end - timedelta(days=DAYS)).isoformat(), "End": end.isoformat()},
        "Granularity": "DAILY",
        "Filter": {"And": each} if len(each) > 1 else each[0],
    }
    client, days = session.client("ce", HOME), list[Day]()
    try:
        while True:
            page = client.get_savings_plans_coverage(**given)
            days += [_day(entry["Coverage"]) for entry in page["SavingsPlansCoverages"]]
            if not page.get("NextToken"):
                return tuple(days)
            given["NextToken"] = page["NextToken"]
    except Exception as error:  # noqa: BLE001  (whatever went wrong, the coverage is not known)
        return () if code_of(error) == NO_DATA else as_gap(error, COVERAGE)


def _uncovered(days: tuple[Day, ...] | Unknown) -> Decimal | Unknown:
    """Return what no plan covered on the day that had least of it, in USD an hour."""
    if isinstance(days, Unknown):
        return days
    if len(days) < DAYS:
        return Unknown(Reason.INSUFFICIENT_SAMPLES, f"Cost Explorer knows {len(days)} of {DAYS} days")
    return max(min(day.uncovered for day in days) / 24, Decimal(0))


def _day(coverage: Mapping[str, Any]) -> Day:
    on_demand, total, covered = (
        Decimal(coverage[key]) for key in ("OnDemandCost", "TotalCost", "SpendCoveredBySavingsPlans")
    )
    least = min(on_demand, total - covered)
    if not (least.is_finite() and covered.is_finite()):
        raise InvalidOperation("an amount that is no number")
    return Day(covered, least)


# --- reserved instances


def _reserved(session: AwsSession, region: str) -> Iterator[Commitment]:
    try:
        answer = session.client("ec2", region).describe_reserved_instances(
            Filters=[{"Name": "state", "Values": ["active"]}]
        )
        if not isinstance(answer.get("ReservedInstances"), list):
            raise PageCut("an answer without ReservedInstances")
        counted: Counter[tuple[str, str, str, bool]] = Counter()
        for entry in answer["ReservedInstances"]:
            type_, count = str(entry["InstanceType"]), int(entry["InstanceCount"])
            platform = PLATFORMS.get(str(entry["ProductDescription"]).removesuffix(" (Amazon VPC)"), "other")
            tenancy = ".dedicated" if entry.get("InstanceTenancy") == "dedicated" else ""
            regional = entry.get("Scope", "Region") == "Region"
            counted[platform, tenancy, type_, _flexible(platform, tenancy, type_, regional)] += count
    except Exception as error:  # noqa: BLE001  (whatever went wrong, the reservations are not known)
        yield Commitment("reserved instances", EC2, region, as_gap(error, RESERVED))
        return
    for (platform, tenancy, type_, flexible), count in sorted(counted.items()):
        title = f"{count} reserved {type_}"
        if flexible:
            why = Unknown(Reason.NOT_COLLECTED, "it holds for any size of its family")
            family = type_.partition(".")[0]
            yield Commitment(title, (f"aws.ec2.{platform}.on_demand{tenancy}:{family}.*",), region, why)
        else:
            sku = f"aws.ec2.{platform}.on_demand{tenancy}:{type_}"
            yield Commitment(title, (sku,), region, units=Decimal(count))


def _flexible(platform: str, tenancy: str, type_: str, regional: bool) -> bool:
    """Return whether a reservation holds for other sizes of its family too."""
    family, _, size = type_.partition(".")
    fixed = family in NOT_FLEXIBLE or family.startswith("hpc") or size.startswith("metal")
    return platform == "linux" and not tenancy and regional and not fixed
