"""A plan as plain values for JSON: stable keys, exact money as text, times in ISO 8601, durations in seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any

from engine.findings import Basis, Cost, Evidence, Finding, Idleness, Subject, Verdict
from engine.model import Asked, ScopeReport
from engine.plan import Hold, Plan, Step, Tally, Withheld
from engine.values import Answer, Reason, Unknown

VERSION = 1
Json = dict[str, Any]


def plan_of(plan: Plan) -> Json:
    """Return the whole plan, with a digest of its content."""
    document = _plan_of(plan)
    return {"bursar.plan": VERSION, "digest": digest_of_plan(document), **document}


def digest_of_plan(document: Mapping[str, Any]) -> str:
    """Return SHA-256 in hex over a plan's document, its own digest apart: a file that was changed is told by it."""
    content = {key: value for key, value in document.items() if key not in ("bursar.plan", "digest")}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _plan_of(plan: Plan) -> Json:
    return {
        **summary_of(plan),
        "findings": [finding_of(finding) for finding in plan.findings],
        "steps": [step_of(step) for step in plan.steps],
        "holds": [hold_of(hold) for hold in plan.holds],
        "withheld": [withheld_of(withheld) for withheld in plan.withheld],
        "undecided": [verdict_of(verdict) for verdict in plan.undecided],
        "exempt": [verdict_of(verdict) for verdict in plan.exempt],
        "scopes": [scope_of(scope) for scope in plan.scopes],
        "policies": [tally_of(tally) for tally in plan.tallies],
    }


def summary_of(plan: Plan) -> Json:
    """Return what is said of the plan as a whole."""
    return {
        "estate": plan.estate,
        "taken_at": time_of(plan.taken_at),
        "policies_digest": plan.policies,
        "max_mode": plan.max_mode.value,
        "resources": plan.resources,
        "asked": asked_of(plan.asked),
    }


def finding_of(finding: Finding) -> Json:
    verdict = finding.verdict
    return {
        "id": finding.id,
        "policy": verdict.policy,
        "description": finding.description,
        "severity": finding.severity.value,
        "confidence": verdict.confidence.value,
        "classification": verdict.classification,
        "subject": subject_of(verdict.subject),
        "summary": verdict.summary,
        "evidence": [evidence_of(evidence) for evidence in verdict.evidence],
        "basis": basis_of(verdict.basis),
        "idleness": idleness_of(verdict.idleness),
        "cost": cost_of(finding.cost),
        "savings": cost_of(finding.savings),
        "mode": finding.mode.value,
        "remediate": list(finding.remediate),
        "parameters": {name: dict(given) for name, given in finding.parameters.items()},
        "controls": list(finding.controls),
        "place": str(finding.place),
    }


def verdict_of(verdict: Verdict) -> Json:
    return {
        "policy": verdict.policy,
        "outcome": verdict.outcome.value,
        "subject": subject_of(verdict.subject),
        "summary": verdict.summary,
        "unknowns": [unknown_of(unknown) for unknown in verdict.unknowns],
        "at_stake": None if verdict.at_stake is None else cost_of(verdict.at_stake),
        "evidence": [evidence_of(evidence) for evidence in verdict.evidence],
        "basis": basis_of(verdict.basis),
    }


def step_of(step: Step) -> Json:
    approval = step.approval
    return {
        "id": step.id,
        "finding": step.finding,
        "policy": step.policy,
        "remediation": step.remediation,
        "parameters": dict(step.parameters),
        "title": step.title,
        "subject": subject_of(step.subject),
        "mode": step.mode.value,
        "wanted_mode": step.wanted.value,
        "reversible": step.reversible,
        "undo": step.undo,
        "grace_seconds": seconds_of(step.grace),
        "approval": None
        if approval is None
        else {
            "channel": approval.channel,
            "approvers": list(approval.approvers),
            "expires_seconds": seconds_of(approval.expires),
            "quorum": approval.quorum,
        },
        "savings": cost_of(step.savings),
        "fingerprint": step.fingerprint,
    }


def hold_of(hold: Hold) -> Json:
    return {"policy": hold.policy, "limit": hold.limit, "allowed": hold.allowed, "wanted": hold.wanted}


def withheld_of(withheld: Withheld) -> Json:
    return {
        "finding": withheld.finding,
        "policy": withheld.policy,
        "subject": subject_of(withheld.subject),
        "remediation": withheld.remediation,
        "reason": withheld.reason,
    }


def scope_of(report: ScopeReport) -> Json:
    return {
        "account": report.scope.account,
        "region": report.scope.region,
        "kind": report.scope.kind,
        "status": report.status.value,
        "resources": report.resources,
        "detail": report.detail,
        "asked": asked_of(report.asked),
    }


def asked_of(asked: Asked) -> Json:
    """Return what was asked of telemetry: metrics, and USD at list price, which may be far below a cent."""
    return {"metrics": asked.metrics, "usd": f"{asked.usd:.6f}"}


def tally_of(tally: Tally) -> Json:
    return {"policy": tally.policy, **{outcome.value: count for outcome, count in tally.counts.items()}}


def subject_of(subject: Subject) -> Json:
    return {
        "uid": subject.uid,
        "kind": subject.kind,
        "id": subject.id,
        "name": subject.name,
        "account": subject.account,
        "region": subject.region,
        "owner": subject.owner,
    }


def evidence_of(evidence: Evidence) -> Json:
    return {
        "path": evidence.path,
        "value": answer_of(evidence.value),
        "unit": evidence.unit,
        "expected": evidence.expected,
        "source": evidence.source,
    }


def basis_of(basis: Basis) -> Json:
    """Return the signals that were read and not read, and what would change the verdict."""
    return {"read": list(basis.read), "unread": list(basis.unread), "changes": list(basis.changes)}


def idleness_of(idleness: Idleness | None) -> Json | None:
    """Return since when something is idle, stuck or broken, which part of it, USD and kWh; None of what is not."""
    if idleness is None:
        return None
    return {
        "state": idleness.state,
        "devices": None if idleness.devices is None else list(idleness.devices),
        "since": time_of(idleness.since),
        "since_is_exact": idleness.exact,
        "cost_usd": _money_of(idleness.cost),
        "cost_if_left_a_month_usd": _money_of(idleness.monthly),
        "energy_kwh": _energy_of(idleness.energy),
        "energy_of_window_kwh": _energy_of(idleness.energy_window),
    }


def _money_of(amount: Decimal | Unknown) -> str | Json:
    return unknown_of(amount) if isinstance(amount, Unknown) else dollars(amount)


def _energy_of(kwh: float | Unknown) -> float | Json:
    return unknown_of(kwh) if isinstance(kwh, Unknown) else round(kwh, 4)


def cost_of(cost: Cost | Unknown) -> Json:
    """Return USD an hour and a month, or why they are not known."""
    if isinstance(cost, Unknown):
        return unknown_of(cost)
    return {
        "hourly_usd": dollars(cost.hourly),
        "monthly_usd": dollars(cost.monthly),
        "exact": cost.exact,
        "basis": cost.basis,
    }


def dollars(amount: Decimal) -> str:
    """Return `amount` with four places; formatting, unlike quantizing, has no largest amount."""
    return f"{amount:.4f}"


def unknown_of(unknown: Unknown) -> Json:
    return {"unknown": unknown.reason.value, "detail": unknown.detail, "path": unknown.path}


def answer_of(answer: Answer) -> Any:
    """Return a value as JSON keeps it; what JSON has no number for is not known."""
    match answer:
        case Unknown():
            return unknown_of(answer)
        case float() | Decimal() if not isfinite(answer):
            return unknown_of(Unknown(Reason.NAN, str(answer)))
        case Decimal():
            return f"{answer:f}"
        case datetime():
            return time_of(answer)
        case timedelta():
            return seconds_of(answer)
        case tuple():
            return [answer_of(item) for item in answer]
        case Mapping():
            return dict(answer)
        case _:
            return answer


def time_of(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def seconds_of(length: timedelta) -> int | float:
    seconds = length.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds
