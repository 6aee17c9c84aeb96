"""No call that changes anything leaves a session that reads."""

from types import SimpleNamespace

import pytest
from botocore.hooks import HierarchicalEmitter
from botocore.loaders import Loader
from botocore.model import ServiceModel

from engine.model import KindNeeds, Needs
from integrations.aws.live import live_estate
from integrations.aws.permissions import READ_ACTIONS, action_of
from integrations.aws.read_only import NotReadOnly, refuse_what_changes
from integrations.aws.session import AwsSettings
from tests.integrations.aws.kind_names import VOLUME
from tests.integrations.aws.replayed import NOW, recorded
from tests.integrations.aws.test_kinds import KINDS

SERVICES = sorted(
    {line["service"] for kind in KINDS for line in recorded(kind)} | {"cloudwatch", "organizations", "sts", "iam"}
)
READS = ("Get", "List", "Describe", "BatchGet", "Search", "AssumeRole")


@pytest.mark.parametrize("service", SERVICES)
def test_only_listed_calls_pass(service):
    """Of all that a service can do, what is not on the list of permissions is refused before it is sent."""
    emitter = HierarchicalEmitter()
    refuse_what_changes(SimpleNamespace(get_component=lambda _: emitter))
    model = ServiceModel(Loader().load_service_model(service, "service-2"))
    passed = set()
    for name in model.operation_names:
        operation = model.operation_model(name)
        try:
            emitter.emit(f"before-call.{model.service_id.hyphenize()}.{name}", model=operation)
        except NotReadOnly:
            continue
        passed.add(action_of(model.signing_name, name))
    prefix = action_of(model.signing_name, "").partition(":")[0]
    assert passed == {action for action in READ_ACTIONS if action.partition(":")[0] == prefix}
    assert all(action.partition(":")[2].startswith(READS) for action in passed)


def test_a_call_that_changes_is_not_sent(aws, clients):
    """Through the session that a live estate reads with, nothing can be stopped, deleted or tagged."""
    clients("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)
    aws.calls()
    asked = AwsSettings(("us-east-1",), endpoint_url=aws.endpoint, access_key=("a", "b"))
    with live_estate(asked, NOW) as estate:
        list(estate.stream(Needs({VOLUME: KindNeeds()})))
        ec2 = estate.session.client("ec2", "us-east-1")
        for call in (
            lambda: ec2.delete_volume(VolumeId="vol-1"),
            lambda: ec2.stop_instances(InstanceIds=["i-1"]),
            lambda: ec2.create_tags(Resources=["i-1"], Tags=[{"Key": "a", "Value": "b"}]),
            lambda: estate.session.client("s3", "us-east-1").delete_bucket(Bucket="b"),
        ):
            with pytest.raises(NotReadOnly):
                call()
    assert set(aws.calls()) == {"sts:GetCallerIdentity", "ec2:DescribeVolumes"}
