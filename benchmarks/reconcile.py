"""CPU seconds to reconcile 100,000 findings with a SQLite store: all new, all known and unchanged, all over."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from engine.acting.memory import findings_of, write
from engine.acting.ports import LEASE, TTL, Ports, Tenure
from engine.errors import Place
from engine.findings import Cost, Finding, Outcome, Subject, Verdict
from engine.ids import finding_id
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Plan, Tally
from engine.policy.model import Mode, Severity
from engine.state.reconcile import Memory, reconcile
from integrations.store.sql_open import open_sqlite

COUNT = 100_000
NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
SCOPE = Scope("123456789012", "us-east-1", "aws.ec2.instance")


def plan(findings: tuple[Finding, ...]) -> Plan:
    """Return a plan with `findings` of one policy about one complete scope."""
    report = ScopeReport(SCOPE, ScopeStatus.COMPLETE, COUNT)
    tally = Tally("bench", {Outcome.VIOLATION: len(findings)})
    return Plan("bench", NOW, "", Mode.REPORT, findings, (), (), (), (), (), (report,), (tally,), COUNT)


def finding(number: int) -> Finding:
    id_ = f"i-{number:017x}"
    subject = Subject(f"aws.ec2.instance/{SCOPE.account}/us-east-1/{id_}", SCOPE.kind, id_, f"node-{number}",
                      SCOPE.account, SCOPE.region, "owner@example.com")  # fmt: skip
    verdict = Verdict("bench", subject, Outcome.VIOLATION, "it is one")
    cost = Cost(Decimal(1), "list price")
    return Finding(finding_id("bench", subject.uid), verdict, Severity.LOW, Mode.REPORT, Place("p"), "", cost, cost)


def main() -> None:
    found = tuple(finding(number) for number in range(COUNT))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = open_sqlite(path)
        ports = Ports(store, {}, lambda *_: None, None, lambda: NOW, "run")  # type: ignore[arg-type, return-value]
        lease = store.acquire(LEASE, "run", TTL + timedelta(days=1), NOW)
        assert lease is not None
        for title, findings in (("new", found), ("unchanged", found), ("over", ())):
            size, start = store.head().serial, time.process_time()
            reconciled = reconcile(plan(findings), Memory(findings_of(store)), NOW, "run")
            write(store, reconciled.changes, Tenure(ports, replace(lease, expires=NOW + timedelta(days=1))))
            spent = time.process_time() - start
            entries = store.head().serial - size
            megabytes = path.stat().st_size / 2**20
            print(
                f"  {COUNT:,} findings, all {title:<10} {spent:>5.1f} s of CPU, {entries:>7,} entries in the ledger, "
                f"{megabytes:,.0f} MiB on disk"
            )
        store.close()


if __name__ == "__main__":
    main()
