"""A kind read from its recording in tests/recordings/aws: the SDK at work, without a network."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from engine.model import KindNeeds, Needs, Resource, ScopeReport
from integrations.aws.estate import AwsEstate
from integrations.aws.permissions import action_of
from integrations.aws.recorder import Replay, read_lines
from integrations.aws.registry import AWS_KINDS
from integrations.aws.session import AwsSettings, open_session

RECORDINGS = Path(__file__).parents[2] / "recordings" / "aws"
ACCOUNT, REGION = "123456789012", "us-east-1"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Reading:
    """What one pass over the recording gave."""

    items: list
    calls: list[str]
    """IAM names of the calls, in order."""

    @property
    def resources(self):
        return {item.name or item.id: item for item in self.items if isinstance(item, Resource)}

    @property
    def report(self):
        return next(item for item in self.items if isinstance(item, ScopeReport))


def recorded(kind: str) -> list[dict]:
    """Return the lines of the kind's recording."""
    return read_lines(RECORDINGS / f"{kind}.jsonl")


def everything(kind: str) -> Needs:
    """Return needs for all that can be asked of the kind."""
    declared = AWS_KINDS[kind].kind
    groups = frozenset({f.group for f in declared.fields} | {"tags"}) - {"core"}
    return Needs({kind: KindNeeds(groups)})


def only(kind: str, *groups: str, **windows: timedelta) -> Needs:
    """Return needs for these groups of the kind alone."""
    return Needs({kind: KindNeeds(frozenset(groups), windows)})


@contextmanager
def _session():
    replay = Replay()
    settings = AwsSettings(regions=(REGION,), access_key=("a", "b"), attempts=1, listeners=(replay.listen,))
    with open_session(settings) as session:
        yield session, replay


@lru_cache(maxsize=1)
def _shared():
    """Return one session for all readings: making clients is what takes long."""
    return _session().__enter__()


def replay(kind: str, needs: Needs | None = None, lines: list[dict] | None = None) -> Reading:
    """Return what reading the kind gives, with `lines` in the place of AWS; all of it unless `needs` say less."""
    session, replay = _shared()
    replay.answers = Replay.of(recorded(kind) if lines is None else lines).answers
    replay.asked.clear()
    items = list(AwsEstate(session, ACCOUNT, NOW).stream(everything(kind) if needs is None else needs))
    return Reading(items, [iam_name(session, service, operation) for service, operation, _ in replay.asked])


def iam_name(session, service: str, operation: str) -> str:
    """Return the IAM name of a call."""
    return action_of(session.client(service, REGION).meta.service_model.signing_name, operation)
