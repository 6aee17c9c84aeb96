"""
Configuration to a server: the parts that `bursar serve` runs, and whether it may be run like that at all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bursar.config import Config
from bursar.running import Clock, utc_now
from bursar.server.settings import ServerSettings, read_tokens
from bursar.stores import open_store
from engine.errors import ConfigError
from engine.state.store import Store

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from bursar.server.desk import Desk
    from bursar.server.schedule import Schedule


@dataclass(frozen=True, slots=True)
class Place:
    """Where the server listens, and whom it lets in there."""

    host: str = "127.0.0.1"
    port: int = 8080
    no_auth: bool = False
    """Whether whoever is on this machine may look."""


def check_place(place: Place, settings: ServerSettings) -> None:
    """Raise `ConfigError` where nobody, or anybody, would be let in."""
    from bursar.server.visitors import is_loopback

    if place.no_auth and not is_loopback(place.host):
        message = f"`--no-auth` would show everything to whoever reaches {place.host}"
        hint = "listen on 127.0.0.1, or configure `server.proxy`: docs/how-to/serve.md"
        raise ConfigError.of("usage", message, where="--no-auth", hint=hint)
    if place.no_auth and (settings.proxy or settings.tokens):
        hint = "leave one of them out: it would not be asked"
        raise ConfigError.of("usage", "`--no-auth` does not go with `server.proxy`", where="--no-auth", hint=hint)
    if not place.no_auth and settings.proxy is None and not settings.tokens:
        hint = "configure `server.proxy`, or write `--no-auth` to let in whoever is on this machine"
        raise ConfigError.of("usage", "nothing says who may look", where="server", hint=hint)


@contextmanager
def stores_of(config: Config) -> Iterator[Store]:
    """Yield the configured store; it is made where there is none yet, as the first run would."""
    with open_store(config) as store:
        yield store


def schedule_of(every: str, config: Path | None) -> Schedule:
    """Return the schedule `every`, with runs of the configuration at `config`."""
    from bursar.server.schedule import Schedule, trigger_of

    trigger, interval = trigger_of(every)
    command = [sys.executable, "-m", "bursar", "run", *(("-c", str(config)) if config is not None else ())]
    return Schedule(command, trigger, interval, first=None if interval is None else Schedule.AT_ONCE)


def desk_of(config: Config, place: Place, schedule: Schedule | None = None, clock: Clock = utc_now) -> Desk:
    """Return the parts of a server over the configured store."""
    from bursar.secrets import read_secret
    from bursar.server.ahead import work_ahead
    from bursar.server.desk import Desk
    from bursar.server.forms import Forms
    from bursar.server.keeper import Keeper
    from bursar.server.meters import Meters
    from bursar.server.pool import StorePool
    from bursar.server.rendering import Pages
    from bursar.server.visitors import Doorkeeper

    settings = config.server
    secret = ""
    if settings.secret:
        secret = read_secret(settings.secret, config.folder, "server.secret").get_secret_value()
    tokens = read_tokens(settings, config.folder)

    def opened() -> AbstractContextManager[Store]:
        return stores_of(config)

    pool, meters = StorePool(opened), Meters()
    keeper = Keeper(pool, clock, ahead=work_ahead)
    meters.watch(keeper, clock)
    if schedule is not None:
        keeper.on_decision = schedule.soon
        schedule.ran = meters.ran
    return Desk(
        pool=pool,
        keeper=keeper,
        doorkeeper=Doorkeeper(settings, config.people, tokens, open_to_machine=place.no_auth),
        forms=Forms.of(secret, settings.url),
        pages=Pages.of_package(),
        meters=meters,
        clock=clock,
        started=clock(),
        schedule=schedule,
    )


def app_of(desk: Desk, config: Config) -> Starlette:
    """Return the application over `desk`, with clicks where Slack is configured."""
    from bursar.server.app import create_app
    from bursar.server.slack import Clicks

    return create_app(desk, Clicks.of(config, desk.pool, desk.clock, desk.keeper.nudge))


def serve(app: Starlette, place: Place) -> None:
    """Listen until SIGTERM or SIGINT, answer what was asked, let a run end its act."""
    import signal

    import uvicorn

    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn ends in good order and then raises the signal once more for whoever was there before it.
        signal.signal(number, lambda _number, _frame: None)
    uvicorn.run(
        app,
        host=place.host,
        port=place.port,
        # Who speaks is whom the connection comes from: a header could say anything.
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=30,
        log_level="warning",
    )
