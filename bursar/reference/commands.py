"""The page of commands, from the commands' own help."""

from __future__ import annotations

import click

from bursar.cli import COMMANDS, cli

WIDTH = 100


def commands_page() -> str:
    """Return the page: the overview, then each command's help."""
    root = click.Context(cli, info_name="bursar", terminal_width=WIDTH, max_content_width=WIDTH)
    parts = ["# Commands\n", _block(cli.get_help(root))]
    for name in COMMANDS:
        found = cli.get_command(root, name)
        assert found is not None
        parts += _sections(found, name, root, "##")
    return "\n".join(parts)


def _sections(command: click.Command, name: str, parent: click.Context, marks: str) -> list[str]:
    """Return the section of a command, and below it those of the commands it groups."""
    own = click.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    parts = [f"{marks} {own.command_path}\n", _block(command.get_help(own))]
    if isinstance(command, click.Group):
        for inner, found in command.commands.items():
            parts += _sections(found, inner, own, f"{marks}#")
    return parts


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"
