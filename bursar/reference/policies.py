"""The page of shipped policies, each with what it asks and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bursar.packs import pack_names, packs_folder
from engine.kinds import Catalog
from engine.policy.checks import check_name
from engine.policy.load import load_policies
from engine.policy.model import Policy, Remediation
from integrations.policy_files import read_policies

ABOUT = {
    "tagging": "Who owns it, who pays for it and which environment it belongs to.",
    "idle": "What is paid for and does nothing.",
    "encryption": "Whether data is protected at rest, in transit and from the public.",
    "schedule": "What runs while nobody works.",
    "quota": "How much a team, an environment or an account holds at once.",
}
"""One sentence for each pack, in reading order."""


def policies_page(catalog: Catalog, remediations: Mapping[str, Remediation]) -> str:
    """Return the page of all packs."""
    folder = packs_folder()
    parts = [
        "# Shipped policies\n",
        "Use a pack with `-p pack:NAME` or under `policies:` in `bursar.yaml`; or copy its file and change it. Every",
        "policy has tests beside it. The shipped modes are capped by your installation's `max_mode`, which is `report`",
        "until you change it.\n",
    ]
    for pack in (*ABOUT, *(name for name in pack_names() if name not in ABOUT)):
        loaded = load_policies(read_policies([folder / pack]), catalog, remediations)
        parts.append(f"## pack:{pack}\n\n{ABOUT[pack]}\n")
        parts += [_section(policy, pack) for policy in loaded.policies]
    return "\n".join(parts)


def _remedies(policy: Policy) -> Iterator[str]:
    for name in policy.remediate:
        given = ", ".join(f"{key}: {value}" for key, value in policy.parameters.get(name, {}).items())
        yield f"`{name}: {{{given}}}`" if given else f"`{name}`"


def _section(policy: Policy, pack: str) -> str:
    facts = [f"severity {policy.severity.value}", f"check `{check_name(policy.check)}`", f"mode {policy.mode.value}"]
    if policy.remediate:
        facts.append("remediation " + ", ".join(_remedies(policy)))
    if policy.controls:
        facts.append("controls " + ", ".join(f"`{control}`" for control in policy.controls))
    selectors = ", ".join(f"`{selector}`" for selector in policy.selectors)
    file = f"policies/{pack}/{Path(policy.place.file).name}"
    return (
        f"### {policy.name}\n\n{policy.description}\n\n{policy.rationale}\n\n"
        f"For {selectors}; {'; '.join(facts)}. In [`{file}`](../../{file}).\n"
    )
