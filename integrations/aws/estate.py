"""
An AWS account as an estate: scopes are read side by side, resources stream through a bounded queue.

Each (account, region, kind) is one scope and sends exactly one report after its resources. What fails in
one scope stays in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import inf
from time import monotonic

from engine.model import Needs, Resource, Scope, ScopeReport, ScopeStatus
from engine.ports import Item
from integrations.aws.chunks import Chunks, Unwanted
from integrations.aws.reader import PageCut, Reader, Shared
from integrations.aws.refusals import all_refused, is_refusal, scope_status, told
from integrations.aws.registry import AWS_KINDS
from integrations.aws.session import AwsSession
from integrations.aws.telemetry_port import NoTelemetry
from integrations.telemetry.port import Telemetry

CHUNK = 500
"""Resources whose telemetry is asked for together."""


@dataclass
class _Stream(Chunks):
    """The chunks of one account."""

    refused: list[str] = field(default_factory=list)
    """Of each scope of which nothing was read because the caller is not known or not allowed: the call and the code."""


@dataclass(frozen=True)
class AwsEstate:
    """One account in several regions, as it is now."""

    session: AwsSession
    account: str
    taken_at: datetime
    telemetry: Telemetry = field(default_factory=NoTelemetry)

    @property
    def name(self) -> str:
        return f"AWS {self.account} ({', '.join(self.session.regions)})"

    def stream(self, needs: Needs) -> Iterator[Item]:
        """
        Yield the resources of every needed scope with their telemetry, and one report for each scope.

        Raises:
            CollectError: after the reports, where AWS refused every single scope.
        """
        kinds = {name: source.kind for name, source in AWS_KINDS.items() if name in needs.kinds}
        regions = self.session.regions
        scopes = [Scope(self.account, region, kind) for kind in kinds for region in regions]
        open_scopes = {scope: 0 for scope in scopes if needs.covers(scope)}
        """What has not been reported yet, with the resources that came of it."""
        shared, stream = Shared(), _Stream()
        pool = ThreadPoolExecutor(self.session.settings.workers)
        for scope in open_scopes:
            kind = kinds[scope.kind]
            need, ids = needs.kinds[scope.kind], needs.ids(scope)
            reader = Reader(self.session, shared, self.account, scope.region, kind, need, ids)
            pool.submit(self._read, reader, stream)
        count, late = len(open_scopes), False
        until = monotonic() + (self.session.settings.account_seconds or inf)
        try:
            while open_scopes:
                chunk = stream.take(until)
                if chunk is None:
                    late = True
                    chunk = [self._too_late(scope, sent) for scope, sent in open_scopes.items()]
                for item in chunk:
                    if isinstance(item, ScopeReport):
                        del open_scopes[item.scope]
                if chunk and isinstance(chunk[0], Resource):
                    # A chunk of resources is of one scope.
                    open_scopes[Scope(chunk[0].account, chunk[0].region, chunk[0].kind)] += len(chunk)
                yield from chunk
            if count and len(stream.refused) == count:
                raise all_refused(stream.refused)
        finally:
            stream.stop()
            # A call that hangs cannot be ended from outside; it is left to its own time limit.
            pool.shutdown(wait=not late, cancel_futures=True)

    def _too_late(self, scope: Scope, sent: int) -> ScopeReport:
        detail = f"the account took longer than {self.session.settings.account_seconds:g} s"
        asked = self.telemetry.asked(scope.kind, scope.region)
        return ScopeReport(scope, ScopeStatus.PARTIAL if sent else ScopeStatus.FAILED, sent, detail, asked)

    def _read(self, reader: Reader, stream: _Stream) -> None:
        """Send one scope's resources and its report."""
        call, sent = AWS_KINDS[reader.kind.name].call, 0
        status, detail = ScopeStatus.COMPLETE, ""
        try:
            pages = _wanted(AWS_KINDS[reader.kind.name].collect(reader), reader.only)
            while True:
                chunk, error = _gather(pages, stream)
                if chunk:
                    stream.put(self._measured(reader, chunk))
                    sent += len(chunk)
                if error is not None:
                    raise error
                if len(chunk) < CHUNK:
                    break
            if reader.skipped:
                status, detail = ScopeStatus.PARTIAL, _first(reader.skipped)
        except Unwanted:
            return
        except PageCut as cut:
            status, detail = (ScopeStatus.PARTIAL if sent else ScopeStatus.FAILED), f"{call} sent {cut}"
        except Exception as error:  # noqa: BLE001  (a scope's failure is reported as the scope's)
            status = ScopeStatus.PARTIAL if sent else scope_status(error)
            detail = told(error, call)
            if not sent and is_refusal(error):
                stream.refused.append(detail)
        with suppress(Unwanted):
            scope = Scope(reader.account, reader.region, reader.kind.name)
            asked = self.telemetry.asked(reader.kind.name, reader.region)
            stream.put([ScopeReport(scope, status, sent, detail, asked)])

    def _measured(self, reader: Reader, chunk: list[Resource]) -> list[Item]:
        return [*self.telemetry.attach(chunk, reader.need, reader.region)]


def _wanted(pages: Iterator[list[Resource]], ids: frozenset[str] | None) -> Iterator[list[Resource]]:
    """Yield the pages with the resources of `ids` alone, up to the last of them."""
    left = None if ids is None else set(ids)
    for page in pages:
        if left is None:
            yield page
            continue
        found = [resource for resource in page if resource.id in left]
        left -= {resource.id for resource in found}
        yield found
        if not left:
            return


def _first(skipped: list[str]) -> str:
    more = len(skipped) - 1
    return f"{skipped[0]}, and {more} more" if more else skipped[0]


def _gather(pages: Iterator[list[Resource]], stream: _Stream) -> tuple[list[Resource], Exception | None]:
    """Return the next pages as one chunk, with what ended them early: what was read before is not lost."""
    chunk: list[Resource] = []
    try:
        for page in pages:
            if stream.stopped.is_set():
                raise Unwanted
            chunk += page
            if len(chunk) >= CHUNK:
                break
    except Unwanted:
        raise
    except Exception as error:  # noqa: BLE001  (handed to the caller with what was read)
        return chunk, error
    return chunk, None
