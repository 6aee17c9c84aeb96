"""`bursar iam`: the least that the roles need which read and act for the loaded policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bursar.commands.options import policy_options

if TYPE_CHECKING:
    from bursar.wiring import Setup

TERRAFORM = """\
resource "aws_iam_policy" "bursar_{what}" {{
  name   = "bursar-{what}"
  policy = jsonencode({document})
}}
"""


@click.command("iam", short_help="Print the least-privilege IAM policy of the role that reads or acts.")
@click.argument("what", type=click.Choice(["read", "act"]))
@policy_options
@click.option("--terraform", is_flag=True, help="As a Terraform resource.")
def command(what: str, policies: tuple[str, ...], config: Path | None, only: tuple[str, ...], terraform: bool) -> int:
    """Print the IAM policy that the role which reads, or the role which acts, needs for the loaded policies.

    The role that acts gets the calls of the policies' remediations alone, in the accounts and regions of the
    configuration, and is denied whatever carries the tag `bursar/protect`. Reads no cloud.
    """
    from bursar.wiring import Choice, set_up

    setup = set_up(Choice(policies, config, only))
    document = json.dumps(_read(setup) if what == "read" else _act(setup), indent=2)
    click.echo(TERRAFORM.format(what=what, document=document.replace("\n", "\n  ")) if terraform else document)
    return 0


def _read(setup: Setup) -> dict[str, Any]:
    from integrations.aws.iam_policy import read_policy
    from integrations.aws.session import ENABLED

    aws = setup.config.aws
    many = bool(aws.accounts) or aws.organization is not None or ENABLED in aws.regions
    return read_policy({kind.name for policy in setup.policies.policies for kind in policy.kinds}, many=many)


def _act(setup: Setup) -> dict[str, Any]:
    from bursar.wiring import declared_by
    from engine.errors import ConfigError
    from integrations.aws.iam_policy import act_policy
    from integrations.aws.session import ENABLED

    permissions = declared_by(setup.policies)
    if not permissions:
        hint = "`bursar iam read` prints what reading needs"
        raise ConfigError.of("nothing-loaded", "no loaded policy has a remediation", where="iam", hint=hint)
    regions = tuple(region for region in setup.config.aws.regions if ENABLED not in setup.config.aws.regions)
    return act_policy(permissions, setup.config.act.accounts, regions)
