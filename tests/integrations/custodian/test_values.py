"""What `value` filters come to: their words, operators and conversions, about fields and tags."""

import pytest

from tests.integrations.custodian.translating import reason, when

TAG = 'tags["cost-center"]'


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("- tag:Owner: absent", "not has(tags.Owner)"),
        ("- tag:Owner: present", "has(tags.Owner)"),
        ("- tag:Owner: empty", 'not has(tags.Owner) or tags.Owner == ""'),
        ("- tag:Owner: not-null", 'has(tags.Owner) and tags.Owner != ""'),
        ("- tag:Owner: null", "not has(tags.Owner)"),
        ("- tag:Owner: ana", 'has(tags.Owner) and tags.Owner == "ana"'),
        ("- tag:cost-center: x", f'has({TAG}) and {TAG} == "x"'),
        ("- 'tag:a\"b': x", 'has(tags["a\\"b"]) and tags["a\\"b"] == "x"'),
        ("- tag:aws:autoscaling:groupName: present", 'has(tags["aws:autoscaling:groupName"])'),
        ("- tag:in: present", 'has(tags["in"])'),
        (
            "- {type: value, key: \"Tags[?Key=='Owner'].Value | [0]\", value: x}",
            'has(tags.Owner) and tags.Owner == "x"',
        ),
    ],
)
def test_tags(filters, expected):
    """A tag that is not there is a known answer: false about what it equals, true about what it is not."""
    assert when(filters) == expected


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("eq", "a", 'has(tags.t) and tags.t == "a"'),
        ("equal", "a", 'has(tags.t) and tags.t == "a"'),
        ("ne", "a", 'not has(tags.t) or tags.t != "a"'),
        ("not-equal", "a", 'not has(tags.t) or tags.t != "a"'),
        ("gt", "a", 'has(tags.t) and tags.t > "a"'),
        ("less-than", "a", 'has(tags.t) and tags.t < "a"'),
        ("gte", "a", 'has(tags.t) and tags.t >= "a"'),
        ("le", "a", 'has(tags.t) and tags.t <= "a"'),
        ("in", "[a, b]", 'has(tags.t) and tags.t in ["a", "b"]'),
        ("in", "[a]", 'has(tags.t) and tags.t == "a"'),
        ("not-in", "[a, b]", 'not has(tags.t) or tags.t not in ["a", "b"]'),
        ("ni", "[a]", 'not has(tags.t) or tags.t != "a"'),
        ("contains", "a", 'has(tags.t) and tags.t.contains("a")'),
        ("glob", "a*", 'has(tags.t) and tags.t.startsWith("a")'),
        ("glob", "'*a'", 'has(tags.t) and tags.t.endsWith("a")'),
        ("glob", "'*a*'", 'has(tags.t) and tags.t.contains("a")'),
        ("glob", "'a?c'", "has(tags.t) and tags.t.matches(r'(?s)^a.c$')"),
        ("glob", "a.c", 'has(tags.t) and tags.t == "a.c"'),
        ("regex", "'a.*'", "has(tags.t) and tags.t.matches(r'(?i)^a.*')"),
        ("regex-case", "'^a$'", "has(tags.t) and tags.t.matches(r'^a$')"),
    ],
)
def test_operators(operator, value, expected):
    """Each operator, about a tag."""
    assert when(f"- {{type: value, key: 'tag:t', op: {operator}, value: {value}}}") == expected


@pytest.mark.parametrize(
    ("resource", "filters", "expected"),
    [
        ("ec2", "- State.Name: running", 'resource.state == "running"'),
        ("ec2", "- InstanceLifecycle: spot", 'resource.lifecycle == "spot"'),
        ("ec2", "- InstanceLifecycle: absent", 'resource.lifecycle == "on-demand"'),
        ("ec2", "- {type: value, key: InstanceLifecycle, op: ne, value: spot}", 'resource.lifecycle != "spot"'),
        ("ec2", "- MetadataOptions.HttpTokens: optional", "not resource.imdsv2"),
        ("ec2", "- {type: value, key: MetadataOptions.HttpTokens, op: ne, value: required}", "not resource.imdsv2"),
        ("ec2", "- {type: value, key: PlatformDetails, op: ne, value: Windows}", 'resource.platform != "windows"'),
        ("ec2", "- PublicIpAddress: present", "resource.public_ip"),
        ("ebs", "- Encrypted: false", "not resource.encryption.at_rest"),
        ("ebs", "- {type: value, key: Encrypted, op: ne, value: false}", "resource.encryption.at_rest"),
        ("ebs", "- Attachments: []", "not resource.attached"),
        ("ebs", "- Attachments: not-null", "resource.attached"),
        ("ebs", "- {type: value, key: Size, op: ge, value: 100}", "resource.volume.size_gib >= 100"),
        ("ebs", "- {type: value, key: Size, op: in, value: [1, 2]}", "resource.volume.size_gib in [1, 2]"),
        (
            "ebs",
            "- {type: value, key: Iops, op: lt, value: 9}",
            "has(resource.volume.iops) and resource.volume.iops < 9",
        ),
        ("rds", "- MultiAZ: not-null", "resource.multi_az"),
        (
            "rds",
            "- {type: value, key: StorageEncrypted, op: ne, value: true}",
            'not (resource.encryption.at_rest and resource.encryption.key != "aws_owned")',
        ),
        ("aws.ebs", "- VolumeType: gp2", 'resource.volume.type == "gp2"'),
    ],
)
def test_fields(resource, filters, expected):
    """Fields by the paths of several types, in our words where those are others."""
    assert when(filters, resource) == expected


@pytest.mark.parametrize(
    ("resource", "filters", "expected"),
    [
        (
            "ec2",
            "- {type: value, key: LaunchTime, value_type: age, op: gt, value: 7}",
            "now - resource.launched > 7d",
        ),
        ("ebs", "- {type: value, key: CreateTime, value_type: age, op: le, value: 0.5}", "resource.age <= 12h"),
        (
            "ebs",
            "- {type: value, key: CreateTime, value_type: age, op: lt, value: 1.5}",
            'resource.age < duration("1d12h")',
        ),
        (
            "ami",
            "- {type: value, key: DeprecationTime, value_type: expiration, op: lt, value: 30}",
            "has(resource.deprecated) and resource.deprecated - now < 30d",
        ),
        (
            "ebs",
            "- {type: value, key: CreateTime, value_type: date, op: lt, value: '2026-01-31T00:00:00Z'}",
            'resource.created < timestamp("2026-01-31T00:00:00+00:00")',
        ),
        ("ec2", "- {type: value, key: Tags, value_type: size, op: gt, value: 3}", "size(tags) > 3"),
        ("ec2", "- {type: value, key: length(Tags), op: ge, value: 48}", "size(tags) >= 48"),
        ("ebs", "- {type: value, key: Attachments, value_type: size, op: gt, value: 0}", "resource.attached"),
        (
            "ec2",
            "- {type: value, key: 'tag:t', value_type: size, op: lt, value: 3}",
            "not has(tags.t) or size(tags.t) < 3",
        ),
        (
            "ebs",
            "- {type: value, key: Iops, value_type: integer, op: lt, value: 3}",
            "not has(resource.volume.iops) or resource.volume.iops < 3",
        ),
        (
            "ec2",
            "- {type: value, key: 'tag:t', value_type: normalize, value: prod}",
            r"has(tags.t) and tags.t.lowerAscii().matches(r'^[\s\p{Z}]*prod[\s\p{Z}]*$')",
        ),
        (
            "ec2",
            "- {type: value, key: 'tag:t', value_type: normalize, op: not-in, value: [a, b c]}",
            r"not has(tags.t) or not tags.t.lowerAscii().matches(r'^[\s\p{Z}]*(?:a|b c)[\s\p{Z}]*$')",
        ),
        (
            "ec2",
            "- {type: value, key: 'tag:t', value_type: swap, op: in, value: rod}",
            'has(tags.t) and tags.t.contains("rod")',
        ),
    ],
)
def test_conversions(resource, filters, expected):
    """Each `value_type` that has an equal."""
    assert when(filters, resource) == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (
            "- or: [{'tag:a': absent}, {'tag:b': x}]",
            'not has(tags.a) or (has(tags.b) and tags.b == "x")',
        ),
        ("- not: [{'tag:a': present}]", "not has(tags.a)"),
        ("- not: [{'tag:a': absent}]", "has(tags.a)"),
        ("- not: [{'tag:a': x}]", 'not (has(tags.a) and tags.a == "x")'),
        (
            "- not: [{'tag:a': present}, {'tag:b': present}]",
            "not (has(tags.a) and has(tags.b))",
        ),
        (
            "- {'tag:a': present}\n- or: [{'tag:b': present}, {'tag:c': present}]",
            "has(tags.a) and (has(tags.b) or has(tags.c))",
        ),
        (
            "- or: [{and: [{'tag:a': present}, {'tag:b': present}]}, {not: [{'tag:c': present}]}]",
            "(has(tags.a) and has(tags.b)) or not has(tags.c)",
        ),
        ("- {'tag:a': present}\n- {'tag:a': present}", "has(tags.a)"),
    ],
)
def test_blocks(filters, expected):
    """Blocks of `and`, `or` and `not`; a list is an `and`, also inside `not`."""
    assert when(filters) == expected


@pytest.mark.parametrize(
    ("filters", "part"),
    [
        ("- ImageId: ami-1", "no field of `aws.ec2.instance` holds what `ImageId` does"),
        ("- instanceLifecycle: spot", "did you mean `InstanceLifecycle`?"),
        ("- tag:t: 5", "`5` is compared with a text: nothing is ever equal"),
        ("- tag:t: true", "`true` is compared with a text"),
        ("- {type: value, key: 'tag:t', op: in, value: abc}", "`abc` is no list"),
        ("- {type: value, key: 'tag:t', op: in, value: []}", "the list is empty"),
        ("- {type: value, key: 'tag:t', op: in, value: [a, 5]}", "`5` is compared with a text"),
        ("- {type: value, key: 'tag:t', op: ne, value: absent}", "stands beside an operator"),
        ("- {type: value, key: 'tag:t', op: mod, value: 2}", "the operator `mod` has no equal"),
        ("- {type: value, key: 'tag:t', op: regex, value: '(?!a)b'}", "RE2 has no `(?!a"),
        ("- {type: value, key: 'tag:t', op: regex, value: '\\bprod'}", "RE2 means something else"),
        ("- {type: value, key: 'tag:t', op: regex, value: '(a'}", "is not a regular expression"),
        ("- {type: value, key: 'tag:t', value_type: age, op: gt, value: 3}", "holds text: dates in it"),
        ("- {type: value, key: 'tag:t', value_type: integer, op: gt, value: 3}", "has no equal"),
        ("- {type: value, key: LaunchTime, op: gt, value: 3}", "without a `value_type`"),
        ("- {type: value, key: LaunchTime, value_type: age, value: 3}", "asks for a single moment"),
        ("- {type: value, key: LaunchTime, value_type: age, op: gt, value: '3'}", "is no number of days"),
        ("- {type: value, key: LaunchTime, value_type: date, op: gt, value: '2026-01-31'}", "has no zone"),
        ("- {type: value, key: 'tag:t', value_type: normalize, value: Prod}", "is not what a text without capitals"),
        ("- {type: value, key: 'tag:t', value_from: {url: s3://x}}", "`value_from` of a value filter"),
        ("- {type: value, key: 'tag:t', value: x, value_regex: '(.)'}", "`value_regex` of a value filter"),
        ("- {type: value, key: 'tag:t', value: x, tag_key_transforms: [lower]}", "`tag_key_transforms`"),
        ("- {type: value, key: 'tag:t'}", "the value filter lacks `key` or `value`"),
        ("- tag:t: '{account_id}'", "holds a variable"),
        ("- tag:t: 'a{'", "Custodian fails at the braces"),
        ("- State.Name: terminated", "is gone and not read here"),
        ("- State.Name: sleeping", "`sleeping` is not one of the field's values"),
        ("- Tags: present", "depends on how the service writes an empty list"),
        ("- PublicIpAddress: 203.0.113.7", "only whether there is anything under `PublicIpAddress`"),
        ("- InstanceLifecycle: on-demand", "is not told apart here"),
        ("- PlatformDetails: Windows with SQL Server Web", "is not told apart here"),
        ("- or: []", "the block `or` is empty"),
        ("- image-age", "the filter `image-age` has no equal"),
        ("- {type: reduce, limit: 1}", "the filter `reduce` has no equal"),
        ("- {key: x, value: y}", "the filter has no `type`"),
        ("- 5", "a filter is a name or a mapping"),
    ],
)
def test_what_has_no_equal(filters, part):
    """Whatever is not the same, or would never match, leaves the whole policy untranslated, with the reason."""
    assert part in reason(filters)


def test_braces():
    """Custodian formats every text: doubled braces become single, and what it cannot format stays."""
    assert when("- tag:t: 'a{{b}}'") == 'has(tags.t) and tags.t == "a{b}"'
    assert when("- tag:t: '{team}'") == 'has(tags.t) and tags.t == "{team}"'


def test_one_filter_without_an_equal_is_enough():
    """A policy is never translated in part: what was left out would match more."""
    assert reason("- tag:a: absent\n- or: [{'tag:b': x}, singleton]") == "the filter `singleton` has no equal"


def test_blocks_too_deep():
    """Blocks nested beyond what our expressions hold are refused, and nothing breaks."""
    inner = "{'tag:a': x}"
    for _ in range(14):
        inner = f"{{not: [{{or: [{inner}, {{'tag:b': present}}]}}]}}"
    assert reason(f"- {inner}") == "the blocks are nested too deeply"


def test_characters_that_cannot_be_seen():
    """Whatever a value holds, the condition is one line of visible text that loads."""
    assert when('- tag:t: "a\\tb\\u202e\\u0000"') == 'has(tags.t) and tags.t == "a\\tb\\u202e\\u0000"'
