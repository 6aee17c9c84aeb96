"""Whatever sample is missing from a fixture: what is at work, or not known, never becomes idle."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from math import isfinite
from pathlib import Path
from random import Random

import pytest

from actions.catalog import remediations
from bursar.config import Config
from bursar.packs import packs_folder
from bursar.wiring import context_at
from bursar.zones import zone
from engine.cases.load import load_cases
from engine.cases.run import Case, View, built
from engine.compiled import compile_check
from engine.model import Resource
from engine.policy.checks import Idle
from engine.policy.load import load_policies
from engine.policy.model import Policy
from engine.values import Unknown
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies

SHAPES = Path(__file__).parents[1] / "cases" / "shapes"


@cache
def cases() -> dict[str, tuple[Case, Policy]]:
    """Return every case of an `idle` policy that takes nothing for granted, by a name to choose it by."""
    found = {}
    for folder in (packs_folder() / "idle", SHAPES):
        policies = load_policies(read_policies([folder]), default_catalog(), remediations(), zones=zone)
        by_name = {policy.name: policy for policy in policies.policies}
        for path in sorted(folder.glob("*_test.yaml")):
            text = path.read_text(encoding="utf-8")
            loaded = load_cases(text, str(path), policies, default_catalog(), remediations())
            for case in built(loaded, by_name, default_catalog()):
                policy = by_name[case.document.policy]
                if isinstance(policy.check, Idle) and not policy.check.unseen:
                    found[f"{path.stem}: {policy.name}: {case.document.name}"] = (case, policy)
    return found


@cache
def context(now):
    return context_at(now, Config())


def less_one(resource: Resource, rng: Random) -> Iterator[tuple[str, bool, Resource]]:
    """
    Yield the resource without one sample, and whether an earlier one is now the newest of its series.

    Tried are the highest and the lowest of each series, the newest, those where it changes, and some by chance; the
    others are like their neighbours. Of what is sent only on events, a sample that is missing is an event less.
    """
    kind = default_catalog().kinds[resource.kind]
    for name, all_series in resource.metrics.items():
        if kind.metric_by_name[name].event_driven:
            continue
        for number, series in enumerate(all_series):
            known = {index: value for index, value in enumerate(series.values) if usable(value)}
            if not known:
                continue
            steps = [i for i in known if i and series.values[i - 1] != known[i]]
            window = [i for i in steps if i > len(series.values) - 245]
            chosen = {
                max(known, key=known.get),
                min(known, key=known.get),
                *list(known)[-2:],
                *steps[:2],
                *window[:4],
                *window[-4:],
                *rng.sample(list(known), min(len(known), 4)),
            }
            for index in sorted(chosen):
                values = (*series.values[:index], None, *series.values[index + 1 :])
                changed = (*all_series[:number], replace(series, values=values), *all_series[number + 1 :])
                less = replace(resource, metrics={**resource.metrics, name: changed})
                yield f"{name}[{series.device}] {index}", index == max(known), less


def usable(value: float | None) -> bool:
    """Return whether there is a sample; what says nothing is none."""
    return value is not None and isfinite(value) and value >= 0


@pytest.mark.parametrize("name", cases())
def test_a_missing_sample(name):
    """
    What is no violation is none without any one of its samples, and what is no class of idleness becomes none.

    The newest of a series is another matter: without it, the answer is about the time up to the one before, and right
    about that. Sources deliver late, so that nobody can tell a sample that is missing there from one that is to come.
    A device that reported a fault before the window is broken until work of it is seen, and with that unseen it is:
    broken, which is not idle, and never acted on.
    """
    case, policy = cases()[name]
    rng = Random(name)
    for view in case.views:
        assert isinstance(view, View)
        check = compile_check(policy, context(view.now))
        assert check is not None
        for resource in (item for item in view.items if isinstance(item, Resource)):
            before = check.judge(resource)
            for what, newest, less in less_one(resource, rng):
                after = check.judge(less)
                if newest or after.violated is not True or after.classification == "faulted":
                    continue
                assert before.violated is True, (what, after.summary)
                assert after.classification in {before.classification, "idle"}, (what, after.summary)
                assert before.actionable or not after.actionable, what


def test_the_cases_are_worth_it():
    """There are many, and in most of those that are idle a missing sample makes them unknown."""
    assert len(cases()) > 150
    case, policy = cases()["shapes_test: idle-without-traffic: a forgotten machine, and all of it at rest"]
    (view,) = case.views
    check = compile_check(policy, context(view.now))
    assert check is not None
    (resource,) = (item for item in view.items if isinstance(item, Resource))
    assert check.judge(resource).classification == "no_process"
    inside = [
        less
        for what, newest, less in less_one(resource, Random(1))
        if not newest and not what.startswith("gpu.memory") and in_window(what, resource)
    ]
    assert len(inside) > 5
    assert all(isinstance(check.judge(less).violated, Unknown) for less in inside)


def in_window(what: str, resource: Resource) -> bool:
    """Return whether the sample that is missing is of the last four hours of a day."""
    name, _, index = what.partition(" ")
    return int(index) > len(resource.metrics[name.partition("[")[0]][0].values) * 5 / 6
