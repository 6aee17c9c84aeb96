"""
AWS credentials to clients: one per service and region, with retries, timeouts and a pool of connections.

Only this module knows how clients are made. Whoever opens a session closes it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from engine.errors import ConfigError
from integrations.aws.refusals import bad_address, is_refusal, no_credentials
from integrations.aws.timestamps import read_timestamps_quickly


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """Where and as whom to look, and how patiently."""

    regions: tuple[str, ...] = ()
    """Empty: the region of the profile or environment."""
    profile: str = ""
    """Empty: the usual chain of environment, default profile and instance role."""
    endpoint_url: str = ""
    """Another address for all services; empty is AWS."""
    access_key: tuple[str, str] | None = None
    """Id and secret, for an emulated account; None is the usual chain."""
    connect_seconds: float = 10
    read_seconds: float = 60
    attempts: int = 8
    """Tries of each call, by botocore's adaptive mode: it slows down where AWS throttles."""
    workers: int = 8
    """Scopes that are read at the same time."""
    listeners: tuple[Callable[[Any], None], ...] = ()
    """What else listens to the calls: each is handed the SDK's session before any client is made."""


@dataclass
class AwsSession:
    """Clients of one account."""

    settings: AwsSettings
    boto: Any
    """A `boto3.session.Session`."""
    regions: tuple[str, ...]
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
            retries={"mode": "adaptive", "total_max_attempts": settings.attempts},
            connect_timeout=settings.connect_seconds,
            read_timeout=settings.read_seconds,
            max_pool_connections=max(settings.workers * 2, 10),
            user_agent_extra="bursar",
            s3={"addressing_style": "path"} if settings.endpoint_url else None,
        )
        return self.boto.client(service, region_name=region, endpoint_url=settings.endpoint_url or None, config=config)

    def account(self) -> str:
        """
        Return the account's id.

        A region that the account has not enabled refuses good credentials, so each is asked until one knows them.

        Raises:
            ConfigError: `no-credentials` where there are none, or where AWS refuses them.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        first: Exception | None = None
        for region in self.regions:
            try:
                return str(self.client("sts", region).get_caller_identity()["Account"])
            except (BotoCoreError, ClientError) as error:
                first = first or error
                if not is_refusal(error):
                    break
            except ValueError as error:
                raise bad_address(self.settings.endpoint_url or os.environ.get("AWS_ENDPOINT_URL", "")) from error
        assert first is not None, "a session has a region"
        raise no_credentials(first, self.settings.profile) from first

    def close(self) -> None:
        """Close every client."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()


@contextmanager
def open_session(settings: AwsSettings) -> Iterator[AwsSession]:
    """
    Yield a session for `settings`.

    Raises:
        ConfigError: where the profile does not exist or no region is named anywhere.
    """
    import boto3
    import botocore.session
    from botocore.exceptions import BotoCoreError

    try:
        core = botocore.session.Session(profile=settings.profile or None)
        read_timestamps_quickly(core)
        for listen in settings.listeners:
            listen(core)
        key, secret = settings.access_key or (None, None)
        boto = boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=secret, botocore_session=core)
        default = boto.region_name or os.environ.get("AWS_REGION", "")
    except BotoCoreError as error:
        raise no_credentials(error, settings.profile) from error
    regions = settings.regions or ((default,) if default else ())
    if not regions:
        hint = "name one with --region, under `aws.regions` in bursar.yaml, or in AWS_REGION"
        raise ConfigError.of("bad-config", "no AWS region is named", where="AWS", hint=hint)
    session = AwsSession(settings, boto, tuple(dict.fromkeys(regions)))
    try:
        yield session
    finally:
        session.close()
