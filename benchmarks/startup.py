"""Wall time of the commands people type most, each in a new process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.policies import ten_kinds, write
from benchmarks.processes import bursar, custodian, in_turn, median, spent
from benchmarks.rows import Row, at_most


def rows(folder: Path, rounds: int) -> Iterator[Row]:
    theirs = write(ten_kinds(50), folder / "ten-kinds.yml")
    ours = folder / "ten-kinds-bursar.yaml"
    spent(bursar("import", "custodian", theirs, "-o", ours))
    for work, their_command, our_command, share in (
        ("`--version`", custodian("version"), bursar("--version"), 4),
        ("`validate`, 50 policies over 10 kinds", custodian("validate", theirs), bursar("validate", ours), 15),
    ):
        found = in_turn(rounds, lambda c=their_command: spent(c), lambda c=our_command: spent(c))
        slow, fast = (median([one.wall for one in runs]) for runs in found)
        yield at_most(work, slow, fast, "{:.2f} s", share)
