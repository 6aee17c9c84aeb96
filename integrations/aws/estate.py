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
from queue import Empty, Full, Queue
from threading import Event

from engine.model import Needs, Resource, Scope, ScopeReport, ScopeStatus
from engine.ports import Item
from integrations.aws.reader import PageCut, Reader, Shared
from integrations.aws.refusals import all_refused, is_refusal, scope_status, told
from integrations.aws.registry import AWS_KINDS
from integrations.aws.session import AwsSession
from integrations.aws.telemetry_port import NoTelemetry, Telemetry

CHUNK = 500
"""Resources whose telemetry is asked for together."""
WAITING = 16
"""Chunks that may wait for the consumer before the readers pause."""
TURN = 0.1
"""Seconds after which a paused reader looks whether it is still wanted."""


class _Unwanted(Exception):  # noqa: N818  # ends a reader quietly
    """The consumer has stopped."""


@dataclass
class _Stream:
    """The queue between readers and consumer."""

    chunks: Queue[list[Item]] = field(default_factory=lambda: Queue(WAITING))
    stopped: Event = field(default_factory=Event)
    refused: list[str] = field(default_factory=list)
    """Of each scope of which nothing was read because the caller is not known or not allowed: the call and the code."""

    def put(self, chunk: list[Item]) -> None:
        while not self.stopped.is_set():
            with suppress(Full):
                self.chunks.put(chunk, timeout=TURN)
                return
        raise _Unwanted

    def stop(self) -> None:
        self.stopped.set()
        with suppress(Empty):
            while True:
                self.chunks.get_nowait()


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
        scopes = [(region, kind) for kind in kinds.values() for region in self.session.regions]
        shared, stream = Shared(), _Stream()
        with ThreadPoolExecutor(self.session.settings.workers) as pool:
            for region, kind in scopes:
                reader = Reader(self.session, shared, self.account, region, kind, needs.kinds[kind.name])
                pool.submit(self._read, reader, stream)
            try:
                left = len(scopes)
                while left:
                    chunk = stream.chunks.get()
                    left -= sum(1 for item in chunk if isinstance(item, ScopeReport))
                    yield from chunk
                if scopes and len(stream.refused) == len(scopes):
                    raise all_refused(stream.refused)
            finally:
                stream.stop()
                pool.shutdown(wait=True, cancel_futures=True)

    def _read(self, reader: Reader, stream: _Stream) -> None:
        """Send one scope's resources and its report."""
        call, sent = AWS_KINDS[reader.kind.name].call, 0
        status, detail = ScopeStatus.COMPLETE, ""
        try:
            pages = AWS_KINDS[reader.kind.name].collect(reader)
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
        except _Unwanted:
            return
        except PageCut as cut:
            status, detail = (ScopeStatus.PARTIAL if sent else ScopeStatus.FAILED), f"{call} sent {cut}"
        except Exception as error:  # noqa: BLE001  (a scope's failure is reported as the scope's)
            status = ScopeStatus.PARTIAL if sent else scope_status(error)
            detail = told(error, call)
            if not sent and is_refusal(error):
                stream.refused.append(detail)
        with suppress(_Unwanted):
            scope = Scope(reader.account, reader.region, reader.kind.name)
            stream.put([ScopeReport(scope, status, sent, detail)])

    def _measured(self, reader: Reader, chunk: list[Resource]) -> list[Item]:
        return [*self.telemetry.attach(chunk, reader.need, reader.region)]


def _first(skipped: list[str]) -> str:
    more = len(skipped) - 1
    return f"{skipped[0]}, and {more} more" if more else skipped[0]


def _gather(pages: Iterator[list[Resource]], stream: _Stream) -> tuple[list[Resource], Exception | None]:
    """Return the next pages as one chunk, with what ended them early: what was read before is not lost."""
    chunk: list[Resource] = []
    try:
        for page in pages:
            if stream.stopped.is_set():
                raise _Unwanted
            chunk += page
            if len(chunk) >= CHUNK:
                break
    except _Unwanted:
        raise
    except Exception as error:  # noqa: BLE001  (handed to the caller with what was read)
        return chunk, error
    return chunk, None
