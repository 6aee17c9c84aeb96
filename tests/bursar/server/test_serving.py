"""`bursar serve` as a process: for this machine, with a schedule, ended in good order; and what it is configured by."""

import io
import json
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import timedelta
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import boto3
import pytest

from bursar.config import read_config
from bursar.render.problems import render_problems
from bursar.server.schedule import Schedule, trigger_of
from bursar.serving import Place, desk_of, schedule_of
from engine.errors import ConfigError
from integrations.catalog import default_catalog
from tests.bursar.server.conftest import MIRA, SAME, form
from tests.bursar.server.test_schedule import Ran

TOKEN = "0123456789abcdef0123456789abcdef"


@contextmanager
def running(folder, config, *options):
    """Yield the address of a server of its own process; end it and see that it ended well."""
    (folder / "bursar.yaml").write_text("version: 1\n" + config, encoding="utf-8")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "bursar",
        "serve",
        "-c",
        str(folder / "bursar.yaml"),
        "--port",
        str(port),
        *options,
    ]
    with (folder / "log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(lambda: asked(f"{base}/healthz")[0] == 200, server)
            yield base
        finally:
            server.terminate()
            assert server.wait(30) == 0, (folder / "log").read_text()


def wait_for(true, server=None):
    for _ in range(600):
        try:
            if true():
                return
        except (URLError, ConnectionError):
            pass
        assert server is None or server.poll() is None
        threading.Event().wait(0.05)
    raise AssertionError("it did not happen")


def asked(address, **headers):
    try:
        with urlopen(Request(address, headers=headers)) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_for_this_machine(tmp_path):
    """`bursar serve --no-auth` makes a state where there is none, and shows that it is empty."""
    with running(tmp_path, "", "--no-auth") as base:
        wait_for(lambda: asked(f"{base}/findings")[0] == 200)
        assert "No findings." in asked(f"{base}/findings")[1]
        assert asked(f"{base}/findings", Host="evil.example")[0] == 403
        status, text = asked(f"{base}/readyz")
        assert (status, json.loads(text)) == (200, {"status": "ok", "store": "ok", "run": "unknown"})


def test_a_schedule_runs_bursar(tmp_path, monkeypatch):
    """The run is `bursar run` with the same configuration; how it ended is counted."""
    monkeypatch.setenv("TEST_BURSAR_TOKEN", TOKEN)
    config = 'policies: [nothing]\nserver: {tokens: {prometheus: "env:TEST_BURSAR_TOKEN"}}\n'
    with running(tmp_path, config, "--every", "24h") as base:
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        line = 'bursar_scheduled_runs_total{exit_status="2"} 1.0'
        wait_for(lambda: line in asked(f"{base}/metrics", **bearer)[1])
        assert asked(f"{base}/metrics")[0] == 401
    assert "nothing" in (tmp_path / "log").read_text()


def test_a_run_soon_after_an_approval(served, tmp_path):
    """A yes on the page, or by any other door, starts a run; another one that waits is enough for both."""
    ran = Ran()
    schedule = Schedule([sys.executable, "-c", ""], trigger_of("24h")[0], soon_after=timedelta(0))
    desk = desk_of(served.config, Place(), schedule, lambda: served.now[0])
    schedule.ran = ran
    served.desk = desk
    desk.keeper.look()
    schedule.start()
    client = served.client(MIRA)
    path = f"/approvals/{served.approvals['vla-sweep-7']}/approve"
    assert client.post(path, data=form(served, client, MIRA), headers=SAME).status_code == 303
    assert ran.statuses == []
    desk.keeper.look()
    ran.wait()
    assert ran.statuses == [0]
    schedule.stop()
    desk.pool.close()


def test_the_command_of_a_schedule(tmp_path):
    """With an interval the first run is at once; with a cron expression it is when that says."""
    interval = schedule_of("15m", tmp_path / "bursar.yaml")
    assert list(interval.command)[1:] == ["-m", "bursar", "run", "-c", str(tmp_path / "bursar.yaml")]
    assert (interval.every, interval.first) == (timedelta(minutes=15), timedelta(0))
    assert schedule_of("0 6 * * *", None).first is None


@pytest.mark.parametrize(
    ("server", "says"),
    [
        ("proxy: {addresses: [0.0.0.0/0], header: X-User}", "more addresses than a proxy has"),
        ('proxy: {addresses: ["::/0"], header: X-User}', "more addresses than a proxy has"),
        ("proxy: {addresses: [0.0.0.0/1, 128.0.0.0/1], header: X-User}", "more addresses than a proxy has"),
        ("proxy: {addresses: [10.0.0.5/8], header: X-User}", "is not an address"),
        ("proxy: {addresses: [proxy.example], header: X-User}", "is not an address"),
        ("proxy: {addresses: [], header: X-User}", "the list is empty"),
        ('proxy: {addresses: [10.0.0.1], header: "X User"}', "is not the name of a header"),
        ("proxy: {addresses: [10.0.0.1]}", "header"),
        ("url: bursar.example.com", "is not an address such as"),
        ("url: https://bursar.example.com/there", "without a path"),
        ("tokens: {prometheus: 0123456789abcdef0123456789abcdef}", "env:NAME"),
        ("secret: hunter2", "env:NAME"),
        ("password: x", "password"),
    ],
)
def test_what_is_no_configuration(tmp_path, server, says):
    """Networks that are everybody's, secrets written out, and what is misspelt are refused with the line."""
    path = tmp_path / "bursar.yaml"
    path.write_text(f"version: 1\nserver:\n  {server}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as raised:
        read_config(path, default_catalog())
    assert says in " ".join(f"{p.message} {p.hint}" for p in raised.value.problems)
    assert raised.value.problems[0].place.line == 3
    shown = io.StringIO()
    render_problems(raised.value.problems, shown, color=False)
    assert "hunter2" not in shown.getvalue()
    assert "0123456789abcdef" not in shown.getvalue()


def test_a_configuration(tmp_path):
    """What is written is what is meant."""
    path = tmp_path / "bursar.yaml"
    path.write_text(
        "version: 1\nserver:\n  url: https://Bursar.example.com/\n  stale_after: 1h\n  viewers: ['@ml']\n"
        "  proxy: {addresses: [10.1.0.0/16, '2001:db8::/32'], header: X-Forwarded-Email}\n",
        encoding="utf-8",
    )
    settings = read_config(path, default_catalog()).server
    assert (settings.url, settings.stale_after, settings.viewers) == (
        "https://bursar.example.com", timedelta(hours=1), ("@ml",))  # fmt: skip
    assert settings.proxy.trusts("10.1.2.3")
    assert settings.proxy.trusts("2001:db8::7")
    assert not settings.proxy.trusts("10.2.0.1")


def test_a_token_that_could_be_guessed(served, monkeypatch):
    """A token of fewer than twenty characters, or none, keeps the server from starting, and is not shown."""
    monkeypatch.setenv("TEST_BURSAR_TOKEN", "hunter2")
    with pytest.raises(ConfigError, match="fewer than 20") as raised:
        desk_of(served.config, Place())
    assert "hunter2" not in str(raised.value)
    monkeypatch.delenv("TEST_BURSAR_TOKEN")
    with pytest.raises(ConfigError, match="is not set"):
        desk_of(served.config, Place())


def test_where_nothing_says_who_may_look(bursar, here):
    """The command ends with status 2 and says what to write."""
    (here / "bursar.yaml").write_text("version: 1\n", encoding="utf-8")
    ran = bursar("serve")
    assert ran.status == 2
    assert "nothing says who may look" in ran.err
    assert "--no-auth" in ran.err
    assert bursar("serve", "--no-auth", "--host", "0.0.0.0").status == 2


POLICY = """
version: 1
policies:
  - name: close-buckets
    description: Buckets that everybody can read.
    severity: critical
    resource: storage.bucket
    where: has(tags.team)
    rule: {when: not resource.public_access_blocked}
    mode: approve
    approval: {channel: "#data", approvers: ["mira.osei@example.com"], expires: 8h}
    grace: 0s
    remediate: [block_public_access]
    limits: {max_share: 100%}
"""
CONFIG = """
max_mode: approve
policies: [p.yaml]
aws:
  regions: [us-east-1]
  act: {role: BursarAct, accounts: ["123456789012"]}
server: {proxy: {addresses: [127.0.0.1], header: X-Forwarded-Email}}
"""


def sent(page, verb, base, headers, **fields):
    """Send the form `verb` with a token that the page at `page` holds; return the page that comes back."""
    token = re.search(r'name="token" value="([^"]+)"', asked(page, **headers)[1])[1]
    data = urlencode({"token": token, **fields}).encode()
    with urlopen(Request(f"{page}/{verb}", data, {**headers, "Origin": base})) as answer:
        return answer.read().decode()


def test_from_a_yes_on_the_page_to_the_act_and_back(here, account, bursar):
    """A run asks; a person reads the page and says yes; the server starts a run, and that one does exactly this."""
    s3 = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    s3.create_bucket(Bucket="open-to-all")
    s3.put_bucket_tagging(Bucket="open-to-all", Tagging={"TagSet": [{"Key": "team", "Value": "perception"}]})
    (here / "p.yaml").write_text(POLICY, encoding="utf-8")
    mira = {"X-Forwarded-Email": MIRA}
    with running(here, CONFIG, "--every", "0 0 1 1 *") as base:
        assert bursar("run").status == 0
        (approval,) = json.loads(bursar("approvals", "list", "-f", "json").out)
        path = f"{base}/approvals/{approval['id']}"
        assert "open-to-all" in asked(path, **mira)[1]
        assert "Approved." in sent(path, "approve", base, mira)
        wait_for(lambda: "verified" in asked(f"{base}/findings?status=verified", **mira)[1].partition("<tbody>")[2])
        assert all(s3.get_public_access_block(Bucket="open-to-all")["PublicAccessBlockConfiguration"].values())
        line = 'bursar_scheduled_runs_total{exit_status="0"} 1.0'
        wait_for(lambda: line in asked(f"{base}/metrics", **mira)[1])
        line = 'bursar_actions{remediation="block_public_access",status="done"} 1.0'
        assert line in asked(f"{base}/metrics", **mira)[1]
        # Taken back again: while all is frozen, by the next run, in the name of whoever asked.
        assert "Nothing is done" in sent(base, "freeze", base, mira, reason="it was needed")
        act = re.search(r"/acts/([^\"]+)", asked(f"{base}/acts", **mira)[1])[1]
        assert "The next run undoes it" in sent(f"{base}/acts/{act}", "undo", base, mira, reason="it was needed")
        # The server would start it some seconds later.
        assert bursar("run").status == 0
        assert "It is undone, since" in asked(f"{base}/acts/{act}", **mira)[1]
        with pytest.raises(s3.exceptions.ClientError):
            s3.get_public_access_block(Bucket="open-to-all")
        s3.close()
    undone = bursar("audit", "list", "--kind", "action.undone", "-f", "jsonl").out.splitlines()
    assert [json.loads(line)["actor"] for line in undone] == [f"web:{MIRA}"]
    assert bursar("audit", "verify").status == 0
