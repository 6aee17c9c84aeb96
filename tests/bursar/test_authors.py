"""T33: who changed a policy last does not approve what it leads to, whichever door he comes by."""

import json
import os
import pwd

import pytest
from starlette.testclient import TestClient

from bursar.authors import authors_of
from bursar.config import Config, read_config
from bursar.demo.slack import SECRET, TOKEN, Workspace, running_slack
from bursar.running import utc_now
from bursar.serving import Place, app_of, desk_of
from bursar.slack.desk import open_desk
from bursar.slack.endpoint import SlackRequest, handle
from bursar.slack.errands import perform
from bursar.stores import open_store
from bursar.wiring import Choice, set_up
from engine.people import Authorship
from integrations.catalog import default_catalog
from tests.bursar.test_slack_run import CONFIG, POLICIES, make_bucket, questions
from tests.git_repository import repository

URL = "https://bursar.example.com"
MIRA, TOMAS = "mira@example.com", "tomas@example.com"
DOORS = f"""
server: {{url: "{URL}", proxy: {{addresses: [10.0.0.1], header: X-Forwarded-Email}}}}
groups: {{"@data-leads": [{MIRA}, {TOMAS}]}}
people:
  {MIRA}: {{user: MIRA_USER, slack: U0MIRA, git: ["12+mira@users.noreply.github.com", Mira@Home.example]}}
  {TOMAS}: {{user: TOMAS_USER, slack: U0TOMAS}}
"""


@pytest.fixture
def slack():
    workspace = Workspace(utc_now)
    workspace.add_user("U0MIRA", "Mira Osei", "osei@another.example")
    workspace.add_user("U0TOMAS", "Tomas Lind", TOMAS)
    workspace.add_channel("data")
    workspace.add_channel("costs")
    with running_slack(workspace):
        yield workspace


@pytest.fixture
def site(here, account, slack, monkeypatch):
    """A configured folder that is a git repository, in which Mira changed the policy last."""
    import boto3

    monkeypatch.setenv("SLACK_BOT_TOKEN", TOKEN)
    made = repository(here)
    made.write("signing", SECRET)
    made.write(".gitignore", "signing\nbursar.db*\nanchor.jsonl\n.bursar\n")
    made.write("bursar.yaml", CONFIG.replace("ADDRESS", slack.address) + DOORS)
    made.write("p.yaml", POLICIES.replace("critical", "high"))
    made.commit(TOMAS)
    made.write("p.yaml", POLICIES)
    made.commit("mira@home.example")
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    make_bucket(client, "first")
    client.close()
    return made


def waiting(bursar):
    (approval,) = json.loads(bursar("approvals", "list", "-f", "json").out)
    return approval


def by_slack(bursar, site, slack, principal):
    (channel, ts, _) = questions(slack)[0]
    user = {MIRA: "U0MIRA", TOMAS: "U0TOMAS"}[principal]
    signed = slack.signed(slack.payload(channel, ts, "bursar-approve", user))
    config = read_config(None, default_catalog())
    with open_store(config) as store:
        desk = open_desk(config, store, utc_now)
        for errand in handle(SlackRequest(signed.headers, signed.body), desk).afterwards:
            perform(errand, desk)
    return slack.whispers[-1]["text"] if slack.whispers else ""


def by_command_line(bursar, site, slack, principal):
    me = pwd.getpwuid(os.getuid()).pw_name
    path = site.folder / "bursar.yaml"
    name = {MIRA: "MIRA_USER", TOMAS: "TOMAS_USER"}[principal]
    path.write_text(path.read_text(encoding="utf-8").replace(name, me), encoding="utf-8")
    return bursar("approvals", "approve", waiting(bursar)["id"]).out


def by_page(bursar, site, slack, principal):
    config = read_config(None, default_catalog())
    desk = desk_of(config, Place())
    desk.keeper.look()
    headers = {"X-Forwarded-Email": principal, "Origin": URL, "Sec-Fetch-Site": "same-origin"}
    id_ = waiting(bursar)["id"]
    with TestClient(app_of(desk, config), URL, client=("10.0.0.1", 5000), headers=headers) as client:
        answer = client.post(f"/approvals/{id_}/approve", data={"token": desk.forms.token(principal)})
    desk.pool.close()
    return answer.text


@pytest.mark.parametrize("door", [by_slack, by_command_line, by_page])
def test_the_author_does_not_approve_and_another_does(bursar, site, slack, door):
    """By each door the last to change the policy, known by another address in git, is refused; then another is not."""
    ran = bursar("run")
    assert ran.status == 0, ran.err
    assert waiting(bursar)["authors"] == [MIRA]
    said = door(bursar, site, slack, MIRA)
    assert f"{MIRA} was the last to change the policy, and another has to approve" in said
    assert waiting(bursar)["votes"] == []
    if door is not by_command_line:  # one user of a machine is one person
        door(bursar, site, slack, TOMAS)
        assert bursar("approvals", "list").out == "Nothing waits for an approval.\n"


def test_the_author_may_say_no(bursar, site):
    """What he wrote himself he may take back."""
    bursar("run")
    path = site.folder / "bursar.yaml"
    me = pwd.getpwuid(os.getuid()).pw_name
    path.write_text(path.read_text(encoding="utf-8").replace("MIRA_USER", me), encoding="utf-8")
    assert "is denied" in bursar("approvals", "deny", waiting(bursar)["id"], "--reason", "a mistake").out


def test_it_is_shown(bursar, site, slack):
    """The question says who changed the policy last, in Slack, on the page and at the command line, and the ledger."""
    bursar("run")
    id_ = waiting(bursar)["id"]
    assert f"policy by      last changed by {MIRA}" in bursar("approvals", "show", id_).out
    assert f"policy last changed by `{MIRA}`, who cannot approve" in json.dumps(questions(slack)[0][2]["blocks"])
    page = by_page(bursar, site, slack, MIRA)
    assert "Your part was that you changed the policy last" in page
    assert MIRA in bursar("audit", "list", "--kind", "approval.asked", "-f", "jsonl").out


def test_an_unknown_author_is_told_and_does_not_block(bursar, site, slack):
    """A change that nobody committed has no known author: the question says so, and whoever is entitled approves."""
    site.write("p.yaml", POLICIES.replace("critical", "medium"))
    bursar("run")
    approval = waiting(bursar)
    assert (approval["authors"], approval["author_unknown"]) == ([], "it was changed since the last commit")
    assert "who changed the policy last is not known" in json.dumps(questions(slack)[0][2]["blocks"])
    assert "last changed by somebody who is not known" in bursar("approvals", "show", approval["id"]).out
    by_slack(bursar, site, slack, MIRA)
    assert bursar("approvals", "list").out == "Nothing waits for an approval.\n"


def test_an_author_that_has_to_be_known(bursar, site, slack):
    """With `author: known` nobody is asked as long as it is not, and the run says why it is held."""
    path = site.folder / "bursar.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "approvals: {author: known}\n", encoding="utf-8")
    site.write("p.yaml", POLICIES.replace("critical", "medium"))
    ran = bursar("run")
    assert ran.status == 4
    assert "who changed the policy last is not known, and has to be" in ran.out
    assert questions(slack) == []
    site.commit(TOMAS)
    assert bursar("run").status == 0
    assert waiting(bursar)["authors"] == [TOMAS]


def test_a_record_stands_in_for_git(bursar, site, here):
    """Where there is no history, `authors.json` beside the configuration tells, of the texts it was written for."""
    assert bursar("authors", "-o", "authors.json").status == 0
    (here / ".git").rename(here / "no-git")
    bursar("run")
    assert waiting(bursar)["authors"] == [MIRA]


def test_the_table(bursar, site):
    """`bursar authors` shows them; what Bursar ships was changed by nobody here."""
    out = bursar("authors", "-p", "p.yaml", "-p", "pack:schedule").out
    assert MIRA in next(line for line in out.splitlines() if line.startswith("close-buckets"))


def test_what_is_shipped_has_no_author_here(here, monkeypatch):
    """The packs of an installation are nobody's of the company: that is known, and blocks nobody."""
    monkeypatch.setenv("PATH", str(here))  # an installation is in no repository; this checkout may be one
    setup = set_up(Choice(policies=("pack:schedule",)))
    authors = authors_of(Config(author_known=True), setup.policies, setup.texts)
    name = setup.policies.policies[0].name
    assert authors.of(name) == Authorship()
    assert authors.unasked(name) == ""
    assert authors.unasked("no-such-policy") != ""


@pytest.mark.parametrize(("more", "state"), [("", "note"), ("approvals: {author: known}\n", "wrong")])
def test_doctor(bursar, site, more, state):
    """Doctor says whose author is known, and why another's is not; that is wrong where it has to be known."""

    def checks():
        found = json.loads(bursar("doctor", "-f", "json").out)["checks"]
        return [(check["state"], check["says"]) for check in found if check["what"] == "authors"]

    assert checks() == [("well", "known for 1 policy")]
    path = site.folder / "bursar.yaml"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    site.write("p.yaml", POLICIES + "# another\n")
    why = "who changed close-buckets last is not known: it was changed since the last commit"
    assert checks() == [(state, why)]
