"""
Stacks as CloudFormation makes them: it expands AWS SAM's macro and includes files, which moto leaves undone.

The macro is AWS's own `aws-sam-translator`, of the environment that SAM CLI is installed in.
"""

import json
import os
import subprocess
from functools import wraps
from pathlib import Path

import yaml
from moto.cloudformation import parsing
from moto.cloudformation.models import CloudFormationBackend
from moto.cloudformation.responses import CloudFormationResponse
from moto.s3.models import s3_backends

from bursar.demo.emulation import ACCOUNT

PYTHON = "SAM_PYTHON"
"""The environment's variable that says with which interpreter templates are expanded."""
EXPAND = Path(__file__).with_name("expand.py")


def install():
    """Let moto do both to every template, and show the outputs of what a change set made."""
    for name in ("create_change_set", "create_stack", "update_stack"):
        setattr(CloudFormationBackend, name, expanding(getattr(CloudFormationBackend, name)))
    read = CloudFormationResponse._get_stack_from_s3_url
    # moto knows the addresses of the real S3, and `localhost`.
    CloudFormationResponse._get_stack_from_s3_url = lambda self, url: read(self, url.replace("127.0.0.1", "localhost"))
    parsing.clean_json = without_nothing(parsing.clean_json)
    CloudFormationBackend.execute_change_set = with_outputs(CloudFormationBackend.execute_change_set)


def expanding(make):
    @wraps(make)
    def made(self, *arguments, **given):
        if given.get("template"):
            given["template"] = expanded(given["template"], given.get("parameters") or {}, self.region_name)
        return make(self, *arguments, **given)

    return made


def expanded(template, parameters, region):
    """Return a template without macros, as JSON."""
    if PYTHON not in os.environ:
        return template
    asked = json.dumps({"template": template, "parameters": parameters})
    done = subprocess.run(
        [os.environ[PYTHON], str(EXPAND)], input=asked, env={**os.environ, "AWS_DEFAULT_REGION": region},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ValueError(done.stderr)
    return json.dumps(included(json.loads(done.stdout)))


def included(part):
    """Return a part of a template with the files that it includes from S3."""
    match part:
        case {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": str(location)}}}:
            bucket, _, key = location.removeprefix("s3://").partition("/")
            return yaml.safe_load(s3_backends[ACCOUNT]["aws"].get_object(bucket, key).value)
        case dict():
            return {name: included(value) for name, value in part.items()}
        case list():
            return [included(value) for value in part]
    return part


def without_nothing(clean):
    """Leave `AWS::NoValue` out of lists; moto does so in mappings alone."""

    def cleaned(part, resources):
        found = clean(part, resources)
        return [one for one in found if one is not None] if isinstance(found, list) else found

    return cleaned


def with_outputs(execute):
    @wraps(execute)
    def executed(self, change_set_name, stack_name=None):
        execute(self, change_set_name=change_set_name, stack_name=stack_name)
        stack = self.get_stack(self.describe_change_set(change_set_name).stack_id)
        stack._parse_template()
        stack.output_map = stack._create_output_map()

    return executed
