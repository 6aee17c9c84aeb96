"""The server put together: routes, what every answer carries, what runs beside the handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bursar.server import health, slack
from bursar.server.desk import Desk, Handler, endpoint
from bursar.server.pages import acts, approvals, findings, overview, records, resting, switch
from bursar.server.rendering import HEADERS

GET: dict[str, Handler] = {
    "/": overview.overview,
    "/findings": findings.findings,
    "/findings/{id}": findings.finding,
    "/approvals": approvals.approvals,
    "/approvals/{id}": approvals.approval,
    "/acts": acts.acts,
    "/acts/{act}": acts.act,
    "/runs": records.runs,
    "/savings": records.savings,
    "/coverage": records.coverage,
    "/metrics": health.metrics,
}
POST: dict[str, Handler] = {
    "/approvals/{id}/approve": approvals.approve,
    "/approvals/{id}/deny": approvals.deny,
    "/findings/{id}/snooze": resting.snooze,
    "/findings/{id}/exempt": resting.exempt,
    "/acts/{act}/undo": acts.undo,
    "/acts/{act}/keep": acts.keep,
    "/freeze": switch.freeze,
    "/unfreeze": switch.unfreeze,
    "/breakers/{name}/accept": switch.let_pass,
}
"""What changes something; see `bursar.server.forms`."""


def create_app(desk: Desk, clicks: slack.Clicks | None = None) -> Starlette:
    """Return the application; `clicks` is what answers Slack."""

    async def healthy(_request: Request) -> Response:
        return health.healthy()

    async def ready(_request: Request) -> Response:
        return await run_in_threadpool(health.ready, desk)

    async def clicked(request: Request) -> Response:
        path = request.url.path
        return await slack.clicked(
            request, clicks, lambda status, seconds: desk.meters.answered(path, "POST", status, seconds)
        )

    @asynccontextmanager
    async def beside(_app: Starlette) -> AsyncIterator[None]:
        desk.keeper.start()
        if desk.schedule is not None:
            desk.schedule.start()
        try:
            yield
        finally:
            if desk.schedule is not None:
                await run_in_threadpool(desk.schedule.stop)
            await run_in_threadpool(desk.keeper.stop)
            desk.pool.close()

    routes = [
        *(Route(path, endpoint(desk, path, handler), methods=["GET"]) for path, handler in GET.items()),
        *(Route(path, endpoint(desk, path, handler), methods=["POST"]) for path, handler in POST.items()),
        Route("/healthz", healthy, methods=["GET"]),
        Route("/readyz", ready, methods=["GET"]),
        *(Route(path, clicked, methods=["POST"]) for path in slack.PATHS),
        Mount("/static", StaticFiles(packages=[("bursar.server", "static")]), name="static"),
    ]
    secure = desk.settings.url.startswith("https:")
    return Starlette(routes=routes, middleware=[Middleware(SecureHeaders, secure=secure)], lifespan=beside)


class SecureHeaders:
    """Puts `HEADERS` on every answer, errors and all."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self.app = app
        self.headers = {**HEADERS, **({"Strict-Transport-Security": "max-age=31536000"} if secure else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers[name] = value
                if scope["path"].startswith("/static/"):
                    headers["Cache-Control"] = "public, max-age=3600"
            await send(message)

        await self.app(scope, receive, with_headers if scope["type"] == "http" else send)
