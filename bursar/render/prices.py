"""What became of prices that were asked for, and what a price rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from bursar.render.text import counted, visible
from engine.prices import PriceBook, PriceLayer
from engine.values import Unknown
from integrations.prices.checks import Refused

if TYPE_CHECKING:
    from bursar.pricing import RunPrices

NEAR = 4
"""So many skus are suggested in the place of one without a price."""
MOST = 5
"""Refused prices that a run names; `bursar prices fetch` names all."""


def render_run(prices: RunPrices, out: TextIO) -> None:
    """Write what a run could not read or did not believe; nothing where all is well."""
    if prices.live is not None:
        render_refused(prices.live.refused, out, most=MOST)
        render_failures(prices.live.failures, out)
        render_odd(prices.live.query.problems, out)
    for commitment in prices.commitments:
        if isinstance(commitment.uncovered, Unknown) and commitment.units is None:
            why = commitment.uncovered.detail or commitment.uncovered.reason.value
            out.write(
                visible(f"commitments: savings are upper bounds where {commitment.title} may apply: {why}") + "\n"
            )
    out.writelines(visible(f"prices: {problem}") + "\n" for problem in prices.problems)


def render_refused(refused: Sequence[Refused], out: TextIO, *, most: int | None = None) -> None:
    """Write each price that is not believed, with the reason."""
    out.writelines(visible(f"prices: refused {one}") + "\n" for one in refused[:most])
    if most is not None and len(refused) > most:
        out.write(f"prices: refused {counted(len(refused) - most, 'more price')}\n")


def render_failures(failures: Mapping[str, int], out: TextIO) -> None:
    """Write why prices could not be asked for."""
    out.writelines(
        visible(f"prices: {counted(times, 'question')} without an answer: {why}") + "\n"
        for why, times in sorted(failures.items(), key=lambda item: (-item[1], item[0]))
    )


def render_odd(problems: Iterable[str], out: TextIO) -> None:
    """Write, by kind, how many products of a list could not be read."""
    kinds: dict[str, int] = {}
    for problem in problems:
        kinds[problem] = kinds.get(problem, 0) + 1
    for problem, times in sorted(kinds.items()):
        out.write(visible(f"prices: left out {problem}{f', {times:,} times' if times > 1 else ''}") + "\n")


def render_sku(sku: str, region: str, book: PriceBook, out: TextIO) -> None:
    """Write what a run would take for one sku, and what every source has to say of it."""
    quote = book.quote(sku, region)
    out.write(visible(f"{sku} in {region}") + "\n")
    if isinstance(quote, Unknown):
        out.write(visible(f"  not known: {quote.detail}") + "\n")
        meant = _near(sku, book)
        if meant:
            out.write(visible(f"  there are prices of {', '.join(meant)}") + "\n")
    else:
        near = "" if quote.exact else "≈ "
        out.write(visible(f"  {near}${quote.amount.normalize():f} for one {quote.unit}  {quote.basis}") + "\n")
    out.write("sources, the first that has it answers\n")
    out.writelines(visible(f"  {layer.name:<28} {_said(layer, sku, region)}") + "\n" for layer in book.layers)


def _near(sku: str, book: PriceBook) -> list[str]:
    """Return the skus that have a price and that a mere type, such as `p5.48xlarge`, may have stood for."""
    known = {priced for layer in book.layers for priced, _ in layer.prices}
    return sorted(priced for priced in known if priced.endswith(f":{sku}"))[:NEAR]


def _said(layer: PriceLayer, sku: str, region: str) -> str:
    price = layer.exactly(sku, region)
    if price is None:
        elsewhere = layer.instead(sku)
        note = layer.note(sku, region)
        return note or (f"${elsewhere.amount:f} in {elsewhere.region}" if elsewhere else "–")
    return f"${price.amount:f}  {price.date.isoformat()}  {price.basis}  {price.source}"
