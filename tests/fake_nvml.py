"""A fake NVIDIA driver: `libnvidia-ml.so.1` of tests/integrations/nvml/fake_nvml.c, for processes of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from integrations.nvml.samples import HostSample, decode

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "tests" / "integrations" / "nvml" / "fake_nvml.c"
DRIVER = """
import itertools, sys
from integrations.nvml.agent import Identity, take
from integrations.nvml.reading import opened_nvml
from integrations.nvml.samples import encode
apart = float(sys.argv[1])
with opened_nvml(itertools.count(0, apart).__next__) as nvml:
    for _ in sys.stdin:
        print(encode(take(nvml, Identity("node-1", "i-1"), 15)), flush=True)
"""


def build(folder: Path, *flags: str) -> Path:
    """Compile the library into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "libnvidia-ml.so.1"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-Wl,-soname,libnvidia-ml.so.1", *flags]
    subprocess.run([*command, "-o", target, SOURCE], check=True, capture_output=True, text=True)
    return folder


@dataclass
class FakeDriver:
    """One machine with a fake driver."""

    library: Path
    state: Path

    def set(self, *gpus: str) -> None:
        """Let the GPUs be as these lines say, from the next call on."""
        fresh = self.state.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in gpus), encoding="utf-8")
        fresh.replace(self.state)

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that finds this driver and no other."""
        own = {"LD_LIBRARY_PATH": str(self.library), "FAKE_NVML": str(self.state), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own}

    def agent(self, *options: str, **environment: str) -> subprocess.Popen:
        """Start `bursar agent`, with more in its environment."""
        command = [sys.executable, "-m", "bursar", "agent", *options]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, env={**self.environment(), **environment}, **pipes)


class Samples:
    """A process that takes a sample each time it is asked to; to it, `apart` seconds lie between two looks."""

    def __init__(self, driver: FakeDriver, apart: float = 15) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen([sys.executable, "-c", DRIVER, str(apart)], env=driver.environment(), **pipes)

    def next(self) -> HostSample:
        """Return the next sample."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return decode(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=30)
