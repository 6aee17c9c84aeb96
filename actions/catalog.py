"""
Every remediation there is, as data: what it does to which kinds, whether it can be undone, what it saves.

The front doors pass this table to the loader, which refuses policies that name anything else, and to
the planner, which never needs more of a remediation than this.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.policy.model import Remediation

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"

COMPUTE = frozenset({"compute"})
STORAGE = frozenset({"storage"})
NOTHING: frozenset[str] = frozenset()


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
