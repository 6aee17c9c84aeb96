"""
Telemetry in files to arrays, machine by machine: JSON Lines of `bursar agent`, CSV and Parquet, read by DuckDB.

Memory does not grow with the files: whole machines are read in batches of so many samples. Parquet is read in place;
text is read once into a table in a temporary folder. What is no sample (no time, no number, a broken line) is left out,
counted, and so never taken for rest.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backtest.recording import MEMORY, POWER, RECORDED, USE, WHOLE, Grid, Track
from engine.errors import ConfigError
from engine.telemetry import MOST_WATTS

if TYPE_CHECKING:
    import duckdb

BATCH = 2_000_000
"""Samples of a batch: some 200 MB while they are sorted and copied."""
MEMORY_LIMIT = "512MB"
"""Of DuckDB, which writes to the temporary folder what does not fit."""
LONGEST = 366 * 24 * 60
"""Buckets of a grid; a single sample with a wrong year would make it endless."""
MOST_USE = 105.0
"""Percent that no GPU exceeds: exporters round, so a little more than all is all."""
STRAY = 0.01
"""Share of the samples up to which impossible ones are mishaps, and not a unit."""
TEXT = ("resource", "device", "model")
NUMBERS = (*RECORDED, *WHOLE)
COLUMNS = (*TEXT, "at", *NUMBERS)
"""What a CSV or Parquet file may have: one row a sample. `resource`, `at` and one metric of GPUs are needed."""
AGENT = {
    USE: "utilization_peak_percent",
    POWER: "power_peak_watts",
}
"""The recorded value of each metric in the lines of `bursar agent`; memory is used of used and free."""


@dataclass(frozen=True, slots=True)
class RecordedMachine:
    """A machine of a recording."""

    resource: str
    model: str
    """As recorded; empty where it is not."""
    first: float
    """The time of its first sample, seconds since 1970."""
    tracks: tuple[Track, ...]
    whole: Track | None = None
    """What was recorded of it as a whole, in whichever rows; None where nothing was."""


@dataclass(frozen=True)
class Recording:
    """Open files."""

    connection: duckdb.DuckDBPyConnection
    files: tuple[Path, ...]
    first: float
    last: float
    interval: float
    """Seconds between two samples of a device: the median."""
    machines: int
    devices: int
    samples: int
    broken: int
    """Rows and lines that are no samples."""
    metrics: frozenset[str]
    _sizes: tuple[tuple[str, int], ...] = field(repr=False, default=())

    def grid(self, start: float | None = None, end: float | None = None) -> Grid:
        """
        Return the grid of the samples between two moments; of all where they are None.

        Raises:
            ConfigError: where it would be longer than a year.
        """
        first = self.first if start is None else max(self.first, start)
        last = self.last if end is None else min(self.last, end)
        if last < first:
            raise ConfigError.of("usage", "there are no samples in that time", where="--from")
        grid = Grid.over(first, last, self.interval)
        if grid.buckets > LONGEST:
            hint = "choose a part of it with --from and --to; a single sample with a wrong date may be the cause"
            raise ConfigError.of("usage", "the recording spans more than a year", where="--telemetry", hint=hint)
        return grid

    def stream(self, grid: Grid) -> Iterator[RecordedMachine]:
        """Yield the machines in order of their names, with the samples inside `grid`."""
        for names in self._batches():
            yield from self._read(names, grid)

    def _batches(self) -> Iterator[list[str]]:
        names: list[str] = []
        total = 0
        for name, size in self._sizes:
            if names and total + size > BATCH:
                yield names
                names, total = [], 0
            names.append(name)
            total += size
        if names:
            yield names

    def _read(self, names: Sequence[str], grid: Grid) -> Iterator[RecordedMachine]:
        numbers = ", ".join(f'CAST("{name}" AS DOUBLE) AS "{name}"' for name in self._numbers)
        rows = self.connection.execute(
            f"SELECT track, seconds, {numbers} FROM samples JOIN tracks USING (resource, device) "
            "WHERE resource BETWEEN ? AND ? AND seconds >= ? AND seconds < ? ORDER BY track, seconds",
            [names[0], names[-1], grid.start, grid.end],
        ).fetchnumpy()
        listed = self.connection.execute(
            "SELECT track, resource, device, model, first FROM tracks WHERE resource BETWEEN ? AND ? ORDER BY track",
            [names[0], names[-1]],
        ).fetchall()
        columns = {name: _plain(rows[name]) for name in ("seconds", *self._numbers)}
        numbers_of = np.asarray(rows["track"])
        cuts = np.searchsorted(numbers_of, [entry[0] for entry in listed])
        ends = np.searchsorted(numbers_of, [entry[0] for entry in listed], side="right")
        for name in names:
            mine = [n for n, entry in enumerate(listed) if entry[1] == name]
            parts = [slice(cuts[n], ends[n]) for n in mine]
            whole = self._whole(columns, parts)
            found = (_track(listed[n][2], columns, part) for n, part in zip(mine, parts, strict=True))
            # Rows of the machine as a whole stand beside those of its devices, and are none.
            tracks = tuple(one for one in found if one.device or one.values or whole is None)
            models = {listed[n][3] for n in mine if listed[n][3]}
            first = min(float(listed[n][4]) for n in mine)
            yield RecordedMachine(name, models.pop() if len(models) == 1 else "", first, tracks, whole)

    @property
    def _numbers(self) -> tuple[str, ...]:
        """Return the metrics to read: what is of whole machines only where it is there."""
        return (*RECORDED, *(name for name in WHOLE if name in self.metrics))

    def _whole(self, columns: Mapping[str, Any], parts: Sequence[slice]) -> Track | None:
        """Return what was recorded of a machine as a whole, in order of time."""
        found = {
            name: np.concatenate([columns[name][part] for part in parts]) for name in self._numbers[len(RECORDED) :]
        }
        known = {name: values for name, values in found.items() if not np.isnan(values).all()}
        if not known:
            return None
        at = np.concatenate([columns["seconds"][part] for part in parts])
        order = np.argsort(at, kind="stable")
        return Track("", at[order], {name: values[order] for name, values in known.items()})


def _track(device: str, columns: Mapping[str, Any], part: slice) -> Track:
    values = {name: columns[name][part] for name in RECORDED}
    return Track(device, columns["seconds"][part], {n: v for n, v in values.items() if not np.isnan(v).all()})


def _plain(values: Any) -> Any:
    """Return numbers with NaN for what is masked."""
    return values.filled(np.nan) if isinstance(values, np.ma.MaskedArray) else values


@contextmanager
def open_recording(files: Sequence[Path], columns: Mapping[str, str]) -> Iterator[Recording]:
    """
    Yield the recording in `files`; `columns` says what theirs are called where the names are not ours.

    Raises:
        ConfigError: where a file is missing, is of no known format, or lacks what is needed.
    """
    try:
        import duckdb
    except ImportError as error:
        hint = "install 'bursar[backtest]'"
        raise ConfigError.of(
            "missing-extra", "DuckDB is needed to read recordings", where="--telemetry", hint=hint
        ) from error
    with TemporaryDirectory(prefix="bursar-") as folder, duckdb.connect(f"{folder}/recording.db") as connection:
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET TimeZone = 'UTC'")
        try:
            yield _opened(connection, tuple(files), columns)
        except duckdb.Error as error:
            where = ", ".join(file.name for file in files)
            message = f"it cannot be read: {str(error).splitlines()[0]}"
            raise ConfigError.of("bad-recording", message, where=where) from error


def _opened(connection: duckdb.DuckDBPyConnection, files: tuple[Path, ...], columns: Mapping[str, str]) -> Recording:
    found: set[str] = set()
    parts = [_select(connection, file, columns, found) for file in files]
    stored = "TABLE" if any(_format(file) != "parquet" for file in files) else "VIEW"
    connection.execute(f"CREATE {stored} rows AS {' UNION ALL '.join(parts)}")
    connection.execute(
        "CREATE VIEW samples AS SELECT * FROM rows WHERE resource IS NOT NULL AND seconds IS NOT NULL "
        "AND isfinite(seconds) AND seconds > 0"
    )
    connection.execute(
        "CREATE TABLE tracks AS SELECT row_number() OVER (ORDER BY resource, device) AS track, * FROM ("
        "SELECT resource, device, max(model) AS model, min(seconds) AS first, max(seconds) AS last, count(*) AS size "
        "FROM samples GROUP BY resource, device)"
    )
    facts = connection.execute(
        "SELECT min(first), max(last), count(DISTINCT resource), count(*), sum(size) FROM tracks"
    ).fetchone()
    total = connection.execute("SELECT count(*) FROM rows").fetchone()
    if facts is None or total is None or not facts[3]:
        raise ConfigError.of("bad-recording", "there is no sample in it", where=", ".join(f.name for f in files))
    _check_units(connection, files)
    sizes = connection.execute("SELECT resource, sum(size) FROM tracks GROUP BY resource ORDER BY resource").fetchall()
    return Recording(
        connection, files, float(facts[0]), float(facts[1]), _interval(connection), int(facts[2]), int(facts[3]),
        int(facts[4]), int(total[0]) - int(facts[4]), frozenset(found), tuple((str(n), int(s)) for n, s in sizes),
    )  # fmt: skip


def _check_units(connection: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> None:
    """
    Refuse numbers in another unit than ours, which would be taken for rest or for work; a stray one is none.

    Raises:
        ConfigError: use that is a ratio or a sum over devices, or power in milliwatts.
    """
    found = connection.execute(
        f'SELECT max("{USE}") <= 1 AND bool_or("{USE}" > 0 AND "{USE}" < 1), '
        f'count_if("{USE}" > {MOST_USE}) / count("{USE}"), count_if("{POWER}" > {MOST_WATTS}) / count("{POWER}") '
        f'FROM samples WHERE isfinite(coalesce("{USE}", 0)) AND isfinite(coalesce("{POWER}", 0))'
    ).fetchone()
    ratio, sums, milliwatts = found or (None, None, None)
    for wrong, message, hint in (
        (ratio, f"{USE} is never above 1 and has fractions: it looks like a ratio", "give it in percent, 0 to 100"),
        ((sums or 0) > STRAY, f"{USE} is above 100%", "give it in percent of each device, not as a sum over several"),
        ((milliwatts or 0) > STRAY, f"{POWER} is above what any GPU draws", "give it in watts"),
    ):
        if wrong:
            raise ConfigError.of("bad-recording", message, where=", ".join(file.name for file in files), hint=hint)


def _interval(connection: duckdb.DuckDBPyConnection) -> float:
    """Return the median time between two samples of the first devices."""
    found = connection.execute(
        "SELECT median(gap) FROM (SELECT seconds - lag(seconds) OVER (PARTITION BY resource, device ORDER BY seconds) "
        "AS gap FROM samples SEMI JOIN (SELECT resource, device FROM tracks ORDER BY size DESC, track LIMIT 8) "
        "USING (resource, device)) WHERE gap > 0"
    ).fetchone()
    return float(found[0]) if found and found[0] is not None and math.isfinite(found[0]) else 60.0


def _format(file: Path) -> str:
    suffixes = [suffix for suffix in file.suffixes if suffix not in (".gz", ".zst")]
    match suffixes[-1:]:
        case [".jsonl"] | [".ndjson"]:
            return "jsonl"
        case [".csv"]:
            return "csv"
        case [".parquet"]:
            return "parquet"
        case _:
            hint = "the name ends in .jsonl, .csv or .parquet"
            raise ConfigError.of("bad-recording", "this is no known format", where=str(file), hint=hint)


def _select(connection: duckdb.DuckDBPyConnection, file: Path, columns: Mapping[str, str], found: set[str]) -> str:
    """Return the query for the samples of `file`, and add the metrics it has to `found`."""
    if not file.is_file():
        raise ConfigError.of("bad-recording", "there is no such file", where=str(file))
    path, form = str(file).replace("'", "''"), _format(file)
    if form == "jsonl":
        found.update(RECORDED)
        return _agent_lines(path)
    source = f"read_csv('{path}', all_varchar = true)" if form == "csv" else f"read_parquet('{path}')"
    described = {row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    names = {ours: columns.get(ours, ours) for ours in COLUMNS}
    for ours, theirs in columns.items():
        if ours not in COLUMNS:
            hint = f"write OURS=THEIRS; ours are {', '.join(COLUMNS)}"
            raise ConfigError.of("bad-recording", f"there is no column `{ours}` of ours", where="--columns", hint=hint)
        if theirs not in described:
            hint = f"it has {', '.join(described)}"
            raise ConfigError.of(
                "bad-recording", f"there is no column `{theirs}` for {ours}", where=str(file), hint=hint
            )
    metrics = [name for name in RECORDED if names[name] in described]
    missing = [ours for ours in ("resource", "at") if names[ours] not in described]
    if missing or not metrics:
        wanted = missing[0] if missing else f"any of {', '.join(RECORDED)}"
        hint = f"it has {', '.join(described)}; say which is which with --columns {missing[0] if missing else USE}=NAME"
        raise ConfigError.of("bad-recording", f"there is no column {wanted}", where=str(file), hint=hint)
    found.update(metrics, (name for name in WHOLE if names[name] in described))
    texts = [f"{_text(names[name], described)} AS {name}" for name in TEXT]
    numbers = [f'{_number(names[name], described)} AS "{name}"' for name in NUMBERS]
    return f"SELECT {', '.join([*texts, _seconds(names['at'], described), *numbers])} FROM {source}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str, described: Mapping[str, str]) -> str:
    return f"coalesce(CAST({_quoted(name)} AS VARCHAR), '')" if name in described else "''"


def _number(name: str, described: Mapping[str, str]) -> str:
    return f"TRY_CAST({_quoted(name)} AS DOUBLE)" if name in described else "CAST(NULL AS DOUBLE)"


def _seconds(name: str, described: Mapping[str, str]) -> str:
    """Return the time as seconds since 1970: of a timestamp, a number of seconds, or text in ISO 8601."""
    column, type_ = _quoted(name), described[name]
    if type_.startswith(("TIMESTAMP", "DATE")):
        return f"epoch({column}) AS seconds"
    if type_ == "VARCHAR":
        return f"coalesce(TRY_CAST({column} AS DOUBLE), epoch(TRY_CAST({column} AS TIMESTAMPTZ))) AS seconds"
    return f"TRY_CAST({column} AS DOUBLE) AS seconds"


def _agent_lines(path: str) -> str:
    """Return the query for lines that `bursar agent` wrote; a line that is broken has no time."""
    values = [f"TRY_CAST(json_extract(gpu, '$.{theirs}') AS DOUBLE) AS \"{ours}\"" for ours, theirs in AGENT.items()]
    used, free = (f"TRY_CAST(json_extract(gpu, '$.memory_{name}_bytes') AS DOUBLE)" for name in ("used", "free"))
    nothing = ", ".join(f'CAST(NULL AS DOUBLE) AS "{name}"' for name in WHOLE)
    lines = f"read_ndjson_objects('{path}', ignore_errors = true)"
    return (
        "SELECT resource, "
        "coalesce(json_extract_string(gpu, '$.uuid'), json_extract_string(gpu, '$.index'), '') AS device, "
        "coalesce(json_extract_string(gpu, '$.model'), '') AS model, seconds, "
        f'{values[0]}, {values[1]}, {used} * 100 / nullif({used} + {free}, 0) AS "{MEMORY}", {nothing} FROM ('
        "SELECT coalesce(nullif(json_extract_string(json, '$.instance'), ''), json_extract_string(json, '$.host')) "
        "AS resource, epoch(TRY_CAST(json_extract_string(json, '$.at') AS TIMESTAMPTZ)) AS seconds, "
        "unnest(CASE WHEN json IS NULL THEN [NULL] ELSE json_extract(json, '$.gpus[*]') END) AS gpu "
        f"FROM {lines})"
    )
