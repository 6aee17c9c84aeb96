"""Random instances and random filters about them, from a seed: what a test compares both programs on."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from engine.model import Resource

TAGS = ("Owner", "env", "cost-center", "aws:asg")
WORDS = (
    "prod",
    "Prod",
    " prod ",
    "dev",
    "production",
    "",
    "cc-1234",
    "a.b",
    "x\u00e9\u0661",
    "on_1",
    "$5",
    "A|B",
    "[x]",
)
TYPES = ("t3.micro", "g5.xlarge", "p5.48xlarge", "m5.large")
PATTERNS = (
    "prod", "^prod$", "PROD", r"cc-\d{4}", r"\w+$", r".*od\s*", "a|p", "^a|b", "[^p]", r"\$\d", "(?i)PROD", r"[\w.]+",
    r"\D+", "p{,2}rod", "(?:dev|prod)", r"\bprod", "(?!dev)", "[a-c", r"x\S\d", "$", "", r"[[\]x]+", r"\S\s?",
)  # fmt: skip
SHELL = ("prod", "prod*", "*prod", "*o*", "p?od", "[pd]*", "[!p]*", "*.micro", "", "*", "a.b", "cc-[0-9]*", "[x]")
SPECIAL = ("absent", "present", "empty", "not-null")
OPERATORS = (
    "eq", "equal", "ne", "not-equal", "gt", "greater-than", "ge", "gte", "le", "lte", "lt", "less-than",
    "in", "ni", "not-in", "contains", "glob", "regex", "regex-case", "intersect", "mod",
)  # fmt: skip
CONVERSIONS = ("age", "expiration", "normalize", "size", "integer", "float", "swap", "version")
STATES = ("pending", "running", "stopping", "stopped")
PATHS = (
    "InstanceType", "State.Name", "InstanceLifecycle", "Placement.AvailabilityZone", "Placement.Tenancy", "InstanceId",
    "MetadataOptions.HttpTokens", "PublicIpAddress", "LaunchTime", "PlatformDetails", "Tags", "length(Tags)",
    "ImageId", "Tags[?Key=='env'].Value | [0]",
)  # fmt: skip


def instance(random: Random, now: datetime) -> dict[str, Any]:
    """Return an instance as EC2 describes it."""
    launched = now - timedelta(days=random.choice((0, 1, 5, 29, 31, 400)), hours=7)
    attached = launched - timedelta(days=random.choice((0, 0, 40)))
    entry: dict[str, Any] = {
        "InstanceId": f"i-{random.randrange(16**8):08x}",
        "InstanceType": random.choice(TYPES),
        "State": {"Name": random.choice(STATES)},
        "LaunchTime": launched.isoformat(),
        "Placement": {"AvailabilityZone": random.choice(("us-east-1a", "us-east-1b")), "Tenancy": "default"},
        "MetadataOptions": {"HttpTokens": random.choice(("required", "optional"))},
        "PlatformDetails": random.choice(("Linux/UNIX", "Windows", "Windows with SQL Server")),
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"AttachTime": attached.isoformat()}}],
    }
    if random.random() < 0.5:
        entry["PublicIpAddress"] = "203.0.113.7"
    if random.random() < 0.3:
        entry["InstanceLifecycle"] = "spot"
    chosen = [key for key in TAGS if random.random() < 0.6]
    if chosen or random.random() < 0.5:
        entry["Tags"] = [{"Key": key, "Value": random.choice(WORDS)} for key in chosen]
    return entry


def resource(entry: dict[str, Any]) -> Resource:
    """Return the same instance as it is read here."""
    launched = datetime.fromisoformat(entry["LaunchTime"])
    attached = datetime.fromisoformat(entry["BlockDeviceMappings"][0]["Ebs"]["AttachTime"])
    platforms = {"Linux/UNIX": "linux", "Windows": "windows"}
    return Resource(
        kind="aws.ec2.instance",
        id=entry["InstanceId"],
        account="123456789012",
        region="us-east-1",
        fields={
            "state": entry["State"]["Name"],
            "running": entry["State"]["Name"] in ("pending", "running"),
            "instance.type": entry["InstanceType"],
            "availability_zone": entry["Placement"]["AvailabilityZone"],
            "tenancy": entry["Placement"]["Tenancy"],
            "lifecycle": entry.get("InstanceLifecycle", "on-demand"),
            "platform": platforms.get(entry["PlatformDetails"], "other"),
            "imdsv2": entry["MetadataOptions"]["HttpTokens"] == "required",
            "public_ip": "PublicIpAddress" in entry,
            "launched": launched,
            "created": min(launched, attached),
        },
        tags={tag["Key"]: tag["Value"] for tag in entry.get("Tags", ())},
    )


def filters(random: Random, depth: int = 2) -> list[Any]:
    """Return one to three filters, with blocks of them."""
    return [_filter(random, depth) for _ in range(random.choice((1, 1, 2, 3)))]


def _filter(random: Random, depth: int) -> Any:
    if depth and random.random() < 0.35:
        return {random.choice(("and", "or", "not")): filters(random, depth - 1)}
    if random.random() < 0.12:
        return _named(random)
    key = f"tag:{random.choice(TAGS)}" if random.random() < 0.6 else random.choice(PATHS)
    if random.random() < 0.3:
        return {key: _value(random, "eq", key)}
    operator = random.choice(OPERATORS)
    found: dict[str, Any] = {"type": "value", "key": key, "op": operator, "value": _value(random, operator, key)}
    if random.random() < 0.15:
        del found["op"]
    if random.random() < 0.25:
        found["value_type"] = random.choice(CONVERSIONS)
        if found["value_type"] in ("age", "expiration"):
            found |= {"value": random.choice((0, 3, 30, 90.5)), "op": random.choice(("gt", "ge", "lt", "le"))}
            found["key"] = random.choice(("LaunchTime", "LaunchTime", "tag:env", "ImageId"))
        elif found["value_type"] in ("size", "integer"):
            found["value"] = random.choice((0, 1, 2, 4, 5))
    return found


def _named(random: Random) -> dict[str, Any]:
    name = random.choice(("instance-uptime", "instance-age", "tag-count"))
    if name == "tag-count":
        return {"type": name, "count": random.choice((0, 1, 2)), "op": random.choice(("eq", "gte", "gt", "lt", "ne"))}
    found: dict[str, Any] = {"type": name, "days": random.choice((0, 4, 30)), "op": random.choice(("ge", "lt", "le"))}
    if random.random() < 0.3:
        del found["op"]
    if name == "instance-age" and random.random() < 0.3:
        found["hours"] = 12
    return found


def _value(random: Random, operator: str, key: str) -> Any:
    if random.random() < 0.2:
        return random.choice(SPECIAL)
    if operator.startswith("regex"):
        return random.choice(PATTERNS)
    if operator == "glob":
        return random.choice(SHELL)
    if operator in ("in", "ni", "not-in", "intersect") and random.random() < 0.85:
        return [_single(random, key) for _ in range(random.choice((1, 2, 3)))]
    return _single(random, key)


def _single(random: Random, key: str) -> Any:
    own: dict[str, tuple[Any, ...]] = {
        "InstanceType": TYPES,
        "State.Name": (*STATES, "terminated"),
        "InstanceLifecycle": ("spot", "on-demand"),
        "Placement.AvailabilityZone": ("us-east-1a",),
        "Placement.Tenancy": ("default", "dedicated"),
        "MetadataOptions.HttpTokens": ("required", "optional", "maybe"),
        "PlatformDetails": ("Linux/UNIX", "Windows", "Windows with SQL Server"),
        "length(Tags)": (0, 1, 2, 3),
    }
    if random.random() < 0.9 and key in own:
        return random.choice(own[key])
    return (
        random.choice((*WORDS, 5, True, None, [], "{account_id}", "{x}"))
        if random.random() < 0.2
        else random.choice(WORDS)
    )
