"""The cluster's objects: checked, versioned, watched. Everything happens in one event loop."""

import asyncio
import copy
import re
import uuid
from datetime import UTC, datetime

import kubernetes_validate

from tests.deploy.cluster.kinds import OF

VERSION = "1.34"
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


class RefusedError(Exception):
    """What the API server says no to, with the status of HTTP and its own word for it."""

    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message


def now():
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    """Objects by kind, namespace and name, and everything that ever happened to them."""

    def __init__(self):
        self.objects = {}
        self.log = []
        self.applied = {}
        """By object and manager what was last applied."""
        self._more = asyncio.Event()
        for name in ("default", "kube-system"):
            self.create(OF["Namespace"], "", {"metadata": {"name": name}})

    def get(self, kind, namespace, name):
        try:
            return copy.deepcopy(self.objects[kind.name, namespace, name])
        except KeyError:
            raise RefusedError(404, "NotFound", f'{kind.plural} "{name}" not found') from None

    def all(self, kind, namespace=""):
        """Return the objects of a kind, in one namespace or all of them."""
        keys = sorted(key for key in self.objects if key[0] == kind.name and namespace in ("", key[1]))
        return [copy.deepcopy(self.objects[key]) for key in keys]

    def create(self, kind, namespace, given, *, dry_run=False):
        made = {"apiVersion": kind.api, "kind": kind.name, **copy.deepcopy(given)}
        meta = made.setdefault("metadata", {})
        if "generateName" in meta:
            meta.setdefault("name", meta["generateName"] + uuid.uuid4().hex[:5])
        name = meta.get("name", "")
        if not NAME.fullmatch(name):
            raise RefusedError(422, "Invalid", f'{kind.name} "{name}" is invalid: metadata.name')
        if kind.namespaced:
            self.get(OF["Namespace"], "", namespace)
            meta["namespace"] = namespace
        if (kind.name, namespace, name) in self.objects:
            raise RefusedError(409, "AlreadyExists", f'{kind.plural} "{name}" already exists')
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": now(), "generation": 1}
        _default(made)
        return self._keep(kind, made, "ADDED", dry_run=dry_run)

    def replace(self, kind, changed, *, status=False):
        """Write an object anew; with `status` nothing but its status may differ."""
        old = self.get(kind, changed["metadata"].get("namespace", ""), changed["metadata"]["name"])
        held = changed["metadata"].get("resourceVersion")
        if held and held != old["metadata"]["resourceVersion"]:
            raise RefusedError(409, "Conflict", "the object has been modified; please apply your changes to the latest")
        if status:
            return self._keep(kind, {**old, "status": changed["status"]}, "MODIFIED")
        for part in kind.fixed:
            if old.get("spec", {}).get(part) != changed.get("spec", {}).get(part):
                raise RefusedError(422, "Invalid", f"spec.{part}: Invalid value: field is immutable")
        new = copy.deepcopy(changed)
        new["metadata"] |= {key: old["metadata"][key] for key in ("uid", "creationTimestamp", "generation")}
        if "status" in old:
            new["status"] = old["status"]
        if new.get("spec") != old.get("spec"):
            new["metadata"]["generation"] += 1
        return old if _same(old, new) else self._keep(kind, new, "MODIFIED")

    def delete(self, kind, namespace, name):
        """Delete an object, and what it owns."""
        gone = self.get(kind, namespace, name)
        del self.objects[kind.name, namespace, name]
        self._tell("DELETED", kind, gone)
        for (owned, inside, called), other in list(self.objects.items()):
            if any(ref["uid"] == gone["metadata"]["uid"] for ref in other["metadata"].get("ownerReferences", ())):
                self.delete(OF[owned], inside, called)
        if kind.name == "Namespace":
            for owned, inside, called in [key for key in self.objects if key[1] == name]:
                if (owned, inside, called) in self.objects:
                    self.delete(OF[owned], inside, called)
        return gone

    async def events(self, since=0):
        """Yield what happens after the version `since`, for ever."""
        while True:
            while since < len(self.log):
                since += 1
                yield self.log[since - 1]
            await self._more.wait()

    def _keep(self, kind, made, event, *, dry_run=False):
        _check(made)
        if dry_run:
            return made
        meta = made["metadata"]
        self.objects[kind.name, meta.get("namespace", ""), meta["name"]] = made
        self._tell(event, kind, made)
        return copy.deepcopy(made)

    def _tell(self, event, kind, changed):
        changed["metadata"]["resourceVersion"] = str(len(self.log) + 1)
        self.log.append((event, kind, copy.deepcopy(changed)))
        self._more.set()
        self._more = asyncio.Event()


def _same(old, new):
    def bare(one):
        return {**one, "metadata": {k: v for k, v in one["metadata"].items() if k != "resourceVersion"}}

    return bare(old) == bare(new)


def _check(made):
    """Refuse what Kubernetes' own schemas do not know."""
    try:
        kubernetes_validate.validate(made, VERSION, strict=True)
    except kubernetes_validate.ValidationError as error:
        name = made["metadata"]["name"]
        raise RefusedError(422, "Invalid", f'{made["kind"]} "{name}" is invalid: {error.message}') from None


def _default(made):
    """Fill in what clients rely upon."""
    if made["kind"] == "Secret":
        for key, value in made.pop("stringData", {}).items():
            import base64

            made.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()
    if made["kind"] == "Job":
        labels = {"batch.kubernetes.io/controller-uid": made["metadata"]["uid"]}
        made["spec"].setdefault("selector", {"matchLabels": labels})
        inside = made["spec"]["template"].setdefault("metadata", {}).setdefault("labels", {})
        inside |= labels | {"job-name": made["metadata"]["name"]}
        for key, value in {"parallelism": 1, "completions": 1, "backoffLimit": 6}.items():
            made["spec"].setdefault(key, value)
