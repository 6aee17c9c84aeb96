"""
Answers of an emulated AWS account, replayed: `python -m benchmarks.replay UPSTREAM`.

The first line on standard output is the address. Each request goes to UPSTREAM once; after that its answer is there
at once, to whoever asks the same. Telemetry is passed on each time, because its windows move. A GET of `/_calls`
tells the calls since the last time, by name. Ends with its standard input.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from bursar.demo.wire import call_of

PASSED = ("Content-Type", "X-Amz-Target", "Authorization", "X-Amz-Date", "Accept", "Smithy-Protocol")
"""Headers that the emulated account reads."""


@dataclass
class Replay:
    """The application: what was answered, and how often it was asked."""

    upstream: str
    answers: dict[tuple[str, str, str, bytes], tuple[int, str, bytes]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        if request.path == "/_calls":
            with self.turn:
                told, self.calls = dict(self.calls), Counter()
            return Response(json.dumps(told))(environ, start_response)
        status, kind, body = self.answer(request)
        return Response(body, status, content_type=kind)(environ, start_response)

    def answer(self, request: Request) -> tuple[int, str, bytes]:
        body = request.get_data()
        call = call_of(request.environ, body)
        assert call is not None, "an unsigned request"
        with self.turn:
            self.calls[str(call)] += 1
            if call.service == "cloudwatch":
                return self.ask(request, body)
            key = (str(call), call.region, request.full_path, body)
            if key not in self.answers:
                self.answers[key] = self.ask(request, body)
            return self.answers[key]

    def ask(self, request: Request, body: bytes) -> tuple[int, str, bytes]:
        address = urlsplit(self.upstream)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=300)
        headers = {name: request.headers[name] for name in PASSED if name in request.headers}
        try:
            connection.request(request.method, request.full_path.rstrip("?"), body, headers)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()


class Handler(WSGIRequestHandler):
    """Keeps connections open, as AWS does."""

    protocol_version = "HTTP/1.1"


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


def main() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server = make_server("127.0.0.1", 0, Replay(sys.argv[1]), threaded=True, request_handler=Handler)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    sys.stdout = sys.stderr
    server.serve_forever()


if __name__ == "__main__":
    main()
