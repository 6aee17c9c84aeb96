"""A state with a life of its own: findings of many kinds, approvals, runs, savings, and names that mean harm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from engine.errors import Place
from engine.findings import Cost, Evidence, Finding, Outcome, Subject, Verdict
from engine.ids import finding_id
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan, Step, Tally
from engine.policy.model import Approval, Mode, Severity
from engine.state.approvals import question
from engine.state.details import details_of
from engine.state.ledger import Note
from engine.state.lifecycle import asked, opened
from engine.state.reconcile import finding_note
from engine.state.records import (
    ActionRecord,
    FindingRecord,
    PolicyFigures,
    Progress,
    RunRecord,
    SavingRecord,
    ScopeFigures,
    Status,
    Tripped,
    put,
)
from engine.state.settings import Figures
from engine.state.store import Put, Store
from engine.values import Reason, Unknown

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
ACCOUNT = "123456789012"
HOSTILE = '<script>alert("x")</script>\u202egnp.exe"><img src=x onerror=alert(1)>'
NAMES = (
    ("vla-sweep-7", "mira.osei@example.com", "p5.48xlarge", "55.04", Severity.HIGH),
    ("policy-train-1", "tomas.lindqvist@example.com", "p5.48xlarge", "55.04", Severity.HIGH),
    ("legacy-bert", "", "p4d.24xlarge", "21.96", Severity.HIGH),
    ("rlhf-eval-2", "ada.bello@example.com", "p4d.24xlarge", "21.96", Severity.MEDIUM),
    ("dev-tomas", "tomas.lindqvist@example.com", "g5.2xlarge", "0.978", Severity.LOW),
    ("dev-mira", "mira.osei@example.com", "g5.xlarge", "0.806", Severity.LOW),
)
SURGE = "412 of 1,204 resources are findings, and 40 were"
POLICIES = ("stop-idle-gpus", "require-owner", "close-buckets", "forgotten-endpoints")


def subject(number: int, name: str, owner: str = "", region: str = "us-east-1") -> Subject:
    id_ = f"i-{number:017x}"
    return Subject(f"aws.ec2.instance/{ACCOUNT}/{region}/{id_}", "aws.ec2.instance", id_, name, ACCOUNT, region, owner)


def found(number: int, name: str, owner: str, hourly: str, severity: Severity, policy: str = POLICIES[0]) -> Finding:
    """Return a finding about one idle machine."""
    about = subject(number, name, owner)
    evidence = tuple(
        Evidence(
            f"gpu.utilization[{n}]",
            Decimal("0.4"),
            "percent",
            "below 5%",
            "cloudwatch CWAgent, 240 of 240 samples, 12:00-16:00",
        )
        for n in range(2)
    )
    tags = Evidence("tags.owner", owner or Unknown(Reason.MISSING, "", "tags.owner"))
    verdict = Verdict(
        policy,
        about,
        Outcome.VIOLATION,
        "no work for 4h, nothing loaded, all 8 devices",
        (*evidence, tags),
        classification="no_process",
    )
    cost = Cost(Decimal(hourly), "AWS list price us-east-1, 2026-02-27") if hourly else Unknown(Reason.MISSING, "", "p")
    return Finding(
        finding_id(policy, about.uid),
        verdict,
        severity,
        Mode.APPROVE,
        Place("policies/idle.yaml"),
        "Stop on-demand GPU machines that have done no work for four hours.",
        cost,
        cost,
        ("stop",),
    )


def stop(finding: Finding, approvers: Sequence[str] = ("@ml-leads",), quorum: int = 1) -> Step:
    approval = Approval("#gpu-approvals", tuple(approvers), timedelta(hours=8), quorum)
    return Step(
        f"{finding.id}-stop",
        finding.id,
        finding.verdict.policy,
        "stop",
        "stop the machine",
        finding.subject,
        Mode.APPROVE,
        Mode.APPROVE,
        True,
        "start it again, if the provider has capacity",
        timedelta(hours=4),
        approval,
        finding.savings,
        f"fingerprint-{finding.id}",
        production=False,
    )


def plan_of(findings: Sequence[Finding], steps: Sequence[Step] = ()) -> Plan:
    scope = Scope(ACCOUNT, "us-east-1", "aws.ec2.instance")
    return Plan(
        "AWS",
        NOW,
        "digest",
        Mode.APPROVE,
        tuple(findings),
        tuple(steps),
        (),
        (),
        (),
        (),
        (ScopeReport(scope, ScopeStatus.COMPLETE, len(findings)),),
        (Tally(POLICIES[0]),),
        len(findings),
    )


def remember(store: Store, findings: Sequence[Finding], steps: Sequence[Step] = (), now: datetime = NOW) -> None:
    """Write findings as a run does: their records, what they say, their entries in the ledger."""
    size = min(400, store.batch // 2)
    for start in range(0, len(findings), size):
        batch = findings[start : start + size]
        records = [opened(f.id, f.verdict.policy, f.subject, now) for f in batch]
        store.commit([put(r, 0) for r in records], [finding_note(r, now, "20260304-160000-abcdef") for r in records])
        store.commit(list(details_of(plan_of(batch, steps), {}, now)), ())


def ask(store: Store, finding: Finding, step: Step, now: datetime = NOW, requester: str = "bursar") -> str:
    """Ask for an approval, as a run does; return its id."""
    record = opened(finding.id, finding.verdict.policy, finding.subject, now - timedelta(hours=5))
    approval = question(finding, [step], record, now, requester)
    after = asked(record, approval.id, approval.fingerprint, now)
    notes = [
        Note(now, "approval.asked", approval.id, "20260304-160000-abcdef", body={"finding": finding.id}),
        finding_note(after, now, "20260304-160000-abcdef", approval=approval.id),
    ]
    store.commit([put(approval, 0), put(after, 1)], notes)
    return approval.id


def few(store: Store, now: datetime = NOW) -> dict[str, str]:
    """As `company`, with a handful of findings and two runs."""
    return company(store, now, more=0, runs=2)


def company(store: Store, now: datetime = NOW, more: int = 140, runs: int = 28) -> dict[str, str]:
    """
    Fill `store` with a company's last weeks; return the ids of the approvals that wait, by name of the machine.

    There are `more` findings beside the named ones.
    """
    named = [found(n, name, owner, hourly, sev) for n, (name, owner, _, hourly, sev) in enumerate(NAMES)]
    named.append(found(90, HOSTILE, "eve", "1.5", Severity.CRITICAL, "close-buckets"))
    others = [
        found(
            100 + n,
            f"node-{n:03}",
            ("", "ops@example.com")[n % 2],
            ("0.5", "")[n % 5 == 0],
            tuple(Severity)[n % 5],
            POLICIES[1 + n % 3],
        )
        for n in range(more)
    ]
    steps = [stop(finding, ("@ml-leads", "mira.osei@example.com")) for finding in named]
    remember(store, [*named, *others], steps, now - timedelta(days=2))
    ids = {f.subject.name: ask(store, f, s, now - timedelta(hours=1)) for f, s in zip(named[:3], steps, strict=False)}
    moved = [
        _status(f, status, now - timedelta(hours=n))
        for n, (f, status) in enumerate(
            zip(
                others,
                [
                    Status.WARNED,
                    Status.RESOLVED,
                    Status.EXEMPT,
                    Status.SNOOZED,
                    Status.VERIFIED,
                    Status.FAILED,
                    Status.DUE,
                ]
                * 6,
                strict=False,
            )
        )
    ]
    if moved:
        store.commit([put(r, 1) for r in moved], [finding_note(r, r.since, "20260304-150000-abcdef") for r in moved])
    store.commit(
        [*_runs(now)[:runs], *_savings(named, now), _figures(now)],
        [Note(now, "run.finished", "20260304-160000-abcdef", "20260304-160000-abcdef")],
    )
    return ids


def _status(finding: Finding, status: Status, at: datetime) -> FindingRecord:
    record = opened(finding.id, finding.verdict.policy, finding.subject, at - timedelta(days=1))
    return replace(record, status=status, since=at)


def _runs(now: datetime) -> list[Put]:
    return [
        put(
            RunRecord(
                f"{at:%Y%m%d-%H%M%S}-abcdef",
                at,
                at + timedelta(seconds=42),
                ("done", "held")[n == 3],
                findings=150 + n % 7,
                undecided=12,
                resources=1_204,
                cost=Decimal(150_000 + 4_000 * (n % 9) + 900 * n),
                savings=Decimal(110_000 + 500 * n),
                warned=n % 3,
                acted=n % 2,
                held=("stop-idle-gpus: max_actions is 5, this would be 6",) if n == 3 else (),
                trips=(Tripped("finding-surge", SURGE, POLICIES[1]),) if n in (0, 3) else (),
                gaps=("123456789012/eu-west-1/aws.rds.instance",) if n in (0, 3) else (),
            ),
            0,
        )
        for n, at in enumerate(now - timedelta(minutes=5) - timedelta(hours=12) * n for n in range(28))
    ]


def _savings(named: Sequence[Finding], now: datetime) -> list[Put]:
    puts: list[Put] = []
    for n, finding in enumerate(named[:5]):
        since = now - timedelta(days=24 - 4 * n)
        until = since + timedelta(days=5) if n % 2 else None
        hourly = finding.savings.hourly if isinstance(finding.savings, Cost) else None
        id_ = f"{finding.id}-stop.1"
        puts.append(
            put(
                SavingRecord(
                    id_,
                    finding.verdict.policy,
                    finding.subject,
                    "stop",
                    hourly,
                    "list",
                    since,
                    until,
                    "over" if until else "running",
                    "running again" if until else "",
                ),
                0,
            )
        )
        puts.append(
            put(
                ActionRecord(
                    id_,
                    f"{finding.id}-stop",
                    finding.id,
                    1,
                    finding.verdict.policy,
                    "stop",
                    finding.subject,
                    Progress.DONE,
                    "t",
                    "20260218-090000-abcdef",
                    "bursar",
                    since,
                    parameters={"local_data": "lost"} if n == 2 else {},
                    reversible=n != 3,
                    finished=since + timedelta(seconds=40),
                    hourly=hourly,
                ),
                0,
            )
        )
    return puts


def _figures(now: datetime) -> Put:
    scopes = tuple(
        ScopeFigures(f"{ACCOUNT}/{region}/{kind}", 300 + n)
        for n, region in enumerate(("us-east-1", "us-west-2"))
        for kind in ("aws.ec2.instance", "aws.s3.bucket")
    )
    policies = tuple(PolicyFigures(name, 1200, 40, 90 * n) for n, name in enumerate(POLICIES))
    return put(Figures(now, scopes, policies), 0)
