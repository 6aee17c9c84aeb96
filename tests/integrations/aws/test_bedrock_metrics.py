"""What is counted of a Bedrock provisioned throughput, and when silence is zero."""

from datetime import timedelta

import pytest

from bursar.demo.process import Series as Planted
from engine.model import Resource
from engine.values import Reason
from integrations.aws.cloudwatch import CloudWatchTelemetry
from tests.integrations.aws.measuring import ACCOUNT, EAST, LIST, NOON, NOW, READ, need_of, readings

KIND = "aws.bedrock.provisioned_throughput"
ARN = f"arn:aws:bedrock:{EAST}:{ACCOUNT}:provisioned-model/abc123def456"
OTHER = "anthropic.claude-3-haiku-20240307-v1:0"
DAY = timedelta(days=1)
MINUTES = 1_440
RUNTIME, MANTLE = "AWS/Bedrock", "AWS/BedrockMantle"
ALIVE = (0.0, 24, 24)


def _throughput(**fields):
    return Resource(KIND, ARN, ACCOUNT, EAST, "chat", fields={"running": True, **fields})


def _counted(values, model=ARN, metric="Invocations", namespace=RUNTIME, step=60, end=NOON, **more):
    dimensions = {"ModelId" if namespace == RUNTIME else "Model": model, **more}
    return Planted(namespace, metric, dimensions, end - timedelta(seconds=len(values) * step), step, values)


def _others(hours=24, **more):
    """Another model, asked once an hour."""
    return _counted([3.0] * hours, model=OTHER, step=3_600, **more)


@pytest.fixture
def read(aws, telemetry):
    """Return a function that loads series and returns what is read of a throughput."""

    def attach(series, *metrics, window=DAY):
        aws.load(EAST, series)
        (found,) = telemetry.attach([_throughput()], need_of(*(metrics or ("requests",)), window=window), EAST)
        return found

    return attach


def _of(found, metric="requests", window=DAY):
    return readings(found, metric, window)


def _total(found, metric="requests"):
    return sum(value for series in found.metrics.get(metric, ()) for value in series.values if value is not None)


def _once(value=2.0):
    return [None] * 600 + [value] + [None] * (MINUTES - 601)


# --- silence


def test_silence_is_zero_while_other_models_are_called(read):
    """Each hour of the day Bedrock counted somebody's requests, and none of these."""
    found = read([_others()])

    assert "requests" not in found.metrics
    assert _of(found) == {"": ALIVE}


def test_silence_without_a_witness_is_not_zero(read):
    """Nothing in the namespace: it may be that nothing is sent."""
    assert _of(read([])) == {"?": Reason.NOT_COLLECTED}


@pytest.mark.parametrize("hours", [12, 21])
def test_a_witness_of_part_of_the_window_is_not_enough(read, hours):
    """Office hours, or a nightly job: nobody knows of the others. Twenty-two of 24 would be nine tenths."""
    assert _of(read([_others(hours)])) == {"?": Reason.INSUFFICIENT_SAMPLES}


def test_a_witness_that_fell_silent_is_not_enough(read):
    """The newest sample is four hours old: the metrics may have stopped with it."""
    assert set(_of(read([_others(20, end=NOON - timedelta(hours=4))])).values()) == {Reason.STALE}


def test_several_models_are_a_witness_together(read):
    """One by day and one by night."""
    night = _counted([1.0] * 12, model="amazon.titan-embed-text-v2:0", step=3_600, end=NOON - timedelta(hours=12))

    assert _of(read([_others(12), night])) == {"": ALIVE}


def test_a_witness_in_another_region_is_none(aws, read):
    """Each region sends its own metrics."""
    aws.load("us-west-2", [_others()])

    assert _of(read([])) == {"?": Reason.NOT_COLLECTED}


def test_images_are_no_second_witness(read):
    """Series with further dimensions are parts of the same requests."""
    assert _of(read([_others(BucketedStepSize="50")])) == {"?": Reason.NOT_COLLECTED}


# --- requests


@pytest.mark.parametrize("model", [ARN, "abc123def456"])
@pytest.mark.parametrize(("namespace", "metric"), [(RUNTIME, "Invocations"), (MANTLE, "Inferences")])
def test_a_request_counts_wherever_it_is_published(read, namespace, metric, model):
    """By ARN or by id, at either endpoint."""
    found = read([_others(), _counted(_once(), model, metric, namespace)])

    assert _total(found) == 2.0
    assert _of(found) == {"": (2.0, 24, 24)}


@pytest.mark.parametrize("model", ["provisioned-model/abc123def456", "chat"])
def test_a_request_under_an_unforeseen_name_counts(read, model):
    """AWS does not say how it names provisioned models: whatever holds the id, or is the name, is taken for it."""
    found = read([_others(), _counted(_once(), model)])

    assert _of(found) == {"": (2.0, 24, 24)}


def test_what_both_endpoints_count_is_added(read):
    """In the same minute."""
    series = [_counted(_once(2.0)), _counted(_once(5.0), metric="Inferences", namespace=MANTLE)]
    found = read([_others(), *series])

    assert _total(found) == 7.0
    assert _of(found)[""][0] == 7.0


@pytest.mark.parametrize(
    ("name", "namespace", "metric"),
    [
        ("tokens.in", RUNTIME, "InputTokenCount"),
        ("tokens.in", MANTLE, "TotalInputTokens"),
        ("tokens.out", RUNTIME, "OutputTokenCount"),
        ("tokens.out", MANTLE, "TotalOutputTokens"),
        ("requests.failed", RUNTIME, "InvocationThrottles"),
        ("requests.failed", RUNTIME, "InvocationClientErrors"),
        ("requests.failed", RUNTIME, "InvocationServerErrors"),
        ("requests.failed", MANTLE, "InferenceClientErrors"),
    ],
)
def test_tokens_and_failures_likewise(read, name, namespace, metric):
    """Who is throttled calls it, and may be in no other count."""
    found = read([_others(), _counted(_once(4.0), metric=metric, namespace=namespace)], name)

    assert _of(found, name) == {"": (4.0, 24, 24)}


def test_another_throughput_is_another_one(read):
    """Its id ends alike."""
    found = read([_others(), _counted(_once(), model=ARN[:-1] + "7")])

    assert _of(found) == {"": ALIVE}


def test_zeros_that_are_sent_are_no_requests(read):
    """As good as silence."""
    found = read([_others(), _counted([0.0] * MINUTES)])

    assert _of(found)[""][0] == 0.0


# --- failures


@pytest.mark.parametrize("call", [READ, LIST])
def test_a_denied_call_is_no_silence(aws, read, call):
    """Without the list there is no witness; without samples there is nothing."""
    aws.faults({call: {"denied": True}})

    assert set(_of(read([_others()])).values()) == {Reason.DENIED}


class Forbidding:
    """A client to which one namespace is forbidden; others answer with zeros every hour."""

    def __init__(self, namespace):
        self.namespace = namespace

    def list_metrics(self, **parameters):
        return {"Metrics": [{"Dimensions": [{"Name": "ModelId", "Value": OTHER}]}]}

    def get_metric_data(self, **parameters):
        times = [NOON - DAY + timedelta(hours=n) for n in range(24)]
        return {"MetricDataResults": [self._answer(query, times) for query in parameters["MetricDataQueries"]]}

    def _answer(self, query, times):
        if query["MetricStat"]["Metric"]["Namespace"] == self.namespace:
            return {"Id": query["Id"], "StatusCode": "Forbidden", "Timestamps": [], "Values": []}
        return {"Id": query["Id"], "StatusCode": "Complete", "Timestamps": times, "Values": [0.0] * len(times)}


@pytest.mark.parametrize(("namespace", "expected"), [("", ALIVE), (RUNTIME, Reason.DENIED), (MANTLE, Reason.DENIED)])
def test_one_of_two_namespaces_is_denied(namespace, expected):
    """Zeros of the other one are half of the truth."""
    telemetry = CloudWatchTelemetry(lambda region: Forbidding(namespace), NOW)

    (found,) = telemetry.attach([_throughput()], need_of("requests", window=DAY), EAST)

    assert set(_of(found).values()) == {expected}


# --- how much is asked for


def test_the_witness_is_asked_for_once_for_all(aws, telemetry):
    """Four places for the requests of each of three throughputs, two models: one list and one call."""
    aws.load(EAST, [_others(), _counted([1.0] * 24, model="amazon.nova-lite-v1:0", step=3_600)])
    three = [Resource(KIND, f"{ARN}{n}", ACCOUNT, EAST, str(n), fields={"running": True}) for n in range(3)]

    found = telemetry.attach(three, need_of("requests", window=DAY), EAST)

    assert [_of(one) for one in found] == [{"": ALIVE}] * 3
    assert telemetry.asked(KIND, EAST).metrics == 3 * 4 + 2
    assert sorted(aws.calls()) == [READ, LIST]


def test_nothing_is_asked_of_what_is_not_in_service(aws, telemetry):
    """No call and no gap."""
    (found,) = telemetry.attach([_throughput(running=False)], need_of("requests"), EAST)

    assert found.metrics == {}
    assert aws.calls() == []
