"""What `deploy/` has beside AWS: rendered and linted by the tools of each place."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
CHART = DEPLOY / "helm" / "bursar"
IMAGE = {"repository": "registry.example/bursar", "tag": "1.0"}
CONFIG = {"bursar.yaml": "version: 1\nstate: dynamodb://bursar?region=us-east-1\n"}
SQLITE = {"bursar.yaml": "version: 1\nstate: sqlite:////var/lib/bursar/bursar.db\n"}
LEAST = {"image": IMAGE, "config": CONFIG}
ALL = {
    **LEAST,
    "policies": {"idle.yaml": "version: 1\npolicies: []\n", "tags.yaml": "version: 1\npolicies: []\n"},
    "existingSecret": "bursar-secrets",
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/bursar"}},
    "serve": {"enabled": True},
    "networkPolicy": {
        "ingressFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "egressPorts": [443, 5432],
        "egressExtra": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
    },
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "platform"},
    "nodeSelector": {"kubernetes.io/arch": "amd64"},
    "tolerations": [{"key": "x", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "imagePullSecrets": [{"name": "pull"}],
    "env": [{"name": "AWS_REGION", "value": "us-east-1"}],
}
ONE_POD = {
    "image": IMAGE,
    "config": SQLITE,
    "persistence": {"enabled": True, "storageClass": "gp3"},
    "run": {"enabled": False},
    "serve": {"enabled": True, "every": "15m", "noAuth": True},
}


def program(name):
    """Return a tool beside this interpreter or on the path; skip where there is none."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"NOT TESTED: `{name}` is not installed, so what it looks at was not checked")
    return found


def ran(*command):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_container():
    """hadolint finds nothing; the base is pinned by digest, and nobody is root."""
    file = DEPLOY / "docker" / "Dockerfile"
    assert ran(program("hadolint"), file) == (0, "")
    text = file.read_text(encoding="utf-8")
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", text, re.MULTILINE)
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)


def test_container_gets_what_it_needs_and_no_more():
    """What is copied into the image exists and is let through, and nothing else is."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE) for word in line.split()}
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert copied == {line[1:] for line in ignore if line.startswith("!")}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert ignore[0] == "*"


# --- Helm ----------------------------------------------------------------------------------------


@pytest.fixture
def helm():
    if find_spec("helm_python") is None:
        pytest.skip("NOT TESTED: `helm-python-sdk` is not installed, so the chart was not rendered")
    import helm_python

    return helm_python


def rendered(helm, values):
    """Return the objects that Helm's own engine makes of the chart, by kind."""
    with helm.Chart.load(str(CHART)) as chart:
        texts = chart.render(values=values, name="bursar", namespace="finops")
    objects = [one for file, text in texts.items() if file.endswith(".yaml") for one in yaml.safe_load_all(text) if one]
    return {one["kind"] + "/" + one["metadata"]["name"]: one for one in objects}


def pods(objects):
    """Return the specs of all pods."""
    for one in objects.values():
        if one["kind"] == "CronJob":
            yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        if one["kind"] == "Deployment":
            yield one["spec"]["template"]["spec"]
        if one["kind"] == "Pod":
            yield one["spec"]


@pytest.mark.parametrize("values", [LEAST, ALL, ONE_POD], ids=["least", "all", "one pod"])
@pytest.mark.parametrize("version", ["1.28", "1.34"])
def test_chart_makes_valid_objects(helm, values, version):
    """Every object is one that Kubernetes takes, strictly by its own schemas."""
    if find_spec("kubernetes_validate") is None:
        pytest.skip("NOT TESTED: `kubernetes-validate` is not installed, so the objects were not checked")
    import kubernetes_validate

    objects = rendered(helm, values)
    assert ("CronJob/bursar-run" in objects) is (values is not ONE_POD)
    for one in objects.values():
        kubernetes_validate.validate(one, version, strict=True)


def test_chart_is_sound(helm):
    """Helm's linter has nothing against it but that it lacks an icon."""
    found = helm.lint(str(CHART), values=ALL, strict=True)
    assert found["errors"] == []
    assert {message["error"] for message in found["messages"]} <= {"icon is recommended"}


def test_pods_may_do_little(helm):
    """No pod is root, writes into its image, keeps capabilities or holds a token of Kubernetes."""
    found = list(pods(rendered(helm, ALL)))
    assert len(found) == 3
    for pod in found:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


def test_configuration_and_policies_are_one_folder(helm):
    """`bursar.yaml` and `policies/` lie as they do on a disk, without one volume inside of another."""
    (pod, *_) = pods(rendered(helm, ALL))
    volume = next(v for v in pod["volumes"] if v["name"] == "config")
    config, policies = (source["configMap"] for source in volume["projected"]["sources"])
    assert config == {"name": "bursar-config"}
    assert [item["path"] for item in policies["items"]] == ["policies/idle.yaml", "policies/tags.yaml"]
    own = {**LEAST, "existingPolicies": {"name": "ours", "files": ["a.yaml"]}}
    (pod, *_) = pods(rendered(helm, own))
    volume = next(v for v in pod["volumes"] if v["name"] == "config")
    assert volume["projected"]["sources"][1]["configMap"] == {
        "name": "ours", "items": [{"key": "a.yaml", "path": "policies/a.yaml"}],
    }  # fmt: skip


def test_the_values_of_the_page(helm):
    """What the page on Kubernetes says to write beside what is typed there makes what it says it does."""
    text = (ROOT / "docs" / "how-to" / "kubernetes.md").read_text(encoding="utf-8")
    named = {key for row in re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE) for key in re.findall(r"`(.*?)`", row)}
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    assert len(named) == 9
    for key in named:
        inside = values
        for part in key.split("."):
            inside = inside[part]
    (peers,) = re.findall(r"```yaml\n(networkPolicy:\n.*?)```", text, re.DOTALL)
    rules = rendered(helm, {**LEAST, "serve": {"enabled": True}, **yaml.safe_load(peers)})["NetworkPolicy/bursar"]
    (rule,) = rules["spec"]["ingress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert rule["from"] == yaml.safe_load(peers)["networkPolicy"]["ingressFrom"]


def test_a_page_for_nobody_in_particular_is_in_its_pod_alone(helm):
    """With `noAuth` it listens on loopback, is no service, and is probed from inside."""
    objects = rendered(helm, ONE_POD)
    assert [name for name in objects if name.startswith("Service/")] == []
    deployment = objects["Deployment/bursar"]["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    pod = deployment["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == ["serve", "--port", "8080", "--no-auth", "--every", "15m"]
    assert {probe["exec"]["command"][0] for probe in (container["livenessProbe"], container["readinessProbe"])} == {
        "python"
    }
    assert pod["terminationGracePeriodSeconds"] > 600


def test_what_is_installed_anew_restarts_the_page(helm):
    """A configuration or a policy that changed is a new pod; the same files are the same pod."""

    def checksum(values):
        deployment = rendered(helm, {**LEAST, "serve": {"enabled": True}, **values})["Deployment/bursar"]
        return deployment["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    sums = [checksum({}), checksum({"policies": {"a.yaml": "1"}}), checksum({"policies": {"a.yaml": "2"}})]
    sums.append(checksum({"config": {"bursar.yaml": CONFIG["bursar.yaml"] + "max_mode: notify\n"}}))
    assert len(set(sums)) == 4
    assert checksum({}) == sums[0]


def test_nothing_gets_in_unasked(helm):
    """Without peers nobody reaches the page, and what is reached outside is DNS, TLS and the agent of pod identity."""
    policy = rendered(helm, LEAST)["NetworkPolicy/bursar"]["spec"]
    assert policy["ingress"] == []
    ports = [port["port"] for rule in policy["egress"] for port in rule["ports"]]
    assert ports == [53, 53, 443, 80]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"config": CONFIG}, "repository"),
        ({"image": IMAGE}, "there is no configuration"),
        ({"image": IMAGE, "config": {"bursar.yaml": "version: 1\n"}}, "has no `state:`"),
        ({"image": IMAGE, "config": SQLITE}, "would be lost with each pod"),
        ({**ONE_POD, "run": {"enabled": True}}, "cannot share one volume"),
        ({**LEAST, "persistance": {"enabled": True}}, "persistance"),
        ({**LEAST, "run": {"schedule": "often"}}, "schedule"),
    ],
)
def test_values_that_are_refused(helm, values, words):
    """What is missing or senseless is told before anything is installed."""
    with pytest.raises(helm.HelmError, match=words):
        rendered(helm, values)


# --- systemd, cron, GitHub -----------------------------------------------------------------------


def test_units():
    """systemd knows every directive, and the command is there."""
    units = [DEPLOY / "systemd" / name for name in ("bursar.service", "bursar.timer")]
    assert ran(program("systemd-analyze"), "verify", *units) == (0, "")


def test_crontab():
    """Every line has five fields, a user and a command that exists."""
    from bursar.cli import COMMANDS

    lines = (DEPLOY / "cron" / "bursar").read_text(encoding="utf-8").splitlines()
    jobs = [line.split(maxsplit=6) for line in lines if re.match(r"[*\d]", line)]
    assert len(jobs) == 3
    for *fields, user, command in jobs:
        assert all(re.fullmatch(r"\*(/\d+)?|\d+", field) for field in fields)
        assert user == "bursar"
        assert re.search(r"&& bursar (\w+)", command)[1] in COMMANDS


@pytest.mark.parametrize("file", [DEPLOY / "github" / "bursar-run.yml"], ids=lambda path: path.name)
def test_workflow(file):
    """zizmor finds no way in: actions are pinned by commit, permissions are few, nothing is pasted into a shell."""
    status, said = ran(program("zizmor"), "--offline", "--no-progress", "--pedantic", file)
    assert status == 0, said
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert document["permissions"] == {}
    assert set(document["jobs"]) == {"run"}


def test_documentation_names_what_is_there():
    """Every folder of `deploy/` is on the page that says what is where."""
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    folders = {path.name for path in DEPLOY.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {name for name in folders if f"({name}" not in page} == set()
    assert os.access(DEPLOY / "lambda" / "build.py", os.R_OK)
