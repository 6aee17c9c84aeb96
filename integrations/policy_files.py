"""Policy files and folders to texts: what `engine.policy.load` is given."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.errors import Place, PolicyError, Problem
from engine.yaml_text import MAX_BYTES

SUFFIXES = (".yaml", ".yml")
TESTS = ("_test.yaml", "_test.yml")
"""Ends of the names of policy tests, which are no policies."""


def read_policies(paths: Sequence[Path]) -> dict[str, str]:
    """
    Return the texts of the policy files in `paths`, by their names as seen from here.

    A folder stands for every `*.yaml` and `*.yml` below it, tests and hidden folders apart; links to folders are
    not followed.

    Raises:
        PolicyError: with every path that cannot be read.
    """
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            files = sorted(_files(path))
        except OSError as error:
            problems.append(_unreadable(path, error))
            continue
        if not files:
            missing = not path.exists()
            message = "there is no such file or folder" if missing else "the folder holds no policy file"
            code = "file-unreadable" if missing else "nothing-loaded"
            problems.append(Problem(code, message, Place(_shown(path)), "" if missing else "policies end in .yaml"))
        for file in files:
            _read(file, texts, problems)
    if problems:
        raise PolicyError(problems)
    return texts


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        if path.exists():
            yield path
        return
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if name.endswith(SUFFIXES) and not name.endswith(TESTS) and not name.startswith("."):
                yield Path(folder) / name


def _raise(error: OSError) -> None:
    raise error


def _read(file: Path, texts: dict[str, str], problems: list[Problem]) -> None:
    try:
        if not file.is_file() and file.exists():
            message = "it is neither a file nor a folder"
            problems.append(Problem("file-unreadable", message, Place(_shown(file))))
            return
        size = file.stat().st_size
        if size > MAX_BYTES:
            message = f"the file is larger than {MAX_BYTES // 1024} KiB"
            problems.append(Problem("file-too-large", message, Place(_shown(file)), "split it into several files"))
            return
        texts[_shown(file)] = file.read_text(encoding="utf-8")
    except OSError as error:
        problems.append(_unreadable(file, error))
    except UnicodeDecodeError as error:
        message = f"the file is not UTF-8 text (byte {error.start:,})"
        problems.append(Problem("file-unreadable", message, Place(_shown(file))))


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem("file-unreadable", f"it cannot be read: {error.strerror or error}", Place(_shown(path)))


def _shown(path: Path) -> str:
    """Return the name of `path` as seen from the current folder, where it is below it."""
    try:
        # What does not exist, or links to what does not, keeps the name it was asked for by.
        return (path.resolve() if path.exists() else path.absolute()).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
