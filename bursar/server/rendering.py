"""Templates to pages. Everything is escaped, and what prints nothing or reorders text is shown as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from bursar.render.money import NOT_KNOWN, amount
from bursar.render.text import counted, visible
from bursar.version import __version__
from engine.units import format_duration

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with it a browser sends forms without their origin, which is what they are checked by.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}
"""What every answer carries. There are no scripts at all."""


@dataclass(frozen=True)
class Pages:
    """Renders templates of `bursar/server/templates`."""

    environment: Environment

    @classmethod
    def of_package(cls) -> Pages:
        environment = Environment(
            loader=PackageLoader("bursar.server"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_shown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            dollars=dollars,
            moment=moment,
            day=day,
            ago=ago,
            within=within,
            counted=counted,
            person=person,
            sentence=sentence,
        )
        environment.globals.update(version=__version__)
        return cls(environment)

    def page(self, template: str, status: int, values: Mapping[str, object]) -> Response:
        return HTMLResponse(self.environment.get_template(template).render(values), status)


def _shown(value: Any) -> Any:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def dollars(value: Decimal | float | None, exact: bool = True) -> str:
    """Return an amount in USD, or that it is not known."""
    return NOT_KNOWN if value is None else amount(Decimal(value), exact=exact)


def moment(value: datetime | None) -> Markup:
    """Return a time with its machine-readable form."""
    if value is None:
        return Markup("–")
    return Markup('<time datetime="{}">{}&nbsp;UTC</time>').format(value.isoformat(), f"{value:%Y-%m-%d %H:%M}")


def day(value: datetime) -> str:
    return f"{value:%d %b}"


def ago(value: datetime | None, now: datetime) -> Markup:
    """Return how long ago something was, with the time itself as a title."""
    if value is None:
        return Markup("never")
    passed = now - value
    text = "just now" if passed < timedelta(minutes=1) else f"{rough(passed)} ago"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M}", text
    )


def within(value: datetime, now: datetime) -> Markup:
    """Return how long there is until something."""
    text = f"in {rough(value - now)}" if value > now else "over"
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        value.isoformat(), f"{value:%Y-%m-%d %H:%M}", text
    )


def rough(length: timedelta) -> str:
    """Return a length in its largest unit: `3d`, `4h`, `12m`."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if length >= unit:
            return format_duration(length // unit * unit)
    return "less than 1m"


def sentence(text: str) -> str:
    """Return `text` with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def person(actor: str) -> str:
    """Return who did something without the door: `web:mira@example.com` to `mira@example.com, by web`."""
    door, colon, name = actor.partition(":")
    return f"{name}, by {door}" if colon and name else actor
