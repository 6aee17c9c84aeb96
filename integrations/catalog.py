"""Every kind this release knows. A front door calls this once and passes the catalog down."""

from __future__ import annotations

from engine.kinds import Catalog
from integrations.aws.registry import aws_kinds


def default_catalog() -> Catalog:
    """Return the catalog of all kinds. Loads no SDK."""
    return Catalog.of(aws_kinds())
