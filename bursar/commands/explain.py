"""`bursar explain`: the decision path of every policy about one resource or finding."""

from __future__ import annotations

import sys
from typing import Any

import click

from bursar.commands.options import MomentType, estate_options, policy_options


@click.command("explain", short_help="Show how policies decide about one resource or finding.")
@click.argument("subject", metavar="RESOURCE|FINDING")
@policy_options
@estate_options
@click.option("--now", type=MomentType(), help="Judge a recorded estate at this time. [default: when it was recorded]")
def command(subject: str, **chosen: Any) -> int:
    """Show how every policy decides about one resource, with the values, their sources and the prices.

    RESOURCE is an id, an ARN or a name; FINDING is an id as `bursar plan -f json` shows it, or its beginning.
    """
    from bursar.exit_status import DONE, INCOMPLETE
    from bursar.render.console import screen_width, wants_color
    from bursar.render.explain import render_answers
    from bursar.render.progress import progress_for
    from bursar.wiring import Choice, context_at, open_estate, set_up
    from engine.errors import CollectError, ConfigError, did_you_mean
    from engine.explaining import explain_subject
    from engine.planning import counted
    from engine.policy.needs import needs_of

    choice = Choice(**chosen)
    setup = set_up(choice)
    with open_estate(choice, setup.config) as (source, moment), progress_for(sys.stderr) as progress:
        items = counted(source.stream(needs_of(setup.policies)), progress)
        context = context_at(moment, setup.config, source)
        answers = explain_subject(setup.policies, items, context, subject)
    if not answers.found:
        if answers.gaps:
            hint = "parts of the estate could not be read: " + ", ".join(str(g.scope) for g in answers.gaps[:3])
            raise CollectError.of(
                "not-found", f"nothing that could be read is `{subject}`", where=source.name, hint=hint
            )
        hint = did_you_mean(subject, answers.names)
        raise ConfigError.of("not-found", f"no resource or finding is `{subject}`", where=source.name, hint=hint)
    render_answers(answers, sys.stdout, width=screen_width(sys.stdout), color=wants_color(sys.stdout))
    return INCOMPLETE if answers.gaps else DONE
