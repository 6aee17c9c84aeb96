"""`bursar test`: the tests beside policies, what they leave open, and what they would not notice."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from bursar.commands.options import OutputType
from bursar.render.outputs import Output

FORMATS = {
    "table": "for people",
    "json": "everything, one document",
    "junit": "for test reports",
    "github": "annotations of a workflow",
}


class PercentType(click.ParamType[Decimal]):
    """A percentage such as `90%`."""

    name = "PERCENT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        from engine.units import UnitError, parse_percent

        if isinstance(value, Decimal):
            return value
        try:
            share = parse_percent(str(value))
        except UnitError as error:
            self.fail(f"{error.message}: write such as 90%", param, ctx)
        if not 0 <= share <= 100:
            self.fail(f"`{value}` is not between 0% and 100%", param, ctx)
        return share


@click.command("test", short_help="Run the tests beside policies.")
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The configuration. [default: bursar.yaml, if there is one]",
)
@click.option("-k", "only", metavar="NAME", default="", help="Only cases with NAME in their file, policy or name.")
@click.option("--coverage", is_flag=True, help="Show which conditions were seen true and false, and decided.")
@click.option(
    "--min-coverage", "minimum", type=PercentType(), help="Fail where fewer conditions are covered; shows them too."
)
@click.option("--mutate", is_flag=True, help="Change each policy in every small way, and list what no case notices.")
@click.option(
    "-f",
    "--format",
    "formats",
    type=OutputType(FORMATS),
    multiple=True,
    help="Render as FORMAT, to FILE if given. Repeatable. "
    f"{'; '.join(f'{name}: {text}' for name, text in FORMATS.items())}. [default: table]",
)
def command(
    paths: tuple[str, ...],
    config: Path | None,
    only: str,
    coverage: bool,
    minimum: Decimal | None,
    mutate: bool,
    formats: tuple[Output, ...],
) -> int:
    """Run the tests (*_test.yaml) of policy files, folders or packs (pack:idle); those of the configuration where
    none is named. Reads no cloud and needs no credentials.

    Exit status: 0 where all is as expected, 1 where a case fails, too little is covered or a mutant survives, 2 where
    a file is wrong or there is no test to run.
    """
    from bursar.config import read_config
    from bursar.exit_status import DONE, FOUND
    from bursar.render.outputs import write_chosen
    from bursar.render.progress import progress_for
    from bursar.render.tests_formats import formats_of
    from bursar.testing import Wanted, run_tests
    from integrations.catalog import default_catalog

    wanted = Wanted(only, coverage, minimum, mutate)
    with progress_for(sys.stderr) as progress:
        tested = run_tests(read_config(config, default_catalog()), paths, wanted, progress)
    write_chosen(tested, formats, formats_of())
    return DONE if tested.good else FOUND
