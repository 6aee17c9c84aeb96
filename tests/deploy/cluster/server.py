"""The API server: discovery, objects, watches, logs and forwarded ports, as `kubectl` and `helm` ask for them."""

import json

import yaml
from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute

from tests.deploy.cluster import kinds
from tests.deploy.cluster.forwarding import forward
from tests.deploy.cluster.patches import applied, merged
from tests.deploy.cluster.protobuf import MAGIC, read_object
from tests.deploy.cluster.selectors import chosen
from tests.deploy.cluster.store import RefusedError


def app(store, nodes, identity):
    """Return the cluster as an application."""
    routes = [
        _said("/version", {"major": "1", "minor": "34", "gitVersion": "v1.34.0", "platform": "linux/amd64"}),
        _said("/api", {"kind": "APIVersions", "versions": ["v1"]}),
        _said("/apis", kinds.groups()),
        Route("/pod-identity", identity.credentials),
        WebSocketRoute("/api/v1/namespaces/{namespace}/pods/{name}/portforward", forward(nodes)),
        Route("/api/v1/namespaces/{namespace}/pods/{name}/log", nodes.logs),
    ]
    roots = dict.fromkeys(kind.root for kind in kinds.KINDS)
    where = {root: {"serverRelativeURL": f"/openapi/v3/{root}"} for root in roots}
    routes.append(_said("/openapi/v3", {"paths": where}))
    routes += [_said(f"/openapi/v3/{root}", kinds.openapi(root)) for root in roots]
    routes += [_said(f"/{root}", kinds.resources(root.partition("/")[2])) for root in roots]
    for kind in kinds.KINDS:
        routes += _objects(store, kind)
    return Starlette(routes=routes, exception_handlers={RefusedError: _refused})


def _said(path, what):
    return Route(path, lambda _: JSONResponse(what))


def _refused(request, error):
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    return JSONResponse(
        status | {"reason": error.reason, "message": error.message, "code": error.code}, status_code=error.code
    )


def _objects(store, kind):
    """Return the routes of one kind."""

    async def many(request):
        namespace = request.path_params.get("namespace", "")
        if request.method == "POST":
            dry_run = "dryRun" in request.query_params
            return JSONResponse(store.create(kind, namespace, await _body(request), dry_run=dry_run), status_code=201)
        if request.query_params.get("watch") in ("1", "true"):
            return StreamingResponse(
                _watch(store, kind, namespace, request.query_params), media_type="application/json"
            )
        found = [one for one in store.all(kind, namespace) if chosen(one, request.query_params)]
        meta = {"resourceVersion": str(len(store.log))}
        return JSONResponse({"kind": f"{kind.name}List", "apiVersion": kind.api, "metadata": meta, "items": found})

    async def one(request):
        namespace, name = request.path_params.get("namespace", ""), request.path_params["name"]
        match request.method:
            case "DELETE":
                return JSONResponse(store.delete(kind, namespace, name))
            case "PUT":
                body = await _body(request)
                body["metadata"]["namespace"] = namespace
                return JSONResponse(store.replace(kind, body))
            case "PATCH":
                return await _patched(store, kind, request)
        return JSONResponse(store.get(kind, namespace, name))

    inside = (
        f"/{kind.root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"/{kind.root}/{kind.plural}"
    )
    collections = {f"/{kind.root}/{kind.plural}", inside}
    return [
        *(Route(path, many, methods=["GET", "POST"]) for path in collections),
        Route(f"{inside}/{{name}}", one, methods=["GET", "PUT", "PATCH", "DELETE"]),
    ]


async def _body(request):
    body = await request.body()
    return read_object(body) if body.startswith(MAGIC) else yaml.load(body, yaml.CSafeLoader)


async def _patched(store, kind, request):
    namespace, name = request.path_params.get("namespace", ""), request.path_params["name"]
    patch, how = await _body(request), request.headers["content-type"]
    if how == "application/merge-patch+json":
        return JSONResponse(store.replace(kind, merged(store.get(kind, namespace, name), patch)))
    if how != "application/apply-patch+yaml":
        raise RefusedError(415, "UnsupportedMediaType", f"this cluster does not take {how}")
    patch["metadata"].setdefault("namespace", namespace)
    who = (kind.name, namespace, name, request.query_params["fieldManager"])
    before, store.applied[who] = store.applied.get(who, {}), patch
    if (kind.name, namespace, name) not in store.objects:
        return JSONResponse(store.create(kind, namespace, patch), status_code=201)
    return JSONResponse(store.replace(kind, applied(store.get(kind, namespace, name), before, patch)))


async def _watch(store, kind, namespace, query):
    """Yield what changes, line by line; first what is there, where the client asks for that."""
    asked, since = query.get("resourceVersion", ""), len(store.log)
    initial = query.get("sendInitialEvents") == "true"
    if initial or asked in ("", "0"):
        for found in store.all(kind, namespace):
            if chosen(found, query):
                yield _line("ADDED", found)
    else:
        since = int(asked)
    if initial:
        meta = {"resourceVersion": str(since), "annotations": {"k8s.io/initial-events-end": "true"}}
        yield _line("BOOKMARK", {"kind": kind.name, "apiVersion": kind.api, "metadata": meta})
    async for event, what, changed in store.events(since):
        if what is kind and namespace in ("", changed["metadata"].get("namespace")) and chosen(changed, query):
            yield _line(event, changed)


def _line(event, found):
    return json.dumps({"type": event, "object": found}) + "\n"
