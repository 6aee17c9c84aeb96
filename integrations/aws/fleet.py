"""
Many accounts as one estate: some are read at a time, each through a role and for a limited time.

What goes wrong in one account is a gap of that account.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from engine.errors import CollectError
from engine.model import Needs, Scope, ScopeReport, ScopeStatus
from engine.ports import Item
from integrations.aws.assume import assumed
from integrations.aws.chunks import Chunks, Unwanted
from integrations.aws.estate import AwsEstate
from integrations.aws.organization import Account
from integrations.aws.refusals import all_refused, is_refusal, scope_status, told
from integrations.aws.registry import AWS_KINDS
from integrations.aws.session import ENABLED, AwsSession, Clients
from integrations.telemetry.port import Telemetry

CHUNK = 500
"""Items that are handed over together."""


@dataclass(frozen=True)
class AwsFleet:
    """Accounts in several regions, as they are now."""

    home: AwsSession
    home_account: str
    clients: Clients
    accounts: Sequence[Account]
    taken_at: datetime
    telemetry_of: Callable[[AwsSession], Telemetry]

    @property
    def name(self) -> str:
        return f"AWS, {len(self.accounts)} accounts ({', '.join(self.home.regions)})"

    def stream(self, needs: Needs) -> Iterator[Item]:
        """
        Yield the resources of every needed scope of every account, and one report for each scope.

        Raises:
            CollectError: after the reports, where every single account refused everything.
        """
        chunks = Chunks()
        refused: list[str] = []
        pool = ThreadPoolExecutor(self.home.settings.accounts_at_once)
        accounts = self._wanted(needs)
        for account in accounts:
            pool.submit(self._read, account, needs, chunks, refused)
        try:
            left = len(accounts)
            while left:
                chunk = chunks.take()
                left -= not chunk
                yield from chunk or ()
            if accounts and len(refused) == len(accounts):
                raise all_refused(refused)
        finally:
            chunks.stop()
            pool.shutdown(wait=True, cancel_futures=True)

    def _wanted(self, needs: Needs) -> Sequence[Account]:
        if needs.only is None:
            return self.accounts
        wanted = {one.account for one in needs.only}
        return [account for account in self.accounts if account.id in wanted]

    def _read(self, account: Account, needs: Needs, chunks: Chunks, refused: list[str]) -> None:
        """Send everything of one account, and then an empty chunk."""
        try:
            sending: list[Item] = []
            for item in self._items(account, needs, refused):
                sending.append(item)
                if len(sending) >= CHUNK:
                    chunks.put(sending)
                    sending = []
            if sending:
                chunks.put(sending)
            chunks.put([])
        except Unwanted:
            return

    def _items(self, account: Account, needs: Needs, refused: list[str]) -> Iterator[Item]:
        try:
            session = self._session(account)
            session = replace(session, regions=self._regions(session))
        except Exception as error:  # noqa: BLE001  (an account that cannot be entered is a gap, not the end)
            detail = told(error, "sts:AssumeRole")
            if is_refusal(error):
                refused.append(detail)
            yield from self._nothing(account, needs, scope_status(error), detail)
            return
        try:
            yield from AwsEstate(session, account.id, self.taken_at, self.telemetry_of(session)).stream(needs)
        except CollectError as error:
            refused.append(error.problems[0].message)

    def _session(self, account: Account) -> AwsSession:
        if account.id == self.home_account:
            return self.home
        return assumed(self.home, self.clients, account.id)

    def _regions(self, session: AwsSession) -> tuple[str, ...]:
        """Return the regions to read, those the account has enabled where that was asked for."""
        regions = self.home.settings.regions
        if ENABLED not in regions:
            return session.regions
        described = session.client("ec2", session.regions[0]).describe_regions(AllRegions=False)["Regions"]
        return tuple(sorted({str(r["RegionName"]) for r in described} | (set(regions) - {ENABLED})))

    def _nothing(self, account: Account, needs: Needs, status: ScopeStatus, detail: str) -> Iterator[ScopeReport]:
        for kind in AWS_KINDS:
            if kind in needs.kinds:
                scopes = [Scope(account.id, region, kind) for region in self.home.regions]
                yield from (ScopeReport(scope, status, 0, detail) for scope in scopes if needs.covers(scope))
