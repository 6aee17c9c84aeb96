"""
Who changed a file, or lines of it, last: asked of git, where the file lies in a work tree and git is installed.

A repository is somebody else's data. Nothing of it is run: no hook, no filter, no pager, no check of signatures; no
network is reached; and where git does not trust the folder, that counts as not known.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 20.0
"""How long git may take for one answer."""
QUIET = (
    "--no-pager", "--no-optional-locks", "--literal-pathspecs",
    "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false",
)  # fmt: skip
LOG = ("log", "-1", "--no-ext-diff", "--no-textconv", "--no-show-signature", "--no-mailmap", "--no-color")
WHO = "--format=%x00%H%x00%P%x00%ae%x00%ce%x00%(trailers:key=Co-authored-by,valueonly,separator=%x0a)%x00"
"""Commit, parents, author, committer and co-authors: addresses as they were written, not as a `.mailmap` says."""
SERVICES = frozenset({"noreply@github.com", "noreply@gitlab.com", "noreply@bitbucket.org"})
"""Committers that stand for no person: a forge that merged."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Who changed something last."""

    emails: tuple[str, ...] = ()
    """Of author, committer and co-authors, as in the commit, without repetition."""
    unknown: str = ""
    """Why that is not known; empty where it is."""


class _NotToldError(Exception):
    """Git did not answer; the message is for people."""


def last_changed(file: Path, text: str, ranges: Sequence[tuple[int, int]], seconds: float = SECONDS) -> Changed | None:
    """
    Return who changed each of `ranges` of `file`, or all of it where there are none, last; None where no git can know.

    `text` is what was read of the file, with line ends as `\\n`; it has to be what the last commit holds. A range is
    its first and last line, counted from 1.
    """
    real = file.resolve()
    folder, name = real.parent, f"./{real.name}"
    try:
        if _git(seconds, folder, "rev-parse", "--is-inside-work-tree").strip() != b"true":
            return None
    except FileNotFoundError:
        return None
    except _NotToldError as error:
        return None if "not a git repository" in str(error) else Changed(unknown=str(error))
    try:
        if _committed(seconds, folder, name) != text:
            return Changed(unknown="it was changed since the last commit")
        shallow = _git(seconds, folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
        wanted = [[f"-L{first},{last}:{name}"] for first, last in ranges] or [["--", name]]
        found = [_git(seconds, folder, *LOG, "-s", WHO, *which) for which in wanted]
        emails = [email for answer in found for email in _emails(answer, shallow=shallow)]
    except (_NotToldError, FileNotFoundError) as error:
        return Changed(unknown=str(error))
    return Changed(tuple(dict.fromkeys(emails)))


def _committed(seconds: float, folder: Path, name: str) -> str | None:
    """Return the text of the last commit with line ends as `\\n`; None where it has no such file."""
    try:
        blob = _git(seconds, folder, "cat-file", "blob", f"HEAD:{name}")
    except _NotToldError as error:
        if "exist" not in str(error):
            raise
        return None
    return blob.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _emails(answer: bytes, *, shallow: bool) -> list[str]:
    parts = answer.decode("utf-8", "replace").split("\0")
    if len(parts) < 6:
        raise _NotToldError("git knows of no commit that changed it")
    _, _, parents, author, committer, others = parts[:6]
    if shallow and not parents.strip():
        raise _NotToldError("the clone is shallow and does not reach back to its last change: fetch all of it")
    written = [author, committer, *(line.rpartition("<")[2].rstrip("> ") for line in others.splitlines())]
    plain = [email.strip().casefold() for email in written]
    people = [email for email in plain if email and email not in SERVICES]
    if not people:
        raise _NotToldError("its last commit names nobody")
    return people


def _git(seconds: float, folder: Path, *arguments: str) -> bytes:
    """Return what git writes; raise `_NotToldError` where it refuses, `FileNotFoundError` where there is no git."""
    command = ["git", "-C", str(folder), *QUIET, *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # An empty list of protocols keeps a partial clone from fetching what it lacks.
    own = {
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1",
        "LC_ALL": "C",
    }  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603  (arguments are a list, and names of files stand behind `--` or `./`)
            command, env={**kept, **own}, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _NotToldError(f"git did not answer within {seconds:.0f} s") from error
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _NotToldError(f"git cannot be run: {error.strerror}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()
        if "dubious ownership" in said:
            raise _NotToldError("git does not trust the folder, which is somebody else's: see `safe.directory`")
        raise _NotToldError(said.splitlines()[0].removeprefix("fatal: ") if said else "git refused")
    return done.stdout
