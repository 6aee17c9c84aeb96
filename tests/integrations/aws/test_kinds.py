"""What holds for every AWS kind, on its recording: whole, denied, and with every answer damaged in turn."""

from __future__ import annotations

import copy
from datetime import datetime

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel

from engine.model import KindNeeds, Needs, Scope, ScopeStatus
from engine.values import Unknown
from integrations.aws.permissions import OPERATIONS
from integrations.aws.recorder import restored
from integrations.aws.registry import AWS_KINDS
from integrations.catalog import default_catalog
from tests.integrations.aws.replayed import ACCOUNT, RECORDINGS, REGION, everything, recorded, replay
from tests.integrations.estate_contract import holds

CATALOG = default_catalog()
KINDS = sorted(AWS_KINDS)
UNTAGGED = {"aws.opensearch.capacity"}
"""Kinds that cannot carry tags."""
ALONE = {"aws.opensearch.capacity"}
"""Kinds of which a region has one."""
DENIED = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}


def kept(kind, reading, needs=None):
    """Assert that the reading keeps the contract of estates."""
    holds(reading.items, needs or everything(kind), CATALOG, [Scope(ACCOUNT, REGION, kind)])


LISTED_WITH = {
    "aws.opensearch.domain": {"ListDomainNames"},
    "aws.eks.nodegroup": {"ListClusters"},
    "aws.ecs.service": {"ListClusters", "ListServices"},
    "aws.batch.job": {"DescribeJobQueues", "ListJobs"},
}
"""Kinds that take further calls to be listed."""


def listing(kind):
    """Return the operations that list the kind."""
    return {AWS_KINDS[kind].call.partition(":")[2]} | LISTED_WITH.get(kind, set())


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_recording(kind):
    """Every kind has one, of at least two resources that differ."""
    reading = replay(kind)
    assert reading.report.status is ScopeStatus.COMPLETE, reading.report.detail
    assert len({tuple(sorted(map(str, r.fields.items()))) for r in reading.resources.values()}) >= (
        1 if kind in ALONE else 2
    )


def test_every_recording_is_of_a_kind():
    """No file is left from a kind that is gone."""
    assert {path.stem for path in RECORDINGS.glob("*.jsonl")} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_the_recording_could_be_of_aws(kind):
    """Every answer has the shape that the service's own model gives it: no member is invented."""
    for line in recorded(kind):
        if line["status"] >= 300:
            continue
        model = ServiceModel(Loader().load_service_model(line["service"], "service-2"))
        shape = model.operation_model(line["operation"]).output_shape
        assert not list(strays(restored(line["response"]), shape, line["operation"]))


def strays(value, shape, path):
    """Yield each place of `value` that does not fit the service's shape."""
    python = {
        "string": str,
        "integer": int,
        "long": int,
        "float": int | float,
        "double": int | float,
        "boolean": bool,
        "timestamp": datetime,
        "structure": dict,
        "map": dict,
        "list": list,
    }
    if getattr(shape, "is_document_type", False):
        return  # any JSON
    if not isinstance(value, python.get(shape.type_name, object)):
        yield f"{path}: {value!r} is no {shape.type_name}"
    elif shape.type_name == "structure":
        for key, inner in value.items():
            if key not in shape.members:
                yield f"{path}.{key} does not exist"
            else:
                yield from strays(inner, shape.members[key], f"{path}.{key}")
    elif shape.type_name == "list":
        for inner in value:
            yield from strays(inner, shape.member, f"{path}[]")
    elif shape.type_name == "map":
        for inner in value.values():
            yield from strays(inner, shape.value, f"{path}{{}}")
    elif shape.type_name == "string" and shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is none of {shape.enum}"


@pytest.mark.parametrize("kind", KINDS)
def test_all_is_read(kind):
    """The contract holds with everything asked for, and some resource of the recording has each declared field."""
    reading = replay(kind)
    kept(kind, reading)
    known = {
        name
        for resource in reading.resources.values()
        for name, value in resource.fields.items()
        if not isinstance(value, Unknown)
    }
    assert {field.name for field in AWS_KINDS[kind].kind.fields} <= known
    assert kind in UNTAGGED or any(resource.tags for resource in reading.resources.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_calls_it_makes_are_the_calls_it_declares(kind):
    """Neither more, which would be denied, nor less, which would be asked of an administrator for nothing."""
    made = set(replay(kind).calls)
    assert made == set(AWS_KINDS[kind].actions)
    assert OPERATIONS.get(AWS_KINDS[kind].call, AWS_KINDS[kind].call) in made


@pytest.mark.parametrize("kind", KINDS)
def test_without_needs_it_is_only_listed(kind):
    """Where no policy reads a group, no call is made for it, and its fields are gaps."""
    needs = Needs({kind: KindNeeds()})
    reading = replay(kind, needs)
    kept(kind, reading, needs)
    assert set(reading.calls) <= set(replay(kind).calls)
    assert "kms:DescribeKey" not in reading.calls


@pytest.mark.parametrize("kind", KINDS)
def test_denied_details_are_gaps(kind):
    """With everything but the listing denied, each resource is still there, and nothing is attested by ignorance."""
    whole = replay(kind)
    lines = [
        line if line["operation"] in listing(kind) else {**line, "status": 403, "response": DENIED}
        for line in recorded(kind)
    ]
    reading = replay(kind, lines=lines)
    kept(kind, reading)
    if reading.report.status is ScopeStatus.COMPLETE:
        assert set(reading.resources) == set(whole.resources)
    for name, resource in reading.resources.items():
        for field, value in resource.fields.items():
            assert isinstance(value, Unknown) or value == whole.resources[name].fields[field], field


@pytest.mark.parametrize("kind", KINDS)
def test_a_denied_listing_is_a_denied_scope(kind):
    """And no resource."""
    lines = [{**line, "status": 403, "response": DENIED} for line in recorded(kind)]
    with pytest.raises(Exception, match="refused"):
        replay(kind, lines=lines)


@pytest.mark.parametrize("kind", KINDS)
def test_any_part_of_any_answer_may_be_missing_or_odd(kind):
    """Each leaf and branch in turn is left out, null, empty or of another type: the contract holds all the same."""
    count = 0
    for number, (path, damage) in enumerate(damages(recorded(kind))):
        lines = damaged(recorded(kind), path, damage)
        try:
            reading = replay(kind, lines=lines)
            kept(kind, reading)
        except Exception as error:
            raise AssertionError(f"{path} {damage}") from error
        assert all(isinstance(item.id, str) and isinstance(item.name, str) for item in reading.resources.values())
        count = number
    assert count > 5


ODD = ("left out", None, "", "odd", -1, 1.5, True, [], {}, [None], {"odd": 1})


def damages(lines):
    """Yield every place of every response with what to put there: all kinds of damage in rotation."""
    turn = 0
    for number, line in enumerate(lines):
        if line["status"] < 300:
            for path in places(line["response"]):
                for _ in range(2):
                    yield (number, *path), ODD[turn % len(ODD)]
                    turn += 1


def places(value, path=()):
    """Yield the path of every branch and leaf; a time is a leaf."""
    if path:
        yield path
    if isinstance(value, dict) and "$time" not in value:
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def damaged(lines, path, damage):
    """Return the lines with one place damaged."""
    number, *inner, last = path
    line = copy.deepcopy(lines[number])
    spot = line["response"]
    for key in inner:
        spot = spot[key]
    if damage == "left out":
        del spot[last]
    else:
        spot[last] = damage
    return [*lines[:number], line, *lines[number + 1 :]]
