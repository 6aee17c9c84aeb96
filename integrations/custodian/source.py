"""Texts of Custodian policy files to their policies, each value with the line it stands on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from engine.errors import Place, PolicyError, Problem
from integrations.custodian.model import Original, Path

MOST = 200_000
"""Values of one file, with those that aliases repeat."""
DEEPEST = 96


def read_originals(texts: Mapping[str, str]) -> tuple[tuple[Original, ...], tuple[str, ...]]:
    """
    Return the policies of all `texts`, by file name, and the names of the files that hold none.

    Raises:
        PolicyError: with every file that is no YAML.
    """
    found: list[Original] = []
    empty: list[str] = []
    problems: list[Problem] = []
    for file in sorted(texts):
        try:
            policies = list(_policies(texts[file], file))
        except PolicyError as error:
            problems += error.problems
            continue
        found += policies
        if not policies:
            empty.append(file)
    if problems:
        raise PolicyError(problems)
    return tuple(found), tuple(empty)


def _policies(text: str, file: str) -> Iterator[Original]:
    root = _composed(text, file)
    if not isinstance(root, yaml.MappingNode):
        return
    try:
        data = _constructed(root)
    except (yaml.YAMLError, ValueError, OverflowError, TypeError, RecursionError) as error:
        raise _broken(error, file) from error
    policies = data.get("policies") if isinstance(data, dict) else None
    node = next((value for key, value in root.value if key.value == "policies"), None)
    if not isinstance(policies, list) or not isinstance(node, yaml.SequenceNode):
        return
    for item, item_node in zip(policies, node.value, strict=True):
        if isinstance(item, dict):
            yield Original(file, item, dict(_lines(item_node)))


def _composed(text: str, file: str) -> Any:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _measure(root, file)
    except (yaml.YAMLError, RecursionError) as error:
        raise _broken(error, file) from error
    return root


def _constructed(root: Any) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _measure(root: Any, file: str) -> None:
    """Refuse what is very large once its aliases are written out, or holds itself."""
    count = 0
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if count > MOST:
            raise PolicyError.of("yaml-nodes", f"the file has more than {MOST:,} values", where=file)
        if depth > DEEPEST:
            raise PolicyError.of("yaml-depth", f"the file is nested deeper than {DEEPEST} levels", where=file)
        match node:
            case yaml.MappingNode():
                waiting += [(part, depth + 1) for pair in node.value for part in pair]
            case yaml.SequenceNode():
                waiting += [(part, depth + 1) for part in node.value]


def _lines(node: Any, path: Path = ()) -> Iterator[tuple[Path, int]]:
    """Yield the line of every value below `node`; of what a merge key brings, there is none."""
    yield path, node.start_mark.line + 1
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                if isinstance(key, yaml.ScalarNode):
                    yield (*path, key.value), key.start_mark.line + 1
                    for place, line in _lines(value, (*path, key.value)):
                        if place != (*path, key.value):
                            yield place, line
        case yaml.SequenceNode():
            for number, value in enumerate(node.value):
                yield from _lines(value, (*path, number))


def _broken(error: Exception, file: str) -> PolicyError:
    mark = getattr(error, "problem_mark", None)
    message = getattr(error, "problem", None) or str(error) or type(error).__name__
    place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
    return PolicyError([Problem("yaml-syntax", f"the file is not YAML: {message}", place)])
