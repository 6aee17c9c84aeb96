"""What the steps of a finding would lose that their titles do not say: looked up before anybody is asked."""

from __future__ import annotations

from collections.abc import Iterator

from engine.acting.action import ActError, Ready, Refused, Target
from engine.acting.ports import Ports
from engine.errors import CollectError
from engine.state.reconcile import Task


def cautions(task: Task, ports: Ports) -> Iterator[str]:
    """Yield what would be lost, and what stands in the way, as far as the provider tells it now. Reads only."""
    known = [(step, ports.actions.get((step.remediation, step.subject.kind))) for step in task.steps]
    if not any(action for _, action in known):
        return
    try:
        resource = ports.look(task.finding.verdict.policy, task.finding.subject).resource
    except CollectError as error:
        yield f"what would be lost could not be looked up: {error.problems[0].message}"
        return
    for step, action in known:
        if action is None or resource is None:
            continue
        try:
            answer = action.check(Target(resource, dict(step.parameters)))
        except ActError as error:
            yield f"{step.title}: what would be lost could not be looked up: {error.problems[0].message}"
            continue
        match answer:
            case Ready(caution=caution) if caution:
                yield caution
            case Refused(reason, settled=False):
                yield f"{step.title}: it would be refused as things are: {reason}"
            case _:
                pass
