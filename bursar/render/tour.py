"""The words of the demo around the plan and the explanations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

from bursar.render.console import console_on
from engine.plan import Plan


def opening(out: TextIO, plan: Plan, *, color: bool) -> None:
    """Say where we are."""
    _print(
        out,
        [
            ("Tallowmere Robotics", "bold"),
            (" trains robots on GPUs, and exists in an emulated AWS account on this machine alone.\n", ""),
            (
                f"{len(plan.tallies)} shipped policies are run over it, as `bursar plan -p pack:all` would in yours.\n",
                "",
            ),
        ],
        color=color,
    )


def titled(out: TextIO, question: str, command: str, *, color: bool) -> None:
    """Begin a part of the tour."""
    _print(out, [(f"\n{question}", "bold"), (f"  {command}", "cyan"), ("\n", "")], color=color)


def said(out: TextIO, text: str, *, color: bool) -> None:
    """Say what happens beside the commands."""
    _print(out, [(text, "italic")], color=color)


def proof(
    out: TextIO, names: Sequence[str], before: Mapping[str, str], after: Mapping[str, str], *, color: bool
) -> None:
    """Show the states of machines before and after, as the account itself tells them."""
    parts: list[tuple[str, str]] = [("\nWhat the account says\n", "bold")]
    for name in dict.fromkeys(names):
        if name in after:
            changed = before.get(name) != after[name]
            arrow = f"{before.get(name)} → {after[name]}" if changed else f"{after[name]}, as before"
            parts.append((f"  {name:<18} {arrow}\n", "green" if changed else ""))
    _print(out, parts, color=color)


def closing(out: TextIO, calls: int, writes: Sequence[str], *, color: bool) -> None:
    """Say what was asked of the account so far."""
    said_ = (
        f"\nAll of this took {calls} API calls, and every one of them only reads: nothing was changed.\n"
        if not writes
        else f"\n{calls} API calls, of which these may change something: {', '.join(writes)}.\n"
    )
    _print(out, [(said_, "green" if not writes else "red")], color=color)


def afterwards(out: TextIO, *, color: bool) -> None:
    """Say what to do next."""
    _print(
        out,
        [
            ("\nNext\n", "bold"),
            ("  bursar demo --serve               ", "cyan"),
            ("keep this account running and try commands on it\n", ""),
            ("  bursar init my-policies           ", "cyan"),
            ("a folder to start from\n", ""),
            ("  bursar plan -p pack:idle          ", "cyan"),
            ("the same over your own account, with read permissions\n", ""),
        ],
        color=color,
    )


def served(out: TextIO, endpoint: str, region: str, *, color: bool) -> None:
    """Say how to reach the account."""
    _print(
        out,
        [
            ("\nThe account is running. In another terminal:\n\n", "bold"),
            (f"  export AWS_ENDPOINT_URL={endpoint} AWS_REGION={region}\n", "cyan"),
            ("  export AWS_ACCESS_KEY_ID=demo AWS_SECRET_ACCESS_KEY=demo\n", "cyan"),
            ("  bursar plan -p pack:idle\n\n", "cyan"),
            ("Its telemetry ends now: in ten minutes it is stale, and Bursar will say so. Enter ends it.\n", ""),
        ],
        color=color,
    )


def _print(out: TextIO, parts: Sequence[tuple[str, str]], *, color: bool) -> None:
    from rich.text import Text

    console_on(out, width=None, color=color).print(Text.assemble(*parts), soft_wrap=True, end="")
