"""What handlers are given, and how a request becomes a call of one: who asks, what the form says, how long it took."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from bursar.server.forms import Forms
from bursar.server.keeper import Keeper, check
from bursar.server.meters import Meters
from bursar.server.pool import StorePool
from bursar.server.rendering import Pages
from bursar.server.schedule import Schedule
from bursar.server.settings import ServerSettings
from bursar.server.view import View
from bursar.server.visitors import Doorkeeper, Refused, Visitor
from engine.errors import BursarError
from engine.people import People

ID = re.compile(r"[0-9a-f]{6,64}")
"""Ids of findings and approvals."""
FORM = 64 * 1024
"""Bytes that a form may have."""


@dataclass(frozen=True)
class Desk:
    """The parts of the server."""

    pool: StorePool
    keeper: Keeper
    doorkeeper: Doorkeeper
    forms: Forms
    pages: Pages
    meters: Meters
    clock: Callable[[], datetime]
    started: datetime
    schedule: Schedule | None = None

    @property
    def people(self) -> People:
        return self.doorkeeper.people

    @property
    def settings(self) -> ServerSettings:
        return self.doorkeeper.settings


@dataclass(frozen=True)
class Asked:
    """One request of somebody who may look."""

    desk: Desk
    request: Request
    visitor: Visitor
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def view(self) -> View:
        """The view; raises `StateError` where nothing could be read yet."""
        return check(self.desk.keeper.view, self.desk.keeper.trouble)

    def show(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page."""
        desk, view = self.desk, self.desk.keeper.view
        common: dict[str, object] = {
            "visitor": self.visitor,
            "path": self.request.url.path,
            "view": view,
            "now": desk.clock(),
            "looked": desk.keeper.looked,
            "freeze": view.freeze if view is not None else None,
            "trouble": desk.keeper.trouble if view is not None else "",
            "token": desk.forms.token(self.visitor.principal) if self.visitor.person else "",
        }
        return desk.pages.page(template, status, {**common, **values})

    def message(self, status: int, title: str, text: str, back: str = "/") -> Response:
        """Return a page that says one thing, with a way back."""
        return self.show("message.html", status, title=title, text=text, back=back)


Handler: TypeAlias = Callable[[Asked], Response]


def endpoint(desk: Desk, route: str, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return `handler` as Starlette calls it: off the event loop, for visitors, with its form checked."""

    async def answer(request: Request) -> Response:
        began = time.monotonic()
        response = await _answered(desk, request, handler)
        desk.meters.answered(route, request.method, response.status_code, time.monotonic() - began)
        return response

    return answer


async def _answered(desk: Desk, request: Request, handler: Handler) -> Response:
    visitor = desk.doorkeeper.visitor(request.headers, request.client.host if request.client else "")
    if isinstance(visitor, Refused):
        headers = {"WWW-Authenticate": "Bearer"} if visitor.status == 401 else {}
        return PlainTextResponse(f"{HTTPStatus(visitor.status).phrase}: {visitor.why}\n", visitor.status, headers)
    if ID.fullmatch(request.path_params.get("id", "000000")) is None:
        return Asked(desk, request, visitor).message(404, "There is no such thing", "The address leads nowhere.")
    form: Mapping[str, str] = {}
    if request.method == "POST":
        read = await _form(request)
        if isinstance(read, Response):
            return read
        form = read
        wrong = (
            desk.forms.wrong(request.headers, visitor.principal, form.get("token", ""))
            if visitor.person
            else "only a person who has signed in can decide"
        )
        if wrong:
            return Asked(desk, request, visitor).message(403, "Nothing was done", wrong)
    return await run_in_threadpool(_called, handler, Asked(desk, request, visitor, form))


def _called(handler: Handler, asked: Asked) -> Response:
    try:
        return handler(asked)
    except BursarError as error:
        problem = error.problems[0]
        missing = problem.code == "not-found"
        title = "There is no such thing" if missing else "The state cannot be read"
        return asked.message(404 if missing else 503, title, problem.message)


async def _form(request: Request) -> Mapping[str, str] | Response:
    """Return the fields of a form that is not too long; of a field that is there twice the first."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM:
            return PlainTextResponse("Content Too Large\n", 413)
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return PlainTextResponse("Unsupported Media Type\n", 415)
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=50)
    return {name: values[0] for name, values in fields.items()}
