"""Where the shipped policy packs are: folders of policies, each beside its tests."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigError, did_you_mean

PREFIX = "pack:"


def packs_folder() -> Path:
    """Return the folder that holds the packs, in a checkout and in an installed wheel."""
    beside = Path(__file__).parent
    for folder in (beside / "lib" / "policies", beside.parent / "policies"):
        if folder.is_dir():
            return folder
    raise ConfigError.of("nothing-loaded", "the shipped policies are not part of this installation", where=str(beside))


def pack_names() -> tuple[str, ...]:
    """Return the names of the shipped packs."""
    return tuple(sorted(p.name for p in packs_folder().iterdir() if p.is_dir() and not p.name.startswith((".", "_"))))


def resolve_source(source: str, folder: Path) -> Path:
    """
    Return the file or folder that a policy source names: `pack:idle`, or a path relative to `folder`.

    `pack:all` names every shipped pack.
    """
    if not source.startswith(PREFIX):
        return folder / source
    name = source.removeprefix(PREFIX)
    if name == "all":
        return packs_folder()
    names = pack_names()
    if name not in names:
        known = ", ".join(f"`{PREFIX}{n}`" for n in (*names, "all"))
        hint = did_you_mean(name, names) or f"there are {known}"
        raise ConfigError.of("nothing-loaded", f"there is no pack `{name}`", where=source, hint=hint)
    return packs_folder() / name
