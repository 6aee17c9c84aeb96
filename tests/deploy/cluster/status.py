"""How pods and their owners are, in the words of Kubernetes."""

from tests.deploy.cluster.store import now


def waiting(pod, reason):
    return _pod(pod, "Pending", {"waiting": {"reason": reason}}, ready=False)


def running(pod, *, ready):
    return _pod(pod, "Running", {"running": {"startedAt": now()}}, ready=ready)


def ended(pod, code):
    state = {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": now(), "finishedAt": now()}
    return _pod(pod, "Failed" if code else "Succeeded", {"terminated": state}, ready=False)


def of_owner(owner, pods):
    """Return the status of a Job or Deployment with these pods."""
    if owner["kind"] == "Job":
        return _job(pods)
    ready = sum(_ready(pod) for pod in pods)
    counts = {"replicas": len(pods), "updatedReplicas": len(pods)}
    counts |= {"readyReplicas": ready, "availableReplicas": ready}
    return counts | {"observedGeneration": owner["metadata"]["generation"]}


def _job(pods):
    phases = [pod.get("status", {}).get("phase", "Pending") for pod in pods]
    good, bad = phases.count("Succeeded"), phases.count("Failed")
    said = {"active": len(phases) - good - bad, "succeeded": good, "failed": bad, "startTime": now()}
    if good or bad:
        said["conditions"] = [_condition("Complete" if good else "Failed", yes=True)]
    return said


def _pod(pod, phase, state, *, ready):
    name, image = pod["spec"]["containers"][0]["name"], pod["spec"]["containers"][0]["image"]
    container = {"name": name, "image": image, "imageID": image, "ready": ready, "restartCount": 0, "state": state}
    conditions = [_condition(kind, yes=ready) for kind in ("Ready", "ContainersReady")]
    return {"phase": phase, "conditions": conditions, "containerStatuses": [container]}


def _condition(kind, *, yes):
    return {"type": kind, "status": "True" if yes else "False", "lastTransitionTime": now()}


def _ready(pod):
    conditions = pod.get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
