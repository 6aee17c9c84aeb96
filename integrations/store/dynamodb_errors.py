"""What DynamoDB's complaints mean: a code, a sentence and a way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from engine.state.store import StateError
from integrations.aws.refusals import CREDENTIALS, DENIED, SIGN_IN, code_of

THROTTLED = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})
RACES = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"})
"""Reasons for which the same transaction may go through once it is made anew."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a transaction was canceled: a code for each of its writes."""

    reasons: tuple[str, ...]

    @classmethod
    def of(cls, error: Any) -> Refused:
        return cls(tuple(reason.get("Code", "None") for reason in error.response.get("CancellationReasons", ())))

    def by_condition(self, number: int) -> bool:
        """Return whether the condition of write `number` did not hold."""
        return number < len(self.reasons) and self.reasons[number] == "ConditionalCheckFailed"

    @property
    def lost_race(self) -> bool:
        """Whether others were faster, and nothing else was wrong."""
        return bool(self.reasons) and set(self.reasons) <= RACES


@contextmanager
def told(store: str) -> Iterator[None]:
    """Turn what boto3 raises inside the block into `StateError` about the store named `store`."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise state_error(error, store) from error


def state_error(error: Exception, store: str) -> StateError:
    """Return what `error` means."""
    code = code_of(error)
    said, hint = f"the state cannot be used ({code})", "nothing is done without the state; try again"
    if code == "ResourceNotFoundException":
        said, hint = "there is no such table", "`bursar run` makes it; see `state:` in bursar.yaml"
    elif code in DENIED:
        said, hint = "AWS denied the state", "docs/how-to/state.md lists the permissions that are needed"
    elif code in CREDENTIALS or "Credential" in code:
        said, hint = f"AWS refused the credentials ({code})", SIGN_IN
    elif code in THROTTLED:
        said, hint = "DynamoDB throttles the state", "raise the table's capacity, or let it scale on demand"
    elif code in ("ValidationException", "TransactionCanceledException") and "size" in str(error).lower():
        message = "a record or commit is larger than DynamoDB takes (400 KB an item, 4 MB a commit)"
        return StateError.of("state-record", message, where=store, hint="PostgreSQL and SQLite have no such limit")
    elif "Connect" in code or "Timeout" in code or code == "EndpointConnectionError":
        said, hint = f"DynamoDB cannot be reached ({code})", "check the region, the address and the network"
    return StateError.of("state-unavailable", said, where=store, hint=hint)


def lost_to_others(store: str, seconds: float) -> StateError:
    """Return the error for a commit that others overtook for too long."""
    said = f"other runs wrote all the time for {seconds:.0f} s"
    return StateError.of("state-unavailable", said, where=store, hint="nothing was written; try again later")
