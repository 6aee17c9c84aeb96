"""
`bursar.yaml` to a `Config`: which policies, how far they may go, what is protected, where to look.

Every command that needs one reads it here; without a file the defaults hold, and they report only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import ConfigError, Place, Problem
from engine.kinds import Catalog
from engine.policy.expressions import Expressions
from engine.policy.model import Expression, Mode
from engine.policy.scalars import Condition, Text, Word
from engine.policy.translate import validate
from engine.yaml_text import MapNode, Parsed, parse_yaml
from integrations.aws.session import AwsSettings

NAME = "bursar.yaml"
STRICT = ConfigDict(frozen=True, extra="forbid")


class AwsDocument(BaseModel):
    """Where to look in AWS."""

    model_config = STRICT

    regions: tuple[Word, ...] = Field((), min_length=1)
    profile: Word | None = None
    endpoint_url: Text | None = None


class ConfigDocument(BaseModel):
    """The shape of `bursar.yaml`."""

    model_config = STRICT

    version: Literal["1"]
    policies: tuple[Text, ...] = Field(("policies",), min_length=1)
    max_mode: Mode = Mode.REPORT
    protect: tuple[Condition, ...] = ()
    aws: AwsDocument | None = None
    prices: Text | None = None
    fail_on: Literal["info", "low", "medium", "high", "critical", "never"] = "never"


@dataclass(frozen=True)
class Config:
    """The configuration of a run."""

    folder: Path = Path()
    """What relative paths start from."""
    policies: tuple[str, ...] = ("policies",)
    max_mode: Mode = Mode.REPORT
    protect: tuple[Expression, ...] = ()
    aws: AwsSettings = field(default_factory=AwsSettings)
    prices: Path | None = None
    fail_on: str = "never"


def read_config(path: Path | None, catalog: Catalog) -> Config:
    """
    Return the configuration at `path`, of `bursar.yaml` here where none is given, or the defaults.

    Raises:
        ConfigError: with every problem of the file.
    """
    if path is None:
        path = Path(NAME)
        if not path.exists():
            return Config()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError.of("bad-config", f"the file cannot be read: {error}", where=str(path)) from error
    parsed = parse_yaml(text, str(path))
    if parsed.root is None and not parsed.problems:
        raise ConfigError.of("bad-config", "the file is empty", where=str(path), hint="`bursar init` writes one")
    return _config(parsed, path, catalog)


def _config(parsed: Parsed, path: Path, catalog: Catalog) -> Config:
    problems: list[Problem] = list(parsed.problems)
    document = None
    protect: tuple[Expression, ...] = ()
    if parsed.root is not None:
        document, wrong = validate(ConfigDocument, parsed.root)
        expressions = Expressions(parsed.source)
        clauses = parsed.root.get("protect") if isinstance(parsed.root, MapNode) else None
        protect = expressions.many(clauses, tuple(catalog.kinds.values()))
        problems += [*wrong, *expressions.problems]
    if document is None or problems:
        raise ConfigError(problems or [Problem("bad-config", "the file cannot be used", Place(str(path)))])
    return Config(
        folder=path.parent,
        policies=document.policies,
        max_mode=document.max_mode,
        protect=protect,
        aws=_aws(document.aws),
        prices=path.parent / document.prices if document.prices else None,
        fail_on=document.fail_on,
    )


def _aws(document: AwsDocument | None) -> AwsSettings:
    if document is None:
        return AwsSettings()
    return AwsSettings(document.regions, document.profile or "", document.endpoint_url or "")
