"""`bursar report`: how the controls of a framework stand, by what the policies find."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import MomentType, estate_options, policy_options


@click.command("report", short_help="Show how the controls of a framework stand.")
@click.option("--framework", required=True, metavar="NAME", help="FSBP, CIS-AWS-5.0, NIST-800-53r5, SOC2, HIPAA …")
@policy_options
@estate_options
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["table", "json", "csv", "markdown"]),
    default="table",
    show_default=True,
    help="What to write.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where to. [default: here]")
@click.option("--now", type=MomentType(), help="Judge a recorded estate at this time. [default: when it was recorded]")
def command(framework: str, format_: str, output: Path | None, **chosen: Any) -> int:
    """Show, for each control of a framework, the policies that look at it and what they found.

    A control is called met only if every resource of its kinds was read and is compliant with a policy that
    looks at all of them. What a policy merely supports, or looks at in part, is never more than partly met.
    Exit status 1 means that a control is violated, 3 that not everything could be read.
    """
    from bursar.exit_status import DONE, FOUND, INCOMPLETE
    from bursar.render.compliance import render
    from bursar.render.outputs import write_text
    from bursar.render.progress import progress_for
    from bursar.render.scopes import told
    from bursar.wiring import Choice, context_at, open_estate, set_up
    from engine.compliance import Standing, compliance
    from engine.errors import ConfigError, did_you_mean
    from engine.planning import run
    from integrations.frameworks.load import frameworks

    known = frameworks()
    if framework not in known:
        hint = did_you_mean(framework, known) or f"there are {', '.join(known)}"
        raise ConfigError.of("not-found", f"there is no framework `{framework}`", where="--framework", hint=hint)
    choice = Choice(**chosen)
    setup = set_up(choice)
    with open_estate(choice, setup.config) as (source, moment), progress_for(sys.stderr) as progress:
        plan = run(setup.policies, source, context_at(moment, setup.config, source), setup.installation, progress)
    reports = compliance(known[framework], setup.policies.policies, plan)
    write_text(output, lambda out, **screen: render(known[framework], reports, plan, format_, out, **screen))
    if choice.estate is None:
        sys.stderr.write(told(plan.asked))
    if plan.gaps:
        return INCOMPLETE
    return FOUND if any(report.standing is Standing.VIOLATED for report in reports) else DONE
