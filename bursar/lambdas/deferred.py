"""
The handler of what an answer to Slack does not wait for: a click is counted, and what it approved is carried out.

Lambda calls it asynchronously, and again where it fails. Nothing is done twice: clicks are counted once, and acts have
their intents. `{"do": "act", "approval": ID}` carries out what an approval allows; without one nothing is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bursar.lambdas.context import LambdaContext


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """
    Do what `event` says and return what became of it.

    Raises:
        BursarError: it could not be done, or another run is at work; Lambda tries again later, then the next run does.
    """
    from bursar.lambdas.schedule import run
    from engine.state.store import StateError

    policy = _approved(event)
    if not policy:
        return {"status": 0, "acted": 0}
    done = run(context, only=(policy,))
    if "run" not in done:
        raise StateError.of("run-held", "another run is at work", where=policy, hint="it is tried again in a minute")
    return done


def _approved(event: Mapping[str, Any]) -> str:
    """Return the policy whose approved steps are to be carried out now; nothing where there are none."""
    from bursar.approving import find_approval
    from bursar.lambdas.desk import perform_errand
    from bursar.lambdas.place import configuration, needs_state
    from bursar.stores import open_store
    from engine.errors import ConfigError
    from engine.state.records import Decision

    with configuration() as config:
        needs_state(config)
        with open_store(config, create=False) as store:
            if "errand" in event:
                id_ = perform_errand(event, config, store)
            elif event.get("do") == "act" and isinstance(event.get("approval"), str):
                id_ = event["approval"]
            else:
                raise ConfigError.of("usage", "the event says nothing that could be done", where="event")
            record = find_approval(store, id_).record if id_ else None
    return record.policy if record is not None and record.status is Decision.APPROVED else ""
