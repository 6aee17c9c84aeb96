"""A container of a pod as a process in namespaces of its own, by `bwrap`: its files, user, rights and environment."""

import base64
import re

from tests.deploy.cluster.image import image, root_of
from tests.deploy.cluster.kinds import OF
from tests.deploy.cluster.store import RefusedError


def command(store, folder, pod, ports):
    """
    Return the command that runs the one container of `pod`, with what it mounts laid out in `folder`.

    Pods share the network of this machine: `ports` says which port here stands for a port of the pod. The user is
    a number without a name, the root is read-only and there are no capabilities where the pod says so.

    Raises:
        RefusedError: where a ConfigMap, Secret or claim that it names is not there, as the kubelet would tell.
    """
    (container,) = pod["spec"]["containers"]
    made, spec = image(), pod["spec"]
    mounts = [word for mount in container["volumeMounts"] for word in _mount(store, folder, pod, mount)]
    user, rights = spec["securityContext"], container["securityContext"]
    words = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session"]
    words += ["--uid", str(user["runAsUser"]), "--gid", str(user["runAsGroup"]), "--clearenv", *root_of(mounts)]
    for capability in rights["capabilities"]["drop"]:
        words += ["--cap-drop", capability]
    if rights["readOnlyRootFilesystem"]:
        words += ["--remount-ro", "/"]
    for name, value in (made.env | _environment(store, pod, container)).items():
        words += ["--setenv", name, value]
    words += ["--chdir", container.get("workingDir", made.folder), "--"]
    arguments = container.get("args", made.command)
    return words + made.entrypoint + [ports.get(word, word) for word in arguments]


def inside(words, program):
    """Return the command that runs another program in a container like that of `words`, for a probe."""
    return words[: words.index("--") + 1] + program


def _mount(store, folder, pod, mount):
    """Yield the options for one mount of a volume."""
    volume = next(one for one in pod["spec"]["volumes"] if one["name"] == mount["name"])
    where = folder / pod["metadata"]["uid"] / mount["name"]
    if "emptyDir" in volume:
        yield from ("--tmpfs", mount["mountPath"])
        return
    if claim := volume.get("persistentVolumeClaim"):
        found = store.get(OF["PersistentVolumeClaim"], pod["metadata"]["namespace"], claim["claimName"])
        where = folder / "claims" / found["metadata"]["uid"]
    where.mkdir(parents=True, exist_ok=True)
    for source in volume.get("projected", {}).get("sources", ()):
        for path, text in _files(store, pod, source):
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(text, encoding="utf-8")
    yield from ("--ro-bind" if mount.get("readOnly") else "--bind", str(where), mount["mountPath"])


def _files(store, pod, source):
    """Yield path and text of the files of a source."""
    if token := source.get("serviceAccountToken"):
        yield token["path"], pod["metadata"]["annotations"]["test/token"]
        return
    data = store.get(OF["ConfigMap"], pod["metadata"]["namespace"], source["configMap"]["name"])["data"]
    items = source["configMap"].get("items") or [{"key": key, "path": key} for key in data]
    for item in items:
        if item["key"] not in data:
            raise RefusedError(404, "NotFound", f"references non-existent config key: {item['key']}")
        yield item["path"], data[item["key"]]


def _environment(store, pod, container):
    """Return the variables, with those of Secrets; `$(NAME)` is not taken for anything."""
    found = {}
    for source in container.get("envFrom", ()):
        secret = store.get(OF["Secret"], pod["metadata"]["namespace"], source["secretRef"]["name"])
        found |= {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    found |= {one["name"]: one["value"] for one in container.get("env", ())}
    assert not [name for name in found if not re.fullmatch(r"\w+", name)]
    return found
