"""
AWS credentials to clients: one per service and region, with retries, timeouts and a pool of connections.

Only this module knows how clients are made. Whoever opens a session closes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

from engine.errors import ConfigError, did_you_mean
from integrations.aws.account_clients import AccountClient, CallerProvider, Keys
from integrations.aws.refusals import bad_address, is_refusal, no_credentials
from integrations.aws.timestamps import read_timestamps_quickly

ENABLED = "enabled"
"""In the place of a region: all that an account has enabled."""
ENTRY = "us-east-1"
"""Where to ask for those where no other region is named."""


@dataclass(frozen=True, slots=True)
class OrganizationFilter:
    """Which accounts of an organization: all that are active, or fewer."""

    include_ous: tuple[str, ...] = ()
    """Ids of organizational units; with all below them. Empty is the whole organization."""
    exclude_ous: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    """Tags that an account has to have, with their values."""


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where and as whom to look, and how patiently."""

    regions: tuple[str, ...] = ()
    """Empty: the region of the profile or environment; `enabled` is all that an account has enabled."""
    profile: str = ""
    """Empty: the usual chain of environment, default profile and instance role."""
    endpoint_url: str = ""
    """Another address for all services; empty is AWS."""
    access_key: tuple[str, str] | None = field(default=None, repr=False)
    """Id and secret, for an emulated account; None is the usual chain."""
    connect_seconds: float = 10
    read_seconds: float = 60
    attempts: int = 8
    """Tries of each call, by botocore's adaptive mode: it slows down where AWS throttles."""
    workers: int = 8
    """Scopes that are read at the same time."""
    accounts: tuple[str, ...] = ()
    """Accounts to read through `role`; empty, and without `organization`, is the account of the credentials alone."""
    organization: OrganizationFilter | None = None
    """Which accounts of the organization to read."""
    role: str = ""
    """The name of the role to assume in every other account."""
    external_id: str = field(default="", repr=False)
    account_seconds: float = 0
    """After so long an account is left, and what was not read of it is a gap; 0 is never."""
    accounts_at_once: int = 8
    bulk_tags: bool = False
    """Take tags from the Resource Groups Tagging API where it has them: fewer calls, from an index that lags."""
    listeners: tuple[Callable[[Any], None], ...] = ()
    """What else listens to the calls: each is handed the SDK's session before any client is made."""


@dataclass
class Clients:
    """The clients of a session, made when they are first asked for."""

    settings: AwsSettings
    core: Any
    """A `botocore.session.Session`; boto3 would add what is never used here, and a tenth of a second to load it."""
    retries: Literal["adaptive", "legacy"] = "adaptive"
    """The SDK's retry mode; `adaptive` learns one pace for everybody who shares a client."""
    connections: int = 0
    """Connections that a client keeps open; 0 is what one account needs."""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def client(self, service: str, region: str) -> Any:
        """Return the client of `service` in `region`; safe to call from several threads."""
        with self._lock:
            found = self._clients.get((service, region))
            if found is None:
                found = self._clients[service, region] = self._open(service, region)
            return found

    def _open(self, service: str, region: str) -> Any:
        from botocore.config import Config

        settings = self.settings
        config = Config(
            retries={"mode": self.retries, "total_max_attempts": settings.attempts},
            connect_timeout=settings.connect_seconds,
            read_timeout=settings.read_seconds,
            max_pool_connections=self.connections or max(settings.workers * 2, 10),
            user_agent_extra="bursar",
            s3={"addressing_style": "path"} if settings.endpoint_url else None,
        )
        address = settings.endpoint_url or None
        return self.core.create_client(service, region_name=region, endpoint_url=address, config=config)

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


@dataclass
class AwsSession:
    """One account, as whoever signs its calls."""

    settings: AwsSettings
    clients: Clients
    regions: tuple[str, ...]
    keys: Keys | None = None
    """The keys of an account whose clients are shared; None where the clients have their own."""

    def client(self, service: str, region: str) -> Any:
        """Return the client of `service` in `region`; safe to call from several threads."""
        client = self.clients.client(service, region)
        return client if self.keys is None else AccountClient(client, self.keys)

    def account(self) -> str:
        """Return the account's id; raise as `caller` does."""
        return str(self.caller()["Account"])

    def caller(self) -> Mapping[str, Any]:
        """
        Return who AWS says the credentials belong to: `Account`, `Arn`, `UserId`.

        A region that the account has not enabled refuses good credentials, so each is asked until one knows them.

        Raises:
            ConfigError: `no-credentials` where there are none, or where AWS refuses them.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        first: Exception | None = None
        for region in self.regions:
            try:
                return dict(self.client("sts", region).get_caller_identity())
            except (BotoCoreError, ClientError) as error:
                first = first or error
                if not is_refusal(error):
                    break
            except ValueError as error:
                raise bad_address(self.settings.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")) from error
        assert first is not None, "a session has a region"
        raise no_credentials(first, self.settings.profile, self.strange_region()) from first

    def strange_region(self) -> str:
        """Return what is odd about the first region that the SDK does not know; AWS may have opened it since."""
        core = self.clients.core
        known = {name for part in core.get_available_partitions() for name in core.get_available_regions("ec2", part)}
        for region in self.regions:
            if region not in known:
                return f"`{region}` is no region that the SDK knows; {did_you_mean(region, sorted(known))}".rstrip("; ")
        return ""


@contextmanager
def open_session(settings: AwsSettings) -> Iterator[AwsSession]:
    """
    Yield a session for `settings`.

    Raises:
        ConfigError: where the profile does not exist or no region is named anywhere.
    """
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        core = listened(botocore.session.Session(profile=settings.profile or None), settings)
        if settings.access_key:
            core.set_credentials(*settings.access_key)
        default = core.get_config_variable("region") or os.environ.get("AWS_REGION", "")
    except BotoCoreError as error:
        raise no_credentials(error, settings.profile) from error
    named = tuple(region for region in settings.regions if region != ENABLED)
    regions = named or ((default or ENTRY,) if settings.regions else (default,) if default else ())
    if not regions:
        hint = "name one with --region, under `aws.regions` in bursar.yaml, or in AWS_REGION"
        raise ConfigError.of("bad-config", "no AWS region is named", where="AWS", hint=hint)
    clients = Clients(settings, core)
    try:
        yield AwsSession(settings, clients, tuple(dict.fromkeys(regions)))
    finally:
        clients.close()


@contextmanager
def shared_clients(settings: AwsSettings) -> Iterator[Clients]:
    """Yield clients that sign with the keys of whatever account calls."""
    import botocore.session

    core = listened(botocore.session.Session(), settings)
    core.register_component("credential_provider", CallerProvider())
    # One account that AWS slows down must not slow down the others.
    connections = settings.accounts_at_once * settings.workers
    clients = Clients(settings, core, "legacy", connections)
    try:
        yield clients
    finally:
        clients.close()


def listened(core: Any, settings: AwsSettings) -> Any:
    """Return the SDK's session with everything that listens to its calls."""
    read_timestamps_quickly(core)
    for listen in settings.listeners:
        listen(core)
    return core
