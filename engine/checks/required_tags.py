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
    if any(accepts(value) for value in _values(tags, keys, fold=fold)):
        return False
    gap = resource.gaps.get("tags")
    if gap is not None and (fold or any(key not in tags for key in keys)):
        return Unknown(gap.reason, gap.detail, f"tags.{keys[0]}")
    return True


def _values(tags: Mapping[str, str], keys: tuple[str, ...], *, fold: bool) -> list[str]:
    """Return the values under all accepted keys that are there, in order of `keys`."""
    if not fold:
        return [tags[key] for key in keys if key in tags]
    folded = [(name.casefold(), name) for name in sorted(tags)]
    return [tags[name] for key in keys for plain, name in folded if plain == key.casefold()]


def _explain(resource: Resource, answers: list[tuple[str, TagRule, Truth]], placeholders: frozenset[str]) -> Judgement:
    evidence = []
    unknowns = []
    faults = []
    for key, rule, answer in answers:
        value = next(iter(_values(resource.tags, (key, *rule.synonyms), fold=rule.case != "exact")), None)
        shown = read_tag(resource, key) if value is None else value
        evidence.append(Evidence(f"tags.{key}", shown, expected=_expectation(rule)))
        if isinstance(answer, Unknown):
            unknowns.append(answer)
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


def _fault(key: str, value: str | None, placeholders: frozenset[str]) -> str:
    if value is None:
        return f"tag `{key}` is missing"
    if not value.strip():
        return f"tag `{key}` is empty"
    if value.strip().casefold() in placeholders:
        return f"tag `{key}` holds the placeholder `{value}`"
    return f"tag `{key}` has the value `{value}`"


def _expectation(rule: TagRule) -> str:
    asked = []
    if rule.values:
        asked.append("one of " + ", ".join(rule.values))
    if rule.pattern:
        asked.append(f"matching {rule.pattern}")
    return " and ".join(asked) or "present"
