"""
The demo: an AI company's account, the shipped policies over it, and what to look at.

`bursar demo` calls it. Everything goes the way a real run goes, over HTTP and through the same wiring; only
the address differs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from actions.catalog import remediations
from bursar.config import Config
from bursar.demo.acting import act_it_out
from bursar.demo.company import found
from bursar.demo.estate import REGIONS
from bursar.demo.process import Server, running_server
from bursar.exit_status import DONE
from bursar.loading import load, named
from bursar.render.console import screen_width, wants_color
from bursar.render.explain import render_answers
from bursar.render.outputs import Output, write_outputs
from bursar.render.progress import progress_for
from bursar.render.table import render as render_table
from bursar.render.tour import afterwards, closing, opening, served, titled
from bursar.wiring import context_at
from engine.checks.context import Context
from engine.explaining import explain_subject
from engine.plan import Plan
from engine.planning import Installation, counted, run
from engine.policy.model import PolicySet
from engine.policy.needs import needs_of
from engine.ports import Estate
from integrations.aws.live import live_estate
from integrations.aws.session import AwsSettings

ROWS = 3
"""Findings of one policy that the tour shows."""
READS = ("Describe", "List", "Get")
"""How the names of operations begin that change nothing."""
SHOWN = ("stop-idle-gpus", "policy-train-1")
"""The finding that is explained: a p5 machine whose memory is held and whose GPUs rest."""
DOUBTED = ("stop-idle-gpus", "reward-model-2")
"""The doubt that is explained: an exporter that repeats its last values."""


@dataclass(frozen=True)
class Stage:
    """What the parts of the tour share."""

    estate: Estate
    policies: PolicySet
    context: Context
    width: int | None
    color: bool


def run_demo(*, serve: bool, formats: Sequence[Output]) -> int:
    """Run the demo and return its exit status."""
    now = datetime.now(UTC).replace(microsecond=0)
    with ExitStack() as stack:
        with progress_for(sys.stderr) as progress:
            server = stack.enter_context(running_server())
            progress("AWS account emulated", 1)
            company = found(server.endpoint, now)
            progress("resources planted", len(company.blueprint.planted))
            settings = AwsSettings(regions=REGIONS, endpoint_url=server.endpoint, access_key=("demo", "demo"))
            config = Config(policies=("pack:all",), aws=settings)
            policies, context = load(config, ()), context_at(now, config)
            estate = stack.enter_context(live_estate(settings, now))
            plan = run(policies, estate, context, Installation(remediations()), progress)
            calls = Counter(server.calls())
        if formats:
            write_outputs(plan, formats)
        else:
            stage = Stage(estate, policies, context, screen_width(sys.stdout), wants_color(sys.stdout))
            _tell(stage, plan, calls)
            act_it_out(company, settings)
            afterwards(sys.stdout, color=stage.color)
        if serve:
            _serve(server)
    return DONE


def _tell(stage: Stage, plan: Plan, calls: Counter[str]) -> None:
    out = sys.stdout
    opening(out, plan, color=stage.color)
    render_table(plan, out, width=stage.width, color=stage.color, rows=ROWS)
    titled(out, "Why is that a finding?", f"bursar explain {SHOWN[1]}", color=stage.color)
    _explain(stage, *SHOWN)
    titled(out, "Why is that one not?", f"bursar explain {DOUBTED[1]}", color=stage.color)
    _explain(stage, *DOUBTED)
    writes = [call for call in calls if not call.partition(":")[2].startswith(READS)]
    closing(out, calls.total(), writes, color=stage.color)


def _explain(stage: Stage, policy: str, subject: str) -> None:
    """Explain what one policy decides about one resource, read anew."""
    chosen = named(stage.policies, {policy})
    items = stage.estate.stream(needs_of(chosen))
    answers = explain_subject(chosen, counted(items, lambda _stage, _done: None), stage.context, subject)
    render_answers(answers, sys.stdout, width=stage.width, color=stage.color)


def _serve(server: Server) -> None:
    """Wait until the person has had enough."""
    served(sys.stdout, server.endpoint, REGIONS[0], color=wants_color(sys.stdout))
    try:
        sys.stdin.readline()
    except KeyboardInterrupt:
        return
