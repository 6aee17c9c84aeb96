"""The actions of an installation, with sessions of their own, and the accounts they may act on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import NoReturn

from actions.catalog import actions
from bursar.config import Config
from bursar.wiring import Choice
from engine.acting.action import Action
from engine.findings import Subject


@contextmanager
def open_actions(choice: Choice, config: Config) -> Iterator[Mapping[tuple[str, str], Action]]:
    """
    Yield the actions by remediation and kind; none where no account may be acted on.

    Their sessions let through the calls that actions declare, and no others.
    """
    if not config.act.accounts:
        yield {}
        return
    from integrations.aws.act_session import act_sessions

    settings = replace(
        config.aws,
        profile=choice.profile or config.aws.profile,
        endpoint_url=choice.endpoint_url or config.aws.endpoint_url,
    )
    known = actions(_nobody)
    allowed = {permission for action in known.values() for permission in action.permissions}
    with act_sessions(settings, config.act, allowed) as sessions:
        yield actions(sessions)


def _nobody(account: str) -> NoReturn:
    raise AssertionError(f"no session is asked for before it is open: {account}")


def closed_to(config: Config) -> Callable[[Subject], str]:
    """Return what says why a subject may not be acted on: its account is not listed."""
    listed = frozenset(config.act.accounts)

    def closed(subject: Subject) -> str:
        if subject.account in listed:
            return ""
        return f"account {subject.account} is not listed under `aws.act.accounts` in bursar.yaml"

    return closed
