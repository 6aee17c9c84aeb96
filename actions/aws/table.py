"""Every action on AWS: a new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from actions.aws.block_bucket import BlockBucket
from actions.aws.calls import Sessions
from actions.aws.delete_endpoint import DeleteEndpoint
from actions.aws.encrypt_bucket import EncryptBucket
from actions.aws.encrypt_new_volumes import EncryptNewVolumes
from actions.aws.listed import Listed
from actions.aws.release_throughput import ReleaseThroughput
from actions.aws.resize_domain import ResizeDomain
from actions.aws.resize_instance import ResizeInstance
from actions.aws.scale_endpoint import ScaleEndpoint
from actions.aws.scale_group import ScaleGroup
from actions.aws.scale_nodegroup import ScaleNodegroup
from actions.aws.snapshot_and_delete import SnapshotAndDelete
from actions.aws.start_instance import StartInstance
from actions.aws.stop_app import StopApp
from actions.aws.stop_database import StopDatabase
from actions.aws.stop_instance import StopInstance
from actions.aws.stop_job import StopJob
from actions.aws.stop_notebook import StopNotebook
from actions.aws.tag import Tag
from actions.aws.tagging import SERVICES
from actions.aws.terminate_instance import TerminateInstance
from actions.aws.volume_to_gp3 import VolumeToGp3
from engine.acting.action import Action


def aws_actions(sessions: Sessions) -> Mapping[tuple[str, str], Action]:
    """Return every action by its remediation and kind; `sessions` gives an account's act session, or refuses."""
    services = {service.client: service for service in SERVICES.values()}
    table: tuple[Action, ...] = (
        *(Tag(sessions, service) for service in services.values()),
        EncryptBucket(sessions),
        EncryptNewVolumes(sessions),
        BlockBucket(sessions),
        StartInstance(sessions),
        VolumeToGp3(sessions),
        StopInstance(sessions),
        StopInstance(sessions, hibernate=True),
        StopNotebook(sessions),
        StopDatabase(sessions),
        StopApp(sessions),
        ScaleGroup(sessions),
        ScaleNodegroup(sessions),
        ScaleEndpoint(sessions),
        ResizeInstance(sessions),
        ResizeDomain(sessions),
        DeleteEndpoint(sessions),
        StopJob(sessions),
        ReleaseThroughput(sessions),
        SnapshotAndDelete(sessions),
        TerminateInstance(sessions),
    )
    return {(action.remediation, kind): Listed(action, sessions) for action in table for kind in action.kinds}
