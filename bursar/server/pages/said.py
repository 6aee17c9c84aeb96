"""What forms say beside what they are about, and the answers that all of them give."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import RedirectResponse, Response

from bursar.server.desk import Asked
from engine.errors import ConfigError
from engine.people import Door
from engine.state.store import ConflictError, Store

LONGEST_REASON = 1000


def reason_of(asked: Asked) -> str:
    return asked.form.get("reason", "").strip()[:LONGEST_REASON]


def decider(asked: Asked) -> str:
    """Return who decides, as the ledger has it."""
    return f"{Door.WEB.value}:{asked.visitor.principal}"


def seen_of(asked: Asked) -> int:
    """Return the version that the page showed; one that is never there where the form does not say."""
    text = asked.form.get("seen", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else -1


def decided(asked: Asked, back: str, write: Callable[[Store], object]) -> Response:
    """Let `write` decide, and lead to `back`; say why nothing was done where it refuses."""
    try:
        with asked.desk.pool.store() as store:
            write(store)
    except ConflictError:
        return unsaid(asked, 409, "Somebody else decided since you opened the page. Look at it again.", back)
    except ConfigError as error:
        problem = error.problems[0]
        if problem.code != "usage":
            raise
        return unsaid(asked, 409, f"{problem.message[:1].upper()}{problem.message[1:]}.", back)
    asked.desk.keeper.nudge()
    return RedirectResponse(back, 303)


def unsaid(asked: Asked, status: int, why: str, back: str = "/") -> Response:
    """Say that nothing was done."""
    return asked.message(status, "Nothing was done", why, back)
