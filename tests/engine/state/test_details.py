"""What findings say: written once, and again only where it says something else."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from engine.findings import Cost, Evidence
from engine.plan import Withheld
from engine.policy.model import Severity
from engine.state.details import DetailRecord, details_of
from engine.state.records import restored
from engine.state.store import Stored
from engine.values import Reason, Unknown
from tests.bursar.server.company import NOW, found, plan_of, stop

FINDING = found(1, "vla-sweep-7", "mira@example.com", "10", Severity.HIGH)
UNKNOWN = Unknown(Reason.MISSING, "", "price")


def written(before, finding, now=NOW, steps=(), withheld=()):
    """Return what is held after a run that saw `finding`, or None where it wrote nothing."""
    plan = replace(plan_of([finding], steps), withheld=tuple(withheld))
    held = {} if before is None else {finding.id: before}
    puts = list(details_of(plan, held, now))
    assert len(puts) <= 1
    if not puts:
        return None
    (put,) = puts
    assert put.expected == (before.version if before else 0)
    return restored(DetailRecord, Stored(put.table, put.key, put.expected + 1, put.status, put.body))


def with_cost(hourly):
    cost = UNKNOWN if hourly is None else Cost(Decimal(hourly), "list")
    return replace(FINDING, cost=cost, savings=cost)


def with_words(summary, value="0.4"):
    verdict = replace(
        FINDING.verdict, summary=summary, evidence=(Evidence("gpu.utilization", Decimal(value), "percent"),)
    )
    return replace(FINDING, verdict=verdict)


def test_a_new_finding_is_written_whole():
    """Severity, words, evidence as it reads, dollars a month and steps are kept."""
    held = written(None, FINDING, steps=[stop(FINDING)])
    shown = held.record.shown
    assert (shown.severity, shown.cost, shown.savings) == ("high", Decimal(7300), Decimal(7300))
    assert shown.evidence[0].value == "0.4%"
    assert shown.evidence[0].expected == "below 5%"
    assert [step.title for step in shown.steps] == ["stop the machine"]
    assert held.record.subject.owner == "mira@example.com"


def test_unchanged_writes_nothing():
    """The same run again, a minute or a day later, writes nothing at all."""
    held = written(None, FINDING)
    assert written(held, FINDING) is None
    assert written(held, FINDING, NOW + timedelta(days=2)) is None


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ("10", "10.4", False),
        ("10", "9.6", False),
        ("10", "10.6", True),
        ("10", "9.4", True),
        ("10", None, True),
        (None, "10", True),
        (None, None, False),
        ("0", "0", False),
        ("0", "0.01", True),
    ],
)
def test_a_cost_that_moves(before, after, again):
    """A cost within a twentieth of what was written is not written at once; beyond it, known or not known, it is."""
    held = written(None, with_cost(before))
    assert (written(held, with_cost(after)) is not None) is again


def test_figures_in_words_are_no_news_for_a_day():
    """`41 days` after `40 days` waits for a day; other words do not."""
    held = written(None, with_words("no use for 40d"))
    assert written(held, with_words("no use for 41d", "0.9"), NOW + timedelta(hours=23)) is None
    later = written(held, with_words("no use for 41d", "0.9"), NOW + timedelta(hours=24))
    assert later.record.shown.evidence[0].value == "0.9%"
    assert written(held, with_words("no use at all")) is not None


@pytest.mark.parametrize(
    "finding",
    [
        replace(FINDING, severity=Severity.LOW),
        replace(FINDING, verdict=replace(FINDING.verdict, subject=replace(FINDING.subject, owner="tomas@example.com"))),
        replace(FINDING, verdict=replace(FINDING.verdict, subject=replace(FINDING.subject, name="renamed"))),
    ],
)
def test_what_people_go_by_is_written_at_once(finding):
    """Another severity, owner or name is."""
    assert written(written(None, FINDING), finding) is not None


def test_steps_and_what_is_withheld():
    """A step that is planned now, or is not any more and why, is written at once."""
    held = written(None, FINDING)
    with_step = written(held, FINDING, steps=[stop(FINDING)])
    assert with_step is not None
    why = Withheld(FINDING.id, "stop-idle-gpus", FINDING.subject, "stop", "protected by tag bursar/protect")
    without = written(with_step, FINDING, withheld=[why])
    assert without.record.withheld == ("stop: protected by tag bursar/protect",)
    assert without.record.shown.steps == ()


def test_an_unchanged_run_writes_no_details():
    """A whole second run over an estate that is as it was leaves the details as they are."""
    from engine.state.store import Table
    from tests.engine.acting.world import world

    here = world()
    here.run()
    first = {stored.key: stored.version for stored in here.store.scan(Table.DETAIL)}
    assert len(first) == 2
    here.run()
    assert {stored.key: stored.version for stored in here.store.scan(Table.DETAIL)} == first
