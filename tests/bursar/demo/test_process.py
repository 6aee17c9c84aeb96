import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import bursar
from bursar.demo.process import running_server
from engine.errors import CollectError

pytest.importorskip("moto", reason="NOT TESTED: `moto` is not installed, so the emulated account was not")

PARENT = """
from bursar.demo.process import running_server
import sys
with running_server() as server:
    print(server.endpoint, flush=True)
    sys.stdin.read()
"""


def _connect(endpoint):
    address = urlsplit(endpoint)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def _run_and_fail(seen):
    with running_server() as server:
        seen.append(server.endpoint)
        raise ZeroDivisionError


def test_the_server_ends_with_the_block_even_when_it_raises():
    """After leaving the block by an exception the port refuses connections."""
    seen = []
    with pytest.raises(ZeroDivisionError):
        _run_and_fail(seen)

    with pytest.raises(ConnectionRefusedError):
        _connect(seen[0])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_server_dies_with_its_parent(how):
    """However the starting process dies, an open connection to the server ends without help."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(bursar.__file__).parent.parent)},
    )
    try:
        with _connect(parent.stdout.readline().decode().strip()) as held:
            parent.send_signal(how)
            try:
                ended = held.recv(1)
            except ConnectionResetError:
                ended = b""
        assert ended == b""
    finally:
        parent.kill()
        parent.wait()
        parent.stdin.close()
        parent.stdout.close()


def test_a_server_that_cannot_start_says_why():
    """A port in use is an error with the server's own words, and no traceback of ours."""
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(CollectError) as caught,
        running_server(taken.getsockname()[1]),
    ):
        pass

    (problem,) = caught.value.problems
    assert problem.code == "demo-failed"
    assert "in use" in problem.message


def test_the_server_listens_on_loopback_only(aws_server):
    """The account is open to whoever reaches it, so nobody outside this machine may."""
    assert urlsplit(aws_server.endpoint).hostname == "127.0.0.1"


def test_an_unknown_control_is_refused(aws_server):
    """A misspelt fault is an error and never ignored."""
    with pytest.raises(CollectError, match="unexpected keyword argument"):
        aws_server.faults({"*": {"denyed": True}})
