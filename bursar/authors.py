"""Who changed a policy last, as principals: what four eyes compare with, and what `bursar authors` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bursar.config import Config
from bursar.packs import packs_folder
from engine.errors import ConfigError
from engine.people import Authorship
from engine.policy.model import Policy, PolicySet
from integrations.policy_authors import PolicyAuthors, RecordDocument, digest_of, read_record


@dataclass(frozen=True)
class Authors:
    """The authors of a run's policies."""

    config: Config
    policies: Mapping[str, Policy] = field(default_factory=dict)
    found: PolicyAuthors = field(default_factory=lambda: PolicyAuthors({}))

    def of(self, policy: str) -> Authorship:
        """Return who changed the policy of that name last; of what Bursar ships nobody here did."""
        known = self.policies.get(policy)
        if known is None or known.place.file not in self.found.texts:
            return Authorship(unknown="it was not read from a file")
        file = known.place.file
        changed = self.found.of(file, policy)
        if changed.unknown and shipped(Path(file)):
            return Authorship()
        principals = (self.config.people.author(email) for email in changed.emails)
        return Authorship(tuple(dict.fromkeys(principals)), changed.unknown)

    def unasked(self, policy: str) -> str:
        """Return why nobody may be asked about a policy, where the configuration wants its author to be known."""
        if not self.config.author_known:
            return ""
        unknown = self.of(policy).unknown
        return f"who changed the policy last is not known, and has to be: {unknown}" if unknown else ""


def authors_of(config: Config, policies: PolicySet, texts: Mapping[str, str]) -> Authors:
    """Return the authors of `policies`, which were read from `texts`; raise `ConfigError` for a damaged record."""
    record = read_record(config.folder / config.authors)
    return Authors(config, {policy.name: policy for policy in policies.policies}, PolicyAuthors(texts, record))


def shipped(file: Path) -> bool:
    """Return whether `file` is one of the packs that come with Bursar."""
    try:
        return file.resolve().is_relative_to(packs_folder().resolve())
    except ConfigError:
        return False


def record_of(authors: Authors) -> RecordDocument:
    """Return what a place without git needs to be told; policies whose author is not known are left out."""
    files: dict[str, dict[str, tuple[str, ...]]] = {}
    for policy in authors.policies.values():
        file = policy.place.file
        changed = authors.found.of(file, policy.name)
        if not changed.unknown:
            files.setdefault(digest_of(authors.found.texts[file]), {})[policy.name] = changed.emails
    return RecordDocument(files=files)


def rows_of(authors: Authors) -> Iterator[tuple[Policy, Authorship]]:
    """Yield each policy with who changed it last."""
    for policy in authors.policies.values():
        yield policy, authors.of(policy.name)
