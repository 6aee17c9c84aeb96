"""
`bursar.yaml` to a `Config`: which policies, how far they may go, what is protected, where to look.

Every command that needs one reads it here; without a file the defaults hold, and they report only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from bursar.config_document import (
    AUTHORS,
    CACHE,
    AwsDocument,
    ConfigDocument,
    PricesDocument,
)
from bursar.secrets import HINT, is_reference
from bursar.server.settings import ServerSettings, server_settings
from bursar.slack.settings import SlackSettings, slack_settings
from bursar.telemetry_config import SourceSettings, SourcesRead, read_sources
from engine.errors import ConfigError, Place, Problem, unreadable
from engine.exemptions import Exemption
from engine.kinds import Catalog, Kind
from engine.people import Door, People, Person
from engine.policy.expressions import Expressions, below
from engine.policy.model import Expression, Mode, RunLimits
from engine.policy.translate import find, validate
from engine.yaml_text import ListNode, MapNode, Node, Parsed, ScalarNode, Source, parse_yaml
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

NAME = "bursar.yaml"
MISNAMED = "bursar.yml"
"""As people call it who are used to the other ending."""
PRODUCTION = ('tags.environment in ["production", "prod", "live"]',)
"""What is part of production where the configuration does not say."""


@dataclass(frozen=True, slots=True)
class PriceSettings:
    """Where prices come from, beside the list that is shipped."""

    own: Path | None = None
    """Prices and discounts of the user's."""
    fetched: tuple[Path, ...] = ()
    """Files that `bursar prices fetch` wrote, the first one first."""
    live: bool = False
    """Whether AWS is asked for what a run comes upon."""
    cache: Path = Path(CACHE)
    max_age: timedelta | None = None
    """A price that is older says so; None where nobody minds."""
    commitments: bool = False
    """Whether Savings Plans and reservations are read."""


@dataclass(frozen=True)
class Config:
    """The configuration of a run."""

    digest: str = ""
    """SHA-256 in hex over the file; empty where there is none."""
    folder: Path = Path()
    """What relative paths start from."""
    policies: tuple[str, ...] = ("policies",)
    max_mode: Mode = Mode.REPORT
    protect: tuple[Expression, ...] = ()
    production: tuple[Expression, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    limits: RunLimits = field(default_factory=RunLimits)
    webhook: str = ""
    """Where warnings, questions and runs are told of beside the log; empty is nowhere."""
    addresses: tuple[str, ...] = ()
    """Addresses for copies of them, each a reference to a secret."""
    mail: str = ""
    """A reference to the mail server for the addresses that policies name; empty where there is none."""
    slack: SlackSettings | None = None
    people: People = field(default_factory=People)
    author_known: bool = False
    """Whether nobody is asked for an approval where it is not known who changed the policy last."""
    authors: str = AUTHORS
    """The record of authors, for places without git."""
    aws: AwsSettings = field(default_factory=AwsSettings)
    act: ActSettings = field(default_factory=ActSettings)
    telemetry: tuple[SourceSettings, ...] = ()
    """Sources beside CloudWatch."""
    prices: PriceSettings = field(default_factory=PriceSettings)
    gpu_power: Path | None = None
    """Power at rest by GPU model, instead of what is shipped."""
    state: StateAddress = DEFAULT_STATE
    """Where what is remembered between runs is kept."""
    server: ServerSettings = field(default_factory=ServerSettings)
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
        if Path(MISNAMED).exists():
            # Passing over it would pass over what it protects.
            hint = f"keep one of them, as `{NAME}`" if path.exists() else f"call it `{NAME}`, or name it with -c"
            message = f"it would not be read: the configuration is called `{NAME}`"
            raise ConfigError.of("bad-config", message, where=MISNAMED, hint=hint)
        if not path.exists():
            return Config(production=default_production(catalog))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError.of("bad-config", f"the file cannot be read: {unreadable(error)}", where=str(path)) from error
    parsed = parse_yaml(text, str(path))
    if parsed.root is None and not parsed.problems:
        raise ConfigError.of("bad-config", "the file is empty", where=str(path), hint="`bursar init` writes one")
    return _config(parsed, path, catalog)


def _config(parsed: Parsed, path: Path, catalog: Catalog) -> Config:
    problems: list[Problem] = list(parsed.problems)
    document = None
    protect: tuple[Expression, ...] = ()
    production: tuple[Expression, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    state: StateAddress | None = None
    anchor: AnchorAddress | None = None
    sources = SourcesRead()
    if parsed.root is not None:
        document, wrong = validate(ConfigDocument, parsed.root)
        problems += _without_role(document, parsed.root)
        problems += _same_role(document, parsed.root)
        problems += _open_secrets(document, parsed.root)
        state, anchor, bad = _addresses(document, parsed.root, path.parent)
        problems += bad
        sources = read_sources(document.telemetry if document else (), parsed.root, path.parent)
        problems += sources.problems
        clauses = Clauses(Expressions(parsed.source), parsed.root, tuple(catalog.kinds.values()))
        protect, production = clauses.under("protect"), clauses.under("production")
        exemptions = _exemptions(document, clauses)
        problems += [*wrong, *clauses.expressions.problems]
    if document is None or problems:
        raise ConfigError(problems or [Problem("bad-config", "the file cannot be used", Place(str(path)))])
    return Config(
        digest=hashlib.sha256(parsed.source.text.encode("utf-8", "surrogatepass")).hexdigest(),
        folder=path.parent,
        policies=document.policies,
        max_mode=document.max_mode,
        protect=protect,
        production=production or default_production(catalog),
        exemptions=exemptions,
        limits=RunLimits(**document.limits.model_dump()),
        webhook=document.notify.webhook or "",
        addresses=document.notify.addresses,
        mail=document.notify.mail or "",
        slack=slack_settings(document.slack),
        people=_people(document),
        author_known=document.approvals.author == "known",
        authors=document.approvals.authors,
        aws=_aws(document.aws),
        act=_act(document.aws),
        telemetry=sources.settings,
        state=state or SqliteAddress(path.parent / DEFAULT_STATE.path),
        anchor=anchor,
        prices=_prices(document.prices, path.parent),
        server=server_settings(document.server),
        gpu_power=path.parent / document.gpu_power if document.gpu_power else None,
        fail_on=document.fail_on,
    )


@dataclass(frozen=True)
class Clauses:
    """Reads the expressions of the file, which are about every kind."""

    expressions: Expressions
    root: Node
    kinds: tuple[Kind, ...]

    def under(self, key: str) -> tuple[Expression, ...]:
        """Return the expressions under `key`."""
        return self.expressions.many(below(self.root, key), self.kinds)

    def of_exemption(self, number: int) -> Expression | None:
        """Return the condition of one exemption."""
        entries = below(self.root, "exemptions")
        entry = entries.items[number] if isinstance(entries, ListNode) else None
        return self.expressions.one(below(entry, "where"), self.kinds)


def _exemptions(document: ConfigDocument | None, clauses: Clauses) -> tuple[Exemption, ...]:
    """Return the exemptions of the file; each lasts to the end of its last day, UTC."""
    return tuple(
        Exemption(
            id=f"config:{number + 1}",
            owner=entry.owner,
            reason=entry.reason,
            expires=datetime.combine(entry.expires, time(), UTC) + timedelta(days=1),
            policies=entry.policies,
            where=clauses.of_exemption(number),
        )
        for number, entry in enumerate(document.exemptions if document else ())
    )


def default_production(catalog: Catalog) -> tuple[Expression, ...]:
    """Return what is part of production where the configuration does not say."""
    return tuple(read_condition(text, "production", catalog) for text in PRODUCTION)


def read_condition(text: str, where: str, catalog: Catalog) -> Expression:
    """
    Return a condition over common fields and tags that does not stand in a file.

    Raises:
        ConfigError: with everything that is wrong with it.
    """
    expressions = Expressions(Source.of(where, text))
    node = ScalarNode(expressions.source.place(0), text, plain=True, start=0, end=len(text))
    found = expressions.one(node, tuple(catalog.kinds.values()))
    if found is None:
        raise ConfigError(expressions.problems)
    return found


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


def _prices(document: PricesDocument | None, folder: Path) -> PriceSettings:
    if document is None:
        return PriceSettings(cache=folder / CACHE)
    only_own = document == PricesDocument(own=document.own)
    return PriceSettings(
        own=folder / document.own if document.own else None,
        fetched=tuple(folder / name for name in document.fetched),
        live=document.live,
        cache=folder / document.cache,
        max_age=None if only_own else document.max_age,
        commitments=document.commitments,
    )


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


def _open_secrets(document: ConfigDocument | None, root: Node) -> list[Problem]:
    """Return the problems of secrets that stand in the file; their lines are not shown."""
    if document is None:
        return []
    written: list[tuple[tuple[str | int, ...], str | None]] = [
        (("notify", "addresses", number), text) for number, text in enumerate(document.notify.addresses)
    ]
    written.append((("notify", "mail"), document.notify.mail))
    if document.slack is not None:
        keys = ("token", "signing_secret", "app_token")
        written += [(("slack", key), getattr(document.slack, key)) for key in keys]
    written.append((("server", "secret"), document.server.secret))
    written += [(("server", "tokens", name), text) for name, text in document.server.tokens.items()]
    problems = []
    for path, text in written:
        if text is not None and not is_reference(text):
            name = ".".join(part for part in path if isinstance(part, str))
            place = replace(find(root, path).place, text="")
            problems.append(Problem("bad-config", f"`{name}` is a secret", place, HINT))
    return problems


def _act(document: AwsDocument | None) -> ActSettings:
    if document is None or document.act is None:
        return ActSettings()
    act = document.act
    return ActSettings(act.role, act.external_id or "", act.accounts)


def _people(document: ConfigDocument) -> People:
    persons = tuple(
        Person(name, {Door(door): called for door in Door if (called := getattr(names, door))}, names.git)
        for name, names in document.people.items()
    )
    return People(persons, {handle: frozenset(members) for handle, members in document.groups.items()})


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
        bulk_tags=document.bulk_tags == "true",
        account_seconds=document.account_timeout.total_seconds() if document.accounts or chosen else 0,
    )
