"""
How fast `bursar serve` answers with 100,000 open findings in SQLite: every page over HTTP, and decisions beside it.

Fails where the 99th percentile of a kind of answer is not under 300 ms, or a page of 10,000 findings takes a second.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from benchmarks.reconcile import COUNT, NOW, finding, plan
from bursar.config import read_config
from bursar.stores import open_store
from engine.plan import Step
from engine.policy.model import Approval, Mode
from engine.state.approvals import question
from engine.state.details import details_of
from engine.state.ledger import Note
from engine.state.lifecycle import asked as asked_record
from engine.state.lifecycle import opened
from engine.state.records import put
from engine.state.store import Store
from integrations.catalog import default_catalog

ANSWERS = 100
"""Of each route."""
AT_ONCE = 2
ALLOWED = 0.3
CONFIG = """
version: 1
policies: [.]
state: sqlite:///state.db
server: {proxy: {addresses: [127.0.0.1], header: X-Forwarded-Email}}
"""
WHO = {"X-Forwarded-Email": "mira@example.com"}
PAGES = ("/", "/findings", "/findings?q=node-7&sort=name", "/findings?page=500&sort=since", "/approvals", "/runs",
         "/coverage", "/metrics", "/readyz")  # fmt: skip


def filled(store: Store, count: int) -> None:
    """Write `count` findings as a run does."""
    for start in range(0, count, 4000):
        batch = tuple(finding(number) for number in range(start, min(start + 4000, count)))
        records = [opened(f.id, f.verdict.policy, f.subject, NOW) for f in batch]
        notes = [Note(NOW, "finding.open", record.id, "run") for record in records]
        store.commit([put(record, 0) for record in records], notes)
        store.commit(list(details_of(plan(batch), {}, NOW)), ())


@contextmanager
def served(count: int) -> Iterator[tuple[str, Store]]:
    """Yield the address of a server of its own process, and its store with `count` findings."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bursar.yaml").write_text(CONFIG, encoding="utf-8")
        with open_store(read_config(folder / "bursar.yaml", default_catalog())) as store:
            filled(store, count)
            port = free_port()
            command = [sys.executable, "-m", "bursar", "serve", "-c", str(folder / "bursar.yaml"), "--port", str(port)]
            server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            try:
                base = f"http://127.0.0.1:{port}"
                wait_for(f"{base}/readyz")
                yield base, store
            finally:
                server.terminate()
                server.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def wait_for(address: str) -> None:
    while True:
        try:
            asked(address)
        except OSError:
            time.sleep(0.1)
        else:
            return


def asked(address: str) -> float:
    """Return the seconds one answer took."""
    began = time.perf_counter()
    with urlopen(Request(address, headers=WHO)) as answer:
        answer.read()
    return time.perf_counter() - began


def measured(base: str, paths: tuple[str, ...], count: int = ANSWERS) -> dict[str, list[float]]:
    """Return the times of `count` answers of each path, `AT_ONCE` of different paths at a time."""
    times: dict[str, list[float]] = {path: [] for path in paths}
    work = [path for _ in range(count) for path in paths]
    lock = threading.Lock()

    def go() -> None:
        while True:
            with lock:
                if not work:
                    return
                path = work.pop()
            seconds = asked(base + path)
            times[path].append(seconds)

    threads = [threading.Thread(target=go) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def decided(base: str, approvals: list[str]) -> list[float]:
    """Return the seconds that each answer to an approval took."""
    page = urlopen(Request(f"{base}/approvals/{approvals[0]}", headers=WHO)).read().decode()
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    body = urlencode({"token": found.group(1), "reason": "measured"}).encode()
    times = []
    for id_ in approvals:
        began = time.perf_counter()
        with urlopen(Request(f"{base}/approvals/{id_}/approve", body, {**WHO, "Origin": base})) as answer:
            assert "Approved." in answer.read().decode()
        times.append(time.perf_counter() - began)
    return times


def asked_for(store: Store, count: int) -> list[str]:
    """Ask for `count` approvals, as a run does; return their ids."""
    ids = []
    for number in range(count):
        one = finding(number)
        approval = Approval("#x", ("mira@example.com",), timedelta(days=1))
        step = Step(f"{one.id}-stop", one.id, "bench", "stop", "stop it", one.subject, Mode.APPROVE, Mode.APPROVE,
                    True, "", timedelta(0), approval, one.savings, "f")  # fmt: skip
        record = opened(one.id, "bench", one.subject, NOW)
        asking = question(one, [step], record, datetime.now(UTC))
        store.commit([put(asking, 0), put(asked_record(record, asking.id, asking.fingerprint, NOW), 1)])
        ids.append(asking.id)
    return ids


def told(what: str, times: list[float]) -> bool:
    """Print the times of one kind of answer; return whether they are too long."""
    cuts = quantiles(times, n=100)
    print(f"  {what:<58} median {cuts[49] * 1000:>4.0f} ms, 99th {cuts[98] * 1000:>4.0f} ms")
    return cuts[98] >= ALLOWED


def main() -> int:
    slow = False
    with served(COUNT) as (base, store):
        one = f"/findings/{finding(7).id}"
        for path, times in measured(base, (*PAGES, one)).items():
            slow |= told(path, times)
        slow |= told("a yes, and the page that says so", decided(base, asked_for(store, ANSWERS)))
        store.commit([], [Note(NOW, "run.finished", "run", "run")])
        for path, times in measured(base, ("/healthz", "/findings", one)).items():
            slow |= told(f"{path}, while everything is read again", times)
    with served(10_000) as (base, _):
        times = [asked(f"{base}/findings?page={page}") for page in range(1, 101)]
        slow |= max(times) >= 1
        print(f"  10,000 findings in 100 pages: {sum(times):.1f} s together, the slowest {max(times) * 1000:.0f} ms")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
