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
        own = click.Context(found, info_name=name, parent=root, terminal_width=WIDTH, max_content_width=WIDTH)
        parts += [f"## bursar {name}\n", _block(found.get_help(own))]
    return "\n".join(parts)


def _block(text: str) -> str:
    return f"```text\n{text.strip()}\n```\n"
