"""What must not be done, and what is lost that a title does not say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from actions.aws import machines
from actions.aws.stop_database import _tied
from bursar.demo.process import Times
from engine.acting.action import ActError, Effect, Ready, Refused, Target
from tests.actions.aws import plants
from tests.actions.aws.plants import ENDPOINT, GROUP, INSTANCE


@pytest.fixture
def planted(aws, clients, read):
    """Return a function that makes something of a kind and returns it as a target."""

    def plant(kind, make, **parameters):
        name = make(clients)
        return Target(read(kind)[name], parameters, token="bursar-1")

    return plant


def tagged(**tags):
    pairs = [{"Key": key.replace("__", ":"), "Value": value} for key, value in tags.items()]
    return partial(plants.machine, TagSpecifications=[{"ResourceType": "instance", "Tags": pairs}])


HOLDERS = {
    "aws:autoscaling:groupName": "the Auto Scaling group x",
    "eks:nodegroup-name": "the EKS node group x",
    "karpenter.sh/nodepool": "the Karpenter node pool x",
    "aws:batch:compute-environment": "the Batch environment x",
    "AWSBatchServiceTag": "the Batch environment x",
    "AmazonECSManaged": "an ECS capacity provider",
    "sagemaker:cluster-name": "the HyperPod cluster x",
    "aws:ec2spot:fleet-request-id": "the Spot Fleet x",
    "kubernetes.io/cluster/research": "the Kubernetes cluster research",
}


@pytest.mark.parametrize(("tag", "holder"), HOLDERS.items())
@pytest.mark.parametrize("remediation", ["stop", "terminate", "resize"])
def test_a_machine_that_something_holds_is_acted_on_through_that(planted, table, remediation, tag, holder):
    """Whatever would replace the machine is named in the refusal: no loop of stops and starts begins (T20)."""
    target = planted(INSTANCE, tagged(**{tag: "x"}), to="m5.xlarge")
    answer = table[remediation, INSTANCE].check(target)
    assert isinstance(answer, Refused)
    assert holder in answer.reason


def test_a_machine_of_a_group_is_known_without_its_tag(aws, clients, read, table):
    """Auto Scaling itself is asked: a tag that could not be read does not hide the owner (T20)."""
    plants.group(clients)
    (first, _) = read(INSTANCE).values()
    clients("ec2").delete_tags(Resources=[first.id], Tags=[{"Key": "aws:autoscaling:groupName"}])
    answer = table["stop", INSTANCE].check(Target(first))
    assert isinstance(answer, Refused)
    assert "the Auto Scaling group train" in answer.reason


def test_a_service_that_operates_a_machine_holds_it():
    """EC2 itself says who operates a machine that a service launched, such as a node of EKS Auto Mode."""
    entry = {"InstanceId": "i-1", "Operator": {"Managed": True, "Principal": "eks.amazonaws.com"}}
    assert machines.holder_of(entry, None, None) == "eks.amazonaws.com"


@pytest.mark.parametrize(
    ("remediation", "more", "reason"),
    [
        ("stop", {"DisableApiStop": True}, "stop protection is on"),
        ("hibernate", {}, "it was not launched with hibernation enabled"),
        ("stop", {"InstanceMarketOptions": {"MarketType": "spot"}}, "one-time request"),
    ],
    ids=str,
)
def test_what_forbids_an_act(planted, table, remediation, more, reason):
    """Protection of the machine itself wins over any policy (T24), and what EC2 cannot do is not tried."""
    answer = table[remediation, INSTANCE].check(planted(INSTANCE, partial(plants.machine, **more)))
    assert isinstance(answer, Refused)
    assert reason in answer.reason


def test_termination_protection(clients, planted, table):
    """It wins over any policy (T24)."""
    target = planted(INSTANCE, plants.machine)
    clients("ec2").modify_instance_attribute(InstanceId=target.resource.id, DisableApiTermination={"Value": True})
    assert table["terminate", INSTANCE].check(target).reason == "termination protection is on"


def test_local_disks_are_told_of(planted, table):
    """A stop of a machine with instance store needs a person: what is on it is lost (T21). A g5.xlarge has 250 GB."""
    target = planted(INSTANCE, partial(plants.machine, InstanceType="g5.xlarge"))
    answers = {name: table[name, INSTANCE].check(target) for name in ("stop", "terminate")}
    assert {name: answer.caution for name, answer in answers.items()} == dict.fromkeys(
        answers, "250 GB of instance-store data"
    )


class Types:
    """EC2 that knows no type."""

    def describe_instance_types(self, InstanceTypes):  # noqa: N803
        return {"InstanceTypes": []}


def test_a_type_that_is_not_known_may_have_local_disks():
    """What is not known about local disks is told of as if there were some (T21)."""
    (text,) = machines.local_data(Types(), {"InstanceType": "p9.metal"})
    assert "not known" in text


def test_what_is_paid_in_advance_is_not_ended():
    """Ending a machine in a capacity block saves nothing; a reservation or a dedicated host goes on being charged."""
    assert "paid in advance" in machines.paid_anyway({"InstanceLifecycle": "capacity-block"})
    assert not machines.paid_anyway({"InstanceLifecycle": "spot"})
    entry = {"CapacityReservationId": "cr-1", "Placement": {"Tenancy": "host"}}
    assert list(machines.still_paid(entry)) == [
        "the capacity reservation cr-1 is charged for in any case",
        "its dedicated host is charged for in any case",
    ]


def test_an_elastic_address_stays(clients, planted, table):
    """An address of the account's own outlives the machine, and is charged for."""
    target = planted(INSTANCE, plants.machine)
    made = clients("ec2").allocate_address(Domain="vpc")
    clients("ec2").associate_address(AllocationId=made["AllocationId"], InstanceId=target.resource.id)
    caution = table["terminate", INSTANCE].check(target).caution
    assert caution == f"the Elastic IP {made['PublicIp']} stays and is charged for"


class Requests:
    """EC2 with one Spot request."""

    def describe_spot_instance_requests(self, SpotInstanceRequestIds):  # noqa: N803
        return {"SpotInstanceRequests": [{"Type": "persistent"}]}


def test_a_spot_request_that_launches_again():
    """A persistent request would launch another machine in the place of a terminated one."""
    entry = {"InstanceLifecycle": "spot", "SpotInstanceRequestId": "sir-1"}
    assert machines.spot_request(Requests(), entry) == "persistent"
    assert machines.spot_request(Requests(), {"InstanceLifecycle": "spot"}) == "one-time"
    assert machines.spot_request(Requests(), {}) == ""


@pytest.mark.parametrize("remediation", ["stop", "hibernate", "terminate"])
def test_a_machine_that_was_started_again_is_left_alone(planted, table, remediation):
    """Between the check and the call somebody stopped and started it: nothing is done (T15)."""
    target = planted(INSTANCE, partial(plants.machine, HibernationOptions={"Configured": True}))
    answer = table[remediation, INSTANCE].check(target)
    assert isinstance(answer, Ready)
    with pytest.raises(ActError) as caught:
        table[remediation, INSTANCE].do(replace(target, inverse={**answer.inverse, "started": "before"}))
    assert (caught.value.problems[0].code, caught.value.retryable) == ("act-stale", False)


@pytest.mark.parametrize("remediation", ["scale", "delete"])
def test_another_of_the_same_name_is_left_alone(aws, clients, read, table, remediation):
    """An endpoint that was deleted and made again by the same name is another one (T16)."""
    plants.endpoint(clients)
    aws.backdate("us-east-1", {"endpoint/rerank": Times(datetime.now(UTC) - timedelta(days=1))})
    target = Target(read(ENDPOINT)["rerank"], {"to": "1"}, {"variants": {"v1": 2}, "config": "rerank-1"}, "bursar-1")
    clients("sagemaker").delete_endpoint(EndpointName="rerank")
    clients("sagemaker").create_endpoint(EndpointName="rerank", EndpointConfigName="rerank-1")
    action = table[remediation, ENDPOINT]
    answer = action.check(target)
    assert isinstance(answer, Refused)
    assert answer.reason == "another resource has its name now"
    before = plants.endpoints(clients, target.resource)
    if remediation == "scale":
        with pytest.raises(ActError):
            action.do(target)
    else:
        action.do(target)
    assert plants.endpoints(clients, target.resource) == before
    assert action.verify(target) is (Effect.GONE if remediation == "scale" else Effect.DONE)


def test_an_age_that_is_not_known_refuses(aws, clients, read, table):
    """Where it is not known when a thing was made, another of its name could not be told from it: nothing is done."""
    plants.notebook(clients)
    resource = read("aws.sagemaker.notebook")["lab"]
    target = Target(replace(resource, fields={k: v for k, v in resource.fields.items() if k != "created"}))
    assert "not known" in table["stop", "aws.sagemaker.notebook"].check(target).reason


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("m5.nothing", "there is no type m5.nothing in this region"),
        ("m6g.large", "m6g.large does not run x86_64 machines"),
    ],
)
def test_a_type_has_to_exist_and_fit(planted, table, to, reason):
    """A type that is not there or runs other code is refused before the machine is touched."""
    assert table["resize", INSTANCE].check(planted(INSTANCE, plants.stopped, to=to)).reason == reason


def test_a_machine_that_runs_is_not_resized(planted, table):
    """Its check passes, as a `stop` may stand before it; without one nothing is done."""
    target = planted(INSTANCE, plants.machine, to="m5.xlarge")
    assert isinstance(table["resize", INSTANCE].check(target), Ready)
    with pytest.raises(ActError, match="put `stop` before `resize`"):
        table["resize", INSTANCE].do(target)


def test_a_group_that_something_sizes(planted, table):
    """The group behind an EKS node group is scaled through that (T20)."""
    tags = [{"Key": "eks:nodegroup-name", "Value": "gpu", "PropagateAtLaunch": True}]
    answer = table["scale", GROUP].check(planted(GROUP, partial(plants.group, Tags=tags), to="0"))
    assert answer.reason == "its size is set by the EKS node group gpu: act on that"


def test_machines_protected_from_scaling_in(planted, table):
    """They are not ended by a smaller size (T24)."""
    made = partial(plants.group, NewInstancesProtectedFromScaleIn=True)
    assert table["scale", GROUP].check(planted(GROUP, made, to="1")).reason == (
        "2 of its machines are protected from scaling in"
    )


def test_scaling_in_ends_machines_and_says_so(planted, table):
    """It needs a person: two machines go with what is on their disks (T21)."""
    caution = table["scale", GROUP].check(planted(GROUP, plants.group, to="0")).caution
    assert caution == "2 of its machines are terminated, with what is on their disks"


def test_a_size_above_the_maximum(planted, table):
    """No group is made larger than it may be."""
    assert table["scale", GROUP].check(planted(GROUP, plants.group, to="9")).reason == "its maximum is 4"


def test_an_endpoint_without_components_keeps_a_machine(planted, table):
    """SageMaker has no variant without machines: the way out is named."""
    answer = table["scale", ENDPOINT].check(planted(ENDPOINT, plants.endpoint, to="0"))
    assert "`delete` keeps its configuration" in answer.reason


def test_an_endpoint_that_is_scaled_back(aws, clients, planted, table):
    """What Application Auto Scaling keeps up would be scaled back at once (T20)."""
    target = planted(ENDPOINT, plants.endpoint, to="1")
    clients("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId="endpoint/rerank/variant/v1",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MinCapacity=2,
        MaxCapacity=4,
    )
    assert "keeps at least 2" in table["scale", ENDPOINT].check(target).reason
    assert "its scaling policies" in table["delete", ENDPOINT].check(target).caution


def test_an_endpoint_that_could_not_be_made_again(clients, planted, table):
    """Without its configuration there is no undoing, so it is not deleted (T23); nor where components serve on it."""
    target = planted(ENDPOINT, plants.components)
    assert "serves the inference components a, b" in table["delete", ENDPOINT].check(target).reason
    clients("sagemaker").delete_endpoint_config(EndpointConfigName="rerank-1")
    assert "rerank-1 is gone" in table["delete", ENDPOINT].check(target).reason


def test_what_is_committed_to_is_paid(planted, table):
    """A provisioned throughput with a commitment is charged for until its end, in use or not."""
    kind = "aws.bedrock.provisioned_throughput"
    target = planted(kind, partial(plants.throughput, commitmentDuration="OneMonth"))
    assert "committed" in table["release", kind].check(target).reason


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"DBClusterIdentifier": "features"}, "it belongs to the database cluster features: act on that"),
        ({"ReadReplicaSourceDBInstanceIdentifier": "arn:aws:rds:us-east-1:1:db:main"}, "it is a replica of main"),
        ({"ReadReplicaDBInstanceIdentifiers": ["a", "b"]}, "it has replicas: a, b"),
        ({"Engine": "sqlserver-se", "MultiAZ": True}, "RDS does not stop SQL Server in several zones"),
        ({"Engine": "postgres", "MultiAZ": True}, ""),
    ],
    ids=str,
)
def test_a_database_others_depend_on(entry, reason):
    """A member of a cluster, a replica and a database with replicas are not stopped by themselves (T22)."""
    assert _tied(entry) == reason


def test_a_volume_in_use(aws, clients, planted, table):
    """A volume that is attached is neither snapshot nor deleted; the machine is named (T22)."""
    volume = planted("aws.ebs.volume", plants.volume)
    machine = plants.machine(clients)
    clients("ec2").attach_volume(VolumeId=volume.resource.id, InstanceId=machine, Device="/dev/sdf")
    action = table["snapshot_and_delete", "aws.ebs.volume"]
    assert action.check(volume).reason == f"it is attached to {machine}"
    with pytest.raises(ActError):
        action.do(volume)
    assert clients("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


def test_a_bucket_that_serves_a_website(clients, planted, table):
    """Blocking it ends what the public sees: a person decides."""
    target = planted("aws.s3.bucket", plants.bucket)
    clients("s3").put_bucket_website(
        Bucket="checkpoints", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
    )
    assert table["block_public_access", "aws.s3.bucket"].check(target).caution == "it serves a website"


@pytest.mark.parametrize(("key", "reason"), [("alias/data", "is Disabled"), ("alias/none", "there is no key")])
def test_a_key_that_cannot_be_used(clients, planted, table, key, reason):
    """Under a key that is not there or switched off nothing could be written to the bucket any more."""
    target = planted("aws.s3.bucket", plants.keyed, key=key)
    clients("kms").disable_key(KeyId=clients("kms").describe_key(KeyId="alias/data")["KeyMetadata"]["KeyId"])
    assert reason in table["encrypt", "aws.s3.bucket"].check(target).reason
