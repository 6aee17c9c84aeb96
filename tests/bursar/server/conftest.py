"""A server over a company's state, and clients that come to it as a proxy, a program or a stranger does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bursar.config import Config
from bursar.server.desk import Desk
from bursar.server.settings import Proxy, ServerSettings
from bursar.serving import Place, app_of, desk_of
from bursar.stores import open_store
from engine.people import Door, People, Person
from engine.state.records import ApprovalRecord, Kept, restored
from engine.state.store import Store
from integrations.store.addresses import SqliteAddress
from tests.bursar.server.company import NOW, company

MIRA, TOMAS, EVE = "mira.osei@example.com", "tomas.lindqvist@example.com", "eve@example.com"
URL = "https://bursar.example.com"
PROXY = "10.1.2.3"
PEOPLE = People(
    (Person(MIRA, {Door.SLACK: "U024BE7LH"}), Person(TOMAS, {Door.WEB: "tomas"})),
    {"@ml-leads": frozenset({MIRA, TOMAS}), "@finance": frozenset({"ada.bello@example.com"})},
)
SETTINGS = ServerSettings(
    url=URL,
    proxy=Proxy((ip_network("10.1.0.0/16"),), "X-Forwarded-Email", "X-Forwarded-Groups"),
    tokens={"prometheus": "env:TEST_BURSAR_TOKEN"},
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

    def read(self, kind: type[Kept], key: str) -> Kept:
        """Return a record as it is in the store, read by another connection."""
        with open_store(self.config) as store:
            stored = store.get(kind.table, key)
        assert stored is not None
        return restored(kind, stored).record

    def approval(self, name: str) -> ApprovalRecord:
        return self.read(ApprovalRecord, self.approvals[name])


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path, monkeypatch) -> Iterator[Serve]:
    """Return a function that makes a server over a state that `fill` filled; by default with a company."""
    monkeypatch.setenv("TEST_BURSAR_TOKEN", TOKEN)
    with ExitStack() as stack:

        def made(
            settings: ServerSettings = SETTINGS, fill: Callable[[Store], dict[str, str]] = company, *, no_auth=False
        ) -> Served:
            config = Config(
                folder=tmp_path, state=SqliteAddress(tmp_path / "bursar.db"), people=PEOPLE, server=settings
            )
            with open_store(config) as store:
                ids = fill(store)
            now = [NOW]
            desk = desk_of(config, Place(no_auth=no_auth), clock=lambda: now[0])
            stack.callback(desk.pool.close)
            desk.keeper.look()
            return Served(config, desk, ids, stack, now)

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
