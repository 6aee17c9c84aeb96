"""
As much of AWS's command line as the page types: `aws SERVICE OPERATION --name VALUE …`.

Calls and parameters are checked by botocore's own model and sent to the emulated account. It has no pod identity; such
an association is written where the cluster finds it.
"""

import json
import os
import sys
from pathlib import Path

import boto3
from botocore import xform_name
from botocore.validate import validate_parameters


def main(service, operation, *words):
    client = boto3.client(service, "us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    method = operation.replace("-", "_")
    called = client.meta.method_to_api_mapping[method]
    shape = client.meta.service_model.operation_model(called).input_shape
    names = {"--" + xform_name(name, "-"): name for name in shape.members}
    parameters = {names[option]: _value(text) for option, text in zip(words[::2], words[1::2], strict=True)}
    validate_parameters(parameters, shape)
    if called == "CreatePodIdentityAssociation":
        name = f"{parameters['namespace']}.{parameters['serviceAccount']}"
        where = Path(os.environ["CLUSTER"]) / "associations" / name
        where.write_text(json.dumps(parameters), encoding="utf-8")
        answer = {"association": parameters}
    else:
        answer = getattr(client, method)(**parameters)
        answer.pop("ResponseMetadata")
    print(json.dumps(answer, indent=4, default=str))


def _value(text):
    return Path(text[7:]).read_text(encoding="utf-8") if text.startswith("file://") else text


if __name__ == "__main__":
    main(*sys.argv[1:])
