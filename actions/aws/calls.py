"""
Clients whose failures are `ActError`s, and what is asked of everything that is acted on.

Every action makes its calls through `calls`; the SDK itself is loaded by whoever opens the sessions.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from engine.acting.action import UNFINISHED, ActError, Effect, Ready, Refused, Target
from engine.errors import BursarError

THROTTLED = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
    }
)
DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "UnauthorizedException", "403"})
LATER = frozenset(
    {
        "ConflictException",
        "DependencyViolation",
        "InsufficientHostCapacity",
        "InsufficientInstanceCapacity",
        "InsufficientCapacityException",
        "InternalError",
        "InternalFailure",
        "InternalServerException",
        "OperationAborted",
        "ResourceContention",
        "ResourceInUse",
        "ResourceInUseException",
        "ResourceLimitExceeded",
        "ScalingActivityInProgress",
        "ServiceException",
        "ServiceUnavailable",
        "Unavailable",
        "VolumeModificationRateExceeded",
    }
)
"""Codes of refusals that time alone may end: no capacity, another change that goes on, a service that is down."""
ABSENT = ("could not find", "does not exist", "do not exist", "not found", "recordnotfound")
"""What services without a code of their own say of what is not there."""
MARK = "bursar/token"
"""The tag by which a second try finds what the first has made."""


class Session(Protocol):
    """One account, as whoever may act on it."""

    def client(self, service: str, region: str) -> Any:
        """Return the SDK's client."""


Sessions: TypeAlias = Callable[[str], Session]
"""An account's id to its session; raises `ActError` (`account-not-listed`) where it may not be acted on."""


class CallError(ActError):
    """A call that AWS refused, or that did not arrive."""

    def __init__(self, message: str, *, code: str, aws: str, where: str, retryable: bool) -> None:
        super().__init__(message, code=code, where=where, retryable=retryable)
        self.aws = aws
        """The code that AWS sent, and its message."""

    @property
    def absent(self) -> bool:
        """Whether AWS says that there is no such resource; SageMaker and RDS have no code of their own for it."""
        code, _, message = self.aws.partition(": ")
        text = message.casefold()
        return (
            code.startswith("NoSuch")
            or "NotFound" in code
            or any(
                words in text
                for words in ("could not find", "does not exist", "do not exist", "not found", "recordnotfound")
            )
        )


class Calls:
    """A client in the name of one resource."""

    def __init__(self, client: Any, where: str) -> None:
        self._client = client
        self._where = where

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._client, name)

        def call(**parameters: Any) -> Any:
            try:
                return method(**parameters)
            except BursarError:
                raise
            except Exception as error:
                failed = _failed(error, name, self._where)
                if failed is None:
                    raise
                raise failed from error

        return call


def calls(sessions: Sessions, target: Target, service: str) -> Any:
    """Return the client of `service` where `target` is."""
    resource = target.resource
    return Calls(sessions(resource.account).client(service, resource.region), resource.uid)


def _failed(error: Exception, operation: str, where: str) -> CallError | None:
    """Return what the SDK raised as an `ActError`; None where it is a defect of ours. No SDK is loaded to tell."""
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        if not type(error).__module__.startswith("botocore"):
            return None
        name = type(error).__name__
        lost = not name.startswith("Param")
        return CallError(f"{operation} failed ({name})", code="act-failed", aws=name, where=where, retryable=lost)
    about = response.get("Error", {})
    aws, text = str(about.get("Code") or "unknown error"), str(about.get("Message") or "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if aws in DENIED:
        code, retryable, told = "act-denied", False, f"{operation} is denied ({aws})"
    elif aws in THROTTLED:
        code, retryable, told = "act-failed", True, f"{operation} is throttled ({aws})"
    else:
        code, retryable = "act-failed", aws in LATER or aws.startswith("Insufficient") or status >= 500
        told = f"{operation} failed ({aws}: {text})" if text else f"{operation} failed ({aws})"
    return CallError(told, code=code, aws=f"{aws}: {text}", where=where, retryable=retryable)


def found(call: Callable[[], Any]) -> Any:
    """Return what `call` returns; None where AWS says that there is no such resource."""
    try:
        return call()
    except CallError as error:
        if error.absent:
            return None
        raise


def last(arn: str) -> str:
    """Return the last part of an ARN: the name by which the service is asked."""
    return arn.rpartition("/")[2] if "/" in arn else arn.rpartition(":")[2]


def another(target: Target, created: object) -> str:
    """Return why what was made at `created` may not be what was judged; nothing where it is. Names are used again."""
    judged = target.resource.fields.get("created")
    if not isinstance(judged, datetime) or not isinstance(created, datetime):
        return "it is not known when it was made, so that another of its name could not be told from it"
    if abs((judged - created).total_seconds()) >= 1:
        return "another resource has its name now"
    return ""


def effect_of(state: object, done: Collection[str], pending: Collection[str]) -> Effect:
    """Return what a state says of an act that leads through `pending` states to `done` ones."""
    return Effect.DONE if state in done else Effect.PENDING if state in pending else Effect.ABSENT


def irreversible(target: Target) -> ActError:
    """Return the error of an undoing that there is not."""
    return ActError("it cannot be undone", code="irreversible", where=target.resource.uid)


def stale(target: Target, why: str) -> ActError:
    """Return the error of an act whose resource changed between the check and the call."""
    return ActError(why, code="act-stale", where=target.resource.uid)


def unfinished(target: Target, what: str) -> ActError:
    """Return the error of an act that has begun and goes on in a later try."""
    return ActError(what, code=UNFINISHED, where=target.resource.uid, retryable=True)


GONE = Refused("it does not exist any more")


@dataclass(frozen=True, slots=True)
class Losses:
    """What is lost beyond what a remediation's title says."""

    texts: tuple[str, ...] = ()

    def ready(self, **inverse: Any) -> Ready:
        """Return that the act can be done, with the state before and a caution where something is lost."""
        return Ready(inverse, "; ".join(text for text in self.texts if text))
