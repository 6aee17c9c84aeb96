"""What an estate is asked for."""

from datetime import timedelta

from actions.catalog import remediations
from engine.model import KindNeeds, Needs
from engine.policy.load import load_policies
from engine.policy.needs import needs_of
from integrations.catalog import default_catalog

DAY = timedelta(days=1)


def needs(policies: str) -> Needs:
    text = "version: 1\npolicies:\n" + policies
    return needs_of(load_policies({"p.yaml": text}, default_catalog(), remediations()))


def test_tags_are_always_needed():
    """A tag may protect any resource, so tags are asked for even where no policy reads one."""
    found = needs("  - {name: a, description: d, resource: aws.s3.bucket, rule: resource.age > 3d}\n")
    assert found.kinds == {"aws.s3.bucket": KindNeeds(frozenset({"tags"}), {})}


def test_groups_of_the_fields_that_are_read():
    """Fields in `where`, `unless` and checks bring their groups, and no others."""
    found = needs(
        """\
  - name: a
    description: d
    resource: aws.s3.bucket
    where: resource.public_access
    unless: resource.access_logging
    encryption: {in_transit: required}
"""
    )
    assert found.kinds["aws.s3.bucket"].groups == {"tags", "public_access", "logging", "policy"}


def test_idle_on_gpus():
    """Derived metrics are asked for by their source; the others tell what is loaded or else at work."""
    found = needs(
        "  - {name: a, description: d, resource: compute.instance, idle: {for: 4h, below: {gpu.power_over_idle: 15%}}}"
    )
    hours = timedelta(hours=4)
    need = found.kinds["aws.ec2.instance"]
    devices = ("gpu.power", "gpu.memory_used", "gpu.video", "gpu.fault")
    whole = ("cpu.utilization", "sessions.active", "jobs.running", "node.cordoned")
    assert need.metrics == dict.fromkeys((*devices, *whole), hours)
    assert need.groups == {"tags", "hardware"}


def test_event_driven_metrics_bring_witnesses():
    """Silence of `requests` means nothing without a metric that shows the source to be alive."""
    found = needs("  - {name: a, description: d, resource: ml.endpoint, idle: {for: 1d, below: {requests: 1}}}\n")
    assert set(found.kinds["aws.sagemaker.endpoint"].metrics) == {
        "requests",
        "gpu.utilization",
        "gpu.memory_used",
        "cpu.utilization",
    }


def test_the_longest_window_wins():
    """Two policies with windows of different length need the longer one, once."""
    found = needs(
        """\
  - {name: a, description: d, resource: aws.ec2.instance, rule: "max(metrics.cpu.utilization, 1d) < 5%"}
  - {name: b, description: d, resource: aws.ec2.instance, rule: "avg(metrics.cpu.utilization, 3h) < 5%"}
"""
    )
    assert found.kinds["aws.ec2.instance"].metrics == {"cpu.utilization": DAY}


def test_quotas_count_what_they_limit():
    """A quota of accelerators needs to know the hardware; one of resources does not."""
    quota = "  - {{name: a, description: d, resource: compute.instance, quota: {{limits: {{{limit}}}}}}}\n"
    assert needs(quota.format(limit="accelerators: 8")).kinds["aws.ec2.instance"].groups == {"tags", "hardware"}
    assert needs(quota.format(limit="resources: 8")).kinds["aws.ec2.instance"].groups == {"tags"}


def test_checks_without_a_source_need_nothing():
    """A budget asks nothing of an inventory that could not answer it."""
    assert needs('  - {name: a, description: d, budget: {amount: "$5/mo"}}\n').kinds == {}
