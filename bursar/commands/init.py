"""`bursar init`: a folder to start from."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import click


@click.command("init", short_help="Start a folder with a configuration and a starter pack.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> int:
    """Start FOLDER with a configuration, a starter pack, the editor schema and a GitHub workflow.

    Writes nothing where one of the files exists already. What it writes only reports.
    """
    from bursar.render.outputs import write_file
    from engine.errors import ConfigError, Place, Problem

    wanted = starter()
    taken = [folder / name for name in wanted if (folder / name).exists()]
    if taken:
        raise ConfigError(
            Problem("exists", "the file exists already", Place(str(p)), "nothing was written") for p in taken
        )
    for name, text in wanted.items():
        write_file(folder / name, text)
        click.echo(f"wrote {folder / name}")
    here = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"\nNext: {here}bursar validate && bursar plan")
    return 0


def starter() -> Mapping[str, str]:
    """Return the files of a new folder by their names in it."""
    from actions.catalog import remediations
    from engine.policy.schema import json_schema
    from integrations.catalog import default_catalog

    own = files("bursar.starter")
    schema = json.dumps(json_schema(default_catalog(), remediations()), indent=2, ensure_ascii=False)
    return {
        "bursar.yaml": own.joinpath("bursar.yaml").read_text(encoding="utf-8"),
        "policies/starter.yaml": own.joinpath("policies.yaml").read_text(encoding="utf-8"),
        "policies/bursar.schema.json": schema + "\n",
        ".github/workflows/bursar.yml": own.joinpath("workflow.yml").read_text(encoding="utf-8"),
    }
