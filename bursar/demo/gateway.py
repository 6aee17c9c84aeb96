"""
The WSGI application in front of moto: controls, call log and faults, then the emulated services.

`bursar.demo.server` runs it. Paths under `/_demo/` control the emulation and are spoken by
`bursar.demo.process`; everything else is a call to the cloud.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import Lock
from typing import Any

from bursar.demo.absent import absent
from bursar.demo.emulation import Emulation
from bursar.demo.faults import FaultTable
from bursar.demo.series import Grid, Key
from bursar.demo.wire import Reply, call_of, refusal

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(slots=True)
class Gateway:
    """One emulated account and the means to spoil it."""

    cloud: WsgiApp
    emulation: Emulation
    faults: FaultTable = field(default_factory=lambda: FaultTable(time.monotonic))
    calls: list[str] = field(default_factory=list)
    _log: Lock = field(default_factory=Lock)
    _turn: Lock = field(default_factory=Lock)
    """moto's models are plain dictionaries: one request at a time reaches them."""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = _body(environ)
        path = environ["PATH_INFO"]
        if path.startswith("/_demo/"):
            return _send(start_response, self._control(path.removeprefix("/_demo/"), body))
        call = call_of(environ, body)
        if call is not None:
            with self._log:
                self.calls.append(str(call))
                wait, spoiled = self.faults.decide(call)
            if wait:
                time.sleep(wait)
            if spoiled is not None:
                return _send(start_response, refusal(call, environ, spoiled))
            if (nothing := absent(call)) is not None:
                return _send(start_response, nothing)
        with self._turn:
            return list(self.cloud(environ, start_response))

    def _control(self, name: str, body: bytes) -> Reply:
        try:
            return _json(200, self._do(name, json.loads(body or b"null")))
        except (KeyError, TypeError, ValueError) as e:
            return _json(400, {"error": f"{type(e).__name__}: {e}"})

    def _do(self, name: str, sent: Any) -> object:
        match name:
            case "ready":
                return None
            case "calls":
                return self._take_calls()
            case "faults":
                with self._log:
                    self.faults.replace(sent)
            case "clock":
                self.emulation.now = sent
            case "reset":
                with self._turn:
                    self.emulation.reset()
                with self._log:
                    self.faults.replace({})
                    self.calls.clear()
            case "series/clear":
                with self._turn:
                    self.emulation.store.clear()
            case "series":
                with self._turn:
                    for one in sent:
                        self._load(one)
            case "backdate":
                with self._turn:
                    self.emulation.backdate(sent["region"], sent["times"])
            case _:
                raise ValueError(f"there is no control `{name}`")
        return None

    def _take_calls(self) -> list[str]:
        with self._log:
            taken = list(self.calls)
            self.calls.clear()
        return taken

    def _load(self, sent: Mapping[str, Any]) -> None:
        key = Key.of(sent["namespace"], sent["name"], sent["dimensions"])
        grid = Grid.of(sent["start"], sent["step"], sent["values"])
        self.emulation.store.load(sent["region"], key, grid, sent.get("unit", "None"))


def _body(environ: dict[str, Any]) -> bytes:
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        body: bytes = environ["wsgi.input"].read()
        environ["CONTENT_LENGTH"] = str(len(body))
    else:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _json(status: int, content: object) -> Reply:
    body = json.dumps(content).encode()
    return Reply(status, (("Content-Type", "application/json"), ("Content-Length", str(len(body)))), body)


def _send(start_response: Callable[..., Any], reply: Reply) -> Iterable[bytes]:
    start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers))
    return [reply.body]
