"""`bursar calibrate`, and the file it writes as the configuration takes it."""

from datetime import UTC, datetime

import pytest

from bursar.config import read_config
from bursar.wiring import context_at
from engine.errors import ConfigError
from integrations.catalog import default_catalog
from integrations.prices.power import read_gpu_power

START = 1_772_452_800


@pytest.fixture
def recorded(here):
    """Four L40S that rest while held, at about 80, 81, 82 and 83 W, and two T4."""
    lines = ["resource,device,model,at,gpu.utilization,gpu.power,gpu.memory_used"]
    for number in range(6):
        model = "NVIDIA L40S" if number < 4 else "Tesla T4"
        lines += [f"i-{number},0,{model},{START + 60 * n},0,{80 + number + n % 10 / 10},50" for n in range(200)]
    (here / "t.csv").write_text("\n".join(lines) + "\n")
    return here


def test_what_is_learned_is_what_plans_use(bursar, recorded):
    """The L40S gets the upper bound of its boards, the T4 with two boards keeps what is shipped."""
    result = bursar("calibrate", "--telemetry", "t.csv", "-o", "gpu_power.yaml")
    assert result.status == 0
    assert "fewer than 3 seen while held" in result.out
    (recorded / "bursar.yaml").write_text("version: 1\ngpu_power: gpu_power.yaml\n")
    watts = context_at(datetime(2026, 3, 3, tzinfo=UTC), read_config(None, default_catalog())).watts
    assert watts["L40S"] == pytest.approx(83.6, abs=0.15)
    assert watts["T4"] == 30


def test_nothing_learned_writes_nothing(bursar, here):
    """A recording without memory teaches nothing, and leaves no file."""
    (here / "t.csv").write_text(f"resource,at,gpu.utilization,gpu.power\ni-1,{START},0,50\n")
    result = bursar("calibrate", "--telemetry", "t.csv", "-o", "gpu_power.yaml")
    assert (result.status, result.err) == (3, "gpu_power.yaml was not written\n")
    assert "nothing was learned" in result.out
    assert not (here / "gpu_power.yaml").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("date: 2026-03-01\nsource: s\nmodels:\n  - {model: L40S, watts: warm}\n", "no power at rest"),
    ("date: 2026-03-01\nsource: s\nmodels:\n  - {model: L40S, watts: 98000}\n", "no power at rest"),
    ("date: 2026-03-01\nsource: s\nmodels: []\n", "list is empty"),
    ("", "empty"),
])  # fmt: skip
def test_a_file_that_is_wrong_is_refused(tmp_path, text, says):
    """Each mistake is said, and no figure is taken from the file."""
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        read_gpu_power(path)
