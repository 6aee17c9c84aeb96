"""
The second half of the demo: three policies that may act, a day and a half by a clock of its own, and a question.

Everything goes the way `bursar run`, `apply`, `savings` and `undo` go; what the account says of its machines proves it.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Any

from actions.catalog import remediations
from bursar.applying import apply_file
from bursar.config import Config, default_production
from bursar.demo.blueprint import ENDPOINT, INSTANCE, Blueprint
from bursar.demo.company import Company
from bursar.demo.slack import APP, SECRET, TEAM, TOKEN, Workspace, running_slack
from bursar.loading import load_texts
from bursar.render.console import screen_width, wants_color
from bursar.render.outputs import Output, write_outputs
from bursar.render.runs import render_report, undone_line
from bursar.render.savings import show_savings
from bursar.render.tour import proof, said, titled
from bursar.running import Site, make_plan, open_site, run_at, undo_all
from bursar.slack.settings import SlackSettings
from bursar.wiring import Choice, Setup
from engine.acting.run import Report
from engine.acting.savings import Watch
from engine.planning import Installation
from engine.policy.model import Mode
from engine.state.records import SavingRecord, restored
from engine.state.store import Table
from integrations.aws.act_session import ActSettings
from integrations.aws.session import AwsSettings
from integrations.catalog import default_catalog
from integrations.policy_authors import RecordDocument, digest_of
from integrations.policy_files import read_policies
from integrations.store.addresses import SqliteAddress

GRACE = timedelta(hours=4, minutes=10)
DAY = timedelta(hours=24)
EVENING = timedelta(hours=2)
AUTHOR = "tomas.lind@example.com"
"""Who changed the policies last."""
KEPT = "dev-mira"
"""The machine whose owner wants to keep it, a minute too late for the plan."""


@dataclass
class DemoClock:
    """A clock that is moved by hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Stage:
    """What the scenes share."""

    company: Company
    setup: Setup
    clock: DemoClock
    folder: Path
    workspace: Workspace

    @contextmanager
    def site(self) -> Iterator[Site]:
        with open_site(Choice(), self.setup, self.clock, StringIO()) as site:
            yield site

    def later(self, length: timedelta) -> None:
        """Move the clock; the telemetry of what runs goes on."""
        self.clock.now += length
        stopped = frozenset(name for name, state in self.states().items() if state != "running")
        self.company.publish(self.clock.now, stopped)

    def states(self) -> Mapping[str, str]:
        """Return the state of every machine of the company, by name, as the account tells it."""
        found: dict[str, str] = {}
        for region in self.company.grown:
            for entry in self._machines(region):
                names = [tag["Value"] for tag in entry.get("Tags", ()) if tag["Key"] == "Name"]
                found[names[0] if names else entry["InstanceId"]] = entry["State"]["Name"]
        return found

    def endpoints(self) -> Mapping[str, str]:
        """Return the state of every endpoint of the first region, by name; those that are gone are `gone`."""
        with _client(self.setup.config.aws, next(iter(self.company.grown)), "sagemaker") as sagemaker:
            found = sagemaker.list_endpoints(MaxResults=100)["Endpoints"]
        there = {entry["EndpointName"]: str(entry["EndpointStatus"]) for entry in found}
        planted = {one.name for one in self.company.blueprint.of(ENDPOINT)}
        return {name: there.get(name, "gone") for name in planted}

    def _machines(self, region: str) -> list[Any]:
        with _client(self.setup.config.aws, region) as ec2:
            pages = ec2.get_paginator("describe_instances").paginate()
            return [i for page in pages for reservation in page["Reservations"] for i in reservation["Instances"]]

    def keep(self, name: str) -> None:
        """Let the owner of a machine say that it is needed, in the account itself."""
        planted = next(p for p in self.company.blueprint.of(INSTANCE) if p.name == name)
        with _client(self.setup.config.aws, planted.region) as ec2:
            ec2.create_tags(Resources=[planted.id], Tags=[{"Key": "bursar/keep", "Value": "true"}])


@contextmanager
def _client(settings: AwsSettings, region: str, service: str = "ec2") -> Iterator[Any]:
    import boto3

    key, secret = settings.access_key or ("", "")
    client = boto3.client(
        service,
        region_name=region,
        endpoint_url=settings.endpoint_url,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )
    try:
        yield client
    finally:
        client.close()


def act_it_out(company: Company, settings: AwsSettings) -> None:
    """Show a warning, the grace, an act, a refusal, the savings and the undoing."""
    from bursar.demo.asking import ask_and_answer

    clock = DemoClock(company.blueprint.now)
    with tempfile.TemporaryDirectory() as name, running_slack(_workspace(clock)) as workspace:
        folder = Path(name)
        setup = _setup(folder, settings, company.blueprint, workspace)
        stage = Stage(company, setup, clock, folder, workspace)
        _warned(stage)
        report = _applied(stage)
        _saved(stage)
        _undone(stage, report)
        stage.later(EVENING)
        ask_and_answer(stage)


def _workspace(clock: DemoClock) -> Workspace:
    workspace = Workspace(clock)
    workspace.add_channel("ml-costs")
    workspace.add_channel("gpu-approvals")
    workspace.add_user("U0MIRA", "Mira Osei", "mira.osei@example.com")
    workspace.add_group("S0MLLEADS", "ml-leads", "U0MIRA")
    return workspace


def _slack(folder: Path, workspace: Workspace) -> SlackSettings:
    (folder / "token").write_text(TOKEN, encoding="utf-8")
    (folder / "signing").write_text(SECRET, encoding="utf-8")
    return SlackSettings("file:token", TEAM, APP, "#ml-costs", "file:signing", address=workspace.address)


def _setup(folder: Path, settings: AwsSettings, company: Blueprint, workspace: Workspace) -> Setup:
    policies = folder / "acting.yaml"
    policies.write_text(files("bursar.demo").joinpath("acting.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    config = Config(
        folder=folder,
        policies=(str(policies),),
        max_mode=Mode.ENFORCE,
        aws=settings,
        act=ActSettings("BursarAct", accounts=(company.account,)),
        production=default_production(default_catalog()),
        state=SqliteAddress(folder / "bursar.db"),
        slack=_slack(folder, workspace),
    )
    installation = Installation(remediations(), config.max_mode, production=config.production)
    texts = read_policies([policies])
    loaded = load_texts(texts)
    own: dict[str, tuple[str, ...]] = {policy.name: (AUTHOR,) for policy in loaded.policies}
    record = RecordDocument(files={digest_of(text): own for text in texts.values()})
    (folder / config.authors).write_text(record.model_dump_json(), encoding="utf-8")
    return Setup(config, loaded, installation, texts)


def _title(stage: Stage, text: str, command: str) -> None:
    titled(sys.stdout, f"{stage.clock.now:%H:%M}  {text}", command, color=wants_color(sys.stdout))


def _say(text: str) -> None:
    said(sys.stdout, text, color=wants_color(sys.stdout))


def _show(report: Report | None) -> None:
    assert report is not None, "nobody else runs on the demo's state"
    render_report(report, sys.stdout, width=screen_width(sys.stdout), color=wants_color(sys.stdout))


def _warned(stage: Stage) -> None:
    _title(stage, "Now three policies may act: a first run", "bursar run")
    with stage.site() as site:
        _show(run_at(site))


def _applied(stage: Stage) -> Report:
    stage.later(GRACE)
    plan = stage.folder / "plan.json"
    _title(
        stage,
        "The grace is over: a plan, and then exactly that plan",
        "bursar plan -o plan.json; bursar apply plan.json",
    )
    with stage.site() as site:
        made = make_plan(site, Watch(()), lambda _stage, _done: None)
        write_outputs(made, (Output("json", plan),), table=False)
        before = stage.states()
        _say(f"Between the two, the owner of {KEPT} tags it `bursar/keep=true`.\n")
        stage.keep(KEPT)
        report = apply_file(site, plan)
    _show(report)
    assert report is not None
    names = [outcome.step.subject.name for outcome in report.outcomes] + [KEPT]
    proof(sys.stdout, names, before, stage.states(), color=wants_color(sys.stdout))
    return report


def _saved(stage: Stage) -> None:
    stage.later(DAY)
    _title(stage, "A day later", "bursar savings")
    with stage.site() as site:
        run_at(site)
        found = [restored(SavingRecord, stored).record for stored in site.ports.store.scan(Table.SAVING)]
    show_savings(found, stage.clock.now, "table", sys.stdout)


def _undone(stage: Stage, report: Report) -> None:
    _title(stage, "And back", f"bursar undo {report.run.id}")
    before = stage.states()
    with stage.site() as site:
        results = undo_all(site, report.run.id)
    for one in results:
        sys.stdout.write(f"  {undone_line(one)}\n")
    names = [one.action.subject.name for one in results]
    proof(sys.stdout, names, before, stage.states(), color=wants_color(sys.stdout))
