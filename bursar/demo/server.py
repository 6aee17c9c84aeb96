"""
Run the emulated AWS account: `python -m bursar.demo.server PORT`.

The first line on standard output is the address, once it answers. It listens on loopback only. With
`--with-parent` it ends when its standard input does, so that it never outlives who started it.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any


def main(argv: Sequence[str] | None = None, around: Callable[[Any], Any] = lambda account: account) -> int:
    parser = argparse.ArgumentParser(prog="python -m bursar.demo.server", description="Emulate an AWS account.")
    parser.add_argument("port", type=int, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    options = parser.parse_args(argv)
    if options.with_parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    # The images of the real cloud are of no use here and take most of the time a reset takes.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    serve(options.port, around)
    return 0


def serve(port: int, around: Callable[[Any], Any]) -> None:
    """Serve until the process is told to stop; `around` may put another WSGI application in front of the account."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    from bursar.demo.emulation import Emulation
    from bursar.demo.gateway import Gateway

    emulation = Emulation()
    emulation.install()
    gateway = Gateway(DomainDispatcherApplication(create_backend_app), emulation)
    server = make_server("127.0.0.1", port, around(gateway), threaded=True, request_handler=MotoRequestHandler)
    print(f"http://127.0.0.1:{server.port}", flush=True)
    sys.stdout = sys.stderr
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


def _end_with_parent() -> None:
    # Not through `sys.stdin`, whose lock this thread would still hold while the interpreter shuts down.
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
