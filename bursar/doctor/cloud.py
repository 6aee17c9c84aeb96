"""AWS: who we are, what may be read, and what may be done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from bursar.config import Config
from bursar.doctor.check import Check, State, failed
from bursar.doctor.memory import skew
from bursar.render.text import counted
from bursar.wiring import Setup, declared_by
from engine.errors import BursarError
from engine.model import Resource
from engine.policy.needs import needs_of
from integrations.aws.act_session import act_sessions
from integrations.aws.assume import assumed
from integrations.aws.organization import accounts_of
from integrations.aws.partitions import partition_of
from integrations.aws.probing import DRY_RUNS, PROTECT, Probe, clock_of, dry_run, probe_kind, simulated
from integrations.aws.read_only import refuse_what_changes
from integrations.aws.refusals import code_of, told
from integrations.aws.session import ENABLED, AwsSession, AwsSettings, open_session, shared_clients

PART = "AWS"
WORKERS = 8
SHOWN = 5
MACHINE = "aws.ec2.instance"
PERMIT = "allow them: `bursar iam read` prints what the role needs"


@dataclass(frozen=True)
class Cloud:
    """What was found out about AWS."""

    checks: tuple[Check, ...]
    known: bool = False
    """Whether AWS knows us: without that nothing else there is worth asking."""


def check_cloud(setup: Setup, settings: AwsSettings, now: datetime) -> Cloud:
    """Return how AWS is: credentials, clock, regions, what the policies need to read, and the roles that act."""
    reading = replace(settings, listeners=(refuse_what_changes, *settings.listeners))
    try:
        with open_session(reading) as session:
            caller = session.caller()
            checks = [Check(PART, "credentials", State.WELL, str(caller["Arn"]))]
            clock = clock_of(session)
            if clock is not None:
                checks.append(skew(PART, clock, now, "AWS's clock"))
            checks.append(_regions(session, settings))
            checks += _others(session, settings, str(caller["Account"]))
            probes = _probes(setup, session, str(caller["Account"]))
            checks += _readable(probes)
            checks += _acting(setup, settings, probes)
            return Cloud(tuple(checks), known=True)
    except BursarError as error:
        return Cloud((failed(PART, "credentials", error),))


def _regions(session: AwsSession, settings: AwsSettings) -> Check:
    strange = session.strange_region()
    if strange:
        says, _, mend = strange.partition("; ")
        return Check(PART, "regions", State.NOTE, says, mend or "where AWS opened it lately, update botocore")
    if settings.regions:
        names = "all that are enabled" if ENABLED in settings.regions else ", ".join(session.regions)
        return Check(PART, "regions", State.WELL, names)
    mend = "name all that have machines under `aws.regions`, or `enabled`"
    return Check(PART, "regions", State.NOTE, f"only {session.regions[0]}, of the profile or environment", mend)


def _others(session: AwsSession, settings: AwsSettings, home: str) -> Iterator[Check]:
    """Yield how many of the other accounts can be entered, and one check for each reason why some cannot."""
    if not settings.accounts and settings.organization is None:
        return
    accounts = [account for account in accounts_of(session, session.regions[0]) if account.id != home]
    refused: dict[str, list[str]] = {}
    with shared_clients(session.settings) as clients:
        for account in accounts:
            try:
                assumed(session, clients, account.id)
            except Exception as error:  # noqa: BLE001  (an account that cannot be entered is what was to be found out)
                refused.setdefault(told(error, "sts:AssumeRole"), []).append(account.id)
    entered = len(accounts) - sum(map(len, refused.values()))
    if entered:
        yield Check(PART, "other accounts", State.WELL, f"{entered} of {len(accounts)} can be entered")
    for reason, ids in sorted(refused.items()):
        shown = ", ".join(ids[:SHOWN]) + (f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else "")
        mend = f"the role {settings.role} has to exist there and to trust us: docs/how-to/many-accounts.md"
        yield Check(PART, "other accounts", State.UNREAD, f"{reason}: {shown}", mend)


def _probes(setup: Setup, session: AwsSession, account: str) -> list[Probe]:
    kinds = needs_of(setup.policies).kinds
    wanted = [(region, kind, need) for kind, need in sorted(kinds.items()) for region in session.regions]
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda w: probe_kind(session, account, w[0], w[1], w[2]), wanted))


def _readable(probes: Sequence[Probe]) -> Iterator[Check]:
    """Yield one check for all kinds that can be read, and one for each call that cannot be made."""
    broken: dict[str, list[Probe]] = {}
    for probe in probes:
        for failure in probe.failed:
            broken.setdefault(failure, []).append(probe)
    well = {p.kind for p in probes} - {p.kind for p in probes if p.failed}
    empty = sorted(kind for kind in well if not any(p.found for p in probes if p.kind == kind))
    if well:
        says = f"{counted(len(well), 'kind')} that the policies are about"
        says += f"; {len(empty)} of them have nothing there that details could be read of" if empty else ""
        yield Check(PART, "reading", State.WELL, says)
    for failure, where in sorted(broken.items()):
        kinds = ", ".join(sorted({p.kind for p in where}))
        regions = ", ".join(sorted({p.region for p in where}))
        mend = PERMIT if "denied" in failure else "look whether the service is there, and try again"
        yield Check(PART, "reading", State.UNREAD, f"{failure}: {kinds} in {regions}", mend)


# --- acting --------------------------------------------------------------------------------------


def _acting(setup: Setup, settings: AwsSettings, probes: Sequence[Probe]) -> Iterator[Check]:
    config, wanted = setup.config, declared_by(setup.policies)
    if not config.act.accounts:
        if wanted:
            mend = "docs/how-to/acting.md, when you want it to"
            yield Check(PART, "acting", State.NOTE, "no account is listed: nothing is ever changed", mend)
        return
    machine = next((r for p in probes if p.kind == MACHINE for r in p.found if PROTECT not in r.tags), None)
    with act_sessions(settings, config.act, wanted) as sessions:
        for account in config.act.accounts:
            try:
                session = sessions(account)
            except BursarError as error:
                yield replace(failed(PART, f"acting in {account}", error, State.UNREAD), mend=_trust(config))
                continue
            yield Check(PART, f"acting in {account}", State.WELL, f"the role {config.act.role} can be assumed")
            if machine is not None and machine.account == account:
                yield from _tried(session, machine, wanted)
            yield _simulated(config, settings, session, account, wanted)


def _trust(config: Config) -> str:
    return f"the role {config.act.role} has to exist and to trust whom we are: docs/how-to/acting.md"


def _tried(session: AwsSession, machine: Resource, wanted: frozenset[str]) -> Iterator[Check]:
    said = dry_run(session, machine.region, machine.id, wanted & set(DRY_RUNS))
    refused = {action: code for action, code in said.items() if code}
    if said and not refused:
        yield Check(PART, "dry runs", State.WELL, f"{', '.join(said)} would be allowed on {machine.id}")
    for action, code in refused.items():
        mend = "allow it: `bursar iam act` prints what the role needs"
        yield Check(PART, "dry runs", State.UNREAD, f"{action} would be refused on {machine.id} ({code})", mend)


def _simulated(
    config: Config, settings: AwsSettings, session: AwsSession, account: str, wanted: frozenset[str]
) -> Check:
    what = f"permissions in {account}"
    arn = f"arn:{partition_of(session.regions[0])}:iam::{account}:role/{config.act.role}"
    try:
        with open_session(replace(settings, attempts=2)) as asking:
            denied = simulated(asking, arn, wanted)
    except Exception as error:  # noqa: BLE001  (most roles may not simulate: then it is not checked)
        says = f"{len(wanted)} of the role that acts; IAM cannot be asked ({code_of(error)})"
        return Check(PART, what, State.SKIPPED, says, "allow `iam:SimulatePrincipalPolicy` to have them checked")
    if not denied:
        return Check(PART, what, State.WELL, f"{len(wanted)} of the role that acts")
    mend = "allow them: `bursar iam act` prints what the role needs"
    return Check(PART, what, State.UNREAD, f"the role that acts lacks {', '.join(denied)}", mend)
