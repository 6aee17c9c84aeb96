"""`bursar schema`: the JSON Schema of policy files, or what may be asked of a kind."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("schema", short_help="Print the JSON Schema, or what may be asked of a kind.")
@click.argument("kind", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
def command(kind: str | None, output: Path | None) -> int:
    """Print the JSON Schema of policy files, for editors; or the fields and metrics of KIND.

    KIND is a kind such as aws.ec2.instance, a class such as compute.instance, or `kinds` for a list.
    """
    from actions.catalog import remediations
    from bursar.render.console import screen_width, wants_color
    from bursar.render.outputs import write_file
    from engine.errors import ConfigError, did_you_mean
    from engine.policy.schema import json_schema
    from integrations.catalog import default_catalog

    catalog = default_catalog()
    if kind is None:
        text = json.dumps(json_schema(catalog, remediations()), indent=2, ensure_ascii=False) + "\n"
        if output is None:
            click.echo(text, nl=False)
        else:
            write_file(output, text)
        return 0
    kinds = tuple(catalog.kinds.values()) if kind == "kinds" else catalog.select(kind)
    if not kinds:
        hint = did_you_mean(kind, catalog.selectors) or "`bursar schema kinds` lists them"
        raise ConfigError.of("unknown-kind", f"`{kind}` is neither a kind nor a class", where="KIND", hint=hint)
    from bursar.render.kinds import render_kinds

    render_kinds(
        kinds, sys.stdout, brief=kind == "kinds", width=screen_width(sys.stdout), color=wants_color(sys.stdout)
    )
    return 0
