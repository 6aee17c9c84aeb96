"""
The page on Kubernetes, typed from top to bottom by somebody who has nothing yet.

Real are `kubectl` and `helm`, the shell, the chart, Bursar, botocore's way to pod identity, and what a container may
do: pods are processes in namespaces of their own, with the user, the rights, the read-only root, the files and the
environment that their specification gives them. The cluster is `tests/deploy/cluster`: objects are held to Kubernetes'
own schemas, but nothing is scheduled, defaulted or authorized, no NetworkPolicy is enforced, and CronJobs do not fire.
Nothing is built: a container has the entry point and environment of the Dockerfile over the programs of this machine,
and the emulated account stands for AWS. `docker` and `aws` are stand-ins, which check what they are asked.
"""

import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import pytest

from tests.deploy.cluster.kinds import KINDS
from tests.git_repository import Repository, repository
from tests.pages import ROOT, blocks

PAGE = "kubernetes.md"
SEEN = {
    "docker build": [],
    "docker push": [],
    "bursar iam read": [],
    "aws iam create-role": ['"RoleName": "bursar"'],
    "aws iam put-role-policy": [],
    "aws eks create-pod-identity-association": ['"serviceAccount": "bursar"'],
    "bursar authors": [],
    "helm upgrade --install": ["STATUS: deployed", "helm test bursar --namespace finops --logs"],
    "helm test": [
        r"Phase: +Succeeded", r"\d+ policies, max_mode report", r"arn:aws:sts::123456789012:assumed-role/bursar/eks-",
        "there is none yet", r"authors +known for \d+ policies", r"All well\.",
    ],
    "kubectl -n finops create job": ["job.batch/first-run created"],
    "until kubectl -n finops logs": [
        "waiting to start: ContainerCreating", r"\d+ policies: .* findings", "gpus-have-owners: ",
        "Nothing was changed",
    ],
    "kubectl -n finops get pods": [r"RUN +STATUS\nfirst-run +0\n$"],
    "kubectl -n finops logs job": [r"\d+ policies: .* findings"],
    "helm upgrade bursar": ["STATUS: deployed", "REVISION: 2", "port-forward deployment/bursar 8080"],
    "kubectl -n finops rollout": ['deployment "bursar" successfully rolled out'],
    "kubectl -n finops port-forward": ["gpus-have-owners"],
    "helm uninstall": ['release "bursar" uninstalled', r"\[PersistentVolumeClaim\] bursar-state"],
    "kubectl -n finops get pvc": ["bursar-state"],
    "kubectl delete namespace": ['namespace "finops" deleted'],
}  # fmt: skip
"""What the user looks for after each command, as patterns."""


@pytest.fixture
def checkout(tmp_path):
    """A folder with what the page's commands take out of a checkout."""
    made = tmp_path / "checkout"
    made.mkdir()
    shutil.copytree(ROOT / "deploy", made / "deploy")
    shutil.copy(ROOT / "pyproject.toml", made)
    repository(made / "site")
    return made


@pytest.fixture
def typed(cluster, checkout):
    """Return a function that types a command and returns status and what is seen."""

    def run(command):
        done = subprocess.run(
            ["bash", "-c", command], cwd=checkout, env=cluster.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, check=False, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


def steps():
    """Yield the page's files, as name and text, and its commands, as an empty name and the command."""
    for block in blocks(PAGE):
        if block.file:
            yield block.file, block.text
        if block.language == "sh":
            for command in block.text.replace("\\\n", "").splitlines():
                yield "", re.sub(" +", " ", command)


def write(folder, name, text):
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    Repository(folder / "site").commit("mira@example.com")


def looked_at(command, checkout, env):
    """Type a command that forwards a port, but from a free one; return the page that a browser gets."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    forwarding = subprocess.Popen(
        ["bash", "-c", "exec " + command.replace("8080", f"{port}:8080")],
        cwd=checkout, env=env, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with forwarding:
        try:
            assert forwarding.stdout.readline() == f"Forwarding from 127.0.0.1:{port} -> 8080\n"
            with urllib.request.urlopen(f"http://localhost:{port}/findings", timeout=20) as answer:
                return answer.read().decode()
        finally:
            forwarding.send_signal(signal.SIGINT)


def test_page(cluster, checkout, typed, figures):
    """Every command does what the page says, and at the end nothing is left."""
    began, typed_before = time.monotonic(), []
    for name, text in steps():
        if name:
            write(checkout, name, text)
            continue
        (start,) = [start for start in SEEN if text.startswith(start)]
        typed_before.append(start)
        if "port-forward" in text:
            status, seen = 0, looked_at(text, checkout, cluster.env)
        else:
            status, seen = typed(text)
        assert status == 0, f"$ {text}\n{seen}"
        for pattern in SEEN[start]:
            assert re.search(pattern, seen), f"$ {text}\n{seen}\nhas no {pattern!r}"
    assert typed_before == list(SEEN)
    left = {kind.name for kind in KINDS if cluster.store.all(kind)}
    assert left == {"Namespace"}
    figures(f"the page on Kubernetes: {len(typed_before)} commands in {time.monotonic() - began:.0f} s")


def test_who_leaves_out_a_step_is_told(cluster, checkout, typed):
    """Without an image, then without a role; and a policy that changed is what the next run goes by."""
    commands = {}
    for name, text in steps():
        if name:
            write(checkout, name, text)
        else:
            commands[next(start for start in SEEN if text.startswith(start))] = text
    install = f"{commands['bursar authors']} && {commands['helm upgrade --install']}"
    assert typed(install)[0] == 0
    create, logs = commands["kubectl -n finops create job"], commands["kubectl -n finops logs job"]
    typed(create)
    told = f"until {logs} 2>&1 | tee /dev/stderr | grep -q ImagePull; do sleep 0.2; done"
    assert "is waiting to start: ImagePullBackOff" in typed(told)[1]
    for start in ("docker build", "docker push"):
        assert typed(commands[start])[0] == 0
    status, seen = typed(commands["helm test"])
    assert status == 1
    assert re.search(r"Phase: +Failed", seen)
    assert re.search(r"✗  AWS +credentials", seen)
    typed(commands["aws eks create-pod-identity-association"])
    policy = "site/policies/owners.yaml"
    write(checkout, policy, (checkout / policy).read_text(encoding="utf-8").replace("[owner]", "[desk]"))
    assert "REVISION: 2" in typed(install)[1]
    typed(create.replace("first-run", "second-run"))
    _, seen = typed(commands["until kubectl -n finops logs"].replace("first-run", "second-run"))
    assert re.search("gpus-have-owners: .* tag `desk` is missing", seen), seen
