"""A server over a company's state, and clients that come to it as a proxy, a program or a stranger does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from bursar.config import Config
from bursar.server.desk import Desk
from bursar.server.settings import Proxy, ServerSettings
from bursar.serving import Place, app_of, desk_of
from bursar.stores import open_store
from engine.people import Door, People, Person
from engine.state.records import ApprovalRecord, Kept, restored
from engine.state.store import Store
from integrations.aws.session import AwsSettings
from integrations.store.addresses import DynamoAddress, SqliteAddress
from tests.bursar.server.company import NOW, company, few

MIRA, TOMAS, EVE = "mira.osei@example.com", "tomas.lindqvist@example.com", "eve@example.com"
ADA, OLGA = "ada.bello@example.com", "olga.ivanova@example.com"
"""One who may let any finding rest, and an operator."""
URL = "https://bursar.example.com"
PROXY = "10.1.2.3"
PEOPLE = People(
    (Person(MIRA, {Door.SLACK: "U024BE7LH"}), Person(TOMAS, {Door.WEB: "tomas"})),
    {
        "@ml-leads": frozenset({MIRA, TOMAS}),
        "@finance": frozenset({ADA}),
        "@operators": frozenset({OLGA}),
    },
)
SETTINGS = ServerSettings(
    url=URL,
    proxy=Proxy((ip_network("10.1.0.0/16"),), "X-Forwarded-Email", "X-Forwarded-Groups"),
    tokens={"prometheus": "env:TEST_BURSAR_TOKEN"},
    approvers=(ADA,),
    operators=("@operators",),
)
TOKEN = "0123456789abcdef0123456789abcdef"


@dataclass
class Served:
    """A server, its state, and the doors to it."""

    config: Config
    desk: Desk
    approvals: dict[str, str]
    """The ids of the approvals that wait, by the name of the machine."""
    stack: ExitStack
    now: list[datetime] = field(default_factory=lambda: [NOW])

    @classmethod
    def over(
        cls, config: Config, approvals: dict[str, str], stack: ExitStack, at: datetime = NOW, *, no_auth: bool = False
    ) -> Served:
        """Return a server over the state that `config` names, at the time `at`."""
        now = [at]
        desk = desk_of(config, Place(no_auth=no_auth), clock=lambda: now[0])
        stack.callback(desk.pool.close)
        desk.keeper.look()
        return cls(config, desk, approvals, stack, now)

    def restarted(self) -> Served:
        """Return another server over the same state; this one is gone."""
        self.desk.pool.close()
        return Served.over(self.config, self.approvals, self.stack, self.now[0])

    def client(self, principal: str = "", *, address: str = PROXY, **headers: str) -> TestClient:
        """Return a client from `address`, for whom the proxy there vouches where a principal is given."""
        if principal:
            headers["X-Forwarded-Email"] = principal
        found = TestClient(
            app_of(self.desk, self.config), URL, client=(address, 50000), headers=headers, follow_redirects=False
        )
        self.stack.callback(found.close)
        return found

    def look(self) -> None:
        """Let the keeper look, as its thread does every few seconds."""
        self.desk.keeper.look()

    @cached_property
    def store(self) -> Store:
        """The state by a connection of its own, as another process has it."""
        return self.stack.enter_context(open_store(self.config))

    def read(self, kind: type[Kept], key: str) -> Kept:
        """Return a record as it is in the store."""
        stored = self.store.get(kind.table, key)
        assert stored is not None
        return restored(kind, stored).record

    def approval(self, name: str) -> ApprovalRecord:
        return self.read(ApprovalRecord, self.approvals[name])


Serve = Callable[..., Served]


STORES = ("sqlite", "postgres", "dynamodb")
on_every_store = pytest.mark.parametrize("state", STORES, indirect=True)
"""The test is run over a state in each store, with fewer findings where these are slow."""
NUMBERS = itertools.count(1)
BATCH = 100
"""A store that takes no more in a commit is filled with less."""


@pytest.fixture
def state(request, tmp_path: Path) -> Config:
    """A configuration with an empty state: a file, where a test does not ask for another."""
    base = Config(folder=tmp_path, people=PEOPLE)
    match getattr(request, "param", "sqlite"):
        case "postgres":
            return replace(base, state=request.getfixturevalue("postgres_address"))
        case "dynamodb":
            pytest.importorskip("py_partiql_parser", reason="NOT TESTED: `moto[dynamodb]` is not installed")
            aws = AwsSettings(("us-east-1",), endpoint_url=request.getfixturevalue("aws_server").endpoint)
            return replace(base, state=DynamoAddress(f"page-{next(NUMBERS)}"), aws=aws)
        case _:
            return replace(base, state=SqliteAddress(tmp_path / "bursar.db"))


@pytest.fixture
def serve(state: Config, monkeypatch) -> Iterator[Serve]:
    """Return a function that makes a server over a state that `fill` filled; by default with a company."""
    monkeypatch.setenv("TEST_BURSAR_TOKEN", TOKEN)
    with ExitStack() as stack:

        def made(
            settings: ServerSettings = SETTINGS,
            fill: Callable[[Store], dict[str, str]] | None = None,
            *,
            no_auth: bool = False,
        ) -> Served:
            config = replace(state, server=settings)
            with open_store(config) as store:
                if fill is not None:
                    ids, now = fill(store), NOW
                else:
                    # Votes are late by the clock of the store, where it has one, and that is the real one.
                    now = NOW if store.clock() is None else datetime.now(UTC).replace(microsecond=0)
                    ids = (few if store.batch < BATCH else company)(store, now)
            return Served.over(config, ids, stack, now, no_auth=no_auth)

        yield made


@pytest.fixture
def served(serve: Serve) -> Served:
    """A server over the company's state."""
    return serve()


def form(served: Served, client: TestClient, principal: str, **fields: str) -> dict[str, str]:
    """Return the fields of a form that the page for `principal` would send."""
    return {"token": served.desk.forms.token(principal), **fields}


SAME = {"Origin": URL, "Sec-Fetch-Site": "same-origin"}
"""What a browser sends with a form of the page."""


def post(served: Served, principal: str, path: str, *, headers: dict[str, str] = SAME, **fields: str) -> Response:
    """Send a form to `path` as the page for `principal` would, and return the answer."""
    client = served.client(principal)
    return client.post(path, data={**form(served, client, principal), **fields}, headers=headers)
