"""Files of the user's own, such as prices: YAML of one shape, with every problem of it at once."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from engine.errors import ConfigError, Place, Problem, unreadable
from engine.policy.translate import validate
from engine.yaml_text import parse_yaml

Document = TypeVar("Document", bound=BaseModel)


def read_document(path: Path, shape: type[Document], code: str) -> Document:
    """
    Return the file at `path` as a `shape`; `code` is that of a file that cannot be read or is empty.

    Raises:
        ConfigError: with every problem of the file.
    """
    try:
        parsed = parse_yaml(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError.of(code, f"the file cannot be read: {unreadable(error)}", where=str(path)) from error
    problems = list(parsed.problems)
    document = None
    if parsed.root is not None:
        document, wrong = validate(shape, parsed.root)
        problems += wrong
    if document is None or problems:
        raise ConfigError(problems or [Problem(code, "the file is empty", Place(str(path)))])
    return document
