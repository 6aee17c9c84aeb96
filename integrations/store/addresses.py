"""
Where state and anchor are, as the configuration writes it: addresses to values, without opening anything.

Neither SQLAlchemy nor an SDK is loaded here: every command reads the configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from engine.errors import did_you_mean
from engine.units import UnitError, parse_duration


class LockMode(StrEnum):
    """How Object Lock holds: whether some may lift it, or nobody."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"


class AddressError(ValueError):
    """An address that cannot be understood. Carries a hint; never shows a password."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SqliteAddress:
    """`sqlite:///bursar.db`, beside the configuration, or `sqlite:////var/lib/bursar/state.db`."""

    path: Path


@dataclass(frozen=True, slots=True)
class PostgresAddress:
    """`postgresql://bursar@db.example:5432/bursar?sslmode=verify-full`; libpq finds the password."""

    user: str = ""
    host: str = ""
    port: int | None = None
    database: str = ""
    options: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        where = self.host or dict(self.options).get("host", "") or "localhost"
        return f"postgresql {f'{self.user}@' if self.user else ''}{where}"


@dataclass(frozen=True, slots=True)
class DynamoAddress:
    """`dynamodb://TABLE?region=eu-central-1`."""

    table: str
    region: str = ""
    """Empty: that of the AWS profile or environment."""


@dataclass(frozen=True, slots=True)
class FileAnchorAddress:
    """`anchor.jsonl` or `file:///mnt/other/anchor.jsonl`."""

    path: Path


@dataclass(frozen=True, slots=True)
class S3AnchorAddress:
    """`s3://BUCKET/PREFIX?region=…&retain=365d&mode=compliance`."""

    bucket: str
    prefix: str
    region: str = ""
    retain: timedelta | None = None
    mode: LockMode = LockMode.GOVERNANCE


StateAddress: TypeAlias = SqliteAddress | PostgresAddress | DynamoAddress
AnchorAddress: TypeAlias = FileAnchorAddress | S3AnchorAddress
DEFAULT_STATE = SqliteAddress(Path("bursar.db"))
SHAPES = "`sqlite:///FILE`, `postgresql://USER@HOST/DATABASE` or `dynamodb://TABLE?region=REGION`"
SECRETS = frozenset({"password", "sslpassword"})
PARAMETERS = frozenset(
    {
        "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "passfile", "service",
        "application_name", "target_session_attrs", "connect_timeout", "channel_binding", "gssencmode", "options",
    }
)  # fmt: skip
"""Parameters of libpq that may stand behind the `?`."""


def state_address(text: str, folder: Path) -> StateAddress:
    """Return what `state:` says; paths start from `folder`. Raises `AddressError`."""
    url = _split(text, SHAPES)
    match url.scheme:
        case "sqlite":
            _only(url, frozenset())
            if url.netloc or len(url.path) < 2 or not url.path.startswith("/"):
                hint = "three slashes and a relative path, `sqlite:///bursar.db`, or four and an absolute one"
                raise AddressError("the address names no file", hint)
            return SqliteAddress(folder / unquote(url.path[1:]))
        case "postgresql" | "postgres":
            return _postgres(url)
        case "dynamodb":
            options = _only(url, frozenset({"region"}))
            if not url.netloc or url.path.strip("/"):
                raise AddressError("the address names no table", "`dynamodb://TABLE?region=REGION`")
            return DynamoAddress(url.netloc, options.get("region", ""))
        case _:
            if not url.scheme:
                hint = f"write `sqlite:///{text}` for a file; there are {SHAPES}"
                raise AddressError(f"`{text}` is not the address of a store", hint)
            raise AddressError(f"`{url.scheme}` is not a store", f"there are {SHAPES}")


def anchor_address(text: str, folder: Path) -> AnchorAddress:
    """Return what `anchor:` says; paths start from `folder`. Raises `AddressError`."""
    if "://" not in text:
        return FileAnchorAddress(folder / text)
    url = _split(text, "a file, or `s3://BUCKET/PREFIX`")
    match url.scheme:
        case "file":
            return FileAnchorAddress(folder / unquote(url.path))
        case "s3":
            return _s3(url)
        case _:
            raise AddressError(f"`{url.scheme}` is not an anchor", "there are a file and `s3://BUCKET/PREFIX`")


def _postgres(url: SplitResult) -> PostgresAddress:
    options = _options(url)
    if url.password is not None or SECRETS & set(options):
        hint = "put it into PGPASSWORD, or into the file that PGPASSFILE or `?passfile=FILE` names"
        raise AddressError("a password does not belong into the configuration", hint)
    _only(url, PARAMETERS)
    try:
        port = url.port
    except ValueError:
        raise AddressError("the port is not a number", "`postgresql://USER@HOST:5432/DATABASE`") from None
    chosen = tuple(sorted(options.items()))
    database = unquote(url.path.strip("/"))
    return PostgresAddress(unquote(url.username or ""), url.hostname or "", port, database, chosen)


def _s3(url: SplitResult) -> S3AnchorAddress:
    options = _only(url, frozenset({"region", "retain", "mode"}))
    prefix = url.path.strip("/")
    if not url.netloc or not prefix:
        raise AddressError("the address names no bucket and prefix", "`s3://BUCKET/PREFIX?retain=365d`")
    mode = options.get("mode", LockMode.GOVERNANCE)
    if mode not in set(LockMode):
        raise AddressError(f"`{mode}` is not a mode of Object Lock", "there are `governance` and `compliance`")
    retain = None
    if "retain" in options:
        try:
            retain = parse_duration(options["retain"])
        except UnitError as error:
            raise AddressError(f"`retain` is no length of time: {error}", "such as `retain=365d`") from error
    elif "mode" in options:
        raise AddressError("`mode` goes with `retain`", "such as `?retain=365d&mode=compliance`")
    return S3AnchorAddress(url.netloc, prefix, options.get("region", ""), retain, LockMode(mode))


def _split(text: str, shapes: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError:
        raise AddressError("the address cannot be understood", f"there are {shapes}") from None


def _options(url: SplitResult) -> dict[str, str]:
    return dict(parse_qsl(url.query, keep_blank_values=True))


def _only(url: SplitResult, known: frozenset[str]) -> dict[str, str]:
    """Return the parameters behind the `?`; raise `AddressError` where one is not among `known`."""
    options = _options(url)
    for name in options:
        if name not in known:
            hint = did_you_mean(name, known) or ("there are " + ", ".join(sorted(known)) if known else "leave it out")
            raise AddressError(f"`{name}` is not a parameter of {url.scheme}", hint)
    return options
