"""The kinds of object that the cluster serves, and what clients are told of them."""

from dataclasses import dataclass

VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


@dataclass(frozen=True)
class Kind:
    """A kind of object and where it is served."""

    api: str
    """`v1`, `batch/v1` …"""
    name: str
    plural: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    fixed: tuple[str, ...] = ()
    """Parts of `spec` that cannot be changed."""

    @property
    def root(self):
        """The path below which the API is served."""
        return f"apis/{self.api}" if "/" in self.api else f"api/{self.api}"


KINDS = (
    Kind("v1", "Namespace", "namespaces", ("ns",), namespaced=False),
    Kind("v1", "ConfigMap", "configmaps", ("cm",)),
    Kind("v1", "Secret", "secrets"),
    Kind("v1", "Service", "services", ("svc",)),
    Kind("v1", "ServiceAccount", "serviceaccounts", ("sa",)),
    Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", ("pvc",), fixed=("accessModes", "storageClassName")),
    Kind("v1", "Pod", "pods", ("po",), fixed=("containers", "volumes")),
    Kind("apps/v1", "Deployment", "deployments", ("deploy",), fixed=("selector",)),
    Kind("batch/v1", "Job", "jobs", fixed=("selector", "template")),
    Kind("batch/v1", "CronJob", "cronjobs", ("cj",)),
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", ("netpol",)),
)
APIS = tuple(dict.fromkeys(kind.api for kind in KINDS))
OF = {kind.name: kind for kind in KINDS}


def find(api, plural):
    """Return the kind at a path, or none."""
    return next((kind for kind in KINDS if (kind.api, kind.plural) == (api, plural)), None)


def groups():
    """Return what `/apis` says."""
    found = []
    for api in APIS:
        group, _, version = api.partition("/")
        if version:
            served = {"groupVersion": api, "version": version}
            found.append({"name": group, "versions": [served], "preferredVersion": served})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def resources(api):
    """Return what the root of an API says."""
    found = [
        {"name": kind.plural, "singularName": kind.name.lower(), "namespaced": kind.namespaced, "kind": kind.name,
         "verbs": VERBS, "shortNames": list(kind.short)}
        for kind in KINDS if kind.api == api
    ]  # fmt: skip
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api, "resources": found}


def openapi(root):
    """Return as much of an API's description as tells clients that the server itself checks what it is sent."""
    checked = [{"name": "fieldValidation", "in": "query", "schema": {"type": "string"}}]
    paths = {}
    for kind in KINDS:
        if kind.root == root:
            group, _, version = kind.api.rpartition("/")
            named = {"group": group, "version": version, "kind": kind.name}
            asked = {"parameters": checked, "x-kubernetes-group-version-kind": named, "responses": {}}
            inside = "namespaces/{namespace}/" if kind.namespaced else ""
            paths[f"/{root}/{inside}{kind.plural}/{{name}}"] = {"patch": asked, "put": asked}
            paths[f"/{root}/{inside}{kind.plural}"] = {"post": asked}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.0"}, "paths": paths}
