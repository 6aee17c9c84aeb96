"""The options that commands share, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from bursar.render.outputs import FORMATS, Output

Command = TypeVar("Command", bound=Callable[..., Any])


class OutputType(click.ParamType[Output]):
    """`FORMAT` or `FORMAT=FILE`."""

    name = "FORMAT[=FILE]"

    def __init__(self, formats: Mapping[str, str] = FORMATS) -> None:
        self.formats = formats

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        if isinstance(value, Output):
            return value
        name, equals, file = str(value).partition("=")
        if name not in self.formats:
            self.fail(f"`{name}` is not a format; there are {', '.join(self.formats)}", param, ctx)
        if equals and not file:
            self.fail(f"`{value}` names no file after the `=`", param, ctx)
        return Output(name, Path(file) if file else None)


class MomentType(click.ParamType[datetime]):
    """A time in ISO 8601 with a zone."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"`{value}` is not a time such as 2026-03-04T16:00:00Z", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"`{value}` has no zone: write {moment.isoformat()}Z for UTC", param, ctx)
        return moment.astimezone(UTC)


class SinceType(click.ParamType[datetime]):
    """A time in ISO 8601 with a zone, or a length of time before now."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from engine.units import UnitError, parse_duration

        try:
            return datetime.now(UTC) - parse_duration(str(value))
        except (UnitError, OverflowError):
            pass
        if not str(value)[:4].isdecimal():
            self.fail(f"`{value}` is neither such as 7d nor a time such as 2026-03-04T16:00:00Z", param, ctx)
        return MomentType().convert(value, param, ctx)


class DayType(click.ParamType[datetime]):
    """A day, to its end in UTC."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from engine.units import UnitError, parse_last_day

        if isinstance(value, datetime):
            return value
        try:
            return parse_last_day(str(value))
        except UnitError as error:
            self.fail(error.message, param, ctx)


class LengthType(click.ParamType[timedelta]):
    """A length of time."""

    name = "LENGTH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        from engine.units import UnitError, parse_duration

        if isinstance(value, timedelta):
            return value
        try:
            length = parse_duration(str(value))
        except UnitError as error:
            self.fail(str(error), param, ctx)
        if length <= timedelta(0):
            self.fail(f"`{value}` is no time at all", param, ctx)
        return length


def config_option(command: Command) -> Command:
    """Add the option that names the configuration."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path, dir_okay=False),
        help="The configuration. [default: bursar.yaml, if there is one]",
    )(command)


def policy_options(command: Command) -> Command:
    """Add the options that choose policies."""
    for option in reversed(
        (
            click.option(
                "-p",
                "--policies",
                metavar="PATH",
                multiple=True,
                help="A policy file, a folder, or a shipped pack such as pack:idle. Repeatable. "
                "[default: those of the configuration]",
            ),
            config_option,
            click.option(
                "--only",
                metavar="POLICY",
                multiple=True,
                help="Only the policy of this name. Repeatable.",
            ),
        )
    ):
        command = option(command)
    return command


def estate_options(command: Command) -> Command:
    """Add the options that choose what is looked at."""
    recorded = click.option(
        "--estate",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Read a recorded estate, written by `bursar scan`, and no cloud.",
    )
    return recorded(place_options(command))


def place_options(command: Command) -> Command:
    """Add the options that choose a place in a live cloud."""
    for option in reversed(
        (
            click.option(
                "--region", "regions", multiple=True, metavar="REGION", help="Look into this region. Repeatable."
            ),
            click.option("--profile", help="The AWS profile."),
            click.option("--endpoint-url", metavar="URL", help="Another address for all AWS services."),
        )
    ):
        command = option(command)
    return command


def output_options(command: Command) -> Command:
    """Add the options that choose renderings."""
    about = "; ".join(f"{name}: {text}" for name, text in FORMATS.items())
    for option in reversed(
        (
            click.option(
                "-f",
                "--format",
                "formats",
                type=OutputType(),
                multiple=True,
                help=f"Render as FORMAT, to FILE if given. Repeatable. {about}. [default: table]",
            ),
            click.option(
                "-o",
                "--output",
                type=click.Path(path_type=Path, dir_okay=False),
                help="Also write the plan as JSON to this file.",
            ),
            click.option(
                "--fail-on",
                type=click.Choice(["info", "low", "medium", "high", "critical", "never"]),
                help="Exit with status 1 where a finding is at least that severe. [default: never]",
            ),
        )
    ):
        command = option(command)
    return command
