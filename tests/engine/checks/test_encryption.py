"""Each protection, present, absent and not known."""

import pytest

from engine.model import Resource
from engine.values import Reason, Unknown
from tests.engine.estates import BUCKET, DENIED, NOW, judge

SAFE = {
    "encryption.at_rest": True,
    "encryption.key": "customer",
    "encryption.in_transit": True,
    "public_access": False,
    "access_logging": True,
}
GROUPS = {
    "encryption.at_rest": "encryption",
    "encryption.key": "encryption",
    "encryption.in_transit": "policy",
    "public_access": "public_access",
    "access_logging": "logging",
}
ALL = "{at_rest: required, key: customer, in_transit: required, public_access: denied, access_logging: required}"


def asks(check: str) -> str:
    return f"resource: aws.s3.bucket\n    encryption: {check}"


def bucket(gaps=None, **fields) -> Resource:
    found = {**SAFE, **{name.replace("__", "."): value for name, value in fields.items()}}
    fields = {name: value for name, value in found.items() if value is not None}
    return Resource(BUCKET, "b", "1", "us-east-1", fields={"created": NOW, **fields}, gaps=gaps or {})


KEYS = [
    ("{at_rest: required}", "encryption.at_rest", False, "data at rest is not encrypted"),
    ("{key: customer}", "encryption.key", "aws_managed", "the key is not customer-managed"),
    ("{key: customer}", "encryption.key", "aws_owned", "the key is not customer-managed"),
    ("{in_transit: required}", "encryption.in_transit", False, "connections without TLS are accepted"),
    ("{public_access: denied}", "public_access", True, "it can be reached by the public"),
    ("{access_logging: required}", "access_logging", False, "access is not logged"),
]


@pytest.mark.parametrize(("check", "field", "bad", "fault"), KEYS)
def test_each_key(check, field, bad, fault):
    """Each key looks at one field and says what is wrong."""
    good = judge(asks(check), bucket())
    assert (good.violated, good.summary) == (False, "every protection asked for is on")
    found = judge(asks(check), bucket(**{field.replace(".", "__"): bad}))
    assert (found.violated, found.summary) == (True, fault)
    assert [(e.path, e.value) for e in found.evidence] == [(f"resource.{field}", bad)]


@pytest.mark.parametrize(("check", "field", "bad", "fault"), KEYS)
def test_each_key_unknown(check, field, bad, fault):
    """A group that could not be read, a refused value and a value of another type are unknown."""
    name = field.replace(".", "__")
    for resource, reason in (
        (bucket({GROUPS[field]: DENIED}, **{name: None}), Reason.DENIED),
        (bucket(**{name: DENIED}), Reason.DENIED),
        (bucket(**{name: 1}), Reason.WRONG_TYPE),
        (bucket(**{name: Unknown(Reason.NULL)}), Reason.NULL),
    ):
        found = judge(asks(check), resource)
        assert isinstance(found.violated, Unknown)
        assert [(u.reason, u.path) for u in found.unknowns] == [(reason, f"resource.{field}")]
        assert found.summary == "not every protection could be read"


def test_absent_key():
    """A key that is known not to exist is not a customer's; any other field that did not come is unknown."""
    assert judge(asks("{key: customer}"), bucket(encryption__key=None)).violated is True
    assert isinstance(judge(asks("{at_rest: required}"), bucket(encryption__at_rest=None)).violated, Unknown)


def test_any_key_is_no_demand():
    """`key: any` adds nothing to `at_rest`."""
    found = judge(asks("{at_rest: required, key: any}"), bucket(encryption__key="aws_owned"))
    assert found.violated is False


def test_one_fault_decides():
    """One protection that is known to be off is a violation whatever else is unknown; the rest is evidence."""
    found = judge(asks(ALL), bucket(access_logging=False, public_access=DENIED))
    assert (found.violated, found.summary) == (True, "access is not logged")
    assert [e.path for e in found.evidence] == [f"resource.{name}" for name in SAFE]


def test_one_unknown_keeps_from_passing():
    """Everything else being on, one that is not known makes the whole unknown."""
    assert isinstance(judge(asks(ALL), bucket(public_access=DENIED)).violated, Unknown)
