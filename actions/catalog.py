"""
Every remediation there is, as data: what it does to which kinds, whether it can be undone, what it saves.

The front doors pass this table to the loader, which refuses policies that name anything else, and to
the planner, which never needs more of a remediation than this. Those that act also ask for the actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.policy.model import Parameter, Remediation

if TYPE_CHECKING:
    from actions.aws.calls import Sessions
    from engine.acting.action import Action

INSTANCE = "aws.ec2.instance"
VOLUME = "aws.ebs.volume"
BUCKET = "aws.s3.bucket"
ENDPOINT = "aws.sagemaker.endpoint"
NOTEBOOK = "aws.sagemaker.notebook"
GROUP = "aws.autoscaling.group"
NODEGROUP = "aws.eks.nodegroup"
DOMAIN = "aws.opensearch.domain"
DATABASE = "aws.rds.instance"
THROUGHPUT = "aws.bedrock.provisioned_throughput"
APP = "aws.sagemaker.app"
JOBS = frozenset({"aws.sagemaker.training_job", "aws.sagemaker.processing_job", "aws.sagemaker.tuning_job"})
TAGGABLE = JOBS | {
    INSTANCE,
    VOLUME,
    BUCKET,
    ENDPOINT,
    NOTEBOOK,
    GROUP,
    NODEGROUP,
    DOMAIN,
    DATABASE,
    THROUGHPUT,
    APP,
    "aws.bedrock.custom_model",
    "aws.bedrock.inference_profile",
    "aws.ebs.snapshot",
    "aws.ec2.capacity_reservation",
    "aws.ec2.image",
    "aws.eks.cluster",
    "aws.sagemaker.cluster",
    "aws.sagemaker.domain",
    "aws.sagemaker.inference_component",
    "aws.sagemaker.space",
}

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
KEY = Parameter(
    "key",
    "the KMS key to encrypt under: an ARN, an id or `alias/NAME`",
    pattern=r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)/[\w/-]+|[0-9a-f-]{36}|mrk-[0-9a-f]{32}|alias/[\w/-]+",
    example="alias/data",
)
LOCAL_DATA = Parameter(
    "local_data",
    "`lost` says that what is on instance-store disks may be lost; without it, a stop that loses such data is done "
    "after an approval only",
    pattern="lost",
    example="lost",
    required=False,
)
CAPACITY = Parameter("to", "how many to run: 0 to 10,000", pattern=r"0|[1-9]\d{0,3}|10000", example="0")


def remediations() -> Mapping[str, Remediation]:
    """Return all remediations by name, the gentlest first."""
    return {
        "tag": Remediation(
            name="tag",
            title="tag the resource",
            kinds=TAGGABLE,
            reversible=True,
            saves=NOTHING,
            undo="put back the tags it had",
            parameters=(TAGS,),
        ),
        "encrypt": Remediation(
            name="encrypt",
            title="encrypt new objects of the bucket under a key of ours",
            kinds=frozenset({BUCKET}),
            reversible=True,
            saves=NOTHING,
            undo="put back the default encryption it had; objects written since stay encrypted",
            parameters=(KEY,),
        ),
        "encrypt_new_volumes": Remediation(
            name="encrypt_new_volumes",
            title="encrypt all new volumes of the account in the region",
            kinds=frozenset({VOLUME}),
            reversible=True,
            saves=NOTHING,
            undo="turn it off again; volumes made since stay encrypted",
        ),
        "block_public_access": Remediation(
            name="block_public_access",
            title="block public access to the bucket",
            kinds=frozenset({BUCKET}),
            reversible=True,
            saves=NOTHING,
            undo="put back the public access settings it had",
        ),
        "start": Remediation(
            name="start",
            title="start the machine",
            kinds=frozenset({INSTANCE}),
            reversible=True,
            saves=NOTHING,
            undo="stop it again",
        ),
        "gp3": Remediation(
            name="gp3",
            title="change the volume from gp2 to gp3",
            kinds=frozenset({VOLUME}),
            reversible=True,
            saves=STORAGE,
            undo="change it back, six hours later at the earliest",
            in_part=True,
        ),
        "stop": Remediation(
            name="stop",
            title="stop the machine",
            kinds=frozenset({INSTANCE, NOTEBOOK, DATABASE, APP}),
            reversible=True,
            saves=COMPUTE,
            undo=(
                "start it again, if the provider has capacity; its memory, instance-store data and "
                "public address are lost"
            ),
            parameters=(LOCAL_DATA,),
        ),
        "hibernate": Remediation(
            name="hibernate",
            title="hibernate the machine",
            kinds=frozenset({INSTANCE}),
            reversible=True,
            saves=COMPUTE,
            undo="start it again with its memory, if the provider has capacity; its public address is lost",
        ),
        "scale": Remediation(
            name="scale",
            title="change how many machines run",
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
        "delete": Remediation(
            name="delete",
            title="delete the endpoint and keep its configuration",
            kinds=frozenset({ENDPOINT}),
            reversible=True,
            saves=COMPUTE,
            undo="make it again from its configuration, if the provider has capacity; its scaling policies are lost",
        ),
        "stop_job": Remediation(
            name="stop_job",
            title="stop the job",
            kinds=JOBS,
            # What it has not saved is lost, and a job that was stopped does not go on.
            reversible=False,
            saves=COMPUTE,
        ),
        "release": Remediation(
            name="release",
            title="delete the provisioned throughput",
            kinds=frozenset({THROUGHPUT}),
            # Its ARN, which callers name, is not given again.
            reversible=False,
            saves=COMPUTE,
        ),
        "snapshot_and_delete": Remediation(
            name="snapshot_and_delete",
            title="snapshot the volume and delete it",
            kinds=frozenset({VOLUME}),
            # The data survives in the snapshot; the volume, its id and its attachment do not.
            reversible=False,
            saves=STORAGE,
        ),
        "terminate": Remediation(
            name="terminate",
            title="keep an image of the machine and terminate it",
            kinds=frozenset({INSTANCE}),
            reversible=False,
            # Its volumes are resources of their own, with charges of their own.
            saves=COMPUTE,
        ),
    }


def actions(sessions: Sessions) -> Mapping[tuple[str, str], Action]:
    """Return every action by its remediation and kind; `sessions` gives an account's act session, or refuses."""
    from actions.aws.table import aws_actions

    return aws_actions(sessions)
