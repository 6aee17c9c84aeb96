"""A cluster that runs, with the programs that speak to it on the path."""

import asyncio
import os
import socket
import sys
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from tests.deploy.cluster.identity import PodIdentity
from tests.deploy.cluster.nodes import Nodes
from tests.deploy.cluster.server import app
from tests.deploy.cluster.store import Store
from tests.pages import ROOT

KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "ADDRESS"}}]
users: [{name: test, user: {}}]
contexts: [{name: test, context: {cluster: test, user: test}}]
current-context: test
"""


@dataclass(frozen=True)
class Cluster:
    """A cluster, and what a shell needs to work with it."""

    store: Store
    env: dict


@contextmanager
def running_cluster(folder, programs, aws_endpoint):
    """Yield an empty cluster with one node, in the emulated account."""
    identity = PodIdentity(folder, aws_endpoint)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        identity.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        store = Store()
        thread = Serving(store, Nodes(store, folder, programs, identity), identity, listening)
        thread.start()
        try:
            yield Cluster(store, _environment(folder, programs, identity.address, aws_endpoint))
        finally:
            thread.end()


class Serving(threading.Thread):
    """The event loop that everything in the cluster happens in."""

    def __init__(self, store, nodes, identity, listening):
        super().__init__(name="cluster")
        self.nodes, self.listening = nodes, listening
        config = uvicorn.Config(app(store, nodes, identity), log_level="error", lifespan="off", ws="wsproto")
        self.server = uvicorn.Server(config)

    def run(self):
        asyncio.run(self.work())

    async def work(self):
        following = asyncio.create_task(self.nodes.run())
        await self.server.serve(sockets=[self.listening])
        await self.nodes.close()
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    def end(self):
        self.server.should_exit = self.server.force_exit = True
        self.join()


def _environment(folder, programs, address, aws_endpoint):
    """Return the environment of a shell: a home of its own, and stand-ins for `aws` and `docker`."""
    home, programs_here = folder / "home", folder / "bin"
    for made in (home, programs_here):
        made.mkdir()
    for name in ("aws", "docker"):
        program = programs_here / name
        program.write_text(
            f'#!/bin/sh\nexec "{sys.executable}" -m tests.deploy.cluster.{name} "$@"\n', encoding="utf-8"
        )
        program.chmod(0o755)
    config = folder / "kubeconfig"
    config.write_text(KUBECONFIG.replace("ADDRESS", address), encoding="utf-8")
    path = os.pathsep.join(map(str, (programs_here, programs, Path(sys.executable).parent, os.environ["PATH"])))
    return {
        **os.environ, "PATH": path, "HOME": str(home), "KUBECONFIG": str(config), "CLUSTER": str(folder),
        "PYTHONPATH": str(ROOT), "AWS_ENDPOINT_URL": aws_endpoint, "AWS_REGION": "us-east-1",
    }  # fmt: skip
