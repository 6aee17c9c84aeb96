"""Short ways to translate, for tests."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from actions.catalog import remediations
from bursar.zones import zone
from engine.policy.load import load_policies
from engine.policy.model import Approval
from integrations.catalog import default_catalog
from integrations.custodian.emit import policy_file
from integrations.custodian.importing import import_policies
from integrations.custodian.model import Imported, Installation
from integrations.custodian.source import read_originals


def installation(approval: Approval | None = None) -> Installation:
    return Installation(default_catalog(), remediations(), zone, approval)


def imported(text: str, approval: Approval | None = None) -> Imported:
    """Return the import of a file, and make sure that what is written of it loads."""
    originals, _ = read_originals({"their.yml": dedent(text)})
    found = import_policies(originals, installation(approval))
    if found.policies:
        load_policies({"ours.yaml": policy_file(found)}, default_catalog(), remediations(), zone)
    return found


def indented(text: str, columns: int) -> str:
    return "\n".join(" " * columns + line if line else line for line in dedent(text).strip().splitlines())


def of_filters(filters: str, resource: str = "ec2", more: str = "") -> Imported:
    """Return the import of a policy with these filters, written as a YAML list."""
    lines = ["policies:", "  - name: p", f"    resource: {resource}"]
    if more:
        lines.append(indented(more, 4))
    return imported("\n".join([*lines, "    filters:", indented(filters, 6)]))


def when(filters: str, resource: str = "ec2", more: str = "") -> str:
    """Return the condition of a policy with these filters."""
    found = of_filters(filters, resource, more)
    assert [left.reason for left in found.untranslated] == []
    condition: Any = found.policies[0].document["rule"]
    text: str = condition["when"]
    return text


def reason(filters: str, resource: str = "ec2", more: str = "") -> str:
    """Return why a policy with these filters has no equal."""
    found = of_filters(filters, resource, more)
    assert [policy.document for policy in found.policies] == []
    return found.untranslated[0].reason
