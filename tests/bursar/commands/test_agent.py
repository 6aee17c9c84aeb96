"""`bursar agent` as a process: signals, options, who the machine is."""

import json
import signal
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from integrations.aws.instance_metadata import instance_identity
from integrations.nvml.samples import decode

IDLE = "util=0,0 power=68000,68100 used=0"


def test_once_prints_a_sample(driver):
    """`--once` prints one line of JSON and ends."""
    driver.set(IDLE, IDLE)
    agent = driver.agent("--once", "--host", "node-7", "--instance-id", "i-7", "--label", "cluster=a")
    out, err = agent.communicate(timeout=30)
    assert agent.returncode == 0, err
    sample = decode(out)
    assert (sample.host, sample.instance, sample.labels) == ("node-7", "i-7", {"cluster": "a"})
    assert [gpu.values["utilization_peak_percent"] for gpu in sample.gpus] == [0, 0]


def test_once_into_a_file(driver, tmp_path):
    """With a file, nothing is printed."""
    driver.set(IDLE)
    agent = driver.agent("--once", "--jsonl", str(tmp_path / "gpus.jsonl"))
    assert agent.communicate(timeout=30)[0] == ""
    assert len((tmp_path / "gpus.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_cleanly(driver, tmp_path, number):
    """It says where it publishes, and a signal ends it with status 0 and whole lines, however long the interval."""
    driver.set(IDLE)
    path = tmp_path / "gpus.jsonl"
    agent = driver.agent("--listen", "127.0.0.1:0", "--jsonl", str(path), "--interval", "1h")
    said = [agent.stderr.readline(), agent.stderr.readline()]
    agent.send_signal(number)
    _, err = agent.communicate(timeout=30)
    assert agent.returncode == 0
    assert err == ""
    assert said[0].startswith("bursar agent: publishing to http://127.0.0.1:")
    assert said[1] == f"bursar agent: publishing to {path}\n"
    assert [decode(line).interval for line in path.read_text().splitlines()] in ([], [3600])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--interval", "0s"], "is no time at all"),
        (["--interval", "often"], "`often`"),
        (["--listen", "9836"], "is not an address such as 127.0.0.1:9836"),
        (["--label", "gpu=1"], "is a label that the agent sets itself"),
        (["--label", "a-b=1"], "is not a label"),
        (["--jsonl-size", "big"], "`big`"),
    ],
)
def test_options_that_cannot_be_used(bursar, options, told):
    """Mistakes are told in words before anything is opened."""
    ran = bursar("agent", *options)
    assert ran.status == 2
    assert told in ran.err


def test_a_place_that_cannot_be_had(driver, tmp_path):
    """A port or file that is taken or forbidden is a mistake of usage."""
    driver.set(IDLE)
    (tmp_path / "file").write_text("")
    agent = driver.agent("--once", "--jsonl", str(tmp_path / "file" / "gpus.jsonl"))
    _, err = agent.communicate(timeout=30)
    assert agent.returncode == 2
    assert "--jsonl" in err


@contextmanager
def metadata(answers, token="t0ken"):
    """Yield the address of a metadata service that gives a token first."""

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            self._send(token if self.path == "/latest/api/token" else None)

        def do_GET(self):
            known = self.headers.get("X-aws-ec2-metadata-token") == token
            self._send(answers.get(self.path.removeprefix("/latest/meta-data/")) if known else None)

        def _send(self, text):
            body = (text or "").encode()
            self.send_response(200 if text else 401)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_who_the_machine_is_by_its_metadata():
    """Instance id and region come from the metadata service, with a session token."""
    with metadata({"instance-id": "i-0abc", "placement/region": "eu-west-1"}) as address:
        assert instance_identity({"AWS_EC2_METADATA_SERVICE_ENDPOINT": address}) == ("i-0abc", "eu-west-1")


def test_no_metadata():
    """Where there is no metadata, it is not known: neither is anything asked where that is forbidden."""
    assert instance_identity({"AWS_EC2_METADATA_DISABLED": "true"}) == ("", "")
    assert instance_identity({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}) == ("", "")
    with metadata({}, token="") as address:
        assert instance_identity({"AWS_EC2_METADATA_SERVICE_ENDPOINT": address}) == ("", "")


def test_the_agent_asks_who_it_is(driver):
    """Without `--instance-id` the sample has the id that the metadata service says."""
    driver.set(IDLE)
    with metadata({"instance-id": "i-0abc", "placement/region": "eu-west-1"}) as address:
        own = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": address}
        agent = driver.agent("--once", **own)
        out, _ = agent.communicate(timeout=30)
    assert json.loads(out)["instance"] == "i-0abc"
