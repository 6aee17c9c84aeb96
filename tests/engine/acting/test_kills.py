"""
SIGKILL at every boundary of acting: what was begun converges to one effect, with no decision lost.

The suite kills a sample; `make kills` kills a thousand processes, or `KILLS` of them.
"""

import os
from pathlib import Path

import pytest

from tests.engine.acting.killing import BOUNDARIES, Tally, one_world

SHARES = 4
"""So many parts, for workers beside one another."""
KILLS = int(os.environ.get("KILLS", "60"))


@pytest.mark.parametrize("share", range(SHARES))
def test_killed_at_any_boundary(share, tmp_path, record_property):
    """
    Processes are killed at random boundaries and the clock goes on: every machine is stopped once, what was denied
    is not, every act has its warning, grace, outcome and saving, and the ledger is whole.
    """
    folder = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else tmp_path
    folder = folder / f"bursar-kills-{os.getpid()}-{share}"
    total, seed = Tally(), 0
    try:
        while total.kills < -(-KILLS // SHARES):
            here = folder / f"{share}-{seed}"
            here.mkdir(parents=True)
            total.add(one_world(here, seed, share))
            remove(here)
            seed += 1
    finally:
        if folder.exists():
            for left in folder.iterdir():
                remove(left)
            folder.rmdir()
    record_property("tally", [total.kills, total.effects, total.double, total.lost])
    assert total.wrong == []
    assert (total.double, total.lost) == (0, 0)
    assert sum(total.died.values()) == total.kills
    if KILLS >= 1000:
        assert len(set(BOUNDARIES) - set(total.died)) <= 3, "processes died at nearly every kind of boundary"


def remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
