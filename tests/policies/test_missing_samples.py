"""Whatever sample is missing from a fixture: what is at work or not known never becomes something to act on."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from actions.catalog import remediations
from bursar.config import Config
from bursar.packs import packs_folder
from bursar.wiring import context_at
from bursar.zones import zone
from engine.cases.load import load_cases
from engine.cases.run import Case, View, built
from engine.checks.context import Judgement
from engine.compiled import compile_check
from engine.model import Resource
from engine.policy.checks import Idle
from engine.policy.load import load_policies
from engine.policy.model import Policy
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies

SHAPES = Path(__file__).parents[1] / "cases" / "shapes"
LATE = 10
"""Newest samples of a series that may be missing, because sources deliver late."""


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


def less_one(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """
    Yield the resource without one sample: the highest and the lowest of each series, and those where it changes.

    The other samples are like their neighbours.
    """
    kind = default_catalog().kinds[resource.kind]
    for name, all_series in resource.metrics.items():
        if kind.metric_by_name[name].event_driven:
            continue
        for number, series in enumerate(all_series):
            known = {index: value for index, value in enumerate(series.values) if value is not None}
            early = {index: value for index, value in known.items() if index < len(series.values) - LATE}
            if not early:
                continue
            steps = [i for i in early if i and series.values[i - 1] is not None and series.values[i - 1] != early[i]]
            window = [i for i in steps if i > len(series.values) - 245]
            chosen = {
                max(early, key=early.get),
                min(early, key=early.get),
                max(early),
                *steps[:2],
                *window[:4],
                *window[-2:],
            }
            for index in sorted(chosen):
                values = (*series.values[:index], None, *series.values[index + 1 :])
                changed = (*all_series[:number], replace(series, values=values), *all_series[number + 1 :])
                yield f"{name}[{series.device}] {index}", replace(resource, metrics={**resource.metrics, name: changed})


def acts(judgement: Judgement) -> bool:
    return judgement.violated is True and judgement.actionable


@pytest.mark.parametrize("name", cases())
def test_a_missing_sample(name):
    """A case that leads to no step leads to none without any one of its samples, but for the newest."""
    case, policy = cases()[name]
    for view in case.views:
        assert isinstance(view, View)
        check = compile_check(policy, context(view.now))
        assert check is not None
        for resource in (item for item in view.items if isinstance(item, Resource)):
            if acts(check.judge(resource)):
                continue
            for what, less in less_one(resource):
                assert not acts(check.judge(less)), what


def test_the_cases_are_worth_it():
    """There are many, and among them some that are acted on as they are, and not without a sample."""
    assert len(cases()) > 150
    case, policy = cases()["shapes_test: idle-without-traffic: a forgotten machine, and all of it at rest"]
    (view,) = case.views
    check = compile_check(policy, context(view.now))
    assert check is not None
    (resource,) = (item for item in view.items if isinstance(item, Resource))
    assert acts(check.judge(resource))
    inside = [less for what, less in less_one(resource) if what.startswith("cpu") and int(what.split()[1]) > 250]
    assert inside
    assert not any(acts(check.judge(less)) for less in inside)
