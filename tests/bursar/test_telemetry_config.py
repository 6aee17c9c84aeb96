"""The list `telemetry` of `bursar.yaml`."""

from pathlib import Path

import pytest

from bursar.config import read_config
from engine.errors import ConfigError
from integrations.catalog import default_catalog
from integrations.prometheus.client import Endpoint, Secret
from integrations.prometheus.exporters import HOSTS, INSTANCES, PROVIDERS, Labels
from integrations.prometheus.source import PrometheusSettings
from integrations.telemetry.reach import Reach
from integrations.telemetry.recorded import RecordedSettings

CATALOG = default_catalog()
FULL = """\
version: 1
telemetry:
  - prometheus:
      url: https://mimir.example/prometheus
      match: cluster="training"
      canary: node_load1
      nodes: none
      interval: 2m
      labels: {instance_id: Asset, node: k8s_node}
      tenant: ml
      headers: {X-Region: eu}
      token_file: secrets/token
      ca_file: ca.pem
      timeout: 30s
      max_answer: 16MiB
      accounts: ["012345678901"]
      regions: [eu-west-1]
      gpus: gpus.csv
      join_floor: 90%
      required: false
  - recorded:
      files: [telemetry/*.jsonl*]
"""


def read(folder: Path, text: str):
    (folder / "bursar.yaml").write_text(text, encoding="utf-8")
    return read_config(folder / "bursar.yaml", CATALOG).telemetry


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, "version: 1\ntelemetry:\n" + text)
    return [f"{problem.place.line}:{problem.place.column} {problem.message}" for problem in caught.value.problems]


def test_every_key(tmp_path):
    """Every key is read; paths start from the file's folder."""
    (tmp_path / "gpus.csv").write_text("uuid,resource\nGPU-1,i-1\nGPU-2,i-1\n")
    server, files = read(tmp_path, FULL)
    endpoint = Endpoint(
        "https://mimir.example/prometheus",
        {"X-Region": "eu", "X-Scope-OrgID": "ml"},
        token=Secret(file=tmp_path / "secrets" / "token"),
        ca_file=str(tmp_path / "ca.pem"),
        read_seconds=30,
        most_bytes=16 * 2**20,
    )
    assert server == PrometheusSettings(
        endpoint,
        'cluster="training"',
        "node_load1",
        "",
        120,
        Labels(("asset", *INSTANCES), PROVIDERS, ("k8s_node", *HOSTS)),
        {"GPU-1": "i-1", "GPU-2": "i-1"},
        Reach(("012345678901",), ("eu-west-1",)),
        90.0,
        required=False,
    )
    assert files == RecordedSettings(("telemetry/*.jsonl*",), tmp_path)


def test_an_address_is_enough(tmp_path):
    """Everything but the address has a default; a source is required unless said otherwise."""
    (server,) = read(tmp_path, "version: 1\ntelemetry: [{prometheus: {url: 'http://127.0.0.1:9090'}}]\n")
    assert server == PrometheusSettings(Endpoint("http://127.0.0.1:9090"))
    assert server.required is True


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("  - {}\n", ["3:5 a source of telemetry has exactly one kind"]),
        (
            "  - {prometheus: {url: 'http://a'}, recorded: {files: [a]}}\n",
            ["3:5 a source of telemetry has exactly one kind"],
        ),
        ("  - prometheus: {url: 'prom:9090'}\n", ["3:23 `prom:9090` is not the address of a server"]),
        ("  - prometheus: {url: 'http://u:p@prom'}\n", ["3:23 an address holds no credentials and no query"]),
        (
            "  - prometheus: {url: 'http://a', sigv4_region: us-east-1, token_env: A}\n",
            ["3:49 a signature of AWS excludes other credentials"],
        ),
        ("  - prometheus: {url: 'http://a', user: me}\n", ["3:41 a user needs a password"]),
        (
            "  - prometheus: {url: 'http://a', token_env: A, token_file: b}\n",
            ["3:61 `token_env` and `token_file` exclude each other"],
        ),
        (
            "  - prometheus: {url: 'http://a', headers: {Authorization: Bearer x}}\n",
            ["3:60 `Authorization` is a secret"],
        ),
        ("  - prometheus: {url: 'http://a', required: maybe}\n", ["3:45 `maybe` cannot be used here"]),
        ("  - prometheus: {url: 'http://a', gpus: nothing.csv}\n", None),
        (
            "  - prometheus: {url: 'http://a', gpus: bad.csv}\n",
            ["3:41 `bad.csv` lacks the columns `uuid` and `resource`"],
        ),
        (
            "  - prometheus: {url: 'http://a', gpus: twice.csv}\n",
            ["3:41 `twice.csv` names a GPU twice, or leaves something out"],
        ),
        ("  - recorded: {files: []}\n", ["3:23 the list is empty"]),
        ("  - prometheus: {adress: 'http://a'}\n", None),
    ],
)
def test_mistakes(tmp_path, text, told):
    """Every mistake stands where it was made."""
    (tmp_path / "bad.csv").write_text("gpu,machine\nGPU-1,i-1\n")
    (tmp_path / "twice.csv").write_text("uuid,resource\nGPU-1,i-1\nGPU-1,i-2\n")
    found = problems(tmp_path, text)
    assert found if told is None else found == told


def test_mistakes_come_all_at_once(tmp_path):
    """Two wrong sources are two problems."""
    assert len(problems(tmp_path, "  - {}\n  - prometheus: {url: 'prom:9090', user: me}\n")) == 3
