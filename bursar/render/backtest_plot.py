"""The curve of savings against regret as SVG or PNG, drawn by matplotlib; readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bursar.backtesting import Backtest
from engine.backtest.sweep import Row
from engine.errors import ConfigError
from engine.units import format_duration

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#7a8490"
"""A grey with a contrast above 3 on white and on black."""
COLORS = ("#0e8f6e", "#d9702b", "#4f86c6", "#c0609f", "#a58a17", "#8a6fc9")
"""As told apart by people who do not see all colours; each is lighter or darker than the one before."""
MARKERS = "osD^vP"
STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "bursar",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 144,
}


def draw(done: Backtest, path: Path) -> None:
    """
    Draw the settings of `done` into `path`.

    Raises:
        ConfigError: where matplotlib is not installed, or the name ends in neither .svg nor .png.
    """
    if path.suffix not in (".svg", ".png"):
        raise ConfigError.of("usage", "a plot is an .svg or a .png", where=str(path))
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError as error:
        hint = "install 'bursar[plot]'"
        raise ConfigError.of("missing-extra", "matplotlib is needed to draw", where="--plot", hint=hint) from error
    style: Any = dict(STYLE)
    with mpl.rc_context(style):
        figure = Figure(figsize=(7.6, 4.4), layout="constrained")
        _axes(figure.add_subplot(), done)
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(path, transparent=True, metadata=metadata)


def _axes(axes: Axes, done: Backtest) -> None:
    from matplotlib.ticker import PercentFormatter, StrMethodFormatter

    dollars = any(row.outcome.dollars for row in done.rows)
    lines = list(_lines(done))
    fullest = max(range(len(lines)), key=lambda n: sum(row.outcome.regret is not None for row in lines[n][1]))
    for number, (name, rows) in enumerate(lines):
        known = [row for row in rows if row.outcome.regret is not None]
        xs = [row.outcome.regret or 0.0 for row in known]
        ys = [float(row.outcome.dollars) if dollars else row.outcome.saved for row in known]
        color = COLORS[number % len(COLORS)]
        axes.plot(xs, ys, marker=MARKERS[number % len(MARKERS)], color=color, label=name, linewidth=1.6, markersize=5)
        if number == fullest:
            for row, x, y in zip(known, xs, ys, strict=True):
                label = " ".join(row.setting.values[0]) if row.setting.values else ""
                axes.annotate(label, (x, y), (8, -12), textcoords="offset points")
    bound = done.recommendation
    if bound is not None:
        axes.axvline(bound.bound, color=INK, linestyle="--", linewidth=1)
        if bound.best is not None:
            _mark(axes, done, bound.best.setting.values, dollars=dollars)
    axes.set_xlabel(f"regret: acts followed by work within {format_duration(done.ask.horizon)}")
    axes.set_ylabel("saved, USD" if dollars else "saved, machine-hours")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.yaxis.set_major_formatter(StrMethodFormatter("${x:,.0f}" if dollars else "{x:,.0f}"))
    axes.set_xlim(left=-0.01)
    axes.set_ylim(bottom=0)
    axes.grid(color=INK, alpha=0.25, linewidth=0.6)
    if len(lines) > 1:
        axes.legend(frameon=False, title=_second(done), fontsize=9)


def _mark(axes: Axes, done: Backtest, values: tuple[tuple[str, str], ...], *, dollars: bool) -> None:
    row = next(row for row in done.rows if row.setting.values == values)
    y = float(row.outcome.dollars) if dollars else row.outcome.saved
    axes.plot([row.outcome.regret or 0.0], [y], marker="o", markersize=13, fillstyle="none", color=INK, linestyle="")
    axes.annotate("recommended", (row.outcome.regret or 0.0, y), (-14, 12), textcoords="offset points")


def _lines(done: Backtest) -> Iterable[tuple[str, list[Row]]]:
    """Yield a line for each value of every axis but the first."""
    found: dict[str, list[Row]] = {}
    for row in done.rows:
        found.setdefault(", ".join(value for _, value in row.setting.values[1:]), []).append(row)
    return found.items()


def _second(done: Backtest) -> str:
    return ", ".join(name.removeprefix("below.") for name in list(done.ask.axes)[1:]) + " below"
