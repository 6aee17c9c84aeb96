"""A real Prometheus server: history is loaded by promtool, and it may scrape."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

START_LIMIT = 30

Points = Sequence[tuple[float, float]]
Labelled = tuple[Mapping[str, str], Points]


@dataclass(frozen=True)
class PrometheusServer:
    """A server that runs."""

    url: str

    def query(self, query: str) -> list:
        """Return the result of an instant query."""
        data = urllib.parse.urlencode({"query": query}).encode()
        with urllib.request.urlopen(f"{self.url}/api/v1/query", data, timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def wait_for(self, query: str, limit: float = START_LIMIT) -> None:
        """Return once `query` has a result."""
        until = time.monotonic() + limit
        while not self.query(query):
            assert time.monotonic() < until, f"`{query}` stays empty"
            time.sleep(0.05)


def openmetrics(families: Mapping[str, Iterable[Labelled]]) -> Iterator[str]:
    """Yield the text that promtool loads: series by name, each with times in epoch seconds and values."""
    for name, all_series in families.items():
        yield f"# TYPE {name} unknown\n"
        for labels, points in all_series:
            written = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items())
            for at, value in points:
                yield f"{name}{{{written}}} {value} {at}\n"
    yield "# EOF\n"


@contextmanager
def running_prometheus(
    programs: Path,
    folder: Path,
    history: Mapping[str, Iterable[Labelled]] | None = None,
    targets: Sequence[str] = (),
    labels: Mapping[str, str] | None = None,
) -> Iterator[PrometheusServer]:
    """
    Yield a server over `history` that scrapes itself and `targets` every second, and puts `labels` on what it scrapes.

    History that reaches into the future keeps it from storing what it scrapes; `up` has then to be part of it.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    if history:
        text = folder / "history.om"
        with text.open("w", encoding="utf-8") as out:
            out.writelines(openmetrics(history))
        command = [programs / "promtool", "tsdb", "create-blocks-from", "openmetrics", "-q", text, data]
        subprocess.run(command, check=True, capture_output=True)
    port = _free_port()
    scraped = ", ".join(f"'{target}'" for target in (f"127.0.0.1:{port}", *targets))
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: test, static_configs: [{{targets: [{scraped}], "
        f"labels: {json.dumps(dict(labels or {}))}}}]}}]\n",
        encoding="utf-8",
    )
    options = {"config.file": config, "storage.tsdb.path": data, "storage.tsdb.retention.time": "90d"}
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"]
    with tempfile.TemporaryFile() as complaints:
        server = subprocess.Popen(
            [programs / "prometheus", *(f"--{name}={value}" for name, value in options.items()), *listen],
            stdout=complaints,
            stderr=complaints,
        )
        try:
            _wait(server, f"http://127.0.0.1:{port}/-/ready", complaints)
            found = PrometheusServer(f"http://127.0.0.1:{port}")
            found.wait_for("up")
            yield found
        finally:
            server.terminate()
            server.wait(timeout=START_LIMIT)


def _free_port() -> int:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _wait(server: subprocess.Popen, address: str, complaints) -> None:
    until = time.monotonic() + START_LIMIT
    while True:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                complaints.seek(0)
                raise AssertionError(complaints.read().decode(errors="replace")[-2000:]) from None
            time.sleep(0.05)
