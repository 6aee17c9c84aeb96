"""The pages that are a table each: error codes, permissions, remediations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from engine.acting.action import Action
from engine.policy.model import Remediation


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a Markdown table; cells are Markdown already, with `|` escaped here."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def errors_page(codes: Mapping[str, str]) -> str:
    """Return the page of all error codes."""
    rows = ((f"`{code}`", meaning) for code, meaning in sorted(codes.items()))
    return (
        "# Error codes\n\n"
        "Every message of Bursar about something a person wrote ends with one of these codes. Codes are stable;\n"
        "messages may change.\n\n" + table(("code", "meaning"), rows)
    )


def permissions_page(actions: Iterable[str]) -> str:
    """Return the page of the AWS permissions Bursar uses."""
    wanted = sorted(actions)
    statement = {"Effect": "Allow", "Action": wanted, "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    return (
        "# AWS permissions\n\n"
        "Bursar calls these actions and no others; each only reads. A denied action is not fatal: what it would\n"
        "have told stays unknown, the plan names the gap, and the exit status is 3. Prices and commitments (`ce`,\n"
        "`pricing`, `savingsplans`, spot prices, reserved instances) are read only where `prices` in the\n"
        "configuration asks for them; without these actions the plan is made from other prices and says so.\n\n"
        f"```json\n{policy}\n```\n"
    )


def remediations_page(remediations: Mapping[str, Remediation], actions: Mapping[tuple[str, str], Action]) -> str:
    """Return the page of remediations."""
    rows = (
        (
            f"`{r.name}`",
            r.title,
            ", ".join(f"`{kind}`" for kind in sorted(r.kinds)),
            r.undo or "cannot be undone",
            (", ".join(sorted(r.saves)) or "nothing") + (", in part" if r.in_part else ""),
        )
        for r in remediations.values()
    )
    return (
        "# Remediations\n\n"
        "What a policy may name under `remediate`. A step shows what would be done, whether it can be undone and what\n"
        "it would save. [Acting](../how-to/acting.md) says when one is carried out.\n\n"
        + table(("name", "does", "to", "undone by", "ends the charges for"), rows)
        + "\n## Parameters\n\n"
        "Some take parameters, written below the name: `remediate: [{tag: {owner: unowned}}, stop]`.\n\n"
        + table(("remediation", "parameter", "", "such as"), _parameters(remediations))
        + "\n## Permissions\n\n"
        "What carrying one out takes, looking and undoing included. `bursar iam act` makes a policy of those that the\n"
        "loaded policies need.\n\n" + table(("remediation", "of", "IAM actions"), _permissions(actions))
    )


def _permissions(actions: Mapping[tuple[str, str], Action]) -> Iterator[tuple[str, ...]]:
    kinds: dict[tuple[str, frozenset[str]], list[str]] = {}
    for (name, kind), action in actions.items():
        kinds.setdefault((name, action.permissions), []).append(kind)
    for (name, permissions), found in kinds.items():
        of = ", ".join(f"`{kind}`" for kind in sorted(found))
        yield f"`{name}`", of, " ".join(f"`{action}`" for action in sorted(permissions))


def _parameters(remediations: Mapping[str, Remediation]) -> Iterator[tuple[str, ...]]:
    for r in remediations.values():
        for p in r.parameters:
            needed = "" if p.required else "; not required"
            yield f"`{r.name}`", f"`{p.name}`" if p.name else "any", p.doc + needed, f"`{p.example}`"
