"""What was saved, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TextIO

from bursar.render.console import console_on, screen_width, wants_color
from bursar.render.money import amount
from bursar.render.text import counted, visible
from engine.acting.savings import Total, totals
from engine.state.records import SavingRecord


def show_savings(savings: Sequence[SavingRecord], now: datetime, format_: str, out: TextIO) -> None:
    """Write what `savings` come to by policy."""
    found = totals(savings, now)
    if format_ == "json":
        json.dump([{"policy": name, **_plain(total)} for name, total in found.items()], out, indent=2)
        out.write("\n")
        return
    if not found:
        out.write("Nothing was done yet, so nothing was saved yet.\n")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("policy")
    for title in ("acts", "hours", "saved so far", "goes on saving a month"):
        table.add_column(title, justify="right")
    for name, total in found.items():
        unpriced = f" and {total.unpriced} unpriced" if total.unpriced else ""
        table.add_row(
            Text(visible(name)),
            f"{total.acts:,}",
            f"{total.hours:,.1f}",
            amount(total.realised) + unpriced,
            amount(total.monthly),
        )
    console_on(out, width=screen_width(out), color=wants_color(out)).print(table)
    sum_ = sum((total.realised for total in found.values()), start=total.realised * 0)
    out.write(f"\n{amount(sum_)} saved by {counted(sum(total.acts for total in found.values()), 'act')} so far\n")


def _plain(total: Total) -> dict[str, object]:
    return {
        "acts": total.acts,
        "hours": str(round(total.hours, 2)),
        "realised": str(round(total.realised, 2)),
        "monthly": str(round(total.monthly, 2)),
        "unpriced": total.unpriced,
    }
