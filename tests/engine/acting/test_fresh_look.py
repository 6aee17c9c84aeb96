"""The resource between plan and act: whatever changed, nothing is done."""

import json
from datetime import timedelta

import pytest

from engine.acting.ports import Result
from engine.state.records import Status
from tests.engine.acting.world import ASKED, HOUR, World, due, entry, loaded, results

FIELDS = {
    "state": "stopping",
    "instance.type": "g5.2xlarge",
    "lifecycle": "spot",
    "platform": "windows",
    "launched": "2026-03-04",
    "created": "2026-03-04",
    "accelerator.count": 8,
    "accelerator.devices": 8,
    "accelerator.model": "H100",
    "accelerator.vendor": "amd",
    "vcpus": 96,
    "managed_by": "asg",
    "imdsv2": True,
}


def changing(here: World, change) -> None:
    """Let `change` happen between the plan and the look before the act."""

    def at_look(what: str) -> None:
        if what == "look":
            here.tick = lambda _what: None
            change()

    here.tick = at_look


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_a_field_that_changes_between_plan_and_act(name):
    """Whatever changes on a resource after the plan was made, nothing is done, and it is warned of anew."""
    here = due()
    changing(here, lambda: here.cloud.change("i-dev", fields=json.dumps({name: FIELDS[name]})))
    report = here.run()
    assert results(report) == {"i-dev": Result.STALE}
    assert report.held
    assert here.cloud.effects() == []
    assert here.finding("i-dev").status is Status.OPEN
    assert here.after(timedelta(minutes=59)).outcomes == ()


@pytest.mark.parametrize(
    "tags",
    [
        '{"environment": "dev"}',
        '{"environment": "dev", "owner": "bob"}',
        '{"environment": "dev", "owner": "ana", "bursar/protect": "true"}',
        '{"environment": "dev", "owner": "ana", "more": ""}',
        '{"environment": "production", "owner": "ana"}',
    ],
)
def test_a_tag_that_changes_between_plan_and_act(tags):
    """A tag that is taken away, added or changed after the plan was made makes its step stale."""
    here = due()
    changing(here, lambda: here.cloud.change("i-dev", tags=tags))
    assert results(here.run()) == {"i-dev": Result.STALE}
    assert here.cloud.effects() == []


def test_a_policy_that_changes_between_plan_and_act():
    """A step is stale where its policy reads otherwise by now."""
    here = due()
    other = entry("dev", "enforce").replace("rule: resource.running", "rule: resource.running and true")
    changing(here, lambda: setattr(here, "policies", loaded(other, ASKED)))
    assert results(here.run()) == {"i-dev": Result.STALE}


def test_a_resource_that_is_gone_at_the_act():
    """Nothing is done about what is gone; the next run resolves it."""
    here = due()
    changing(here, lambda: here.cloud.remove("i-dev"))
    report = here.run()
    assert [(o.result, o.reason) for o in report.outcomes] == [(Result.STALE, "the resource is gone")]
    here.after(HOUR)
    assert here.finding("i-dev").status is Status.RESOLVED


def test_a_resource_that_cannot_be_read_again():
    """Where the look before the act fails nothing is done or forgotten: the next run acts."""
    here = due(unreadable=True)
    assert results(here.run()) == {"i-dev": Result.STALE}
    assert here.finding("i-dev").status is Status.DUE
    here.unreadable = False
    here.after(HOUR)
    assert here.cloud.stopped() == ["i-dev"]


def test_a_new_resource_of_an_old_name():
    """A resource that was made anew under its old id between two runs is warned of for itself."""
    here = due()
    here.cloud.change("i-dev", fields='{"created": "2026-03-04T16:30"}')
    report = here.run()
    assert report.outcomes == ()
    assert [task.finding.subject.id for task in report.warned] == ["i-dev"]
    assert here.finding("i-dev").episode == 2


def test_the_owner_stopped_it():
    """What holds already is not done again: nothing is called, and the finding is over."""
    here = due()
    checks: list[str] = []

    def stop_it(what: str) -> None:
        # The first is made before the question about another machine is asked.
        checks.extend([what] if what == "check" else [])
        if len(checks) == 2:
            here.cloud.change("i-dev", running=0)

    here.tick = stop_it
    assert results(here.run()) == {"i-dev": Result.SETTLED}
    assert here.cloud.effects() == []
