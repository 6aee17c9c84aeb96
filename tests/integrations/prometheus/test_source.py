"""A server that fails, lies, waits, refuses or sends too much: the GPUs it may know are unknown, never idle."""

import gzip
import json
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from integrations.prometheus.client import Endpoint, Secret
from integrations.prometheus.source import PrometheusSettings, PrometheusSource
from tests.gpu_fleet import FAULTS, Machine, dcgm
from tests.integrations.prometheus.conftest import Raw
from tests.telemetry_judging import judged, machine, measured, outcome

NOW = datetime(2026, 3, 4, 16, 0, 30, tzinfo=UTC)
IDLE = next(one for one in FAULTS if one.name == "idle")


def scalar(value):
    return {"resultType": "scalar", "result": [NOW.timestamp(), str(value)]}


def vector(*values):
    return {"resultType": "vector", "result": [{"metric": {}, "value": [NOW.timestamp(), str(v)]} for v in values]}


def instant(fields, *, time=0.0, up=3):
    """Answer the questions about health and nodes as a server that is well."""
    match fields["query"][0]:
        case "time()":
            return scalar(NOW.timestamp() + time)
        case "count(up)":
            return vector(up)
        case _:
            return vector()


def listed(fields):
    """List the two GPUs of one idle machine, of the DCGM exporter."""
    families = dcgm([IDLE], NOW)
    asked = fields["match[]"][0]
    return [{"__name__": name, **dict(labels)} for name in families for labels in families[name] if name in asked]


def matrix(fields):
    """Answer range queries about the idle machine: the highest number of each bucket, as a server works it out."""
    query, start, step = fields["query"][0], float(fields["start"][0]), int(fields["step"][0])
    families = dcgm([IDLE], NOW)
    name = next(name for name in families if name in query)
    rows = []
    for labels, points in families[name].items():
        found = {}
        for at, value in points:
            end = start + -(-(at - start) // step) * step
            found[end] = max(value, found.get(end, value))
        value = 100 if name.endswith("FB_USED") else 1
        rows.append({"metric": dict(labels), "values": [[at, str(v * value)] for at, v in sorted(found.items())]})
    return {"resultType": "matrix", "result": rows}


@pytest.fixture
def server(scripted):
    """A server that is well and has one idle machine."""
    scripted.answers = {"query": instant, "series": listed, "query_range": matrix}
    return scripted


@pytest.fixture
def source(server):
    """Return a function that gives a source of the server; it tries twice and hardly waits."""
    with ExitStack() as stack:

        def of(prefix="", environment=None, endpoint=None, **settings):
            where = Endpoint(server.url + prefix, **{"attempts": 2, "backoff": 0.001, **(endpoint or {})})
            made = PrometheusSource(
                PrometheusSettings(where, **settings), NOW, clock=NOW.timestamp, environment=environment or {}
            )
            stack.callback(made.close)
            return made

        yield of


def ask(source, name="idle"):
    return judged([source], NOW, machine(NOW, f"i-{name}"))


def test_a_server_that_is_well(source, server):
    """The machine is idle; what is asked for is aggregated by the server, to the buckets of the window."""
    one = source()
    assert outcome(ask(one)) is True
    assert one.report().status == "complete"
    ranges = [asked.fields for asked in server.asked if asked.path.endswith("query_range")]
    peak = 'max_over_time(DCGM_FI_DEV_GPU_UTIL{UUID=~"GPU-idle-0|GPU-idle-1"}[60s])'
    assert sorted(asked["query"] for asked in ranges)[1] == [f"max by (Hostname, UUID, gpu, instance_id) ({peak})"]
    # Two hours and what is due of five minutes before, and two hours of the future.
    assert (float(ranges[0]["end"][0]) - float(ranges[0]["start"][0])) / 3600 == pytest.approx(4.08, abs=0.02)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"query": Raw(503, b"upstream")}, "HTTP 503"),
        ({"series": Raw(503, b"upstream")}, "HTTP 503"),
        ({"query_range": Raw(503, {"status": "error", "error": "overloaded"})}, "overloaded"),
        ({"query_range": Raw(422, {"status": "error", "error": "too many samples"})}, "too many samples"),
        ({"query_range": Raw(302, b"", {"location": "http://127.0.0.1:1/"})}, "HTTP 302"),
        ({"query_range": Raw(200, b"<html>sign in</html>")}, "no JSON"),
        ({"query_range": Raw(200, b"[" * 100_000)}, "no JSON"),
        ({"query_range": Raw(200, {"status": "success", "data": {"resultType": "vector", "result": []}})}, "no answer"),
        ({"query_range": Raw(200, {"status": "success"})}, "no answer"),
        ({"series": Raw(200, {"status": "success", "data": {"a": 1}})}, "no answer"),
    ],
)
def test_failures(source, server, answers, told):
    """An answer that is none leaves the machine unknown and says what came instead."""
    server.answers |= answers
    found = ask(source())
    assert outcome(found) == {"source_error"}
    assert told in str(found.unknowns)


@pytest.mark.parametrize("extra", [{"warnings": ["store at 10.0.0.3 did not answer"]}, {"isPartial": True}])
@pytest.mark.parametrize("path", ["query", "series", "query_range"])
def test_partial_answers(source, server, path, extra):
    """An answer with a warning may lack the very series that shows work."""
    data = {"query": instant, "series": listed, "query_range": matrix}[path]
    server.answers[path] = lambda fields: Raw(200, {"status": "success", "data": data(fields), **extra})
    found = ask(source())
    assert outcome(found) == {"source_error"}
    assert "the answer is partial" in str(found.unknowns)


@pytest.mark.parametrize("status", [401, 403])
def test_refusals(source, server, status):
    """A server that lets nobody in is denied, in the reason and in the report."""
    server.answers["query"] = Raw(status, b"no")
    one = source()
    assert outcome(ask(one)) == {"denied"}
    assert one.report().status == "denied"


def test_empty_vectors_of_a_broken_server(source, server):
    """A server that answers everything with nothing has no canary, and so no say."""
    server.answers = {
        "query": lambda fields: scalar(NOW.timestamp()) if fields["query"] == ["time()"] else vector(),
        "series": [[]],
        "query_range": {"resultType": "matrix", "result": []},
    }
    one = source()
    found = ask(one)
    assert outcome(found) == {"source_error"}
    assert "has no `up`, which is always there" in found.unknowns[0].detail
    assert one.report().status == "failed"


def test_a_server_without_any_gpu(source, server):
    """A server that is well and has no series of a GPU was meant to have some: its exporter was renamed or is gone."""
    server.answers["series"] = lambda fields: []
    assert outcome(ask(source())) == {"not_collected"}


def test_samples_that_vanish_between_list_and_answer(source, server):
    """Series that are listed and have no samples say nothing."""
    server.answers["query_range"] = {"resultType": "matrix", "result": []}
    assert outcome(ask(source())) & {"not_collected", "missing", "insufficient_samples"}


@pytest.mark.parametrize("seconds", [-300, 300])
def test_a_server_whose_clock_is_wrong(source, server, seconds):
    """A server that lives minutes before or after us is not believed."""
    server.answers["query"] = lambda fields: instant(fields, time=seconds)
    found = ask(source())
    assert outcome(found) == {"source_error"}
    assert "clock" in found.unknowns[0].detail


def test_too_many_requests_are_waited_for(source, server):
    """A 429 with Retry-After is tried again, and the answer is then as good as any."""
    server.answers["query_range"] = [Raw(429, b"slow down", {"retry-after": "0"}), matrix]
    assert outcome(ask(source())) is True


def test_too_many_requests_without_end(source, server):
    """A server that never stops refusing leaves the machine unknown."""
    server.answers["query_range"] = Raw(429, b"slow down", {"retry-after": "0"})
    found = ask(source())
    assert outcome(found) == {"source_error"}
    assert "HTTP 429" in str(found.unknowns)


def test_a_huge_answer_is_refused_while_it_comes(source, server):
    """An answer of 10 GB is left once it has passed the bound; no more than the bound is held."""
    import tracemalloc

    server.answers["query_range"] = Raw(200, b" " * 2**20, times=10 * 1024)
    small = source(endpoint={"most_bytes": 4 * 2**20})
    tracemalloc.start()
    found = ask(small)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome(found) == {"source_error"}
    assert "an answer of more than 4 MiB is refused" in str(found.unknowns)
    assert peak < 64 * 2**20


def test_a_packed_answer_is_bounded_as_it_is_unpacked(source, server):
    """A few kilobytes that unpack to gigabytes are refused like gigabytes."""
    bomb = gzip.compress(b" " * (64 * 2**20))
    server.answers["query_range"] = Raw(200, bomb, {"content-encoding": "gzip"})
    found = ask(source(endpoint={"most_bytes": 4 * 2**20}))
    assert "an answer of more than 4 MiB is refused" in str(found.unknowns)


def test_a_broken_packed_answer(source, server):
    """Bytes that do not unpack are no answer."""
    server.answers["query_range"] = Raw(200, b"not gzip", {"content-encoding": "gzip"})
    assert outcome(ask(source())) == {"source_error"}


def test_nothing_listens():
    """A server that is not there leaves everything in its reach unknown."""
    gone = PrometheusSource(PrometheusSettings(Endpoint("http://127.0.0.1:9", attempts=1)), NOW, environment={})
    found = ask(gone)
    assert outcome(found) == {"source_error"}
    assert "127.0.0.1:9: no answer" in found.unknowns[0].detail
    gone.close()


def test_prefix_and_credentials(source, server, tmp_path):
    """Path prefix, tenant, own headers and a token from a file are sent with every request."""
    (tmp_path / "token").write_text("s3cret\n")
    where = {"token": Secret(file=tmp_path / "token"), "headers": {"X-Scope-OrgID": "ml"}}
    assert outcome(ask(source("/prometheus/", endpoint=where))) is True
    assert {asked.path.rpartition("/")[0] for asked in server.asked} == {"/prometheus/api/v1"}
    assert {asked.headers["authorization"] for asked in server.asked} == {"Bearer s3cret"}
    assert {asked.headers["x-scope-orgid"] for asked in server.asked} == {"ml"}


def test_basic_authentication(source, server):
    """A user and a password from the environment."""
    where = {"user": "bursar", "password": Secret(variable="PASSWORD")}
    assert outcome(ask(source(environment={"PASSWORD": "p"}, endpoint=where))) is True
    assert server.asked[0].headers["authorization"] == "Basic YnVyc2FyOnA="


def test_signatures_for_the_managed_service_of_aws(source, server):
    """With a region, every request is signed for the service `aps` there, body included."""
    one = source("/workspaces/ws-1", endpoint={"sigv4": "eu-west-1"})
    assert outcome(ask(one)) is True
    signatures = [asked.headers["authorization"] for asked in server.asked]
    assert all(s.startswith("AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/") for s in signatures)
    assert all("/eu-west-1/aps/aws4_request" in s and "x-amz-date" in s for s in signatures)
    assert len(set(signatures)) == len({str(asked.fields) for asked in server.asked})


def test_credentials_that_are_not_there(source, server):
    """A token that cannot be read is a denial; nothing is asked without it."""
    found = ask(source(endpoint={"token": Secret(variable="MISSING")}))
    assert outcome(found) == {"denied"}
    assert server.asked == []


def test_secrets_are_not_told(source, server):
    """What a server or a library says of a failure holds no token."""
    server.answers["query"] = Raw(500, b"boom")
    found = ask(source(environment={"T": "s3cret"}, endpoint={"token": Secret(variable="T")}))
    assert "s3cret" not in str(found)


def test_a_required_server_that_fails_outweighs_another_source(source, server):
    """While a required server is silent, what another one says of its machines is not enough to act on."""
    good = source()
    assert outcome(ask(good)) is True
    server.answers["query"] = Raw(503, b"")
    bad, optional = source(), source(required=False)
    assert outcome(judged([good, bad], NOW, machine(NOW, "i-idle"))) == {"source_error"}
    assert outcome(judged([good, optional], NOW, machine(NOW, "i-idle"))) is True


def test_the_server_is_asked_once_whether_it_is_well(source, server):
    """Health and listing are asked once in a run, whatever came of them."""
    one = source()
    for _ in range(3):
        ask(one)
    assert [asked.fields["query"][0] for asked in server.asked if asked.path.endswith("/query")] == [
        "time()",
        "count(up)",
        "kube_node_info",
    ]


def test_machines_without_gpus_ask_nothing(source, server):
    """Nothing is asked for machines that have no GPU or do not run."""
    resting = machine(NOW, "i-1", 0), machine(NOW, "i-2", running=False)
    measured([source()], NOW, *resting)
    assert server.asked == []


def test_many_devices_are_asked_for_in_parts(source, server):
    """No query names more than 200 devices, and no answer has more than 100,000 numbers."""
    many = Machine("many", IDLE.stream, True, devices=8)
    names = ("DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_DEV_POWER_USAGE")
    machines = [machine(NOW, f"i-{n}", 8) for n in range(60)]

    def list_many(fields):
        if "DCGM" not in fields["match[]"][0]:
            return []
        return [
            {"__name__": name, "gpu": str(g), "UUID": f"GPU-{n}-{g}", "instance_id": f"i-{n}"}
            for name in names
            for n in range(60)
            for g in range(many.devices)
        ]

    server.answers["series"] = list_many
    server.answers["query_range"] = {"resultType": "matrix", "result": []}
    measured([source()], NOW, *machines)
    asked = [one.fields for one in server.asked if one.path.endswith("query_range")]
    assert max(query["query"][0].count("GPU-") for query in asked) <= 200
    assert sum(query["query"][0].count("GPU-") for query in asked) == 2 * 480
    for query in asked:
        steps = (float(query["end"][0]) - float(query["start"][0])) / int(query["step"][0]) + 1
        assert steps * query["query"][0].count("GPU-") <= 100_000


def test_names_cannot_leave_their_quotes(source, server):
    """A label value with quotes, braces and operators is a value in a query and nothing else."""
    evil = 'GPU-"}) or vector(0) # .*\\'

    def list_evil(fields):
        name = "DCGM_FI_DEV_GPU_UTIL"
        return [{"__name__": name, "gpu": "0", "UUID": evil, "instance_id": "i-idle"}] if name in str(fields) else []

    server.answers["series"] = list_evil
    ask(source())
    query = next(one.fields["query"][0] for one in server.asked if one.path.endswith("query_range"))
    quoted = query.partition("UUID=~")[2].partition("}[")[0]
    import re

    assert re.fullmatch(json.loads(quoted), evil)
    assert not re.fullmatch(json.loads(quoted), 'GPU-"}) or vector(0) # xy\\')
