"""Filters of theirs with a name of their own that have an equal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from integrations.custodian.condition import Condition, Constant, Test, comparison, every, negation
from integrations.custodian.lengths import days, length_test
from integrations.custodian.literal import shown
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import Filter, Refused, Scope
from integrations.custodian.values import COUNTED, OPERATORS, any_or_none

Special: TypeAlias = Callable[[Filter], Condition]
BLOCKS = frozenset({"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"})
UNITS: Mapping[str, timedelta] = MappingProxyType(
    {"days": timedelta(days=1), "hours": timedelta(hours=1), "minutes": timedelta(minutes=1)}
)


def special_condition(name: str, item: Filter, scope: Scope) -> Condition | None:
    """Return the condition of the filter `name` of a resource type; None where there is no equal to any of it."""
    found = SPECIAL.get((scope.type, name)) or SPECIAL.get(("", name))
    return found(item) if found else None


def age_condition(name: str, item: Filter, scope: Scope) -> Condition:
    """Return the condition of a filter that asks how old something is: `greater-than` 0 days if it says no more."""
    _only(item, {"op", *UNITS})
    length = timedelta(0)
    for unit, scale in UNITS.items():
        if unit in item:
            length += days(item[unit]) * scale.total_seconds() / UNITS["days"].total_seconds()
    if length.microseconds:
        raise Refused("the age is no whole number of seconds")
    return length_test(TYPES[scope.type].ages[name], _operator(item, "gt"), length)


def _operator(item: Filter, default: str) -> str:
    symbol = item.get("op")
    if symbol is None:
        return default
    if symbol not in OPERATORS:
        raise Refused(f"the operator {shown(symbol)} has no equal", ("op",))
    return OPERATORS[symbol]


def _only(item: Filter, keys: set[str]) -> None:
    for key in item:
        if key not in keys | {"type"}:
            raise Refused(f"`{key}` of the filter `{item.get('type')}` has no equal", (key,))


def _switch(item: Filter, key: str, *, default: bool) -> bool:
    value = item.get(key, default)
    if not isinstance(value, bool):
        raise Refused(f"`{key}` is {shown(value)}, neither true nor false", (key,))
    return value


def _tag_count(item: Filter) -> Condition:
    """Return whether a resource has so many tags, `aws:` ones apart: of which only none and some are told apart."""
    _only(item, {"op", "count"})
    operator, count = _operator(item, "ge"), item.get("count", 10)
    if operator not in COUNTED or not isinstance(count, int):
        raise Refused(f"tags are counted with `{operator}` and {shown(count)}")
    own = Test('tags.exists(key, not key.startsWith("aws:"))', compares=False)
    try:
        return any_or_none(own, operator, count)
    except Refused as refused:
        raise Refused("tags without AWS's own are not counted here") from refused


def _bucket_encryption(item: Filter) -> Condition:
    """Return whether new objects are encrypted under S3's own keys, or not, by `state`."""
    _only(item, {"state", "crypto"})
    if item.get("crypto") != "AES256":
        reason = (
            "Custodian counts dual-layer encryption as none, which is not told apart here: only AES256 has an equal"
        )
        raise Refused(reason, ("crypto",))
    own = every(
        [
            Test("resource.encryption.at_rest", compares=False),
            comparison("resource.encryption.key", "==", '"aws_owned"'),
        ]
    )
    return own if _switch(item, "state", default=True) else negation(own)


def _bucket_logging(item: Filter) -> Condition:
    _only(item, {"op"})
    logging = Test("resource.access_logging", compares=False)
    match item.get("op"):
        case "enabled":
            return logging
        case "disabled":
            return negation(logging)
        case other:
            raise Refused(f"where a bucket logs to, which `op: {other}` compares, is not known here", ("op",))


def _public_block(item: Filter) -> Condition:
    """Return whether a block of public access is off: which one it is, is not known here, only whether all are on."""
    asked = {key: _switch(item, key, default=False) for key in item if key in BLOCKS}
    _only(item, set(BLOCKS))
    blocked = Test("resource.public_access_blocked", compares=False)
    if not asked:
        return negation(blocked)
    if set(asked) == BLOCKS and all(asked.values()):
        return blocked
    raise Refused("each block of public access by itself is not known here, only whether all four are on")


def _skip_images(item: Filter) -> Condition:
    _only(item, {"value"})
    if not _switch(item, "value", default=True):
        return Constant(value=True)
    return negation(Test("has(resource.image)", compares=False))


def _rotation(item: Filter) -> Condition:
    """Return whether KMS rotates a key; where it cannot, both sides say nothing."""
    _only(item, {"key", "value", "op"})
    if item.get("key") != "KeyRotationEnabled" or not isinstance(item.get("value"), bool):
        raise Refused("only `KeyRotationEnabled` with true or false has an equal")
    if _operator(item, "eq") != "eq":
        raise Refused("`op` of the filter `key-rotation-status` has no equal", ("op",))
    rotated = Test("resource.rotation", compares=False)
    wanted: Any = item["value"]
    return every([Test("has(resource.rotation)", compares=False), rotated if wanted else negation(rotated)])


SPECIAL: Mapping[tuple[str, str], Special] = MappingProxyType(
    {
        ("", "tag-count"): _tag_count,
        ("s3", "bucket-encryption"): _bucket_encryption,
        ("s3", "bucket-logging"): _bucket_logging,
        ("s3", "check-public-block"): _public_block,
        ("ebs-snapshot", "skip-ami-snapshots"): _skip_images,
        ("kms-key", "key-rotation-status"): _rotation,
    }
)
"""By resource type, or none for all of them, and name."""
