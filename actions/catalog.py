"""
Every remediation there is, as data: what it does to which kinds, whether it can be undone, what it saves.

The front doors pass this table to the loader, which refuses policies that name anything else, and to
the planner, which never needs more of a remediation than this.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.policy.model import Parameter, Remediation

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"
GROUP = "aws.autoscaling.group"
NODEGROUP = "aws.eks.nodegroup"
DOMAIN = "aws.opensearch.domain"

COMPUTE = frozenset({"compute"})
STORAGE = frozenset({"storage"})
NOTHING: frozenset[str] = frozenset()

TAGS = Parameter(
    "",
    "a tag to write: a key of at most 128 letters, digits and `_ . : / = + - @`, not beginning with `aws:`, "
    "and a value of at most 256",
    pattern=r"[\w .:/=+\-@]{1,256}",
    example="unowned",
    names=r"(?!(?i:aws:))[\w .:/=+\-@]{1,128}",
)
SIZE = Parameter(
    "to",
    "the type to change to",
    pattern=r"[a-z][a-z0-9-]{1,30}\.[a-z0-9-]{2,30}(\.search)?",
    example="g5.xlarge",
)
CAPACITY = Parameter("to", "how many to run: 0 to 10,000", pattern=r"0|[1-9]\d{0,3}|10000", example="0")


def remediations() -> Mapping[str, Remediation]:
    """Return all remediations by name, the gentlest first."""
    return {
        "tag": Remediation(
            name="tag",
            title="tag the resource",
            kinds=frozenset({INSTANCE, VOLUME, BUCKET, ENDPOINT, NOTEBOOK}),
            reversible=True,
            saves=NOTHING,
            undo="put back the tags it had",
            parameters=(TAGS,),
        ),
        "encrypt": Remediation(
            name="encrypt",
            title="encrypt new objects of the bucket by default",
            kinds=frozenset({BUCKET}),
            reversible=True,
            saves=NOTHING,
            undo="put back the default encryption it had; objects written since stay encrypted",
        ),
        "block_public_access": Remediation(
            name="block_public_access",
            title="block public access to the bucket",
            kinds=frozenset({BUCKET}),
            reversible=True,
            saves=NOTHING,
            undo="put back the public access settings it had",
        ),
        "stop": Remediation(
            name="stop",
            title="stop the machine",
            kinds=frozenset({INSTANCE, NOTEBOOK}),
            reversible=True,
            saves=COMPUTE,
            undo=(
                "start it again, if the provider has capacity; its memory, instance-store data and "
                "public address are lost"
            ),
        ),
        "scale": Remediation(
            name="scale",
            title="scale the group",
            kinds=frozenset({GROUP, NODEGROUP, ENDPOINT}),
            reversible=True,
            saves=COMPUTE,
            undo="scale back to the size it had, if the provider has capacity",
            parameters=(CAPACITY,),
            in_part=True,
        ),
        "resize": Remediation(
            name="resize",
            title="change the machine's type",
            kinds=frozenset({INSTANCE, DOMAIN}),
            reversible=True,
            saves=COMPUTE,
            undo="change back to the type it had, if the provider has capacity",
            parameters=(SIZE,),
            in_part=True,
        ),
        "snapshot_and_delete": Remediation(
            name="snapshot_and_delete",
            title="snapshot the volume and delete it",
            kinds=frozenset({VOLUME}),
            # The data survives in the snapshot; the volume, its id and its attachment do not.
            reversible=False,
            saves=STORAGE,
        ),
        "delete": Remediation(
            name="delete",
            title="delete the endpoint and keep its configuration",
            kinds=frozenset({ENDPOINT}),
            # Scaling policies and the hold on scarce capacity go with it.
            reversible=False,
            saves=COMPUTE,
        ),
        "terminate": Remediation(
            name="terminate",
            title="terminate the machine",
            kinds=frozenset({INSTANCE}),
            reversible=False,
            # Its volumes are resources of their own, with charges of their own.
            saves=COMPUTE,
        ),
    }
