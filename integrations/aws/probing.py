"""
What may be read and done, tried out: a short page of each kind, dry runs, and IAM's own simulation.

Nothing here changes anything: dry runs are refused by EC2 itself, and the sessions let nothing else through.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

from engine.model import KindNeeds, Resource
from engine.values import Reason
from integrations.aws.reader import PageCut, Reader, Shared
from integrations.aws.refusals import code_of, told
from integrations.aws.registry import AWS_KINDS
from integrations.aws.session import AwsSession

FEW = 2
"""Resources of a kind that are looked at in full."""
AT_ONCE = 50
"""Actions in one simulation."""
DRY_RUNS: Mapping[str, str] = {
    "ec2:StartInstances": "start_instances",
    "ec2:StopInstances": "stop_instances",
    "ec2:TerminateInstances": "terminate_instances",
}
"""Changes of machines for which EC2 says whether they would be allowed, without making them."""
PROTECT = "bursar/protect"


@dataclass(frozen=True, slots=True)
class Probe:
    """What came of reading a little of a kind in a region."""

    kind: str
    region: str
    found: tuple[Resource, ...] = ()
    failed: tuple[str, ...] = ()
    """What was refused or failed: the call and the code."""


@dataclass
class _ShortReader(Reader):
    """A reader of the first few entries of the first page."""

    def pages(
        self, service: str, operation: str, key: str, size: int = 0, **parameters: Any
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        for page in islice(super().pages(service, operation, key, size, **parameters), 1):
            yield page[:FEW]


def probe_kind(session: AwsSession, account: str, region: str, kind: str, need: KindNeeds) -> Probe:
    """Read a few resources of `kind` with all that policies ask of them."""
    source = AWS_KINDS[kind]
    reader = _ShortReader(session, Shared(), account, region, source.kind, need)
    try:
        found = [resource for page in source.collect(reader) for resource in page]
    except PageCut as cut:
        return Probe(kind, region, failed=(f"{source.call} sent {cut}",))
    except Exception as error:  # noqa: BLE001  (whatever a source does is what was to be found out)
        return Probe(kind, region, failed=(told(error, source.call),))
    bad = (Reason.DENIED, Reason.SOURCE_ERROR)
    gaps = {gap.detail for resource in found for gap in resource.gaps.values() if gap.reason in bad}
    return Probe(kind, region, tuple(found), (*sorted(gaps), *dict.fromkeys(reader.skipped)))


def clock_of(session: AwsSession) -> datetime | None:
    """Return the time that AWS says it is; None where it does not say."""
    answer = session.client("sts", session.regions[0]).get_caller_identity()
    date = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    return None if not date else parsedate_to_datetime(date).astimezone(UTC)


def dry_run(session: AwsSession, region: str, instance: str, actions: Iterable[str]) -> dict[str, str]:
    """
    Return what EC2 says to each of `actions` it has dry runs for, on `instance`: nothing where it would be allowed.

    An action that it does not have is left out.
    """
    client = session.client("ec2", region)
    said: dict[str, str] = {}
    for action in sorted(set(actions) & set(DRY_RUNS)):
        try:
            getattr(client, DRY_RUNS[action])(InstanceIds=[instance], DryRun=True)
        except Exception as error:  # noqa: BLE001  (it always ends with an error; which one is the answer)
            code = code_of(error)
            said[action] = "" if code == "DryRunOperation" else code
    return said


def simulated(session: AwsSession, role_arn: str, actions: Iterable[str]) -> tuple[str, ...]:
    """
    Return those of `actions` that IAM would deny to the role; policies of organizations and sessions are left out.

    Raises:
        ClientError: who asks may not simulate.
    """
    client = session.client("iam", session.regions[0])
    wanted, denied = sorted(actions), []
    for start in range(0, len(wanted), AT_ONCE):
        pages = client.get_paginator("simulate_principal_policy").paginate(
            PolicySourceArn=role_arn, ActionNames=wanted[start : start + AT_ONCE]
        )
        denied += [
            entry["EvalActionName"]
            for page in pages
            for entry in page["EvaluationResults"]
            if entry["EvalDecision"] != "allowed"
        ]
    return tuple(denied)
