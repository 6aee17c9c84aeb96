"""Somebody who follows the page on Lambda in a copy of the sources, against the account at an endpoint."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.pages import ROOT, blocks, commands

PAGE = "lambda.md"
SOURCES = (
    "actions",
    "bursar",
    "deploy",
    "engine",
    "integrations",
    "policies",
    "LICENSE",
    "Makefile",
    "README.md",
    "pyproject.toml",
)
MIRROR = Path("/opt/tf-plugins")
"""Where Terraform's AWS provider is, as the registry cannot be reached."""
WAYS = ("SAM", "Terraform")
LIMIT = 300


@dataclass
class Somebody:
    """One way through the page: what is for the other way is left out."""

    way: str
    tree: Path
    env: dict
    filled: dict = field(default_factory=dict)
    """What the page leaves to fill in, and with what."""
    done: set = field(default_factory=set)

    def section(self, *numbers):
        """Do all that stands under these headings; return what each command printed, and what the page shows of it."""
        said = {}
        for number, block in enumerate(blocks(PAGE)):
            if not block.heading.startswith(numbers) or self._for_others(block):
                continue
            if "steps 2 to 4 again" in block.prose:
                self.section("2.", "3.", "4")
            self.done.add(number)
            if block.file:
                (self.tree / block.file).write_text(self._filled(block.text), encoding="utf-8")
            if block.language in {"sh", "console"}:
                said |= {command: (self.type(self._filled(command)), shown) for command, shown in typed(block)}
        return said

    def type(self, command, status=0):
        """Type a command and say yes to whatever it asks; return what it printed, having ended with `status`."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.tree, env=self.env, input="yes\n", capture_output=True, text=True,
            check=False, timeout=LIMIT,
        )  # fmt: skip
        assert done.returncode == status, f"{command}: {done.returncode}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
        self.settle()
        return done.stdout

    def settle(self):
        """Wait for what was invoked asynchronously; nothing of it may have failed."""
        with urllib.request.urlopen(f"{self.env['AWS_ENDPOINT_URL']}/_functions/settled") as answer:
            assert set(json.load(answer)) <= {"response"}

    def left_out(self):
        """Return what on the page is for this way and was not done: diagrams apart, nothing."""
        return [b.text for n, b in enumerate(blocks(PAGE)) if n not in self.done and not self._for_others(b)]

    def _for_others(self, block):
        (other,) = (way for way in WAYS if way != self.way)
        return other in block.heading or other in block.prose.strip().rpartition("\n\n")[2]

    def _filled(self, text):
        for old, new in self.filled.items():
            text = text.replace(old, new)
        return text


def typed(block):
    """Yield each command of a console, or of a script, with the lines that are shown of it."""
    if block.language == "console":
        yield from commands(block)
    else:
        yield from ((line, []) for line in block.text.replace("\\\n", "").splitlines())


def sources(folder):
    """Copy what the page is followed in; its `.venv` is the environment that runs the tests."""
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    venv = folder / ".venv"
    venv.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (venv / name).symlink_to(Path(sys.prefix) / name)
    (venv / "demo.stamp").touch()
    return folder


OURS = frozenset({"PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"})
"""What the suite may have been started with, and a reader has not."""


def environment(tree, endpoint, tools):
    """Return what a shell has in it: programs, a home without settings, and the emulated account."""
    home = tree / ".home"
    (home / "bin").mkdir(parents=True)
    bursar = home / "bin" / "bursar"
    bursar.write_text(f'#!/bin/sh\nPYTHONPATH={tree} exec {sys.executable} -m bursar "$@"\n', encoding="utf-8")
    bursar.chmod(0o755)
    for name in ("aws", "sam"):
        (home / "bin" / name).symlink_to(tools / name)
    return {
        **{name: value for name, value in os.environ.items() if name not in OURS},
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "us-east-1",
        "PIP_CACHE_DIR": os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_POLL_DELAY": "0.5",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": str(terraform_rc(home)),
    }


def terraform_rc(folder):
    """Write the settings with which Terraform finds its provider; return the file."""
    file = folder / "terraform.rc"
    file.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{MIRROR}"\n  }}\n}}\n', encoding="utf-8"
    )
    return file
