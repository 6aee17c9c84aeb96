"""Policy sources to a checked `PolicySet`: all that `bursar validate` needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from actions.catalog import remediations
from bursar.config import Config
from bursar.packs import resolve_source
from bursar.zones import zone
from engine.errors import ConfigError, did_you_mean
from engine.policy.load import load_policies
from engine.policy.model import PolicySet
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies


def load(config: Config, sources: Sequence[str]) -> PolicySet:
    """Return the policies of `sources`, relative to here, or of the configuration, relative to its file."""
    return load_texts(read_policies(source_paths(config, sources)))


def load_texts(texts: Mapping[str, str]) -> PolicySet:
    """Return the policies of `texts`, by file name."""
    return load_policies(texts, default_catalog(), remediations(), zones=zone)


def source_paths(config: Config, sources: Sequence[str]) -> list[Path]:
    """Return the files and folders of `sources`, relative to here, or of the configuration, relative to its file."""
    folder = Path() if sources else config.folder
    paths = [resolve_source(source, folder) for source in sources or config.policies]
    if not sources and config.policies == Config.policies and not paths[0].exists():
        hint = "`bursar init` writes first ones, `-p pack:all` takes those that are shipped"
        raise ConfigError.of("nothing-loaded", "there are no policies here", where=str(paths[0]), hint=hint)
    return paths


def choose(policies: PolicySet, only: Sequence[str]) -> PolicySet:
    """Return the policies named in `only`; all where it is empty."""
    if not only:
        return policies
    names = [policy.name for policy in policies.policies]
    for name in only:
        if name not in names:
            hint = did_you_mean(name, names)
            raise ConfigError.of("not-found", f"there is no policy `{name}`", where="--only", hint=hint)
    return named(policies, only)


def named(policies: PolicySet, names: Collection[str]) -> PolicySet:
    """Return the policies of these names as a set of their own; nothing is said of names that there are not."""
    return replace(policies, policies=tuple(p for p in policies.policies if p.name in names))
