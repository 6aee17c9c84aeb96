"""Plans to render, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from engine.errors import Place
from engine.findings import Confidence, Cost, Evidence, Finding, Outcome, Subject, Verdict
from engine.model import Scope, ScopeReport, ScopeStatus
from engine.plan import Hold, Plan, Step, Tally, Withheld
from engine.policy.model import Approval, Mode, Severity
from engine.values import Reason, Unknown

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
PRICE = Cost(Decimal("55.04"), "us-east-1 list price (of 2026-01-19)")


class Plans:
    """Makes the parts of a plan, with any text in them."""

    def subject(self, name: str = "trainer-1", **more) -> Subject:
        given = {"uid": f"aws.ec2.instance/1/us-east-1/{name}", "kind": "aws.ec2.instance", "id": "i-0a1b2c3d4e5f60001"}
        rest = {"name": name, "account": "123456789012", "region": "us-east-1", "owner": "ana"}
        return Subject(**{**given, **rest, **more})

    def finding(
        self, name: str = "trainer-1", *, policy: str = "idle-gpus", text: str = "no work for 4h", **more
    ) -> Finding:
        verdict = Verdict(
            policy,
            self.subject(name),
            Outcome.VIOLATION,
            text,
            (Evidence("gpu.utilization", 0.0, "percent", "below 5%", "cloudwatch"),),
            classification="context_held",
            confidence=Confidence.HIGH,
        )
        given = {
            "id": "0123456789abcdef",
            "verdict": verdict,
            "severity": Severity.HIGH,
            "mode": Mode.APPROVE,
            "place": Place("idle.yaml", 3, 11),
            "description": "GPU machines without work.",
            "cost": PRICE,
            "savings": PRICE,
            "remediate": ("stop",),
        }
        return Finding(**{**given, **more})

    def step(self, name: str = "trainer-1", **more) -> Step:
        given = {
            "id": "0123456789abcdef-stop",
            "finding": "0123456789abcdef",
            "policy": "idle-gpus",
            "remediation": "stop",
            "title": "stop the machine",
            "subject": self.subject(name),
            "mode": Mode.REPORT,
            "wanted": Mode.APPROVE,
            "reversible": True,
            "undo": "start it again",
            "grace": timedelta(hours=4),
            "approval": Approval("#gpu", ("@ml-leads",)),
            "savings": PRICE,
            "fingerprint": "f" * 64,
        }
        return Step(**{**given, **more})

    def undecided(self, name: str = "silent-1", detail: str = "nothing sends gpu.utilization") -> Verdict:
        unknown = Unknown(Reason.NOT_COLLECTED, detail, "gpu.utilization")
        return Verdict(
            "idle-gpus", self.subject(name), Outcome.UNKNOWN, "its use cannot be judged", unknowns=(unknown,)
        )

    def plan(self, **more) -> Plan:
        given = {
            "estate": "AWS 123456789012 (us-east-1)",
            "taken_at": NOW,
            "policies": "d" * 64,
            "max_mode": Mode.REPORT,
            "findings": (self.finding(),),
            "steps": (self.step(),),
            "withheld": (
                Withheld("0", "idle-gpus", self.subject("kept"), "stop", "protected by tag bursar/protect=true"),
            ),
            "holds": (Hold("idle-gpus", "max_actions", "5", "6"),),
            "undecided": (self.undecided(),),
            "exempt": (),
            "scopes": (ScopeReport(Scope("1", "us-west-2", "aws.ec2.instance"), ScopeStatus.DENIED, 0, "denied"),),
            "tallies": (Tally("idle-gpus", {Outcome.VIOLATION: 1, Outcome.UNKNOWN: 1}),),
            "resources": 2,
        }
        return Plan(**{**given, **more})

    def empty(self) -> Plan:
        nothing = dict.fromkeys(
            ("findings", "steps", "withheld", "holds", "undecided", "exempt", "scopes", "tallies"), ()
        )
        return self.plan(**nothing, resources=0)

    def hostile(self, text: str) -> Plan:
        """Return a plan with `text` wherever a cloud's words can come to stand."""
        return self.plan(
            estate=text,
            findings=(self.finding(text, text=text, cost=Unknown(Reason.DENIED, text)),),
            steps=(self.step(text),),
            withheld=(Withheld("0", "p", self.subject(text), "stop", text),),
            undecided=(self.undecided(text, text),),
            scopes=(ScopeReport(Scope(text, text, text), ScopeStatus.FAILED, 0, text),),
        )


@pytest.fixture
def plans() -> Plans:
    return Plans()
