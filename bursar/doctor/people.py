"""Who is asked, and whether they can be reached: Slack, its channels, the groups of approvers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bursar.authors import authors_of
from bursar.doctor.check import Check, State, failed
from bursar.policy_reach import check_reachable
from bursar.render.text import counted
from bursar.slack.desk import Desk, open_desk
from bursar.stores import open_store
from bursar.wiring import Setup
from engine.errors import BursarError
from engine.policy.model import Mode, Policy
from integrations.slack.probing import LISTING, app_of, channels_of

GROUPS = "approvers"
SLACK = "Slack"
SHOWN = 3
PUBLIC = "chat:write.public"
"""The scope to post in public channels without being in them."""


def check_people(setup: Setup, now: datetime) -> Iterator[Check]:
    """Yield how Slack is, where it is configured, and which policies nobody could approve."""
    yield from _told(setup)
    yield from _authors(setup)
    asking = [policy for policy in setup.policies.policies if policy.approval is not None]
    if setup.config.slack is None:
        yield from _groups(asking, setup, None)
        return
    try:
        with open_store(setup.config, create=False) as store:
            desk = open_desk(setup.config, store, lambda: now)
            assert desk is not None, "Slack is configured"
            yield from _slack(asking, setup, desk)
            yield from _groups(asking, setup, desk)
    except BursarError as error:
        yield failed(SLACK, "app", error)


def _authors(setup: Setup) -> Iterator[Check]:
    """Yield whether it is known who changed the policies that ask: by four eyes they do not approve."""
    authors = authors_of(setup.config, setup.policies, setup.texts)
    asking = [policy.name for policy in setup.policies.policies if policy.mode is Mode.APPROVE]
    unknown: dict[str, list[str]] = {}
    for name in asking:
        why = authors.of(name).unknown
        if why:
            unknown.setdefault(why, []).append(name)
    known = len(asking) - sum(map(len, unknown.values()))
    if known:
        yield Check(GROUPS, "authors", State.WELL, f"known for {counted(known, 'policy', 'policies')}")
    for why, names in unknown.items():
        shown = ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
        state = State.WRONG if setup.config.author_known else State.NOTE
        says = f"who changed {shown} last is not known: {why}"
        yield Check(GROUPS, "authors", state, says, "docs/how-to/acting.md, who may not approve")


def _told(setup: Setup) -> Iterator[Check]:
    """Yield whether what policies name under `notify` is configured."""
    try:
        check_reachable(setup.config, setup.policies)
    except BursarError as error:
        yield failed("notify", "e-mail", error)
    unheard = sorted({p.notify["slack"] for p in setup.policies.policies if "slack" in p.notify})
    if unheard and setup.config.slack is None:
        says = f"Slack is not configured: nobody is told in {', '.join(unheard[:SHOWN])}"
        yield Check("notify", "Slack", State.NOTE, says, "docs/how-to/slack.md")


def _slack(asking: Sequence[Policy], setup: Setup, desk: Desk) -> Iterator[Check]:
    app = app_of(desk.slack)
    if app.team != desk.settings.team:
        mend = f"write `team: {app.team}` under `slack`, or take the token of the other workspace"
        yield Check(
            SLACK, "app", State.WRONG, f"the token is of {app.team}, and {desk.settings.team} is configured", mend
        )
    else:
        yield Check(SLACK, "app", State.WELL, f"{app.user} in {app.team}")
    if app.missing:
        mend = "add them to the app and install it anew: docs/how-to/slack.md"
        yield Check(SLACK, "scopes", State.UNREAD, f"the app lacks {', '.join(app.missing)}", mend)
    elif app.scopes is not None:
        yield Check(SLACK, "scopes", State.WELL, f"{len(app.scopes)}, all that is needed")
    names = {desk.settings.channel, *(p.approval.channel for p in asking if p.approval is not None)}
    names |= {p.notify["slack"] for p in setup.policies.policies if "slack" in p.notify}
    yield _channels(sorted(names), app.scopes, desk)


def _channels(names: Sequence[str], scopes: frozenset[str] | None, desk: Desk) -> Check:
    """Return whether the app is in all channels: elsewhere it can only post with a scope for public ones."""
    if scopes is not None and not scopes.intersection(LISTING):
        mend = f"the app has to be in them; add {' and '.join(LISTING)} to have that checked"
        return Check(SLACK, "channels", State.SKIPPED, ", ".join(names), mend)
    try:
        member = set(channels_of(desk.slack))
    except BursarError as error:
        return failed(SLACK, "channels", error, State.SKIPPED)
    outside = [name for name in names if name not in member]
    if not outside:
        return Check(SLACK, "channels", State.WELL, f"the app is in {', '.join(names)}")
    public = scopes is not None and PUBLIC in scopes
    mend = f"invite the app{', where they are private' if public else ''}: `/invite @bursar`"
    says = f"the app is not in {', '.join(outside)}"
    return Check(SLACK, "channels", State.NOTE if public else State.UNREAD, says, mend)


def _groups(asking: Sequence[Policy], setup: Setup, desk: Desk | None) -> Iterator[Check]:
    """Yield the approvers who are nobody: what such a policy asks can never be decided."""
    nobody: dict[str, list[str]] = {}
    well = 0
    for policy in asking:
        assert policy.approval is not None
        empty = [name for name in policy.approval.approvers if _empty(name, setup, desk)]
        if len(empty) == len(policy.approval.approvers):
            nobody.setdefault(", ".join(empty), []).append(policy.name)
        else:
            well += 1
    if well:
        yield Check(GROUPS, "policies that ask", State.WELL, f"{counted(well, 'policy', 'policies')} can be approved")
    asks = setup.config.max_mode.rank >= Mode.APPROVE.rank
    for names, policies in nobody.items():
        shown = ", ".join(policies[:SHOWN]) + (f" and {len(policies) - SHOWN} more" if len(policies) > SHOWN else "")
        says = f"no members: nobody can approve what {shown} would do"
        mend = "list it under `groups` in bursar.yaml, or give the group in Slack members"
        yield Check(GROUPS, names, State.WRONG if asks else State.NOTE, says, mend)


def _empty(name: str, setup: Setup, desk: Desk | None) -> bool:
    own = setup.config.people.groups
    if name in own:
        return not own[name]
    if not name.startswith("@"):
        return False
    return desk is None or not desk.directory.members(name)
