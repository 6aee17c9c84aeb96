"""Filters mean what they mean in Cloud Custodian, which is asked itself."""

import json
import subprocess
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from actions.catalog import remediations
from bursar.zones import zone
from engine.checks.context import Context
from engine.expr.interpret import interpret
from engine.policy.load import load_policies
from engine.prices import PriceBook
from integrations.catalog import default_catalog
from integrations.custodian.emit import policy_text
from integrations.custodian.importing import import_policies
from integrations.custodian.model import Installation, Original
from tests.integrations.custodian.drawn import filters, instance, resource

SEED = 20_261_123
CASES = 8_000
JUDGE = Path(__file__).with_name("judge.py")


def translated(drawn):
    """Return the parsed condition for filters, or None where they have no equal."""
    original = Original("drawn.yml", {"name": "drawn", "resource": "ec2", "filters": drawn}, {})
    imported = import_policies([original], Installation(default_catalog(), remediations()))
    if not imported.policies:
        return None
    text = policy_text(imported.policies[0].document)
    (policy,) = load_policies({"drawn": text}, default_catalog(), remediations()).policies
    return policy.expressions["when"]


def test_random_filters(custodian):
    """
    Of thousands of random filters, each one that is translated has Custodian's answer about a random instance.

    Those that Custodian fails at are left out; so are tags whose value is one of its special words.
    """
    random, now = Random(SEED), datetime.now(UTC)
    cases = [(filters(random), instance(random, now)) for _ in range(CASES)]
    done = subprocess.run(
        [custodian / "python", JUDGE], input=json.dumps(cases), capture_output=True, text=True, check=True, timeout=300
    )
    context = Context(now=now, catalog=default_catalog(), prices=PriceBook(()), watts={}, zones=zone)
    seen: Counter[object] = Counter()
    different = []
    for (drawn, entry), theirs in zip(cases, json.loads(done.stdout), strict=True):
        condition = translated(drawn)
        if condition is None or isinstance(theirs, str):
            seen["refused" if condition is None else "fails there"] += 1
            continue
        ours = interpret(condition.node, resource(entry), context.env())
        seen[theirs] += 1
        if ours is not theirs:
            different.append((drawn, entry, condition.text, ours, theirs))
    assert different == []
    assert seen[True] > 500, seen
    assert seen[False] > 1000, seen
