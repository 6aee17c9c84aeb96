"""Controllers and a node: Jobs and Deployments become Pods, and Pods become processes."""

import asyncio
import copy
import hashlib
import json
import os
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.responses import PlainTextResponse, StreamingResponse

from tests.deploy.cluster import status
from tests.deploy.cluster.kinds import OF
from tests.deploy.cluster.sandbox import command
from tests.deploy.cluster.store import RefusedError

PULL = 0.5
"""Seconds that an image takes to be there: long enough that whoever asks at once for logs is told to wait."""
PROBE = 0.1


@dataclass
class Running:
    """A pod on the node."""

    lines: list = field(default_factory=list)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False
    process: asyncio.subprocess.Process | None = None
    ports: dict = field(default_factory=dict)
    """The port of the pod to the one that stands for it on this machine, as text."""

    def tell(self, line=""):
        if line:
            self.lines.append(line)
        self.more.set()
        self.more = asyncio.Event()


class Nodes:
    """What makes objects come true."""

    def __init__(self, store, folder, programs, identity):
        self.store, self.folder, self.identity = store, folder, identity
        self.bwrap, self.images = programs / "bwrap", folder / "images"
        self.running, self.tasks, self.closed = {}, set(), False
        self.images.touch()

    async def run(self):
        """Follow what happens in the cluster."""
        async for event, kind, changed in self.store.events():
            match kind.name, event:
                case "Job", "ADDED":
                    self._pod_of(changed, changed["spec"]["template"], changed["metadata"]["name"])
                case "Deployment", "ADDED" | "MODIFIED":
                    self._roll(changed)
                case "Pod", "ADDED":
                    self._start(self._serve(changed))
                case "Pod", "DELETED":
                    self._stop(changed)
                case "PersistentVolumeClaim", "ADDED":
                    self.store.replace(kind, {**changed, "status": {"phase": "Bound"}}, status=True)

    async def close(self):
        """End every pod, and see each to its end."""
        self.closed = True
        for pod in self.running.values():
            if pod.process and pod.process.returncode is None:
                pod.process.kill()
        await asyncio.gather(*self.tasks)

    def port_of(self, namespace, name):
        """Return the port of this machine that stands for the one of a pod."""
        (port,) = self.running[namespace, name].ports.values()
        return int(port)

    async def logs(self, request):
        """Answer `kubectl logs`."""
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        found = self.store.get(OF["Pod"], namespace, name)
        state = found.get("status", {}).get("containerStatuses", [{"state": {"waiting": {}}}])[0]["state"]
        if "waiting" in state:
            why = state["waiting"].get("reason", "ContainerCreating")
            message = f'container "bursar" in pod "{name}" is waiting to start: {why}'
            raise RefusedError(400, "BadRequest", message)
        pod = self.running[namespace, name]
        if request.query_params.get("follow") == "true":
            return StreamingResponse(_followed(pod), media_type="text/plain")
        return PlainTextResponse("".join(pod.lines))

    def _start(self, work):
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _pod_of(self, owner, template, name):
        """Make the pod of a Job or Deployment."""
        meta = copy.deepcopy(template.get("metadata", {}))
        ref = {key: owner["metadata"][key] for key in ("name", "uid")}
        ref |= {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "controller": True}
        meta |= {"generateName": f"{name}-", "ownerReferences": [ref], "namespace": owner["metadata"]["namespace"]}
        pod = {"metadata": meta, "spec": copy.deepcopy(template["spec"])}
        return self.store.create(OF["Pod"], meta["namespace"], pod)

    def _roll(self, deployment):
        """See that a Deployment has a pod of its present template."""
        template = deployment["spec"]["template"]
        digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]
        mine = self._pods_of(deployment)
        if not any(digest in pod["metadata"]["name"] for pod in mine):
            for pod in mine:
                self.store.delete(OF["Pod"], pod["metadata"]["namespace"], pod["metadata"]["name"])
            self._pod_of(deployment, template, f"{deployment['metadata']['name']}-{digest}")
        self._count(deployment)

    def _pods_of(self, owner):
        pods = self.store.all(OF["Pod"], owner["metadata"]["namespace"])
        uid = owner["metadata"]["uid"]
        return [pod for pod in pods if uid in [ref["uid"] for ref in pod["metadata"].get("ownerReferences", ())]]

    def _count(self, owner):
        """Write down how far the owner of pods is."""
        said = status.of_owner(owner, self._pods_of(owner))
        if said != owner.get("status"):
            self.store.replace(OF[owner["kind"]], {**owner, "status": said}, status=True)

    async def _serve(self, pod):
        """Run a pod from its beginning to its end."""
        where = pod["metadata"]["namespace"], pod["metadata"]["name"]
        ran = self.running[where] = Running()
        self._say(where, status.waiting(pod, "ContainerCreating"))
        await asyncio.sleep(PULL)
        if self.closed:
            return
        if pod["spec"]["containers"][0]["image"] not in self.images.read_text().splitlines():
            self._say(where, status.waiting(pod, "ImagePullBackOff"))
            return
        pod = copy.deepcopy(pod)
        self.identity.add_to(pod)
        ran.ports = {str(one["containerPort"]): _free_port() for one in pod["spec"]["containers"][0].get("ports", ())}
        try:
            words = command(self.store, self.folder, pod, ran.ports)
        except RefusedError as error:
            self._say(where, status.waiting(pod, error.message))
            return
        ran.process = await _process(self.bwrap, words)
        self._start(self._ready(where, pod, words))
        async for line in ran.process.stdout:
            ran.tell(line.decode(errors="replace"))
        code = await ran.process.wait()
        ran.over = True
        ran.tell()
        self._say(where, status.ended(pod, code))

    async def _ready(self, where, pod, words):
        """Say that a pod runs, and that it is ready once its probe says so."""
        probe = pod["spec"]["containers"][0].get("readinessProbe")
        self._say(where, status.running(pod, ready=probe is None))
        ran = self.running[where]
        while probe and ran.process.returncode is None:
            if await self._probed(probe, words, ran):
                self._say(where, status.running(pod, ready=True))
                return
            await asyncio.sleep(PROBE)

    async def _probed(self, probe, words, ran):
        if asked := probe.get("httpGet"):
            (port,) = ran.ports.values()
            return await _answers(port, asked["path"])
        from tests.deploy.cluster.sandbox import inside

        program = [word.replace(old, new) for word in probe["exec"]["command"] for old, new in ran.ports.items()]
        return await (await _process(self.bwrap, inside(words, program))).wait() == 0

    def _say(self, where, said):
        """Write the status of a pod, and what it makes of its owner's; nothing where the pod is gone."""
        with suppress(RefusedError):
            pod = self.store.replace(OF["Pod"], {**self.store.get(OF["Pod"], *where), "status": said}, status=True)
            for ref in pod["metadata"].get("ownerReferences", ()):
                self._count(self.store.get(OF[ref["kind"]], where[0], ref["name"]))

    def _stop(self, pod):
        """Ask a pod that was deleted to end."""
        ran = self.running[pod["metadata"]["namespace"], pod["metadata"]["name"]]
        if ran.process and ran.process.returncode is None:
            ran.process.send_signal(signal.SIGTERM)


async def _process(bwrap, words):
    pipe, quiet = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        str(bwrap), *words[1:], stdin=quiet, stdout=pipe, stderr=asyncio.subprocess.STDOUT, env=dict(os.environ)
    )


async def _followed(pod):
    """Yield the lines of a pod until it is over."""
    at = 0
    while True:
        while at < len(pod.lines):
            at += 1
            yield pod.lines[at - 1]
        if pod.over:
            return
        await pod.more.wait()


async def _answers(port, path):
    """Return whether an address answers with success."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        said = await reader.read()
        writer.close()
        return b" 200 " in said.splitlines()[0]
    return False


def _free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return str(taken.getsockname()[1])
