"""
Secrets by where they are, and never as they are: `env:NAME`, `file:PATH`, `secretsmanager:NAME`, `ssm:NAME`.

A configuration holds references. What is read is a `SecretStr`, which shows as stars wherever it is printed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import SecretStr

from engine.errors import ConfigError

REFERENCE = re.compile(r"(env|file|secretsmanager|ssm):(\S.*)")
HINT = (
    "write `env:NAME`, `file:PATH`, `secretsmanager:NAME` or `ssm:NAME`: "
    "the configuration says where a secret is, and never what"
)


def is_reference(text: str) -> bool:
    return REFERENCE.fullmatch(text) is not None


def read_secret(reference: str, folder: Path, what: str) -> SecretStr:
    """
    Return the secret that `reference` leads to; relative files start from `folder`.

    Raises:
        ConfigError: it is not there or empty; `what` names it, and its text is in no message.
    """
    match = REFERENCE.fullmatch(reference)
    if match is None:
        raise ConfigError.of("bad-config", f"`{what}` is not a reference to a secret", where=what, hint=HINT)
    kind, name = match.groups()
    if kind in ("secretsmanager", "ssm"):
        from integrations.aws.secrets import managed_secret, parameter_secret

        return managed_secret(name, what) if kind == "secretsmanager" else parameter_secret(name, what)
    text = os.environ.get(name, "") if kind == "env" else _content(folder / name, what)
    if not text.strip():
        missing = "is not set" if kind == "env" else "is empty"
        hint = f"export {name} where Bursar runs, or name another place" if kind == "env" else ""
        raise ConfigError.of("bad-config", f"`{what}`: {kind}:{name} {missing}", where=what, hint=hint)
    return SecretStr(text.strip())


def _content(path: Path, what: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError.of("bad-config", f"`{what}`: file:{path} cannot be read: {reason}", where=what) from error
