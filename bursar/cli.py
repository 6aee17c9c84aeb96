"""
The command line. Subcommands are imported when they are called, so that `bursar --version` and
`bursar validate` load neither a cloud's SDK nor a terminal library.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

import click

from bursar.version import __version__
from engine.errors import BursarError

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "init": "Start a folder with a configuration, a starter pack and the editor schema.",
        "import": "Take over the policies of another tool: `bursar import custodian`.",
        "validate": "Check policies; report every mistake of every file at once.",
        "test": "Run the tests beside policies; show conditions and mutants that none of them notices.",
        "schema": "Print the JSON Schema for editors, or what may be asked of a kind.",
        "scan": "Record the estate in a file.",
        "plan": "Show findings and the steps they would lead to; change nothing.",
        "apply": "Carry out exactly the steps of a plan file; what changed since is refused.",
        "run": "Judge, remember, warn, ask and act, as far as modes and limits allow: what cron calls.",
        "undo": "Undo what a run, a step or all acts on a resource did.",
        "approvals": "List approvals, and approve or deny one.",
        "authors": "Show who changed each policy last; record it for where there is no git.",
        "slack": "Print the manifest of the Slack app; take clicks without a public address.",
        "exempt": "Excuse findings until a date; somebody answers for them.",
        "snooze": "Let a finding rest for up to 30 days.",
        "freeze": "Stop all acting, at once, everywhere.",
        "unfreeze": "Let acting go on after a freeze.",
        "accept": "Let a breaker pass for a while, once you know why it tripped.",
        "serve": "Serve the web page, metrics and Slack's clicks, and run on a schedule.",
        "savings": "Show what was saved, as it turned out.",
        "report": "Show how the controls of a framework stand.",
        "backtest": "Replay policies over recorded telemetry: what they would have saved and disturbed.",
        "calibrate": "Learn what GPUs draw at rest from recorded telemetry.",
        "explain": "Show how every policy decides about one resource or finding.",
        "audit": "Show and verify the ledger of what happened.",
        "prices": "Fetch what AWS charges; show what a price rests on.",
        "agent": "Sample the GPUs of this machine and publish what they do.",
        "doctor": "Look whether all is there that a run needs, and how to mend what is not.",
        "iam": "Print the least-privilege IAM policies for the loaded policies.",
        "demo": "Run the shipped policies on an emulated AWS account; no credentials.",
    }
)
"""Every command with its one-line help, in the order people meet them."""

MODULES: Mapping[str, str] = MappingProxyType({"import": "import_custodian"})
"""The modules of commands whose names Python keeps for itself."""

EXIT_CODES = """\
\b
Exit status:
  0  done, nothing at or above --fail-on
  1  findings at or above --fail-on
  2  bad usage, configuration or policy
  3  incomplete: something could not be read
  4  refused for safety: a limit, a breaker, a freeze or a stale plan held it, or the state cannot be relied on
  5  an act failed
"""


class Commands(click.Group):
    """The group of commands; each lives in the module of its name in `bursar.commands`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"bursar.commands.{MODULES.get(cmd_name, cmd_name)}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from engine.errors import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            hint = did_you_mean(args[0], COMMANDS)
            ctx.fail(f"There is no command `{args[0]}`. {hint.capitalize()}".rstrip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=EXIT_CODES,
)
@click.version_option(__version__, prog_name="bursar", message="%(prog)s %(version)s")
def cli() -> None:
    """Policy as code for the cost of AI infrastructure.

    Policies in, evidence and dollars out: idle GPUs, missing tags, open buckets, machines nobody
    switched off. What is not known is never acted on.
    """


KEPT = 100_000
"""Objects that are made before Python looks for garbage."""


def collect_garbage_rarely() -> None:
    """
    Let Python look for garbage a hundred times less often than it does by default.

    A run makes many values, keeps nearly all of them to its end, and none of them is part of a cycle: looking
    at them again and again takes a seventh of its time and frees nothing.
    """
    gc.set_threshold(KEPT, 50, 100)


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit with the documented status."""
    collect_garbage_rarely()
    try:
        status = cli.main(args=args, prog_name="bursar", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("stopped", err=True)
        sys.exit(130)
    except BursarError as error:
        from bursar.render.console import wants_color
        from bursar.render.problems import render_problems

        render_problems(error.problems, sys.stderr, color=wants_color(sys.stderr))
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe such as `| head` has gone; that is not our failure.
        sys.stderr.close()
        sys.exit(0)
    sys.exit(status if isinstance(status, int) else 0)
