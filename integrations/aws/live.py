"""Live AWS accounts, put together: session, inventory, telemetry. The front doors open them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime

from engine.ports import Estate
from integrations.aws.cloudwatch import CloudWatchTelemetry
from integrations.aws.estate import AwsEstate
from integrations.aws.fleet import AwsFleet
from integrations.aws.organization import Account, accounts_of
from integrations.aws.read_only import refuse_what_changes
from integrations.aws.registry import aws_kinds
from integrations.aws.session import ENABLED, AwsSession, AwsSettings, open_session, shared_clients
from integrations.telemetry.attaching import SourcesTelemetry
from integrations.telemetry.port import Source, Telemetry


@contextmanager
def live_estate(settings: AwsSettings, now: datetime, sources: Sequence[Source] = ()) -> Iterator[Estate]:
    """
    Yield the account that `settings` lead to, or all the accounts they name, to be judged at `now`.

    Telemetry is CloudWatch's, merged with what `sources` know.

    Raises:
        ConfigError: without credentials, without a region, or where an organization cannot be read.
    """
    kinds = {kind.name: kind for kind in aws_kinds()}
    settings = replace(settings, listeners=(refuse_what_changes, *settings.listeners))

    def telemetry(session: AwsSession) -> Telemetry:
        cloudwatch = CloudWatchTelemetry(lambda region: session.client("cloudwatch", region), now)
        return SourcesTelemetry(kinds, (cloudwatch, *sources))

    with ExitStack() as stack:
        session = stack.enter_context(open_session(settings))
        account = session.account()
        many = bool(settings.accounts) or settings.organization is not None
        if not many and ENABLED not in settings.regions:
            yield AwsEstate(session, account, now, telemetry(session))
            return
        accounts = accounts_of(session, session.regions[0]) if many else (Account(account),)
        clients = stack.enter_context(shared_clients(settings))
        yield AwsFleet(session, account, clients, accounts, now, telemetry)
