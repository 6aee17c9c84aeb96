"""What a failed call means for an act: denied, gone, or worth another try."""

import pytest
from botocore.exceptions import ConnectTimeoutError, ParamValidationError

from actions.aws.calls import CallError, calls
from tests.actions.aws.fakes import Fake, RefusalError, target


class Failing:
    """A service that fails in one way."""

    def __init__(self, error) -> None:
        self.error = error

    def stop_instances(self):
        raise self.error


def failed(error) -> CallError:
    with pytest.raises(CallError) as caught:
        calls(Fake(Failing(error)), target("aws.ec2.instance", "i-1"), "ec2").stop_instances()
    return caught.value


@pytest.mark.parametrize(
    "code",
    [
        "Throttling",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "InsufficientInstanceCapacity",
        "InsufficientReservedInstanceCapacity",
        "InternalError",
        "ResourceInUse",
        "VolumeModificationRateExceeded",
    ],
)
def test_what_time_may_end(code):
    """Throttling, no capacity, a change that goes on, a service that is down: worth another try (T19)."""
    assert failed(RefusalError(code)).retryable


@pytest.mark.parametrize("code", ["IncorrectInstanceState", "ValidationException", "OptInRequired"])
def test_what_time_does_not_end(code):
    """Whatever else AWS refuses it refuses again."""
    assert not failed(RefusalError(code, "why")).retryable


@pytest.mark.parametrize("code", ["UnauthorizedOperation", "AccessDenied", "AccessDeniedException"])
def test_what_is_denied(code):
    """It says which call, and not what AWS says, which may hold an encoded message of what the role may do."""
    error = failed(RefusalError(code, "Encoded authorization failure message: canary"))
    assert (error.problems[0].code, error.retryable) == ("act-denied", False)
    assert "stop_instances" in error.problems[0].message
    assert "canary" not in error.problems[0].message


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("InvalidInstanceID.NotFound", ""),
        ("InvalidVolume.NotFound", ""),
        ("ResourceNotFoundException", ""),
        ("DBInstanceNotFound", ""),
        ("NoSuchBucket", ""),
        ("ValidationException", 'Could not find endpoint "arn:aws:sagemaker:us-east-1:1:endpoint/x".'),
        ("ValidationException", "RecordNotFound"),
        ("ValidationException", "Requested resource not found."),
    ],
)
def test_what_is_gone(code, message):
    """Services say in many ways that there is no such thing."""
    assert failed(RefusalError(code, message)).absent


def test_another_refusal_is_no_absence():
    """A denied call or a wrong state never looks like a resource that is gone."""
    assert not failed(RefusalError("AccessDenied", "is not authorized to perform")).absent
    assert not failed(RefusalError("IncorrectState", "it is in use")).absent


def test_a_call_that_did_not_arrive():
    """A time-out may have had an effect or not: it is worth another try, which looks first."""
    assert failed(ConnectTimeoutError(endpoint_url="http://x")).retryable
    assert not failed(ParamValidationError(report="x")).retryable


def test_a_defect_is_no_refusal():
    """What is wrong in the program itself is raised as it is."""
    with pytest.raises(ZeroDivisionError):
        calls(Fake(Failing(ZeroDivisionError())), target("aws.ec2.instance", "i-1"), "ec2").stop_instances()
