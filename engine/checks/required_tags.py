"""
`required_tags`: presence, allowed values and patterns of tags.

A tag is satisfied when any of its accepted keys carries an acceptable value. Whether a key is absent
is known only where the collector attests the tags as complete; a failed tag call never looks like
"no tags".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from engine.checks.context import Judgement, ResourceCheck
from engine.expr.patterns import compile_pattern
from engine.findings import Evidence
from engine.model import Resource, read_tag
from engine.policy.checks import RequiredTags, TagRule
from engine.values import Truth, Unknown, any_of

Accepts = Callable[[str], bool]
REMEMBERED = 4096
"""Values of a tag whose acceptance is remembered during a run."""


def compile_required_tags(check: RequiredTags) -> ResourceCheck:
    """Return the check for one policy."""
    placeholders = frozenset(word.casefold() for word in check.placeholders)
    accepted = {key: _acceptance(rule, placeholders) for key, rule in check.tags.items()}
    tests = [
        (key, accepted[key], partial(_violated, (key, *rule.synonyms), accepted[key], rule.case != "exact"))
        for key, rule in check.tags.items()
    ]

    def decide(resource: Resource) -> Truth:
        unknown: Unknown | None = None
        tags = resource.tags
        for key, accepts, violated in tests:
            value = tags.get(key)
            if value is not None and accepts(value):
                continue
            answer = violated(resource)
            if answer is True:
                return True
            if answer is not False:
                unknown = answer
        return False if unknown is None else unknown

    def judge(resource: Resource) -> Judgement:
        answers = [(key, check.tags[key], violated(resource)) for key, _, violated in tests]
        return _explain(resource, answers, placeholders)

    return ResourceCheck(decide, judge)


def _acceptance(rule: TagRule, placeholders: frozenset[str]) -> Accepts:
    """Return a predicate over a tag's value."""
    fold = rule.case != "exact"
    allowed = frozenset(v.casefold() for v in rule.values) if fold else frozenset(rule.values)
    pattern = compile_pattern(rule.pattern) if rule.pattern else None

    def accepts(value: str) -> bool:
        text = value.strip()
        if not text or text.casefold() in placeholders:
            return False
        if allowed and (text.casefold() if fold else text) not in allowed:
            return False
        return pattern is None or _matches(pattern, text)

    # A fleet has few different values; what was accepted once is looked up.
    return lru_cache(maxsize=REMEMBERED)(accepts)


def _matches(pattern: Any, text: str) -> bool:
    """Return whether the RE2 pattern matches the whole text; text that is not valid Unicode matches nothing."""
    try:
        return pattern.fullmatch(text) is not None
    except UnicodeEncodeError:
        return False


def _violated(keys: tuple[str, ...], accepts: Accepts, fold: bool, resource: Resource) -> Truth:
    """Return whether none of `keys` has an acceptable value; Unknown where that cannot be excluded."""
    tags = resource.tags
    value = tags.get(keys[0])
    if value is not None and accepts(value):
        return False
    if fold:
        tags = {key.casefold(): value for key, value in tags.items()}
        keys = tuple(key.casefold() for key in keys)
    missing = False
    for key in keys:
        value = tags.get(key)
        if value is None:
            missing = True
        elif accepts(value):
            return False
    if missing and "tags" in resource.gaps:
        gap = resource.gaps["tags"]
        return Unknown(gap.reason, gap.detail, f"tags[{keys[0]!r}]")
    return True


def _explain(resource: Resource, answers: list[tuple[str, TagRule, Truth]], placeholders: frozenset[str]) -> Judgement:
    evidence = []
    unknowns = []
    faults = []
    for key, rule, answer in answers:
        value = _found(resource.tags, key, rule)
        evidence.append(Evidence(f"tags.{key}", value or read_tag(resource, key), expected=_expectation(rule)))
        if isinstance(answer, Unknown):
            unknowns.append(Unknown(answer.reason, answer.detail, f"tags.{key}"))
        elif answer:
            faults.append(_fault(key, value, placeholders))
    violated = any_of(answer for _, _, answer in answers)
    if violated is True:
        summary = "; ".join(faults)
    elif violated is False:
        summary = "all required tags are there"
    else:
        summary = "the tags could not be read completely"
    return Judgement(violated, summary, tuple(evidence), tuple(unknowns))


def _found(tags: Mapping[str, str], key: str, rule: TagRule) -> str | None:
    """Return the value under the first accepted key that is there."""
    keys = (key, *rule.synonyms)
    if rule.case != "exact":
        tags = {name.casefold(): value for name, value in tags.items()}
        keys = tuple(name.casefold() for name in keys)
    return next((tags[name] for name in keys if name in tags), None)


def _fault(key: str, value: str | None, placeholders: frozenset[str]) -> str:
    if value is None:
        return f"tag `{key}` is missing"
    if not value.strip():
        return f"tag `{key}` is empty"
    if value.strip().casefold() in placeholders:
        return f"tag `{key}` holds the placeholder `{value}`"
    return f"tag `{key}` has the value `{value}`"


def _expectation(rule: TagRule) -> str:
    if rule.values:
        return "one of " + ", ".join(rule.values)
    if rule.pattern:
        return f"matching {rule.pattern}"
    return "present"
