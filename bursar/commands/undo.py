"""`bursar undo`: bring back what was there before an act."""

from __future__ import annotations

from typing import Any

import click

from bursar.commands.options import place_options, policy_options


@click.command("undo", short_help="Undo what a run, a step or all acts on a resource did.")
@policy_options
@place_options
@click.argument("what", metavar="RUN|ACT|RESOURCE")
def command(what: str, **chosen: Any) -> int:
    """Undo acts by the id of their run, their own id, or the id or name of the resource, the last one first.

    What cannot be undone is listed with the reason.
    """
    from bursar.render.runs import undone_line
    from bursar.running import open_site, undo_all
    from bursar.wiring import Choice, set_up
    from engine.acting.ports import FAILURES, Result

    choice = Choice(**chosen)
    with open_site(choice, set_up(choice)) as site:
        results = undo_all(site, what)
    for one in results:
        click.echo(undone_line(one))
    if any(one.result in FAILURES for one in results):
        return 5
    return 4 if any(one.result is Result.REFUSED for one in results) else 0
