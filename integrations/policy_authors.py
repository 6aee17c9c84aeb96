"""
Who changed each policy last: looked up in git beside the files, or in a record that was written where there was git.

A zip, a ConfigMap and a bucket have no history. `bursar authors` writes the record before the files go there; it
names texts by their digest, so that it says nothing of a file that was changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from engine.errors import ConfigError
from engine.yaml_text import ListNode, MapNode, ScalarNode, parse_yaml
from integrations.git_history import Changed, last_changed

LARGEST = 4 * 1024 * 1024
"""Bytes of a record."""
Emails: TypeAlias = tuple[str, ...]
NOWHERE = "its file is in no git work tree, and no record says it"


class RecordDocument(BaseModel):
    """The record: by the digest of a policy file, the addresses of who changed each of its policies last."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    version: Literal[1] = 1
    files: dict[str, dict[str, Emails]] = {}


@dataclass
class PolicyAuthors:
    """Answers for the policies of some files; each is looked up once, when it is first asked for."""

    texts: Mapping[str, str]
    """By the name of the file, as seen from here."""
    record: RecordDocument = field(default_factory=RecordDocument)
    _found: dict[tuple[str, str], Changed] = field(default_factory=dict, repr=False)

    def of(self, file: str, policy: str) -> Changed:
        """Return who changed `policy` of `file` last."""
        key = (file, policy)
        if key not in self._found:
            self._found[key] = self._looked_up(file, policy)
        return self._found[key]

    def _looked_up(self, file: str, policy: str) -> Changed:
        text = self.texts[file]
        ranges = ranges_of(text)
        own = [ranges[name] for name in (policy, "") if name in ranges] if policy in ranges else []
        changed = last_changed(Path(file), text, own)
        if changed is not None:
            return changed
        recorded = self.record.files.get(digest_of(text), {}).get(policy)
        return Changed(unknown=NOWHERE) if recorded is None else Changed(recorded)


def digest_of(text: str) -> str:
    """Return SHA-256 in hex over the text of a policy file, with line ends as `\\n`."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def ranges_of(text: str) -> dict[str, tuple[int, int]]:
    """Return first and last line of each policy of a file, by its name, and of its `defaults` by an empty one."""
    root = parse_yaml(text, "").root
    if not isinstance(root, MapNode):
        return {}
    begins = {key.place.line: "" if key.text == "defaults" else None for key, _ in root.entries}
    policies = root.get("policies")
    for node in policies.items if isinstance(policies, ListNode) else ():
        written = node.get("name") if isinstance(node, MapNode) else None
        begins[node.place.line] = written.text if isinstance(written, ScalarNode) else None
    lines = sorted(begins)
    ends = [line - 1 for line in lines[1:]] + [max(text.count("\n") + (text[-1:] != "\n"), lines[-1])]
    return {name: (first, max(first, last)) for first, last in zip(lines, ends, strict=True)
            if (name := begins[first]) is not None}  # fmt: skip


def read_record(path: Path) -> RecordDocument:
    """
    Return the record at `path`, an empty one where there is none.

    Raises:
        ConfigError: it is none that `bursar authors` wrote.
    """
    try:
        if not path.exists():
            return RecordDocument()
        if path.stat().st_size > LARGEST:
            raise ConfigError.of("bad-config", "the file is too large for a record of authors", where=str(path))
        return TypeAdapter(RecordDocument).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        said = "it is no record of authors" if isinstance(error, ValidationError) else f"it cannot be read: {error}"
        hint = "`bursar authors -o authors.json` writes one"
        raise ConfigError.of("bad-config", said, where=str(path), hint=hint) from error
