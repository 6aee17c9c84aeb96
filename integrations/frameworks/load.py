"""The shipped control frameworks as the engine takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files

from engine.compliance import Control, Framework


def frameworks() -> Mapping[str, Framework]:
    """Return every framework by its name."""
    text = files("integrations.frameworks").joinpath("frameworks.json").read_text(encoding="utf-8")
    found = (
        Framework(
            one["name"],
            one["title"],
            one["note"],
            tuple(Control(control["id"], control["asks"]) for control in one["controls"]),
            one.get("evidence_only", False),
        )
        for one in json.loads(text)["frameworks"]
    )
    return {framework.name: framework for framework in found}
