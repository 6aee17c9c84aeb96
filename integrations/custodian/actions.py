"""The actions of a policy of theirs to mode, remediations, grace, limits and who is told."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from engine.policy.model import Approval, Parameter
from engine.policy.scalars import EMAIL_PATTERN
from engine.units import format_duration
from integrations.custodian.lengths import days
from integrations.custodian.literal import shown
from integrations.custodian.mapping import TYPES
from integrations.custodian.model import Installation, Note, Original, Refused, Scope

TAGGING = ("tag", "mark")
MARKING = "mark-for-op"
MARK = "maid_status"
"""The tag that marks a resource for an action, where nothing is said."""
BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
KNOWN: Mapping[str, str] = {
    "snapshot_and_delete": "a snapshot is taken before the volume is deleted, unlike with Custodian",
    "terminate": "an image is kept of the machine before it is terminated, unlike with Custodian",
}
"""What remediations do beyond the action of theirs."""


@dataclass
class Plan:
    """What is gathered from actions."""

    remediate: list[str | dict[str, dict[str, str]]] = field(default_factory=list)
    grace: timedelta = timedelta(0)
    notify: dict[str, str] = field(default_factory=dict)
    told: bool = False
    notes: list[Note] = field(default_factory=list)
    tags: Parameter | None = None
    """What a tag may be."""


def acting(original: Original, scope: Scope, installation: Installation) -> tuple[dict[str, Any], tuple[Note, ...]]:
    """
    Return the keys of our policy that say what follows from a match, and notes about what has no equal.

    An action without an equal is left out with a note: the policy then does less, and matches the same.
    Nothing acts but with the approval of `installation`.
    """
    plan = Plan(tags=_tags_of(installation))
    names = [name for name, _, _ in actions_of(original)]
    known = _known(scope, installation)
    for name, action, number in actions_of(original):
        line = original.line(("actions", number))
        plan.notes += [Note(text, line) for text in _one(name, action, known, plan, names)]
    keys: dict[str, Any] = {}
    approval = installation.approval
    if plan.remediate and approval:
        keys |= {"mode": "approve", "approval": _approval(approval)}
    else:
        keys["mode"] = "notify" if plan.told else "report"
    if plan.grace and plan.remediate:
        keys["grace"] = format_duration(plan.grace)
    if plan.remediate:
        keys["remediate"] = plan.remediate
    limits = _limits(original, plan.notes)
    if limits:
        keys["limits"] = limits
    if plan.notify:
        keys["notify"] = plan.notify
    return keys, tuple(plan.notes)


def actions_of(original: Original) -> Iterator[tuple[str, Mapping[str, Any], int]]:
    """Yield name, content and position of each action."""
    actions = original.data.get("actions") or ()
    for number, action in enumerate(actions if isinstance(actions, list) else ()):
        if isinstance(action, str):
            yield action, {}, number
        elif isinstance(action, dict):
            yield str(action.get("type", "")), action, number


def _known(scope: Scope, installation: Installation) -> Mapping[str, str]:
    """Return our remediations by their actions, as far as they apply to the kind."""
    named = {**TYPES[scope.type].actions, **dict.fromkeys(TAGGING, "tag")}
    found = {action: installation.remediations.get(name) for action, name in named.items()}
    return {action: r.name for action, r in found.items() if r is not None and scope.kind.name in r.kinds}


def _one(
    name: str, action: Mapping[str, Any], known: Mapping[str, str], plan: Plan, names: Sequence[str]
) -> Iterator[str]:
    """Take one action into `plan`; yield what of it has no equal."""
    if name == "notify":
        plan.told = True
        yield from _notify(action, plan)
    elif name == MARKING:
        yield from _mark(action, known, plan)
    elif name in TAGGING and name in known:
        yield from _tag(action, plan)
    elif name == "snapshot" and known.get("delete") == "snapshot_and_delete" and "delete" in names:
        return
    elif known.get(name) == "encrypt" and _whole(name, action):
        yield from _encrypt(name, action, plan)
    elif name in known and _whole(name, action):
        plan.remediate += [] if known[name] in plan.remediate else [known[name]]
        yield from _beyond(name, action, known[name])
    else:
        yield f"the action `{name}` has no equal: nothing is done in its place"


def _tag(action: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    """Take the tags that an action writes into the one remediation `tag`."""
    pairs = _tags(action)
    written = {key: value for key, value in pairs.items() if _writable(key, value, plan.tags)}
    for key in pairs:
        if key not in written:
            yield f"the tag `{key}` is left out: Custodian makes its value when it writes it, or it cannot be written"
    if not written:
        return
    known = next((one["tag"] for one in plan.remediate if isinstance(one, dict) and "tag" in one), None)
    if known is None:
        plan.remediate.append({"tag": written})
    else:
        known.update(written)


def _writable(key: str, value: Any, tags: Parameter | None) -> bool:
    if tags is None or not isinstance(value, str):
        return False
    return bool(re.fullmatch(tags.pattern, value) and re.fullmatch(tags.names, key))


def _tags_of(installation: Installation) -> Parameter | None:
    found = installation.remediations.get("tag")
    return next((p for p in found.parameters if not p.name), None) if found else None


def _encrypt(name: str, action: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    key = action.get("key")
    if isinstance(key, str) and action.get("crypto", "aws:kms") == "aws:kms":
        plan.remediate.append({"encrypt": {"key": key}})
        others = {k: v for k, v in action.items() if k not in ("key", "crypto", "bucket-key")}
        yield from _beyond(name, others, "encrypt")
    else:
        yield f"the action `{name}` without a `key` has no equal: S3 encrypts every new object by itself"


def _whole(name: str, action: Mapping[str, Any]) -> bool:
    """Return whether an action of theirs does what ours does, and not a part of it or the opposite."""
    match name:
        case "set-public-block":
            # A block that is not named is set to `state`, which is true where it is not given.
            state = action.get("state", True)
            return all(action.get(block, state) is True for block in BLOCKS)
        case "set-bucket-encryption":
            return action.get("enabled", True) is True
        case _:
            return True


def _beyond(name: str, action: Mapping[str, Any], remediation: str) -> Iterator[str]:
    if remediation in KNOWN:
        yield KNOWN[remediation]
    options = [key for key in action if key not in ("type", "enabled", "state", *BLOCKS)]
    if options:
        yield f"{', '.join(f'`{key}`' for key in options)} of the action `{name}` cannot be said here"


def _mark(action: Mapping[str, Any], known: Mapping[str, str], plan: Plan) -> Iterator[str]:
    """Turn a mark for later into a grace; nothing is written to the resource."""
    op = str(action.get("op", "stop"))
    remediation = known.get(op)
    try:
        plan.grace = max(plan.grace, days(action.get("days", 0)) + days(action.get("hours", 0)) / 24)
    except Refused as refused:
        yield f"the time of `mark-for-op` is left out: {refused.reason}"
    if remediation is None or remediation in ("tag", "encrypt"):
        yield f"the action `{op}` that `mark-for-op` announces has no equal: nothing is done in its place"
        return
    plan.remediate += [] if remediation in plan.remediate else [remediation]
    if remediation in KNOWN:
        yield KNOWN[remediation]
    if "days" not in action and "hours" not in action:
        yield "`mark-for-op` without `days` marks for the same day, although its documentation says four: no grace"
    yield f"the tag `{action.get('tag', MARK)}` is not written: the time counts from the finding"


def _notify(action: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    people = [who for who in action.get("to") or () if isinstance(who, str)]
    emails = [who for who in people if re.fullmatch(EMAIL_PATTERN, who)]
    channels = [who.removeprefix("slack://") for who in people if who.startswith("slack://#")]
    if emails:
        plan.notify["email"] = ", ".join(emails)
    if channels:
        plan.notify["slack"] = channels[0]
    others = [who for who in people if who not in emails and who.removeprefix("slack://") not in channels[:1]]
    if others:
        yield f"{', '.join(shown(who) for who in others)} cannot be told here"


def _tags(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tags that an action of theirs writes."""
    many = action.get("tags")
    pairs = dict(many) if isinstance(many, dict) else {}
    key = action.get("key") or action.get("tag")
    if key or not pairs:
        pairs[key or MARK] = action.get("value", action.get("msg", ""))
    return pairs


def _approval(approval: Approval) -> dict[str, Any]:
    return {"channel": approval.channel, "approvers": list(approval.approvers)}


def _limits(original: Original, notes: list[Note]) -> dict[str, Any]:
    """Return the limits that stop Custodian, as those that hold a plan."""
    amount: Any = original.data.get("max-resources")
    percent: Any = original.data.get("max-resources-percent")
    if isinstance(amount, dict):
        if str(amount.get("op", "or")).lower() != "or":
            text = "a plan is held where any limit is exceeded, not where all are"
            notes.append(Note(text, original.line(("max-resources",))))
        amount, percent = amount.get("amount"), amount.get("percent", percent)
    limits: dict[str, Any] = {}
    if isinstance(amount, int) and amount > 0:
        limits["max_actions"] = amount
    if isinstance(percent, int | float) and 0 < percent <= 100:
        limits["max_share"] = f"{percent}%"
    return limits
