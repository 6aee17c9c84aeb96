"""IAM's own simulation, by answers as IAM gives them: the emulated account has none."""

from dataclasses import dataclass, field

import pytest

from integrations.aws.probing import AT_ONCE, simulated


@dataclass
class FakeIam:
    """A client of IAM that allows everything but `denied`, a few results a page."""

    denied: frozenset[str]
    asked: list[dict] = field(default_factory=list)

    def client(self, service, region):
        assert service == "iam"
        return self

    @property
    def regions(self):
        return ("us-east-1",)

    def get_paginator(self, name):
        assert name == "simulate_principal_policy"
        return self

    def paginate(self, **parameters):
        self.asked.append(parameters)
        results = [
            {"EvalActionName": name, "EvalDecision": "implicitDeny" if name in self.denied else "allowed"}
            for name in parameters["ActionNames"]
        ]
        for start in range(0, len(results), 20):
            yield {"EvaluationResults": results[start : start + 20]}


@pytest.mark.parametrize("count", [1, AT_ONCE, AT_ONCE + 1, 130])
def test_everything_is_asked_for_once(count):
    """All actions are asked about, over pages and calls; those that are not allowed come back."""
    actions = [f"ec2:Action{n:03}" for n in range(count)]
    iam = FakeIam(frozenset({actions[-1]}))
    assert simulated(iam, "arn:aws:iam::123456789012:role/BursarAct", actions) == (actions[-1],)
    assert [name for asked in iam.asked for name in asked["ActionNames"]] == actions
    assert all(len(asked["ActionNames"]) <= AT_ONCE for asked in iam.asked)
