"""A real git repository, for tests of what is asked of its history."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NOBODY = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


@dataclass(frozen=True)
class Repository:
    """One repository."""

    folder: Path

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git in it."""
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments],
            env={**os.environ, **NOBODY, **environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def commit(self, email: str, *, by: str = "", message: str = "change") -> None:
        """Commit all there is, as `email`, committed `by` another one if given."""
        who = {
            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": "c", "GIT_COMMITTER_EMAIL": by or email,
        }  # fmt: skip
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, **who)

    def write(self, name: str, text: str) -> Path:
        """Write a file; it is not committed."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
        return path


def repository(folder: Path) -> Repository:
    """Return a new, empty repository in `folder`."""
    if shutil.which("git") is None:
        pytest.skip("NOT TESTED: git is not installed, so nothing that asks for who changed a policy was tested")
    folder.mkdir(parents=True, exist_ok=True)
    made = Repository(folder)
    made.git("init", "-q", "-b", "main")
    return made
