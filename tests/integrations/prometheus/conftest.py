"""A server that speaks like Prometheus and misbehaves as it is told to."""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest


@dataclass
class Asked:
    """One request."""

    path: str
    fields: dict[str, list[str]]
    headers: dict[str, str]


@dataclass
class Scripted:
    """What the server answers, by the last part of the path, and what it was asked."""

    answers: dict[str, object] = field(default_factory=dict)
    """A value for `data`, a function of the fields that gives one, or a `Raw` answer; a list is used up one by one."""
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> "Raw":
        self.asked.append(asked)
        found = self.answers[asked.path.rpartition("/")[2]]
        if isinstance(found, list):
            found = found.pop(0) if len(found) > 1 else found[0]
        if callable(found):
            found = found(asked.fields)
        return found if isinstance(found, Raw) else Raw(200, {"status": "success", "data": found})


@dataclass
class Raw:
    """An answer as it is sent: JSON of `body`, or its bytes, `times` times over."""

    status: int
    body: object
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@contextmanager
def serving(script: Scripted):
    """Yield the script while it is served."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            raw = script.answer(Asked(self.path, parse_qs(body), {k.lower(): v for k, v in self.headers.items()}))
            sent = raw.body if isinstance(raw.body, bytes) else json.dumps(raw.body).encode()
            self.send_response(raw.status)
            for name, value in raw.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(sent) * raw.times))
            self.end_headers()
            try:
                for _ in range(raw.times):
                    self.wfile.write(sent)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def scripted():
    """A server without answers as yet."""
    with serving(Scripted()) as script:
        yield script
