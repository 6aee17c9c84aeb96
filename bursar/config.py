"""
`bursar.yaml` to a `Config`: which policies, how far they may go, what is protected, where to look.

Every command that needs one reads it here; without a file the defaults hold, and they report only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import ConfigError, Place, Problem
from engine.kinds import Catalog
from engine.policy.expressions import Expressions
from engine.policy.model import Expression, Mode
from engine.policy.scalars import Condition, PositiveDuration, Text, Word
from engine.policy.translate import find, validate
from engine.yaml_text import MapNode, Node, Parsed, parse_yaml
from integrations.aws.act_session import ActSettings
from integrations.aws.session import AwsSettings, OrganizationFilter
from integrations.store.addresses import (
    DEFAULT_STATE,
    AddressError,
    AnchorAddress,
    SqliteAddress,
    StateAddress,
    anchor_address,
    state_address,
)

AccountId: TypeAlias = Annotated[Word, Field(pattern=r"^[0-9]{12}$")]
"""Twelve digits; the reader of YAML keeps a leading zero."""
NAME = "bursar.yaml"
STRICT = ConfigDict(frozen=True, extra="forbid")


class OrganizationDocument(BaseModel):
    """Which accounts of the organization to read: all that are active, or fewer."""

    model_config = STRICT

    include_ous: tuple[Word, ...] = ()
    exclude_ous: tuple[Word, ...] = ()
    tags: dict[Word, Text] = Field(default_factory=dict)


class ActDocument(BaseModel):
    """Who acts, and in which accounts."""

    model_config = STRICT

    role: Word
    external_id: Word | None = None
    accounts: tuple[AccountId, ...] = Field(min_length=1)


class AwsDocument(BaseModel):
    """Where to look in AWS."""

    model_config = STRICT

    regions: tuple[Word, ...] = Field((), min_length=1)
    profile: Word | None = None
    endpoint_url: Text | None = None
    accounts: tuple[AccountId, ...] = ()
    organization: OrganizationDocument | None = None
    role: Word | None = None
    external_id: Word | None = None
    account_timeout: PositiveDuration = timedelta(minutes=15)
    act: ActDocument | None = None


class ConfigDocument(BaseModel):
    """The shape of `bursar.yaml`."""

    model_config = STRICT

    version: Literal["1"]
    policies: tuple[Text, ...] = Field(("policies",), min_length=1)
    max_mode: Mode = Mode.REPORT
    protect: tuple[Condition, ...] = ()
    aws: AwsDocument | None = None
    prices: Text | None = None
    state: Text | None = None
    anchor: Text | None = None
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
    act: ActSettings = field(default_factory=ActSettings)
    prices: Path | None = None
    state: StateAddress = DEFAULT_STATE
    """Where what is remembered between runs is kept."""
    anchor: AnchorAddress | None = None
    """Where the ends of the ledger are kept outside the state; None is nowhere."""
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
    state: StateAddress | None = None
    anchor: AnchorAddress | None = None
    if parsed.root is not None:
        document, wrong = validate(ConfigDocument, parsed.root)
        problems += _without_role(document, parsed.root)
        problems += _same_role(document, parsed.root)
        state, anchor, bad = _addresses(document, parsed.root, path.parent)
        problems += bad
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
        act=_act(document.aws),
        prices=path.parent / document.prices if document.prices else None,
        state=state or SqliteAddress(path.parent / DEFAULT_STATE.path),
        anchor=anchor,
        fail_on=document.fail_on,
    )


def _addresses(
    document: ConfigDocument | None, root: Node, folder: Path
) -> tuple[StateAddress | None, AnchorAddress | None, list[Problem]]:
    """Return where state and anchor are; the problems do not show the line, which may hold a password."""
    state, anchor = None, None
    problems = []
    for key, written in (("state", document and document.state), ("anchor", document and document.anchor)):
        if not written:
            continue
        try:
            if key == "state":
                state = state_address(written, folder)
            else:
                anchor = anchor_address(written, folder)
        except AddressError as error:
            node = root.get(key) if isinstance(root, MapNode) else None
            place = replace((node or root).place, text="")
            problems.append(Problem("bad-config", f"`{key}`: {error}", place, error.hint))
    return state, anchor, problems


def _without_role(document: ConfigDocument | None, root: Node) -> list[Problem]:
    """Return the problem of accounts that nobody could enter."""
    aws = document.aws if document is not None else None
    if aws is None or aws.role or not (aws.accounts or aws.organization):
        return []
    hint = "write `role: BursarRead`, the name of a role that exists in each of them"
    return [Problem("bad-config", "other accounts are read through a role, and none is named", root.place, hint)]


def _same_role(document: ConfigDocument | None, root: Node) -> list[Problem]:
    """Return the problem of a role that reads and acts: whoever only reads would hold what it takes to act."""
    aws = document.aws if document is not None else None
    if aws is None or aws.act is None or aws.act.role != aws.role:
        return []
    hint = "write `role: BursarAct`, the name of a second role; `bursar iam act` prints what it may do"
    place = find(root, ("aws", "act", "role")).place
    return [Problem("bad-config", f"`{aws.role}` reads, and must not be the role that acts", place, hint)]


def _act(document: AwsDocument | None) -> ActSettings:
    if document is None or document.act is None:
        return ActSettings()
    act = document.act
    return ActSettings(act.role, act.external_id or "", act.accounts)


def _aws(document: AwsDocument | None) -> AwsSettings:
    if document is None:
        return AwsSettings()
    chosen, organization = document.organization, None
    if chosen is not None:
        tags = tuple(sorted(chosen.tags.items()))
        organization = OrganizationFilter(chosen.include_ous, chosen.exclude_ous, tags)
    return AwsSettings(
        regions=document.regions,
        profile=document.profile or "",
        endpoint_url=document.endpoint_url or "",
        accounts=document.accounts,
        organization=organization,
        role=document.role or "",
        external_id=document.external_id or "",
        account_seconds=document.account_timeout.total_seconds() if document.accounts or chosen else 0,
    )
