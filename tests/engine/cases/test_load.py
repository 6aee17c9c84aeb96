"""Mistakes in files of cases: each has a place, says what is wrong, and hides no other."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.catalog import remediations
from engine.cases.load import load_cases
from engine.cases.run import built
from engine.errors import PolicyError
from tests.engine.cases.samples import ALL, FIXTURE, ONE, load, policies_of
from tests.engine.estates import CATALOG

QUOTA = """\
version: 1
policies:
  - {name: small, description: d, resource: compute.instance, quota: {group_by: tags.team, limits: {resources: 1}}}
"""
NEW = "  - {name: x, policy: small, "
MISTAKES = {
    NEW
    + "resource: {from: lage}, expect: violation}": "6:47  `lage` is not a fixture [not-found] (did you mean `large`?)",
    NEW + "resource: {from: large}, expect: violatio}": "6:63  `violatio` is not accepted here",
    NEW + "resource: {from: large}, expect: violation, reason: denied}": "`reason` goes with `expect: unknown`",
    NEW + "resource: {from: large}, expect: compliant, steps: [stop]}": "`steps` goes with `expect: violation`",
    NEW + "resource: {from: large}, expect: violation, steps: [stpo]}": "(did you mean `stop`?)",
    NEW + "resource: {from: large}, expect: violation, applies: false}": "comes to no other verdict",
    NEW + "resource: {from: large}, expect: compliant, applies: no}": "`no` is neither true nor false",
    NEW + "expect: violation}": "the case has no resource [missing-key]",
    NEW + "resource: {fields: {vcpus: 1}}, expect: violation}": "the resource has no `kind`",
    NEW + "resource: {kind: compute.instance}, expect: violation}": "`compute.instance` is a class",
    NEW + "resource: {kind: aws.ec2.instanc}, expect: violation}": "(did you mean `aws.ec2.instance`?)",
    NEW + "resource: {kind: aws.ebs.volume}, expect: compliant}": "the case cannot fail",
    NEW + "resource: {from: large, fields: {vcpu: 1}}, expect: compliant}": "(did you mean `vcpus`?)",
    NEW + "resource: {from: large, fields: {vcpus: {a: b}}}, expect: compliant}": "neither a text nor a list",
    NEW + 'resource: {from: large, metrics: {gpu.use: "0"}}, expect: compliant}': "`gpu.use` is not a metric",
    NEW + 'resource: {from: large, metrics: {gpu.power_over_idle: "0"}}, expect: compliant}': "`gpu.power`",
    NEW + 'resource: {from: large, metrics: {gpu.power: "0y4"}}, expect: compliant}': "`0y4` is not",
    NEW + "resource: {from: large, gaps: {tag: denied}}, expect: unknown}": "(did you mean `tags`?)",
    NEW + "resource: {from: large, without: [tags.owner]}, expect: unknown}": "`large` has no `tags.owner`",
    NEW + "resource: {from: large}, group: x, expect: violation}": "judges single resources",
    NEW + "resource: {from: large}, scopes: {aws.ebs.volume: denied}, expect: violation}": "not about `aws.ebs.volume`",
    "  - {name: x, policy: smal, resource: {from: large}, expect: violation}": "(did you mean `small`?)",
    ONE + ONE: "a second case of `small` has the name `large` [wrong-value] (the other is at small_test.yaml:6:12)",
    ONE + "survivors: [{policy: smal, mutant: m, reason: r}]": "there is no policy `smal`",
    "  []": "the list is empty",
}


def complaints(cases, **given):
    with pytest.raises(PolicyError) as caught:
        load(cases, **given)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("cases", MISTAKES)
def test_one_mistake_is_one_problem(cases):
    """It stands at a line and column, and says what is wrong and what would be right."""
    (said,) = complaints(cases)
    assert said.startswith("small_test.yaml:")
    assert MISTAKES[cases] in said


def test_fixtures_that_go_round():
    """Fixtures that are made from one another are named in the order they are."""
    round_about = FIXTURE.replace("fixtures:\n", "fixtures:\n  a: {from: b}\n  b: {from: a}\n")
    said = complaints(ONE, fixtures=round_about)
    assert [line.partition("  ")[2] for line in said] == [
        "the fixtures b → a → b go round [wrong-value]",
        "the fixtures a → b → a go round [wrong-value]",
    ]


def test_a_base_of_another_kind():
    """What a fixture brings that the case's kind does not have is named, with what to do without."""
    said = complaints(NEW + "resource: {from: large, kind: aws.ebs.volume}, expect: compliant}")
    assert "`large` brings `fields.running`, which `aws.ebs.volume` does not have" in said[-2]
    assert "(add `without: [fields.vcpus]`)" in said[-1]


def test_a_group_has_to_be_named():
    """A policy about groups judges none that the case does not name."""
    (said,) = complaints(ONE.replace(", mode: notify", ""), policies=QUOTA)
    assert "judges groups: the case does not say which [missing-key]" in said


def test_all_mistakes_come_at_once():
    """A case of the wrong shape hides neither the wrong names of another nor those of a fixture."""
    cases = (
        NEW
        + "resource: {from: large, fields: {vcpu: 1}}, expect: compliant}\n"
        + "  - {name: y, policy: small, resource: {from: large}, expect: never}\n"
        + "  - {name: z, policy: smal, resource: {from: odd}, expect: compliant}\n"
    )
    fixtures = FIXTURE.replace("fixtures:\n", "fixtures:\n  odd: {king: aws.ec2.instance}\n  off: {kind: aws.ec2}\n")
    said = complaints(cases, fixtures=fixtures)
    assert [line.split()[0].removeprefix("small_test.yaml:") for line in said] == [
        "4:9",
        "5:15",
        "8:69",
        "9:63",
        "10:23",
    ]
    assert not any("`odd`" in line for line in said[1:])


def test_without_policies_the_rest_is_checked():
    """Where the policies are wrong themselves, a test file's own mistakes are still told, and no policy is missed."""
    with pytest.raises(PolicyError) as caught:
        load_cases(FIXTURE + NEW + "resource: {from: lage}, expect: compliant}", "f", None, CATALOG, remediations())
    assert [problem.code for problem in caught.value.problems] == ["not-found"]


def test_an_empty_file_holds_no_tests():
    """It is an error, not nothing."""
    with pytest.raises(PolicyError) as caught:
        load_cases("", "f", None, CATALOG, remediations())
    assert [problem.code for problem in caught.value.problems] == ["nothing-loaded"]


def test_a_sound_file_has_no_problem():
    """The cases come in order, each with the place of its name."""
    assert [str(place) for place in load(ALL).places] == [f"small_test.yaml:{n}:12" for n in (6, 7, 8)] + [
        "small_test.yaml:9:11"
    ]


@given(
    st.integers(0, len(FIXTURE + ALL) - 1),
    st.sampled_from(["", "{", "}", ":", "x", "\n", " ", "null", "[]", "&a ", "é"]),
)
def test_any_file_is_read_or_refused(position, typed):
    """Whatever is typed into a sound file, it is either read or refused with problems that have a place in it."""
    text = (FIXTURE + ALL)[:position] + typed + (FIXTURE + ALL)[position + 1 :]
    try:
        loaded = load_cases(text, "f", policies_of(), CATALOG, remediations())
    except PolicyError as error:
        assert all(problem.place.file == "f" for problem in error.problems)
    else:
        assert built(loaded, {policy.name: policy for policy in policies_of().policies}, CATALOG)
