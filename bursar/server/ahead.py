"""What is worked out of a view before anybody asks: the figures and orders that read every finding."""

from __future__ import annotations

from bursar.server.listing import Query, listing
from bursar.server.meters import figures_of_findings
from bursar.server.pages.overview import figures
from bursar.server.view import View


def work_ahead(view: View) -> None:
    """Fill the memo of `view` with what the first page, the list and the metrics begin with."""
    figures(view)
    listing(view, Query())
    figures_of_findings(view)
