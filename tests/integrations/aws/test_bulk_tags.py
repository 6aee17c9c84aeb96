"""Tags in bulk: fewer calls for the same tags, and nothing is concluded from what the index does not say."""

from dataclasses import replace
from functools import lru_cache

import pytest

from engine.model import Identity, Resource
from engine.values import Reason
from integrations.aws.bulk_tags import MOST, bulk_tags
from integrations.aws.estate import AwsEstate
from integrations.aws.recorder import Replay
from integrations.aws.session import AwsSettings, open_session
from tests.integrations.aws.kind_names import BUCKET
from tests.integrations.aws.replayed import ACCOUNT, NOW, REGION, only, recorded, replay

TAGS = frozenset({"tags"})
BY_THE_SERVICE = {
    "aws.elasticache.cluster": "ListTagsForResource",
    "aws.kms.key": "ListResourceTags",
    "aws.opensearch.domain": "ListTags",
    "aws.s3.bucket": "GetBucketTagging",
    "aws.sagemaker.cluster": "ListTags",
    "aws.sagemaker.domain": "ListTags",
    "aws.sagemaker.endpoint": "ListTags",
    "aws.sagemaker.inference_component": "ListTags",
    "aws.sagemaker.notebook": "ListTags",
    "aws.sagemaker.processing_job": "ListTags",
    "aws.sagemaker.training_job": "ListTags",
    "aws.sagemaker.tuning_job": "ListTags",
}
"""Kinds whose tags come in bulk, with the operation that reads those of one resource."""


class Index:
    """The Tagging API: `known` by ARN, and answers that are given instead, call by call."""

    def __init__(self, known=None, instead=()):
        self.known = known or {}
        self.instead = list(instead)
        self.asked = []

    def get_resources(self, ResourceARNList):  # noqa: N803  # the SDK's name
        self.asked.append(ResourceARNList)
        answer = self.instead.pop(0) if self.instead else None
        if isinstance(answer, Exception):
            raise answer
        named = [entry(arn, self.known[arn]) for arn in ResourceARNList if arn in self.known]
        return {"ResourceTagMappingList": named} if answer is None else answer


def entry(arn, tags):
    return {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def test_a_hundred_a_call():
    """And no call for none."""
    arns = [f"arn:{n}" for n in range(2 * MOST + 1)]
    index = Index({arn: {"team": arn} for arn in arns})
    assert bulk_tags(index, arns) == {arn: {"team": arn} for arn in arns}
    assert [len(asked) for asked in index.asked] == [MOST, MOST, 1]
    assert bulk_tags(index, []) == {}
    assert len(index.asked) == 3


def test_no_tags_is_never_its_word():
    """What it does not name, and what it names without a tag, is left to the service."""
    assert bulk_tags(Index({"arn:a": {}, "arn:b": {"team": "x"}}), ["arn:a", "arn:b", "arn:c"]) == {
        "arn:b": {"team": "x"}
    }


def test_a_call_that_fails_ends_it():
    """What came before it counts; whoever is denied is not asked again and again."""
    arns = [f"arn:{n}" for n in range(3 * MOST)]
    index = Index({arn: {"team": "x"} for arn in arns}, [None, ConnectionError("gone")])
    assert set(bulk_tags(index, arns)) == set(arns[:MOST])
    assert len(index.asked) == 2


def test_an_answer_cut_short():
    """AWS takes no page token beside a list of ARNs: what did not come is asked one by one."""
    cut = {"ResourceTagMappingList": [entry("arn:a", {"team": "x"})], "PaginationToken": "more"}
    index = Index(instead=[cut])
    assert bulk_tags(index, ["arn:a", "arn:b"]) == {"arn:a": {"team": "x"}}
    assert len(index.asked) == 1


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"ResourceTagMappingList": None},
        {"ResourceTagMappingList": [None, "x", {}]},
        {"ResourceTagMappingList": "odd"},
        {"ResourceTagMappingList": [{"ResourceARN": ["arn:a"], "Tags": [{"Key": "a", "Value": "b"}]}]},
        {"ResourceTagMappingList": [{"ResourceARN": "arn:other", "Tags": [{"Key": "a", "Value": "b"}]}]},
        {"ResourceTagMappingList": [{"ResourceARN": "arn:a"}]},
        {"ResourceTagMappingList": [{"ResourceARN": "arn:a", "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c"}]}]},
        {"ResourceTagMappingList": [{"ResourceARN": "arn:a", "Tags": [{"Key": 1, "Value": "b"}]}]},
        {"ResourceTagMappingList": [{"ResourceARN": "arn:a", "Tags": {"a": "b"}}]},
    ],
)
def test_odd_answers_say_nothing(odd):
    """Half a list of tags is no list of tags, and tags of something else are nobody's."""
    assert bulk_tags(Index(instead=[odd]), ["arn:a"]) == {}


@lru_cache(maxsize=1)
def session():
    """Return one session that takes tags in bulk, and what answers it."""
    answers = Replay()
    asked = AwsSettings((REGION,), access_key=("a", "b"), attempts=1, listeners=(answers.listen,), bulk_tags=True)
    return open_session(asked).__enter__(), answers


class Answers(dict):
    """Recorded answers, less some operations, with an index of tags."""

    def __init__(self, kind, without, index, status=200):
        super().__init__(Replay.of(line for line in recorded(kind) if line["operation"] not in without).answers)
        self.index, self.status = index, status

    def get(self, question, default=None):
        if question[1] != "GetResources":
            return super().get(question, default)
        response = {"ResourceTagMappingList": [entry(*one) for one in self.index.items()]}
        denied = {"Error": {"Code": "AccessDeniedException", "Message": "no"}}
        return {"status": self.status, "response": response if self.status < 300 else denied}


def read(kind, **given):
    opened, replay_ = session()
    replay_.answers = Answers(kind, **given)
    replay_.asked.clear()
    items = list(AwsEstate(opened, ACCOUNT, NOW).stream(only(kind, "tags")))
    calls = [operation for _, operation, _ in replay_.asked]
    return {item.name or item.id: item for item in items if isinstance(item, Resource)}, calls


def arn_of(resource):
    return f"arn:aws:s3:::{resource.id}" if resource.kind == BUCKET else resource.id


@pytest.mark.parametrize("kind", BY_THE_SERVICE)
def test_fewer_calls_for_the_same_tags(kind):
    """Each kind asks once for all; only what has no tags is asked about by itself."""
    one_by_one = replay(kind, only(kind, "tags")).resources
    index = {arn_of(r): dict(r.tags) for r in one_by_one.values() if r.tags}
    resources, calls = read(kind, without=(), index=index)
    assert {name: (r.tags, r.gaps) for name, r in resources.items()} == {
        name: (r.tags, r.gaps) for name, r in one_by_one.items()
    }
    assert index
    assert calls.count("GetResources") >= 1
    assert calls.count(BY_THE_SERVICE[kind]) == len(resources) - len(index)


@pytest.mark.parametrize("kind", BY_THE_SERVICE)
def test_a_denied_index_costs_calls_and_no_tags(kind):
    """The services are asked as if there were no index."""
    one_by_one = replay(kind, only(kind, "tags")).resources
    resources, calls = read(kind, without=(), index={}, status=403)
    assert {name: r.tags for name, r in resources.items()} == {name: r.tags for name, r in one_by_one.items()}
    assert calls.count(BY_THE_SERVICE[kind]) == len(resources)


@pytest.mark.parametrize("kind", BY_THE_SERVICE)
def test_silence_of_both_is_a_gap(kind):
    """A resource that the index does not name and whose service does not answer has unknown tags, never none."""
    resources, _ = read(kind, without=(BY_THE_SERVICE[kind],), index={})
    assert {r.gaps["tags"].reason for r in resources.values()} == {Reason.SOURCE_ERROR}


def test_a_look_before_an_act_asks_the_service():
    """An index that lags is never what says that a resource is not protected."""
    opened, replay_ = session()
    replay_.answers = Answers(BUCKET, (), {"arn:aws:s3:::tallowmere-datasets": {"owner": "out of date"}})
    replay_.asked.clear()
    needs = replace(only(BUCKET, "tags"), only=frozenset({Identity(BUCKET, ACCOUNT, REGION, "tallowmere-datasets")}))
    (found,) = [i for i in AwsEstate(opened, ACCOUNT, NOW).stream(needs) if isinstance(i, Resource)]
    assert found.tags["team"] == "data"
    calls = [operation for _, operation, _ in replay_.asked]
    assert "GetResources" not in calls
    assert "GetBucketTagging" in calls


def test_policies_that_read_no_tags_ask_for_none():
    """The index neither."""
    opened, replay_ = session()
    replay_.answers = Answers(BUCKET, (), {})
    replay_.asked.clear()
    list(AwsEstate(opened, ACCOUNT, NOW).stream(only(BUCKET, "logging")))
    assert "GetResources" not in {operation for _, operation, _ in replay_.asked}


def test_calls_of_an_account(aws, clients, read):
    """45 buckets, five of them without tags: six calls for tags in the place of 45."""
    s3 = clients("s3")
    for number in range(45):
        s3.create_bucket(Bucket=f"models-{number}")
        if number >= 5:
            pairs = [{"Key": "team", "Value": f"t{number}"}]
            s3.put_bucket_tagging(Bucket=f"models-{number}", Tagging={"TagSet": pairs})

    def calls(bulk):
        aws.calls()
        resources, _ = read(BUCKET, groups=TAGS, bulk_tags=bulk)
        made = aws.calls()
        return {name: r.tags for name, r in resources.items()}, made

    one_by_one, many = calls(bulk=False)
    in_bulk, few = calls(bulk=True)
    assert in_bulk == one_by_one
    assert many.count("s3:GetBucketTagging") == 45
    assert few.count("s3:GetBucketTagging") == 5
    assert few.count("resourcegroupstaggingapi:GetResources") == 1
