"""
Runs under Cloud Custodian's Python: what its own filters say of resources.

Standard input holds JSON: a list of `[filters, resource]`. Standard output gets a list of true, false, or the
text of what went wrong.
"""

import json
import logging
import sys
from datetime import datetime
from types import SimpleNamespace

from c7n.resources.ec2 import filters as registry

logging.disable(logging.CRITICAL)
MODEL = SimpleNamespace(id="InstanceId")
MANAGER = SimpleNamespace(get_model=lambda: MODEL, data={}, config=SimpleNamespace(), type="ec2")
TIMES = ("LaunchTime", "AttachTime")


def dated(value):
    """Return a resource with its times as boto3 gives them."""
    if isinstance(value, dict):
        return {k: datetime.fromisoformat(v) if k in TIMES else dated(v) for k, v in value.items()}
    return [dated(item) for item in value] if isinstance(value, list) else value


def answer(filters, resource):
    try:
        found = registry.factory({"and": filters}, MANAGER)
        found.validate()
        return bool(found.process([dated(resource)]))
    except Exception as error:  # noqa: BLE001  (whatever it fails at, it fails)
        return f"{type(error).__name__}: {error}"


json.dump([answer(filters, resource) for filters, resource in json.load(sys.stdin)], sys.stdout)
