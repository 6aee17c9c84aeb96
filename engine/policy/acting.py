"""
What a policy may do: its mode, approval and remediations against one another and against its kinds.

The loader calls it for each policy; a remediation that could not run, or not without a person, is refused here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from engine.errors import Place, Problem, did_you_mean
from engine.kinds import Kind
from engine.policy.model import Mode, Remediation
from engine.policy.remedies import Remedy
from engine.yaml_text import MapNode


def acting_problems(
    mode: Mode,
    remedies: Sequence[Remedy],
    kinds: Sequence[Kind],
    known: Mapping[str, Remediation],
) -> Iterator[Problem]:
    """Yield what is wrong with the remediations that a policy for `kinds` names."""
    seen: set[str] = set()
    for remedy in remedies:
        name, place = remedy.name, remedy.place
        if name in seen:
            yield Problem("wrong-value", f"`{name}` stands twice under `remediate`", place)
        elif name in known:
            yield from _fitting_problems(known[name], mode, kinds, known, place)
        else:
            hint = did_you_mean(name, known) or _list(_fitting(known, kinds) or known)
            yield Problem("unknown-remediation", f"`{name}` is not a remediation", place, hint)
        seen.add(name)


def _fitting_problems(
    found: Remediation, mode: Mode, kinds: Sequence[Kind], known: Mapping[str, Remediation], place: Place
) -> Iterator[Problem]:
    lacking = [kind.name for kind in kinds if kind.name not in found.kinds]
    if lacking or not kinds:
        subject = f"`{lacking[0]}`" if lacking else "what this policy is about"
        message = f"`{found.name}` cannot be applied to {subject}"
        yield Problem("unknown-remediation", message, place, _list(_fitting(known, kinds) if kinds else ()))
    if mode is Mode.ENFORCE and not found.reversible:
        message = f"`{found.name}` cannot be undone and is never done without approval"
        yield Problem("wrong-value", message, place, "write `mode: approve`")


def approval_problems(mode: Mode, node: MapNode) -> Iterator[Problem]:
    """Yield what is wrong with the policy at `node`, which has no approval of its own or from its file."""
    if mode is Mode.APPROVE and node.get("approval") is None:
        hint = 'add such as `approval: {channel: "#gpu-approvals", approvers: ["@ml-leads"]}`'
        yield Problem("missing-key", "mode `approve` needs `approval`", (node.get("mode") or node).place, hint)


def _fitting(known: Mapping[str, Remediation], kinds: Sequence[Kind]) -> tuple[str, ...]:
    """Return the names of the remediations that apply to all `kinds`."""
    return tuple(name for name, found in known.items() if all(kind.name in found.kinds for kind in kinds))


def _list(names: Sequence[str] | Mapping[str, Remediation]) -> str:
    return f"there are {', '.join(f'`{name}`' for name in names)}" if names else ""
