"""What a sample says of its sender, by strength, and which keys a resource answers to."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from integrations.telemetry.joining import Claims, Directory, Sender, keys_of
from integrations.telemetry.port import Device
from tests.telemetry_judging import machine

NOW = datetime(2026, 3, 4, 16, tzinfo=UTC)
GPU = Device("0", "GPU-1")
DIRECTORY = Directory({"GPU-1": "i-table"}, {"node-1": "aws:///us-east-1a/i-node"})
EMPTY = Directory()


@pytest.mark.parametrize(
    ("sender", "directory", "key"),
    [
        (Sender(GPU, instance="i-label", provider="aws:///a/i-provider", host="node-1"), DIRECTORY, "id:i-table"),
        (Sender(GPU, instance="i-label", provider="aws:///a/i-provider", host="node-1"), EMPTY, "id:i-label"),
        (Sender(GPU, provider="aws:///us-east-1a/i-provider", host="node-1"), EMPTY, "id:i-provider"),
        (Sender(Device("0"), host="NODE-1"), DIRECTORY, "id:i-node"),
        (Sender(GPU, provider="gce://ml-prod/us-central1-a/vm-1"), EMPTY, "id:ml-prod/vm-1"),
        (Sender(GPU, host="IP-10-0-0-1.ec2.internal"), EMPTY, "host:ip-10-0-0-1.ec2.internal"),
        (Sender(GPU, provider="nonsense"), EMPTY, ""),
        (Sender(GPU), EMPTY, ""),
    ],
)
def test_the_strongest_word_counts(sender, directory, key):
    """A table beats an instance id, that a provider id, that a node, and that a host name."""
    assert directory.key_of(sender) == key


def test_keys_of_a_machine():
    """An EC2 instance answers to its id and to its private DNS name, long and short; a name tag is not unique."""
    one = machine(NOW, "i-1", 1, private_dns_name="ip-10-0-0-1.ec2.internal")
    assert keys_of(one) == ("id:i-1", "host:ip-10-0-0-1.ec2.internal", "host:ip-10-0-0-1")


def test_keys_of_a_machine_of_google():
    """A provider id there names project and machine."""
    one = replace(machine(NOW, "4711", 1), kind="gcp.compute.instance", account="ml-prod", name="vm-1")
    assert "id:ml-prod/vm-1" in keys_of(one)


def test_an_id_is_claimed_as_often_as_its_machine_comes():
    """The same machine may be asked about again; another one cannot take its key."""
    claims, one = Claims(), machine(NOW, "i-1", 1, private_dns_name="h")
    two = machine(NOW, "i-2", 1, private_dns_name="h")
    for _ in range(2):
        assert claims.claim([one], ["id:i-1", "host:h"]) == [("id:i-1", "host:h")]
    (disputed,) = claims.claim([two], ["host:h"])
    assert "`h` stands for several machines: i-1, i-2" in disputed.detail
    assert claims.taken == {"id:i-1", "host:h"}
