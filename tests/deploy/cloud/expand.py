"""Expand AWS SAM's macro in a template: JSON with `template` and `parameters` in, a template in JSON out."""

import json
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse


class NoPolicies:
    """AWS's managed policies by name; the templates name none."""

    def load(self):
        return {}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    template = yaml_parse(asked["template"])
    if "Transform" in template:
        template = transform(template, asked["parameters"], NoPolicies())
        template.pop("Transform", None)
    json.dump(template, sys.stdout)
