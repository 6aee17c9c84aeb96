"""Which tags satisfy, which do not, and when that is not known."""

from dataclasses import replace

import pytest

from engine.model import Resource
from engine.values import Reason, Unknown
from tests.engine.estates import DENIED, instance, judge

PLAIN = "resource: aws.ec2.instance\n    required_tags: [owner]"


def rules(text: str) -> str:
    return "resource: aws.ec2.instance\n    required_tags: {tags: " + text + "}"


def tagged(**tags: str) -> Resource:
    return instance(tags=tags)


@pytest.mark.parametrize(
    ("tags", "violated", "summary"),
    [
        ({"owner": "ana"}, False, "all required tags are there"),
        ({}, True, "tag `owner` is missing"),
        ({"Owner": "ana"}, True, "tag `owner` is missing"),
        ({"owner": ""}, True, "tag `owner` is empty"),
        ({"owner": "  \t"}, True, "tag `owner` is empty"),
        ({"owner": "TODO"}, True, "tag `owner` holds the placeholder `TODO`"),
        ({"owner": " changeme "}, True, "tag `owner` holds the placeholder ` changeme `"),
        ({"owner": "todo-list"}, False, "all required tags are there"),
        ({"owner ": "ana"}, True, "tag `owner` is missing"),
    ],
)
def test_presence(tags, violated, summary):
    """A key counts as it is written; an empty value or a placeholder is no value."""
    found = judge(PLAIN, instance(tags=tags))
    assert (found.violated, found.summary) == (violated, summary)


@pytest.mark.parametrize(
    ("rule", "tags", "violated"),
    [
        ("{env: {values: [prod, dev]}}", {"env": "dev"}, False),
        ("{env: {values: [prod, dev]}}", {"env": " dev "}, False),
        ("{env: {values: [prod, dev]}}", {"env": "Dev"}, True),
        ("{env: {values: [prod, dev]}}", {"env": "devel"}, True),
        ("{env: {values: [prod, dev], case: insensitive}}", {"ENV": "DEV"}, False),
        ("{env: {values: [STRASSE], case: insensitive}}", {"env": "straße"}, False),
        ("{cc: {synonyms: [CostCenter, cost-center]}}", {"cost-center": "1"}, False),
        ("{cc: {synonyms: [CostCenter]}}", {"costcenter": "1"}, True),
        ("{cc: {synonyms: [CostCenter], case: insensitive}}", {"COSTCENTER": "1"}, False),
        ("{cc: {synonyms: [CostCenter]}}", {"cc": "todo", "CostCenter": "1"}, False),
        ('{cc: {pattern: "cc-[0-9]{4}"}}', {"cc": "cc-1234"}, False),
        ('{cc: {pattern: "cc-[0-9]{4}"}}', {"cc": "cc-12345"}, True),
        ('{cc: {pattern: "cc-[0-9]{4}"}}', {"cc": "x cc-1234"}, True),
        ('{cc: {pattern: "cc-[0-9]{4}"}}', {"cc": "cc-1234\nx"}, True),
        ('{cc: {pattern: "a|b"}}', {"cc": "b"}, False),
        ('{cc: {pattern: "(a+)+$"}}', {"cc": "a" * 5000 + "b"}, True),
        ('{cc: {pattern: ".*"}}', {"cc": "\ud800"}, True),
        ('{cc: {values: [cc-1], pattern: "cc-[0-9]"}}', {"cc": "cc-2"}, True),
    ],
)
def test_values_patterns_synonyms_and_case(rule, tags, violated):
    """A pattern has to match the whole value; case is ignored only where the policy says so."""
    assert judge(rules(rule), instance(tags=tags)).violated is violated


@pytest.mark.parametrize(
    "tags", [{"Env": "todo", "env": "dev"}, {"env": "dev", "Env": "todo"}, {"ENV": "dev", "Env": "x"}]
)
def test_keys_that_differ_by_case(tags):
    """Where case is ignored, any of the keys may carry the value, in whatever order they come."""
    assert judge(rules("{env: {values: [dev], case: insensitive}}"), instance(tags=tags)).violated is False


@pytest.mark.parametrize(
    "key", ["aws:createdBy", "a/b", "a.b", "x" * 128, "é😀", '"quoted"', "a b", "__class__", "{0}", "%s", "<script>"]
)
def test_hostile_keys(key):
    """Odd keys are keys like any other, on both sides."""
    assert judge(PLAIN, instance(tags={key: "1", "owner": "ana"})).violated is False
    asked = rules("{'" + key + "': {}}")
    assert judge(asked, instance(tags={key: "1"})).violated is False
    assert judge(asked, instance(tags={"owner": "ana"})).violated is True


def test_evidence():
    """Each required tag is evidence, with its value or its absence and with what is asked of it."""
    asked = rules('{owner: {}, env: {values: [prod, dev]}, cc: {pattern: "[0-9]+"}, e: {values: [a], pattern: "a"}}')
    found = judge(asked, tagged(owner="", env="x"))
    assert [(e.path, e.value, e.expected) for e in found.evidence] == [
        ("tags.owner", "", "present"),
        ("tags.env", "x", "one of prod, dev"),
        ("tags.cc", Unknown(Reason.MISSING, "", "tags['cc']"), "matching [0-9]+"),
        ("tags.e", Unknown(Reason.MISSING, "", "tags['e']"), "one of a and matching a"),
    ]
    assert found.summary == (
        "tag `owner` is empty; tag `env` has the value `x`; tag `cc` is missing; tag `e` is missing"
    )


# --- tags that could not be read


def hidden(tags: dict[str, str] | None = None) -> Resource:
    return replace(instance(), tags=tags or {}, gaps={"tags": DENIED})


def test_denied_tags_never_look_like_no_tags():
    """A failed tag call is unknown, with its reason."""
    found = judge(PLAIN, hidden())
    assert found.violated == Unknown(Reason.DENIED, "the call was denied", "tags.owner")
    assert found.unknowns == (found.violated,)
    assert found.summary == "the tags could not be read completely"


@pytest.mark.parametrize(
    ("rule", "tags", "violated"),
    [
        ("{owner: {}}", {"owner": "ana"}, False),
        ("{owner: {}}", {"owner": "todo"}, True),
        ("{owner: {synonyms: [Owner]}}", {"owner": "todo"}, None),
        ("{owner: {synonyms: [Owner]}}", {"owner": "todo", "Owner": ""}, True),
        ("{owner: {case: insensitive}}", {"owner": "todo"}, None),
        ("{owner: {}, env: {}}", {"owner": "todo"}, True),
        ("{owner: {}, env: {}}", {"owner": "ana"}, None),
    ],
)
def test_tags_read_in_part(rule, tags, violated):
    """What is there counts; what may be among the rest is unknown."""
    found = judge(rules(rule), hidden(tags))
    assert (None if isinstance(found.violated, Unknown) else found.violated) is violated
    assert bool(found.unknowns) or violated is not None
