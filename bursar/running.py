"""
A run put together: configuration and store to the ports that `engine.acting` is given.

`bursar run`, `apply` and `undo` come here, and the Lambda handler does.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TextIO

from bursar.acting import closed_to, open_actions
from bursar.authors import Authors, authors_of
from bursar.config import read_condition
from bursar.identity import caller
from bursar.loading import named
from bursar.policy_mail import mail_of
from bursar.receivers import JsonReceiver, LineReceiver, Receiver
from bursar.render.prices import render_run
from bursar.render.progress import progress_for
from bursar.render.text import visible
from bursar.secrets import read_secret
from bursar.slack.desk import open_desk
from bursar.slack.teller import SlackReceiver
from bursar.stopping import Stopping, until
from bursar.stores import open_anchor, open_store
from bursar.telling import Telling
from bursar.wiring import Choice, Setup, context_at, open_estate, prices_of
from engine.acting.configuration import Deciding, note_changes
from engine.acting.ports import LEASE, TTL, Look, Ports, Sight, Tenure
from engine.acting.run import Begun, Report, Rules, abandon, begin, proceed, take_back
from engine.acting.savings import Watch
from engine.acting.undoing import Undone, chosen, undo
from engine.errors import BursarError, CollectError, ConfigError
from engine.exemptions import Exemption
from engine.findings import Subject
from engine.model import Identity, Needs, Resource
from engine.people import Door
from engine.plan import Plan
from engine.planning import counted, plan_items
from engine.policy.needs import needs_of
from engine.ports import Item, Progress
from engine.state.anchoring import check_anchor
from engine.state.records import ActionRecord, ExemptionRecord, restored
from engine.state.store import StateError, Store, Table
from integrations.catalog import default_catalog
from integrations.notify.addresses import Addresses, check_addresses
from integrations.notify.webhook import webhook_at

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Site:
    """Everything a run stands on."""

    choice: Choice
    setup: Setup
    ports: Ports
    telling: Telling
    authors: Authors
    slack: SlackReceiver | None = None

    @property
    def rules(self) -> Rules:
        return Rules(self.setup.config.limits, closed_to(self.setup.config), self.authors.unasked)

    def until_stopped(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield `items`; raise `StateError` where there is a reason to stop before the last of them."""
        return until(items, self.ports.stopping)


@contextmanager
def open_site(
    choice: Choice,
    setup: Setup,
    clock: Clock = utc_now,
    log: TextIO | None = None,
    stopping: Callable[[], str] | None = None,
    actor: str = "",
) -> Iterator[Site]:
    """
    Yield the ports of a run over the configured store, with the exemptions of the store in force.

    `log` is where people are told of warnings; standard error if not given. `stopping` says when to end early, `actor`
    who runs it, if not whoever sits at the command line.
    """
    with open_store(setup.config) as store:
        known = (*setup.installation.exemptions, *stored_exemptions(store))
        setup = replace(setup, installation=replace(setup.installation, exemptions=known))
        authors = authors_of(setup.config, setup.policies, setup.texts)
        with open_actions(choice, setup.config) as actions:
            slack = _slack(setup, store, clock)
            telling = Telling(log or sys.stderr, (*((slack,) if slack else ()), *_receivers(setup)))
            ports = Ports(
                store=store,
                actions=actions,
                look=looker(choice, setup, clock),
                teller=telling,
                clock=clock,
                run=f"{clock():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
                actor=actor or setup.config.people.principal(Door.USER, caller(Door.USER, setup.config)),
                authors=authors.of,
                stopping=stopping or Stopping(),
            )
            yield Site(choice, setup, ports, telling, authors, slack)


def _slack(setup: Setup, store: Store, clock: Clock) -> SlackReceiver | None:
    desk = open_desk(setup.config, store, clock)
    channels = {p.name: p.notify["slack"] for p in setup.policies.policies if "slack" in p.notify}
    return None if desk is None else SlackReceiver(desk, channels)


def _receivers(setup: Setup) -> Iterator[Receiver]:
    """Yield the receivers without buttons."""
    config = setup.config
    if config.webhook:
        yield JsonReceiver(webhook_at(config.webhook))
    if config.addresses:
        secrets_ = [read_secret(one, config.folder, "notify.addresses") for one in config.addresses]
        check_addresses(secrets_)
        yield LineReceiver(Addresses(secrets_))
    # The last one: of policies without addresses it tells nothing, and must not be the one that counts for them.
    mail = mail_of(config, setup.policies)
    if mail is not None:
        yield mail


def listen(site: Site) -> None:
    """Count what people clicked in Slack and nobody counted yet."""
    if site.slack is not None:
        _say(site, site.slack.catch_up())


def conclude(site: Site, report: Report) -> None:
    """Tell people of the run and bring messages up to date. What cannot be told now is told by a later run."""
    try:
        site.telling.finish(report, site.ports.store, site.ports.clock())
        if site.slack is not None:
            _say(site, site.slack.finish())
    except BursarError as error:
        _say(site, [error])


def _say(site: Site, failed: list[BursarError]) -> None:
    for error in failed:
        site.telling.log.write(visible(f"not done yet: {error.problems[0].message}") + "\n")


def stored_exemptions(store: Store) -> tuple[Exemption, ...]:
    """Return the exemptions that were made by `bursar exempt` and not withdrawn."""
    catalog = default_catalog()
    return tuple(
        Exemption(
            record.id,
            record.owner,
            record.reason,
            record.expires,
            record.policies,
            read_condition(record.where, f"exemption {record.id}", catalog) if record.where else None,
            record.finding,
        )
        for stored in store.scan(Table.EXEMPTION, "active")
        for record in (restored(ExemptionRecord, stored).record,)
    )


def looker(choice: Choice, setup: Setup, clock: Clock) -> Look:
    """
    Return how to read one resource anew and judge it by one policy.

    It is read with all that any policy needs of its kind, so that its fingerprint compares with the plan's.
    """
    needs = needs_of(setup.policies)

    def look(policy: str, subject: Subject) -> Sight:
        identity = Identity(subject.kind, subject.account, subject.region, subject.id)
        wanted = {kind: need for kind, need in needs.kinds.items() if kind == subject.kind}
        own = named(setup.policies, {policy})
        if not wanted or not own.policies:
            raise CollectError.of("not-found", f"there is no policy `{policy}` about {subject.kind}", where=policy)
        now = clock()
        there = replace(choice, regions=(subject.region,))
        # At the prices that the plan was made with, which were kept.
        with open_estate(there, setup.config, now, priced=False) as (estate, moment):
            items = list(estate.stream(Needs(wanted, frozenset({identity}))))
        context = context_at(moment, setup.config, estate)
        plan = plan_items(own, items, estate.name, context, setup.installation)
        resource = next((i for i in items if isinstance(i, Resource) and i.uid == subject.uid), None)
        if resource is None and (plan.gaps or not plan.scopes):
            detail = plan.gaps[0].detail if plan.gaps else "its account or region is not read"
            raise CollectError.of("resource-unreadable", f"{subject.id}: {detail}", where=subject.uid)
        return Sight(resource, plan)

    return look


def make_plan(site: Site, watch: Watch, progress: Progress) -> Plan:
    """Return the plan of all policies over the estate as it is now."""
    setup = site.setup
    with open_estate(site.choice, setup.config, site.ports.clock()) as (estate, moment):
        items = counted(watch.watched(site.until_stopped(estate.stream(needs_of(setup.policies)))), progress)
        context = context_at(moment, setup.config, estate)
        plan = plan_items(setup.policies, items, estate.name, context, setup.installation)
    render_run(prices_of(estate), sys.stderr)
    return plan


def end_savings(begun: Begun, watch: Watch, plan: Plan) -> None:
    """Write down which savings this run saw to be over."""
    ports = begun.ports
    puts, notes = watch.ended(plan, ports.clock(), ports.run)
    size = max(1, ports.store.batch // 2)
    for start in range(0, len(puts), size):
        ports.store.commit(puts[start : start + size], notes[start : start + size], begun.tenure.current())


def keep_anchor(site: Site) -> None:
    """Keep where the ledger ends, outside the store, where an anchor is configured."""
    with open_anchor(site.setup.config) as anchor:
        if anchor is not None:
            anchor.keep(site.ports.store.head(), site.ports.clock())


def check_state(site: Site) -> None:
    """Raise `StateError` where the store is not the one that was anchored, or an older state of it."""
    with open_anchor(site.setup.config) as anchor:
        if anchor is not None:
            check_anchor(site.ports.store, anchor.latest())


def run_at(site: Site, *, whole: bool = True) -> Report | None:
    """
    Run once over a site and return what it did; None where another run is at work.

    Raises:
        StateError: `state-replaced`, where the store is not the one that was anchored.
    """
    check_state(site)
    listen(site)
    begun = begin(site.ports)
    if begun is None:
        return None
    try:
        take_back(begun)
        watch = Watch.of(site.ports.store)
        with progress_for(sys.stderr) as progress:
            plan = make_plan(site, watch, _holding(begun, progress))
        end_savings(begun, watch, plan)
        note_changes(deciding(site), site.ports, begun.tenure)
        report = proceed(begun, plan, site.rules, whole=whole)
    except BaseException:
        abandon(begun)
        raise
    conclude(site, report)
    keep_anchor(site)
    return report


def deciding(site: Site) -> Deciding:
    """Return what this run decides by."""
    config = site.setup.config
    return Deciding(site.ports.clock(), site.setup.policies.digest, config.digest, site.setup.installation.max_mode)


def _holding(begun: Begun, progress: Progress) -> Progress:
    """Return `progress` that keeps the lease while a large estate is read: that may take longer than it lasts."""

    def told(stage: str, done: int) -> None:
        begun.tenure.current()
        progress(stage, done)

    return told


def undo_all(site: Site, what: str) -> list[Undone]:
    """
    Undo the acts that `what` names, the last first.

    Raises:
        ConfigError: nothing has that name.
        StateError: another run is at work.
    """
    ports = site.ports
    records = [restored(ActionRecord, stored) for stored in ports.store.scan(Table.ACTION)]
    found = chosen(records, what)
    if not found:
        hint = "`bursar audit list --kind action.done` shows what was done"
        raise ConfigError.of("not-found", f"nothing was done that `{what}` names", where="undo", hint=hint)
    lease = ports.store.acquire(LEASE, ports.run, TTL, ports.clock())
    if lease is None:
        raise StateError.of("run-held", "another run is at work", where=ports.store.name, hint="try again in a minute")
    try:
        return [undo(held, ports, Tenure(ports, lease)) for held in found]
    finally:
        ports.store.release(lease)
        keep_anchor(site)
