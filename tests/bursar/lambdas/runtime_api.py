"""
Lambda's Runtime API on loopback, and the real runtime client that runs a handler against it.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

LIMIT = 60
ARN = "arn:aws:lambda:us-east-1:123456789012:function:bursar-run"
CLIENT = ("awslambdaric", "snapshot_restore_py", "simplejson")
"""AWS's runtime client and what it needs."""


@dataclass
class Invocations:
    """What waits to be fetched, and what came of it."""

    seconds: float
    waiting: queue.Queue = field(default_factory=queue.Queue)
    answers: queue.Queue = field(default_factory=queue.Queue)

    def invoke(self, event):
        """Hand an event to the function; return how it ended, `response` or `error`, and what it said."""
        self.waiting.put((str(uuid.uuid4()), json.dumps(event).encode()))
        kind, body = self.answers.get(timeout=LIMIT)
        return kind, json.loads(body)


def server_of(invocations):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1

        def log_message(self, *arguments):
            pass

        def reply(self, status, body, **headers):
            self.send_response(status)
            for name, value in {**headers, "Content-Length": len(body)}.items():
                self.send_header(name.replace("_", "-"), str(value))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            id_, body = invocations.waiting.get()
            if id_ is None:
                return self.reply(503, b"{}")
            deadline = int((time.time() + invocations.seconds) * 1000)
            return self.reply(
                200,
                body,
                Content_Type="application/json",
                Lambda_Runtime_Aws_Request_Id=id_,
                Lambda_Runtime_Deadline_Ms=deadline,
                Lambda_Runtime_Invoked_Function_Arn=ARN,
            )

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            invocations.answers.put((self.path.rsplit("/", 1)[1], body))
            self.reply(202, b"{}")

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def runtime_client(folder):
    """Make a folder with AWS's runtime client and nothing else; return it."""
    folder.mkdir()
    site = Path(find_spec("awslambdaric").origin).parents[1]
    for found in [site / name for name in CLIENT if (site / name).exists()] + list(site.glob("runtime_client*.so")):
        (folder / found.name).symlink_to(found)
    return folder


@contextmanager
def running(handler, path, environment, seconds=900.0, *, isolated=False, output=subprocess.DEVNULL):
    """Yield how to invoke `handler`, run by AWS's runtime client with the code in `path`, or with that alone."""
    invocations = Invocations(seconds)
    server = server_of(invocations)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = {
        **{name: value for name, value in os.environ.items() if name.startswith(("AWS_", "BURSAR_", "LAMBDA_"))},
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "bursar-run",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/bursar-run",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/03/04/[$LATEST]0",
        "PYTHONPATH": os.pathsep.join(map(str, path)),
        **environment,
    }
    alone = ["-S"] if isolated else []
    command = [sys.executable, *alone, "-m", "awslambdaric", handler]
    child = subprocess.Popen(command, env=env, stdout=output)
    try:
        yield invocations
    finally:
        child.kill()
        child.wait()
        invocations.waiting.put((None, b""))
        server.shutdown()
        server.server_close()
