"""Policy files, their tests and folders of both to texts: what the loaders of the engine are given."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
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
    return _read_all(paths, _is_policy, ("the folder holds no policy file", "policies end in .yaml"))


def read_tests(paths: Sequence[Path]) -> dict[str, str]:
    """
    Return the texts of the policy tests in `paths`, by their names as seen from here.

    A folder stands for every `*_test.yaml` and `*_test.yml` below it; it need not hold any.

    Raises:
        PolicyError: with every path that cannot be read.
    """
    return _read_all(paths, _is_test, None)


def is_test(path: Path) -> bool:
    """Return whether the name of `path` is that of policy tests."""
    return path.name.endswith(TESTS)


def tests_beside(policy: Path) -> tuple[Path, ...]:
    """Return the files of tests of the file `policy`: `gpus_test.yaml` of `gpus.yaml`."""
    found = (policy.with_name(policy.stem + end) for end in TESTS)
    return tuple(path for path in found if path.is_file())


def _is_policy(name: str) -> bool:
    return name.endswith(SUFFIXES) and not name.endswith(TESTS)


def _is_test(name: str) -> bool:
    return name.endswith(TESTS)


def _read_all(
    paths: Sequence[Path], wanted: Callable[[str], bool], complaint: tuple[str, str] | None
) -> dict[str, str]:
    """Return the texts of the files `wanted` by name; a folder without any is worth the `complaint`, if given."""
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for path in paths:
        try:
            files = sorted(_files(path, wanted))
        except OSError as error:
            problems.append(_unreadable(path, error))
            continue
        if not files and not path.exists():
            problems.append(Problem("file-unreadable", "there is no such file or folder", Place(_shown(path))))
        elif not files and complaint:
            message, hint = complaint
            problems.append(Problem("nothing-loaded", message, Place(_shown(path)), hint))
        for file in files:
            _read(file, texts, problems)
    if problems:
        raise PolicyError(problems)
    return texts


def _files(path: Path, wanted: Callable[[str], bool]) -> Iterator[Path]:
    if not path.is_dir():
        if path.exists():
            yield path
        return
    for folder, folders, names in os.walk(path, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if wanted(name) and not name.startswith("."):
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
