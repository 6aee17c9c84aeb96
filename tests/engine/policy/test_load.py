"""Policy texts to policies, or to every mistake at once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actions.catalog import remediations
from bursar.packs import packs_folder
from engine.errors import PolicyError
from engine.policy.load import load_policies
from engine.policy.model import Approval, Limits, Mode, PolicySet, Severity
from integrations.catalog import default_catalog

PLAIN = """\
version: 1
policies:
  - name: owners
    description: Owners.
    resource: aws.ec2.instance
    required_tags: [owner]
"""


def load(*texts: str) -> PolicySet:
    return load_policies({f"{n}.yaml": text for n, text in enumerate(texts)}, default_catalog(), remediations())


def problems(*texts: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load(*texts)
    return [str(problem) for problem in caught.value.problems]


def test_language_defaults():
    """A policy that says nothing else is of medium severity, reports, waits for nothing and may act on few."""
    (policy,) = load(PLAIN).policies
    assert policy.severity is Severity.MEDIUM
    assert policy.mode is Mode.REPORT
    assert policy.grace == timedelta(0)
    assert policy.limits == Limits(5, Decimal(5), None)
    assert policy.place.line == 3


def test_file_defaults_and_the_policys_own_word():
    """The policy's word wins over the file's; limits are taken one by one."""
    text = PLAIN.replace(
        "policies:",
        "defaults:\n  severity: low\n  grace: 2d\n  limits: {max_actions: 9, max_share: 50%}\n"
        "  approval: {channel: c, approvers: [a]}\npolicies:",
    )
    (policy,) = load(text + "    severity: critical\n    limits: {max_actions: 1}\n").policies
    assert policy.severity is Severity.CRITICAL
    assert policy.grace == timedelta(days=2)
    assert policy.limits == Limits(1, Decimal(50), None)
    assert policy.approval == Approval("c", ("a",), timedelta(hours=8), 1)


def test_defaults_hold_for_their_file_alone():
    """One file's defaults say nothing about another's policies."""
    other = PLAIN.replace("name: owners", "name: others")
    first, second = load(PLAIN.replace("policies:", "defaults: {severity: low}\npolicies:"), other).policies
    assert (first.severity, second.severity) == (Severity.LOW, Severity.MEDIUM)


def test_all_mistakes_of_all_files():
    """Mistakes of several policies and files are told in one pass, shape, kinds, units and expressions alike."""
    broken = """\
version: 1
policies:
  - name: Bad Name
    description: One.
    resource: aws.ec2.instanc
    severity: hi
    where: resource.running and
    idle: {for: 4, below: {gpu.utilization: 5%}}
  - name: other
    description: Two.
    resource: aws.ec2.instance
    rule: resource.stat == "running"
    remediate: [stpo]
"""
    found = problems(PLAIN.replace("owner]", "owner, owner]"), broken)
    assert [line.split("  ")[0] for line in found] == [
        "0.yaml:6:20",
        "1.yaml:3:11",
        "1.yaml:5:15",
        "1.yaml:6:15",
        "1.yaml:7:31",
        "1.yaml:8:17",
        "1.yaml:12:20",
        "1.yaml:13:17",
    ]


def test_what_is_wrong_hides_nothing_else():
    """A kind that is unknown and a check that is broken in part do not hide mistakes in the rest of the policy."""
    broken = """\
version: 1
policies:
  - name: idle
    description: d
    resource: [aws.ec2.instance, aws.ec3.instance]
    where: resource.stat == "running"
    idle: {for: 4, below: {gpu.utilisation: 5%}}
    mode: approve
    remediate: [stop, stop, snapshot_and_delete]
"""
    assert [line.split("  ")[0] for line in problems(broken)] == [
        "0.yaml:5:34",
        "0.yaml:6:21",
        "0.yaml:7:17",
        "0.yaml:7:28",
        "0.yaml:8:11",
        "0.yaml:9:23",
        "0.yaml:9:29",
    ]


def test_an_approval_that_is_wrong_is_there():
    """A wrong `approval` is one mistake, not also a missing one."""
    text = PLAIN + "    mode: approve\n    approval: {channel: c, approvers: []}\n"
    assert problems(text) == ["0.yaml:8:39  the list is empty [wrong-value]"]


def test_conditions_of_what_has_no_kind():
    """A budget without `resource` is asked for what every kind has."""
    text = """\
version: 1
policies:
  - name: budget
    description: d
    where: resource.region == "us-east-1" and tags.team == "a"
    budget: {amount: $5/mo, group_by: [tags.team, resource.account]}
"""
    (policy,) = load(text).policies
    assert policy.where is not None
    assert [policy.expressions[key].text for key in ("group_by[0]", "group_by[1]")] == ["tags.team", "resource.account"]
    assert len(problems(text.replace("region", "state"))) == 1


def test_expressions_of_checks():
    """The condition of a rule and the groups of a quota are kept under their keys; a group not given is the account."""
    rule, quota = load(
        """\
version: 1
policies:
  - {name: a, description: d, resource: compute.instance, rule: true}
  - {name: b, description: d, resource: compute.instance, quota: {limits: {resources: 3}}}
"""
    ).policies
    assert {key: e.text for key, e in rule.expressions.items()} == {"when": "true"}
    assert {key: e.text for key, e in quota.expressions.items()} == {"group_by[0]": "resource.account"}


def test_a_default_is_risky_where_it_stands():
    """Each clause of `unless` is told at the default in it, and only policies that act are refused."""
    text = PLAIN + "    unless:\n      - tags.a == 'x'\n      - default(tags.keep, 'no') == 'yes'\n"
    assert load(text).policies[0].remediate == ()
    (problem,) = problems(text + "    remediate: [{tag: {owner: x}}]\n")
    assert problem.startswith("0.yaml:9:9  this default could lead to acting")


def test_parameters_of_remediations():
    """They are kept as texts beside the remediation's name; a scalar that looks like something else is its text."""
    given = "stop, {tag: {owner: unowned, review: 2026-12, paid: no}}, resize: {to: g5.xlarge}"
    (policy,) = load(f"{PLAIN}    remediate: [{given}]\n").policies
    assert policy.remediate == ("stop", "tag", "resize")
    assert policy.parameters == {
        "tag": {"owner": "unowned", "review": "2026-12", "paid": "no"},
        "resize": {"to": "g5.xlarge"},
    }


def test_names_are_unique_over_files():
    """Two policies of one name are a mistake, and the message says where the other stands."""
    assert problems(PLAIN, PLAIN) == [
        "1.yaml:3:11  a second policy has the name `owners` [duplicate-policy] (the other stands at 0.yaml:3:11)"
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "version: 1\npolicies: []\n"])
def test_nothing_is_an_error(text):
    """An empty file or list is never a valid set of policies."""
    assert "nothing-loaded" in problems(text)[0]


def test_no_texts():
    """No file at all is an error too."""
    assert "nothing-loaded" in problems()[0]


@pytest.mark.parametrize("written", ["NO", "22:30", "0123456701", "1.10", "1e3", "0x10", "~x", "yes"])
def test_scalars_stay_text(written):
    """What YAML 1.1 would turn into something else is the text that stands there."""
    text = PLAIN.replace("[owner]", f"{{tags: {{owner: {{values: [{written}]}}}}}}")
    (policy,) = load(text).policies
    assert policy.check.tags["owner"].values == (written,)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 10_000, "yaml-depth"),
        ("{a: " * 10_000, "yaml-depth"),
        ("- " * 10_000 + "x", "yaml-depth"),
        ("version: 1\npolicies: [" + "a, " * 30_000 + "]", "yaml-nodes"),
        ("version: 1\npolicies: [" + "*a , " * 30_000 + "]", "yaml-alias"),
        ("a" * 300_000, "file-too-large"),
        ("version: 1\x00", "yaml-syntax"),
        ("\ud800", "yaml-syntax"),
    ],
    ids=["lists", "maps", "items", "nodes", "aliases", "size", "null byte", "surrogate"],
)
def test_hostile_texts(text, code):
    """Depth, number, size and odd bytes are refused by name, quickly."""
    assert code in problems(text)[0]


def test_many_places_in_a_long_line_share_its_text():
    """Thousands of mistakes in one line do not copy the line thousands of times."""
    text = "version: 1\npolicies: [" + ", ".join(["{name: A}"] * 500) + "]\n"
    with pytest.raises(PolicyError) as caught:
        load(text)
    assert len({id(problem.place.text) for problem in caught.value.problems}) == 1


def test_digest_follows_texts_and_names():
    """The digest changes with any text or name and not with the order they are given in."""
    other = PLAIN.replace("name: owners", "name: others")
    both = load(PLAIN, other).digest
    swapped = {"1.yaml": other, "0.yaml": PLAIN}
    assert load_policies(swapped, default_catalog(), remediations()).digest == both
    assert load(other, PLAIN).digest != both
    assert load(PLAIN + " ", other).digest != both


def test_checks_without_a_source_load():
    """Budgets, unit costs, jobs and vector collections parse and validate though nothing reads their sources yet."""
    text = """\
version: 1
policies:
  - name: budget
    description: d
    budget: {amount: "$50,000/mo", group_by: tags.team, ladder: [{at: 80%}, {days_to_breach: 10d}]}
  - name: unit
    description: d
    unit_cost: {per: 1m_tokens, target: $0.40}
  - name: jobs
    description: d
    job_approval: {gpus: 8, gpu_hours: 500, duration: 24h, cost: "$1,000", require: [checkpointing], headroom: 10%}
  - name: vectors
    description: d
    vector_limits: {vectors: 50000000, dimensions: 1536, memory: 40GiB, replicas: 2, quantization: required, idle: 14d}
"""
    names = [policy.name for policy in load(text).policies]
    assert names == ["budget", "unit", "jobs", "vectors"]


SHIPPED = [
    p.read_text(encoding="utf-8") for p in sorted(packs_folder().rglob("*.yaml")) if not p.name.endswith("_test.yaml")
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHIPPED), st.integers(0, 10**6), st.integers(0, 60), st.text(max_size=12))
def test_mutated_policies_never_crash_the_loader(text, start, length, inserted):
    """Whatever is cut from and put into a policy file, the answer is policies or problems with a place in the file."""
    start %= len(text)
    changed = text[:start] + inserted + text[start + length :]
    lines = changed.count("\n") + changed.count("\r") + 2
    try:
        load(changed)
    except PolicyError as error:
        assert all(p.code and p.message and p.place.line <= lines for p in error.problems)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text):
    """Any text at all gives policies or problems."""
    with pytest.raises(PolicyError):
        load(text)
