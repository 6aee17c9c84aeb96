"""
Start the emulated AWS account in a process of its own and control it.

The demo command and the tests call `running_server()`. The server ends with the `with` block, with an
exception, and with this process however it dies.
"""

from __future__ import annotations

import http.client
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import bursar
from engine.errors import CollectError

START_LIMIT = 60.0
"""Seconds the server may take to answer; a cold disk has been seen to need ten."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one metric at `start`, `start + step` seconds and so on; None where there is none."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]
    start: datetime
    step: int
    values: Sequence[float | None]
    unit: str = "None"


@dataclass(frozen=True, slots=True)
class Times:
    """When a resource was created, and launched or last modified; the latter is `created` when left out."""

    created: datetime | None = None
    changed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A running emulation."""

    endpoint: str
    """Such as `http://127.0.0.1:41231`: the `endpoint_url` of any client."""

    def faults(self, spec: Mapping[str, Any]) -> None:
        """Spoil calls from now on as `bursar.demo.faults` says, and no others: `{}` ends it."""
        self._post("faults", spec)

    def calls(self) -> list[str]:
        """Return the calls since the last time this was asked, as `service:Operation`, and forget them."""
        taken: list[str] = self._post("calls")
        return taken

    def reset(self) -> None:
        """Empty the account: resources, series, faults, calls and the set clock."""
        self._post("reset")

    def set_now(self, now: datetime | None) -> None:
        """Let the retention of metrics count from `now`; None goes back to the clock."""
        self._post("clock", None if now is None else now.timestamp())

    def backdate(self, region: str, times: Mapping[str, Times]) -> None:
        """Set dates by id (instance, volume, snapshot, image), `endpoint/NAME`, `notebook/NAME` or `bucket/NAME`."""
        sent = {
            name: {k: v.timestamp() for k, v in (("created", t.created), ("changed", t.changed)) if v is not None}
            for name, t in times.items()
        }
        self._post("backdate", {"region": region, "times": sent})

    def clear_metrics(self) -> None:
        """Forget every series of every region."""
        self._post("series/clear")

    def put_series(
        self,
        region: str,
        namespace: str,
        name: str,
        dimensions: Mapping[str, str],
        start: datetime,
        step: int,
        values: Sequence[float | None],
        unit: str = "None",
    ) -> None:
        """Add the values of one metric at `start`, `start + step` seconds and so on."""
        self.load(region, [Series(namespace, name, dimensions, start, step, values, unit)])

    def load(self, region: str, series: Iterable[Series]) -> None:
        """Add many series in one request."""
        self._post(
            "series",
            [
                {
                    "region": region,
                    "namespace": s.namespace,
                    "name": s.name,
                    "dimensions": dict(s.dimensions),
                    "start": int(s.start.timestamp()),
                    "step": s.step,
                    "values": list(s.values),
                    "unit": s.unit,
                }
                for s in series
            ],
        )

    def _post(self, control: str, content: object = None, limit: float = 60.0) -> Any:
        address = urlsplit(self.endpoint)
        connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port, timeout=limit)
        try:
            connection.request("POST", f"/_demo/{control}", json.dumps(content).encode())
            answer = connection.getresponse()
            body = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise CollectError.of("demo-failed", f"the emulated account refused `{control}`: {body['error']}")
        return body


@contextmanager
def running_server(port: int = 0, module: str = "bursar.demo.server") -> Iterator[Server]:
    """Yield an emulated account, served by `module`, that lives as long as the block."""
    if find_spec("moto") is None:
        raise CollectError.of(
            "missing-extra",
            "the emulated AWS account needs `moto`, which is not installed",
            hint="pip install 'bursar[demo]'",
        )
    with tempfile.TemporaryFile() as complaints:
        child = subprocess.Popen(  # noqa: S603  our own module, run by the interpreter we run in
            [sys.executable, "-m", module, str(port), "--with-parent"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            env=_environment(),
            # A Ctrl-C at the terminal must reach the parent alone, which may still have work for the server.
            start_new_session=True,
        )
        try:
            server = Server(_address(child, complaints))
            server._post("ready")
            yield server
        finally:
            _stop(child)


def _environment() -> dict[str, str]:
    """Return this process's environment, with the folder that holds `bursar` importable."""
    root = str(Path(bursar.__file__).parent.parent)
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}


def _address(child: subprocess.Popen[bytes], complaints: IO[bytes]) -> str:
    """Return the first line the server writes; an error with its complaints where there is none in time."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    output = child.stdout
    assert output is not None
    threading.Thread(target=lambda: lines.put(output.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=START_LIMIT)
    except queue.Empty:
        line = b""
    if line.startswith(b"http://127.0.0.1:"):
        return line.decode().strip()
    _stop(child)
    complaints.seek(0)
    last = complaints.read().decode(errors="replace").strip().rsplit("\n", 1)[-1]
    raise CollectError.of("demo-failed", f"the emulated AWS account did not start: {last or 'it said nothing in time'}")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            pipe.close()
