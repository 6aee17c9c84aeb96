"""What follows from a match: their actions as our remediations, or a remark why not."""

import pytest

from engine.policy.model import Approval
from tests.integrations.custodian.translating import imported, indented


def following(actions: str, resource: str = "ec2"):
    """Return what a policy with these actions does here, and the remarks about it."""
    text = f"policies:\n  - name: p\n    resource: {resource}\n    actions:\n{indented(actions, 6)}\n"
    approval = Approval("#ml", ("@leads",))
    (policy,) = imported(text, approval).policies
    return policy.document.get("remediate"), [note.text for note in policy.notes]


@pytest.mark.parametrize(
    ("actions", "resource", "remediate"),
    [
        ("- {type: tag, key: owner, value: unowned}", "ec2", [{"tag": {"owner": "unowned"}}]),
        (
            "- {type: tag, tags: {a: x, b: y}}\n- {type: mark, tag: c, value: z}\n- stop",
            "ec2",
            [{"tag": {"a": "x", "b": "y", "c": "z"}}, "stop"],
        ),
        ("- start", "ec2", ["start"]),
        ("- stop", "rds", ["stop"]),
        ("- stop", "sagemaker-job", ["stop_job"]),
        (
            "- {type: set-bucket-encryption, crypto: 'aws:kms', key: alias/data}",
            "s3",
            [{"encrypt": {"key": "alias/data"}}],
        ),
    ],
)
def test_actions_that_have_an_equal(actions, resource, remediate):
    """Tags are written as they are named, all in one step; a key comes with the encryption it is for."""
    assert following(actions, resource) == (remediate, [])


@pytest.mark.parametrize(
    ("actions", "resource"),
    [
        ("- {type: tag, key: 'aws:owner', value: x}", "ec2"),
        ("- {type: tag, key: since, value: '{now}'}", "ec2"),
        ("- {type: set-bucket-encryption, crypto: AES256}", "s3"),
        ("- {type: mark-for-op, op: tag, days: 3}", "ec2"),
    ],
)
def test_actions_that_have_none(actions, resource):
    """A tag that AWS refuses or Custodian makes up, and an encryption that S3 does by itself, are left out."""
    remediate, notes = following(actions, resource)
    assert remediate is None
    assert notes
