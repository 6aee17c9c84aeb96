"""
A plan as CSV, one finding a row, for spreadsheets and FinOps tools.

Columns have the names of FOCUS 1.2 where it has one (ProviderName, SubAccountId, RegionId, ResourceId,
ResourceName, ResourceType, BillingCurrency); the others are ours.
"""

from __future__ import annotations

import csv
from typing import TextIO

from bursar.render.encode import dollars
from bursar.render.text import visible, with_parameters
from engine.findings import Cost, Finding
from engine.plan import Plan
from engine.values import Unknown

COLUMNS = (
    "FindingId", "Policy", "Severity", "Confidence", "Classification", "ProviderName", "SubAccountId", "RegionId",
    "ResourceType", "ResourceId", "ResourceName", "Owner", "Summary", "MonthlyCost", "MonthlySavings",
    "BillingCurrency", "PriceIsExact", "PriceBasis", "Mode", "Remediations", "Controls", "PolicyPlace",
)  # fmt: skip
PROVIDERS = {"aws": "AWS"}
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the beginning of a formula; the wide forms count where Japanese is set."""


def render(plan: Plan, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001  (a terminal changes nothing)
    """Write the findings; amounts that are not known are empty."""
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    for finding in plan.findings:
        rows.writerow([defused(cell) for cell in _row(finding)])


def _row(finding: Finding) -> tuple[str, ...]:
    verdict, subject = finding.verdict, finding.subject
    return (
        finding.id,
        verdict.policy,
        finding.severity.value,
        verdict.confidence.value,
        verdict.classification,
        PROVIDERS.get(subject.kind.partition(".")[0], ""),
        subject.account,
        subject.region,
        subject.kind,
        subject.id,
        subject.name,
        subject.owner,
        verdict.summary,
        _amount(finding.cost),
        _amount(finding.savings),
        "USD",
        "" if isinstance(finding.cost, Unknown) else str(finding.cost.exact).lower(),
        "" if isinstance(finding.cost, Unknown) else finding.cost.basis,
        finding.mode.value,
        " ".join(with_parameters(name, finding.parameters.get(name, {})) for name in finding.remediate),
        " ".join(finding.controls),
        str(finding.place),
    )


def _amount(cost: Cost | Unknown) -> str:
    return "" if isinstance(cost, Unknown) else dollars(cost.monthly)


def defused(cell: str) -> str:
    """Return `cell` on one line, with a quote before what a spreadsheet would calculate."""
    text = visible(cell)
    return f"'{text}" if cell.lstrip(" ").startswith(FORMULAS) else text
