"""Values as Custodian compares them to literals of our language."""

from __future__ import annotations

from collections.abc import Sequence
from string import Formatter
from typing import Any

from engine.kinds import Type
from integrations.custodian.condition import quoted
from integrations.custodian.model import Refused

VARIABLES = frozenset(
    {
        "account", "account_id", "partition", "region", "policy", "event", "op", "action_date", "now", "service",
        "bucket_region", "bucket_name", "source_bucket_name", "source_bucket_region", "target_bucket_name",
        "target_prefix", "LoadBalancerName",
    }
)  # fmt: skip
"""What Custodian puts in place of `{name}` in every text of a policy."""
WORDS = {
    Type.STRING: "a text",
    Type.NUMBER: "a number",
    Type.BOOL: "true or false",
    Type.TIMESTAMP: "a time",
    Type.STRINGS: "a list",
}


def expanded(text: str) -> str:
    """
    Return `text` as Custodian uses it: it formats every text of a policy, and leaves alone what it cannot format.

    Raises:
        Refused: where the text holds one of its variables, or would stop Custodian.
    """
    if "{" not in text and "}" not in text:
        return text
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise Refused(f"Custodian fails at the braces of `{text}`: {error}") from error
    names = [name for _, name, _, _ in parts if name is not None]
    if not names:
        return "".join(part for part, _, _, _ in parts)
    if all(name.split(".")[0].split("[")[0] in VARIABLES for name in names):
        raise Refused(f"`{text}` holds a variable that Custodian fills in when it runs")
    return text


def literal(value: Any, wanted: Type) -> str:
    """
    Return the literal for `value`, beside something of the type `wanted`.

    Raises:
        Refused: where it is of another type; Custodian then never matches, and says nothing.
    """
    match wanted, value:
        case Type.STRING, str():
            return quoted(expanded(value))
        case Type.NUMBER, bool():
            pass
        case Type.NUMBER, int() | float():
            return _number(value)
        case Type.BOOL, bool():
            return str(value).lower()
        case _:
            pass
    raise Refused(f"{shown(value)} is compared with {WORDS.get(wanted, wanted.value)}: nothing is ever equal")


def _number(value: float) -> str:
    text = str(value)
    if not text.lstrip("-").replace(".", "", 1).isdigit() or len(text) > 18:
        raise Refused(f"`{text}` cannot be written as a number")
    return text


def literals(value: Any, wanted: Type) -> Sequence[str]:
    """Return the literals of a list that is not empty."""
    if not isinstance(value, list):
        raise Refused(f"{shown(value)} is no list: Custodian looks for a part of it")
    if not value:
        raise Refused("the list is empty")
    return [literal(item, wanted) for item in value]


def shown(value: object) -> str:
    """Return a value for a person, shortened."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text if len(text) <= 60 else text[:60] + '…'}`"
