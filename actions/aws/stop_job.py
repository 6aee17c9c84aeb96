"""Stop a SageMaker job: training, processing or tuning. What it has not saved is lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from actions.aws.calls import GONE, Losses, Sessions, another, calls, effect_of, found, irreversible, last, stale
from engine.acting.action import Effect, Ready, Refused, Target


@dataclass(frozen=True, slots=True)
class Job:
    """What SageMaker calls a kind of job."""

    word: str
    """As its operations' names have it."""
    client_word: str
    """As the SDK's methods have it."""


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "aws.sagemaker.training_job": Job("TrainingJob", "training_job"),
        "aws.sagemaker.processing_job": Job("ProcessingJob", "processing_job"),
        "aws.sagemaker.tuning_job": Job("HyperParameterTuningJob", "hyper_parameter_tuning_job"),
    }
)


@dataclass(frozen=True, slots=True)
class StopJob:
    """Stopping a job before its end."""

    sessions: Sessions

    @property
    def remediation(self) -> str:
        return "stop_job"

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(JOBS)

    @property
    def permissions(self) -> frozenset[str]:
        return frozenset(f"sagemaker:{verb}{job.word}" for job in JOBS.values() for verb in ("Describe", "Stop"))

    def check(self, target: Target) -> Ready | Refused:
        """Return whether it goes on and no other job holds it."""
        entry = self._job(target)
        if entry is None:
            return GONE
        state, why = self._state(target, entry), another(target, entry.get("CreationTime"))
        if why:
            return Refused(why)
        if state in ("Stopping", "Stopped", "Completed", "Failed"):
            return Refused(f"it is {state}", settled=True)
        holder = next((entry[key] for key in ("TuningJobArn", "AutoMLJobArn") if entry.get(key)), "")
        if holder:
            return Refused(f"it belongs to {last(str(holder))}, which would start another: act on that")
        return Losses(tuple(_losses(entry))).ready(state=state)

    def _job(self, target: Target) -> Mapping[str, Any] | None:
        job, sagemaker = JOBS[target.resource.kind], calls(self.sessions, target, "sagemaker")
        describe = getattr(sagemaker, f"describe_{job.client_word}")
        entry: Mapping[str, Any] | None = found(lambda: describe(**_name(target)))
        return entry

    def _state(self, target: Target, entry: Mapping[str, Any]) -> str:
        return str(entry[f"{JOBS[target.resource.kind].word}Status"])

    def do(self, target: Target) -> None:
        """Stop it, where it goes on."""
        entry = self._job(target)
        why = "it is gone" if entry is None else another(target, entry.get("CreationTime"))
        if entry is None or why:
            raise stale(target, why)
        if self._state(target, entry) == "InProgress":
            job, sagemaker = JOBS[target.resource.kind], calls(self.sessions, target, "sagemaker")
            getattr(sagemaker, f"stop_{job.client_word}")(**_name(target))

    def verify(self, target: Target) -> Effect:
        """Return whether it has ended."""
        entry = self._job(target)
        if entry is None or another(target, entry.get("CreationTime")):
            return Effect.GONE
        return effect_of(self._state(target, entry), ("Stopped", "Completed", "Failed"), ("Stopping",))

    def undo(self, target: Target) -> None:
        """Raise: a job that was stopped does not go on."""
        raise irreversible(target)

    def undone(self, target: Target) -> Effect:
        """Raise, as `undo`."""
        raise irreversible(target)


def _name(target: Target) -> dict[str, str]:
    return {f"{JOBS[target.resource.kind].word}Name": last(target.resource.id)}


def _losses(entry: Mapping[str, Any]) -> Iterator[str]:
    if "TrainingJobName" in entry and not entry.get("CheckpointConfig"):
        yield "it saves no checkpoints: what it has learnt is lost"
    else:
        yield "its work since it last saved any is lost"
