"""An import to the text of a policy file: what was translated, with remarks, and what was not, as comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from engine.expr.tokens import Kind, tokenize
from integrations.custodian.model import Imported, Translated, Untranslated

WIDTH = 100
PLAIN = re.compile(r"[A-Za-z0-9(][A-Za-z0-9_.()<>=!+*/% -]*", re.ASCII)
"""Texts that need no quotes wherever they stand."""
EXPRESSION = re.compile(r"[a-z(][A-Za-z0-9_.()\[\]\"',<>=!+*/% -]*", re.ASCII)
"""Expressions that need no quotes behind `when: `."""
HEAD = """\
# Imported from policies of Cloud Custodian by `bursar import custodian`. Before anything acts on them, compare
# `bursar plan` with `custodian run --dryrun`: see the remarks above each policy.
"""


def policy_file(imported: Imported) -> str:
    """Return the policies of an import as one file; empty where there are none."""
    if not imported.policies:
        return ""
    parts = [f"{HEAD}version: 1\npolicies:\n"]
    parts += ["\n".join(_policy(policy)) + "\n" for policy in imported.policies]
    if imported.untranslated:
        parts.append("# Not translated:\n" + "".join(_left(entry) for entry in imported.untranslated))
    return "\n".join(parts)


def policy_text(document: Mapping[str, Any]) -> str:
    """Return a file with one policy, as the loader reads it."""
    return "version: 1\npolicies:\n" + "\n".join(_lines(document)) + "\n"


def _policy(policy: Translated) -> Iterator[str]:
    original = policy.original
    name = "" if original.name == policy.document["name"] else f" `{original.name}`"
    yield from _comment(f"{original.file}:{original.line()}{name}")
    for note in policy.notes:
        yield from _comment(f"- {note.text}")
    yield from _lines(policy.document)


def _left(entry: Untranslated) -> str:
    return "\n".join(_comment(f"- {entry.file}:{entry.line} {entry.name}: {entry.reason}", "")) + "\n"


def _comment(text: str, indent: str = "  ") -> Iterator[str]:
    """Yield lines of a comment; what cannot be seen in `text` is left out."""
    line = f"{indent}#"
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if len(line) + len(word) + 1 > WIDTH and line.strip() != "#":
            yield line
            line = f"{indent}#  "
        line += f" {word}"
    yield line


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    lead = "  - "
    for key, value in document.items():
        yield from _entry(lead, key, value)
        lead = "    "


def _entry(lead: str, key: str, value: Any) -> Iterator[str]:
    if key in ("where", "when"):
        yield from _expression(lead, key, value)
    elif isinstance(value, Mapping):
        yield f"{lead}{key}:"
        for inner, part in value.items():
            yield from _entry(" " * (len(lead) + 2), inner, part)
    else:
        yield f"{lead}{key}: {_scalar(value)}"


def _expression(lead: str, key: str, text: str) -> Iterator[str]:
    if len(lead) + len(key) + len(text) <= WIDTH and EXPRESSION.fullmatch(text):
        yield f"{lead}{key}: {text}"
        return
    yield f"{lead}{key}: >-"
    indent = " " * (len(lead) + 2)
    line = indent
    for piece in _pieces(text):
        if line.strip() and len(line) + len(piece) > WIDTH:
            yield line.rstrip()
            line = indent
        line += piece
    yield line.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """Yield an expression in parts that each begin with `and` or `or`: folded lines are joined by a space."""
    start = 0
    for token in tokenize(text):
        if token.kind is Kind.NAME and token.text in ("and", "or") and token.start > start:
            yield text[start : token.start]
            start = token.start
    yield text[start:]


def _scalar(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_scalar(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_scalar(key)}: {_scalar(part)}' for key, part in value.items())}}}"
    text = str(value)
    if PLAIN.fullmatch(text) and text == text.strip() and text != "null":
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in json.dumps(text, ensure_ascii=False))


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
