"""
Sessions that may change something: through a role of their own, in the accounts that are listed, and no call but those
that the actions declare.

A front door opens them beside the sessions that read; nothing else gets hold of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from engine.acting.action import ActError
from integrations.aws.partitions import partition_of
from integrations.aws.permissions import action_of
from integrations.aws.refusals import code_of
from integrations.aws.session import AwsSession, AwsSettings, Clients, listened, open_session

WHO = frozenset({"sts:AssumeRole", "sts:GetCallerIdentity"})
SESSION_NAME = "bursar-act"


@dataclass(frozen=True, slots=True)
class ActSettings:
    """Who acts, and where."""

    role: str = ""
    """The name of the role to assume in every account that is acted on: another than the one that reads."""
    external_id: str = field(default="", repr=False)
    accounts: tuple[str, ...] = ()
    """The accounts that may be acted on; no other is."""


class NotDeclared(RuntimeError):  # noqa: N818  # the name says it
    """A call was about to be made that no action declares: a defect of this program."""


def refuse_all_but(allowed: Iterable[str]) -> Callable[[Any], None]:
    """Return a listener that has a botocore session raise `NotDeclared` before any call that is not in `allowed`."""
    declared = frozenset(allowed)

    def listen(core: Any) -> None:
        def check(model: Any, **_: Any) -> None:
            action = action_of(model.service_model.signing_name, model.name)
            if action not in declared:
                raise NotDeclared(f"{action} is not one of the calls that the actions declare")

        core.get_component("event_emitter").register_first("before-call", check)

    return listen


@dataclass
class ActSessions:
    """The act session of each listed account, opened when it is first asked for; call it with the account's id."""

    home: AwsSession
    act: ActSettings
    settings: AwsSettings
    """Of the sessions that act."""
    _sessions: dict[str, AwsSession] = field(default_factory=dict)

    def __call__(self, account: str) -> AwsSession:
        """
        Return the session of `account`.

        Raises:
            ActError: `account-not-listed`, or `act-denied` where its role cannot be assumed.
        """
        if account not in self.act.accounts:
            message = f"account {account} is not listed to be acted on: add it to `aws.act.accounts` in bursar.yaml"
            raise ActError(message, code="account-not-listed", where=account)
        session = self._sessions.get(account)
        if session is None:
            session = self._sessions[account] = self._opened(account)
        return session

    def _opened(self, account: str) -> AwsSession:
        import botocore.session
        from botocore.credentials import RefreshableCredentials
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            keys = self._keys(account)
            core = listened(botocore.session.Session(), self.settings)
            # The SDK asks for new keys before these expire. There is no public way to hand it such credentials.
            core._credentials = RefreshableCredentials.create_from_metadata(
                keys, lambda: self._keys(account), "assume-role"
            )
            session = AwsSession(self.settings, Clients(self.settings, core), self.home.regions)
            found = str(session.client("sts", self.home.regions[0]).get_caller_identity()["Account"])
        except (BotoCoreError, ClientError) as error:
            message = f"the role {self.act.role} of account {account} cannot be assumed ({code_of(error)})"
            raise ActError(message, code="act-denied", where=account) from error
        if found != account:
            session.clients.close()
            raise ActError(f"the role leads to account {found}, not {account}", code="act-denied", where=account)
        return session

    def _keys(self, account: str) -> Mapping[str, str]:
        asked = {
            "RoleArn": f"arn:{partition_of(self.home.regions[0])}:iam::{account}:role/{self.act.role}",
            "RoleSessionName": SESSION_NAME,
        }
        if self.act.external_id:
            asked["ExternalId"] = self.act.external_id
        given = self.home.client("sts", self.home.regions[0]).assume_role(**asked)["Credentials"]
        return {
            "access_key": given["AccessKeyId"],
            "secret_key": given["SecretAccessKey"],
            "token": given["SessionToken"],
            "expiry_time": given["Expiration"].isoformat(),
        }

    def close(self) -> None:
        """Close every session."""
        for session in self._sessions.values():
            session.clients.close()
        self._sessions.clear()


@contextmanager
def act_sessions(settings: AwsSettings, act: ActSettings, allowed: Iterable[str]) -> Iterator[ActSessions]:
    """
    Yield the sessions that may act, which let through the calls in `allowed` and no others.

    A call is made once: whoever acts tries again, and looks first at what the try before has left. The SDK's adaptive
    mode paces the calls where AWS throttles.

    Raises:
        ConfigError: without credentials or a region.
    """
    home = replace(settings, listeners=(refuse_all_but(WHO), *settings.listeners))
    acting = replace(settings, attempts=1, listeners=(refuse_all_but({*allowed, *WHO}), *settings.listeners))
    with open_session(home) as session:
        sessions = ActSessions(session, act, acting)
        try:
            yield sessions
        finally:
            sessions.close()
