"""
A small AWS on loopback with an organization of generated accounts: STS, Organizations and EC2.

Who calls is told by the access key that signs, as with AWS: each account's keys carry its id.
"""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOME = "100000000000"


def account_id(number: int) -> str:
    return f"{200000000000 + number}"


@dataclass
class Organization:
    """What the server answers from."""

    size: int
    instances: int = 1
    """In each account and region."""
    denied: frozenset[str] = frozenset()
    """Accounts whose role cannot be assumed."""
    throttled: frozenset[str] = frozenset()
    slow: frozenset[str] = frozenset()
    """Accounts whose EC2 does not answer before the test is over."""
    elsewhere: dict[str, str] = field(default_factory=dict)
    """Accounts whose role leads to another account."""
    regions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What accounts have enabled."""
    suspended: frozenset[str] = frozenset()
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    calls: Counter = field(default_factory=Counter)
    policies: list[str] = field(default_factory=list)
    external_ids: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)


def handler_of(organization: Organization):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            signed = self.headers.get("Authorization", "")
            credential = signed.partition("Credential=")[2].partition(",")[0].split("/")
            key, region, service = credential[0], credential[2], credential[3]
            caller = key.removeprefix("ASIA") if key.startswith("ASIA") else HOME
            target = self.headers.get("X-Amz-Target", "")
            if target:
                self.answer(*organizations(organization, target.rpartition(".")[2], json.loads(body)))
                return
            asked = dict(urllib.parse.parse_qsl(body.decode()))
            organization.calls[f"{service}:{asked['Action']}"] += 1
            if service == "sts":
                self.answer(*sts(organization, caller, asked))
            else:
                self.answer(*ec2(organization, caller, region, asked["Action"]))

        def answer(self, status, text, kind="text/xml"):
            data = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def error(status, code):
    return status, f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>"


def organizations(organization, operation, asked):
    organization.calls[f"organizations:{operation}"] += 1
    kind = "application/x-amz-json-1.1"
    if operation == "ListTagsForResource":
        tags = organization.tags.get(asked["ResourceId"], {})
        return 200, json.dumps({"Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}), kind
    if operation == "ListOrganizationalUnitsForParent":
        children = [{"Id": "ou-odd"}] if asked["ParentId"] == "ou-all" else []
        return 200, json.dumps({"OrganizationalUnits": children}), kind
    numbers = range(organization.size)
    if operation == "ListAccountsForParent":
        wanted = {"ou-all": 0, "ou-odd": 1}[asked["ParentId"]]
        numbers = [n for n in numbers if n % 2 == wanted]
    start = int(asked.get("NextToken", 0))
    page = [
        {
            "Id": account_id(n),
            "Name": f"team-{n}",
            "Status": "SUSPENDED" if account_id(n) in organization.suspended else "ACTIVE",
        }
        for n in list(numbers)[start : start + 20]
    ]
    more = {"NextToken": str(start + 20)} if start + 20 < len(numbers) else {}
    return 200, json.dumps({"Accounts": page, **more}), kind


def sts(organization, caller, asked):
    if asked["Action"] == "GetCallerIdentity":
        body = f"<Account>{caller}</Account><Arn>arn:aws:iam::{caller}:role/x</Arn><UserId>x</UserId>"
    else:
        account = asked["RoleArn"].split(":")[4]
        organization.policies.append(asked.get("Policy", ""))
        organization.external_ids.add(asked.get("ExternalId", ""))
        if account in organization.denied:
            return 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        key = f"ASIA{organization.elsewhere.get(account, account)}"
        body = (
            f"<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
            "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration></Credentials>"
        )
    name = asked["Action"]
    return 200, f"<{name}Response><{name}Result>{body}</{name}Result></{name}Response>"


def ec2(organization, caller, region, action):
    if caller in organization.throttled:
        return error(503, "RequestLimitExceeded")
    if caller in organization.slow:
        organization.over.wait(60)
    if action == "DescribeRegions":
        enabled = organization.regions.get(caller, ())
        items = "".join(f"<item><regionName>{name}</regionName></item>" for name in enabled)
        return 200, f"<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
    items = "".join(
        f"<item><instanceId>i-{caller}-{region}-{n}</instanceId><instanceState><name>running</name></instanceState>"
        "<instanceType>m5.large</instanceType><launchTime>2026-01-01T00:00:00Z</launchTime></item>"
        for n in range(organization.instances)
    )
    return 200, (
        "<DescribeInstancesResponse><reservationSet><item><instancesSet>"
        f"{items}</instancesSet></item></reservationSet></DescribeInstancesResponse>"
    )


@contextmanager
def serving(organization: Organization):
    """Serve the organization at a free port of loopback; yields the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(organization))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        organization.over.set()
        server.shutdown()
        thread.join()
        server.server_close()
