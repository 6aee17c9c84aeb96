"""
What stands under `remediate`: names of remediations, with the parameters that each takes.

Read from the tree and not from the model, so that every mistake stands where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from engine.errors import Place, Problem, did_you_mean
from engine.policy.model import Parameter, Remediation
from engine.yaml_text import BrokenNode, ListNode, MapNode, Node, ScalarNode

FORMS = "write `stop`, or with parameters `tag: {owner: unowned}`"


@dataclass(frozen=True, slots=True)
class Remedy:
    """One remediation as a policy names it."""

    name: str
    place: Place
    parameters: Mapping[str, str] = field(default_factory=dict)


def read_remedies(
    node: Node | None, known: Mapping[str, Remediation]
) -> tuple[tuple[Remedy, ...], tuple[Problem, ...]]:
    """Return the remediations listed at `node`, and what is wrong with how they and their parameters are written."""
    remedies: list[Remedy] = []
    problems: list[Problem] = []
    for item in node.items if isinstance(node, ListNode) else ():
        match item:
            case ScalarNode(null=False, text=str(text)) if text.strip():
                name, given = item, None
            case MapNode() if len(item.by_key) == 1:
                ((name, given),) = item.entries
            case BrokenNode():
                continue
            case _:
                problems.append(Problem("wrong-value", "one remediation is expected here", item.place, FORMS))
                continue
        found = known.get(name.text)
        if found is not None:
            problems += _problems(found, name, given)
        texts = {key.text: value.text for key, value in _scalars(given)}
        remedies.append(Remedy(name.text, name.place, texts))
    return tuple(remedies), tuple(problems)


def _scalars(given: Node | None) -> Iterator[tuple[ScalarNode, ScalarNode]]:
    for key, value in given.entries if isinstance(given, MapNode) else ():
        if isinstance(value, ScalarNode):
            yield key, value


def _problems(found: Remediation, name: ScalarNode, given: Node | None) -> Iterator[Problem]:
    """Yield what is wrong with the parameters `given` beside the `name` of a remediation."""
    if isinstance(given, BrokenNode):
        return
    example = usage(found)
    if given is not None and not found.parameters:
        yield Problem("wrong-value", f"`{found.name}` takes no parameters", given.place, f"write `{example}`")
    elif isinstance(given, MapNode) or given is None:
        yield from _entries(found, name, given)
    elif isinstance(given, ScalarNode) and given.null:
        yield Problem("wrong-value", "a value is missing after the `:`", given.place, f"write `{example}`")
    else:
        message = f"the parameters of `{found.name}` are a mapping"
        yield Problem("wrong-value", message, given.place, f"write `{example}`")


def _entries(found: Remediation, name: ScalarNode, given: MapNode | None) -> Iterator[Problem]:
    own = {parameter.name: parameter for parameter in found.parameters}
    free = own.pop("", None)
    entries = tuple(given.entries) if given else ()
    for key, value in entries:
        parameter = own.get(key.text, free)
        if parameter is None:
            hint = did_you_mean(key.text, own) or f"there are {', '.join(f'`{known}`' for known in own)}"
            yield Problem("unknown-key", f"`{key.text}` is not a parameter of `{found.name}`", key.place, hint)
            continue
        if parameter.names and not re.fullmatch(parameter.names, key.text):
            message = f"`{key.text}` cannot be used as a name here"
            yield Problem("wrong-value", message, key.place, parameter.doc)
        yield from _value_problems(parameter, key, value)
    present = {key.text for key, _ in entries}
    lacking = [p.name for p in own.values() if p.required and p.name not in present]
    if free is not None and free.required and not entries:
        yield _lacking(found, "has nothing to do without parameters", name, given)
    for missing in lacking:
        yield _lacking(found, f"needs `{missing}`", name, given)


def _lacking(found: Remediation, what: str, name: ScalarNode, given: MapNode | None) -> Problem:
    place = given.place if given else name.place
    return Problem("missing-key", f"`{found.name}` {what}", place, f"write `{usage(found)}`")


def _value_problems(parameter: Parameter, key: ScalarNode, value: Node) -> Iterator[Problem]:
    hint = f"write such as `{key.text}: {parameter.example}`"
    match value:
        case BrokenNode():
            return
        case ScalarNode(null=True):
            yield Problem("wrong-value", "a value is missing after the `:`", value.place, hint)
        case ScalarNode():
            if not re.fullmatch(parameter.pattern, value.text):
                message = f"`{value.text}` cannot be used for `{key.text}`: {parameter.doc}"
                yield Problem("wrong-value", message, value.place, hint)
        case _:
            yield Problem("wrong-value", "a text is expected here", value.place, hint)


def usage(found: Remediation) -> str:
    """Return how `found` is written with all parameters it needs: `resize: {to: g5.xlarge}`."""
    needed = ", ".join(f"{p.name or 'owner'}: {p.example}" for p in found.parameters if p.required)
    return f"{found.name}: {{{needed}}}" if needed else found.name
