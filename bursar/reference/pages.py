"""All generated pages by file name."""

from __future__ import annotations

from collections.abc import Mapping

from actions.catalog import actions, remediations
from bursar.reference.commands import commands_page
from bursar.reference.kinds import kinds_page
from bursar.reference.language import language_page
from bursar.reference.policies import policies_page
from bursar.reference.tables import errors_page, permissions_page, remediations_page
from bursar.wiring import nobody
from engine.codes import CODES
from integrations.aws.permissions import READ_ACTIONS
from integrations.catalog import default_catalog


def pages() -> Mapping[str, str]:
    """Return the text of each page."""
    catalog = default_catalog()
    return {
        "commands.md": commands_page(),
        "errors.md": errors_page(CODES),
        "kinds.md": kinds_page(catalog),
        "language.md": language_page(catalog, remediations()),
        "permissions.md": permissions_page(READ_ACTIONS),
        "policies.md": policies_page(catalog, remediations()),
        "remediations.md": remediations_page(remediations(), actions(nobody)),
    }
