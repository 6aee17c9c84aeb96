"""Secrets by their names in Secrets Manager and in SSM Parameter Store, read with the credentials of the caller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic import SecretStr

from engine.errors import ConfigError
from integrations.aws.act_session import refuse_all_but
from integrations.aws.refusals import code_of
from integrations.aws.session import AwsSettings, open_session

CALLS = frozenset({"secretsmanager:GetSecretValue", "ssm:GetParameter", "sts:GetCallerIdentity"})


def managed_secret(name: str, what: str) -> SecretStr:
    """
    Return the secret of that name or ARN in Secrets Manager; of `NAME#KEY`, what a secret in JSON has under `KEY`.

    Raises:
        ConfigError: it is not there, may not be read, or has no such key; `what` names it, its text is in no message.
    """
    id_, _, key = name.partition("#")
    with _client("secretsmanager", id_) as client:
        text = _asked(lambda: client.get_secret_value(SecretId=id_).get("SecretString"), f"secretsmanager:{id_}", what)
    return SecretStr(_under(key, text, what) if key else text)


def parameter_secret(name: str, what: str) -> SecretStr:
    """Return the parameter of that name or ARN, decrypted; raise as `managed_secret` does."""
    with _client("ssm", name) as client:
        return SecretStr(
            _asked(
                lambda: client.get_parameter(Name=name, WithDecryption=True)["Parameter"].get("Value"),
                f"ssm:{name}",
                what,
            )
        )


@contextmanager
def _client(service: str, name: str) -> Iterator[Any]:
    """Yield a client in the region that an ARN names, or of the environment; it can make no call but these."""
    parts = name.split(":")
    regions = (parts[3],) if parts[0] == "arn" and len(parts) > 3 else ()
    with open_session(AwsSettings(regions=regions, attempts=3, listeners=(refuse_all_but(CALLS),))) as session:
        yield session.client(service, session.regions[0])


def _asked(ask: Any, where: str, what: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        text = ask()
    except (BotoCoreError, ClientError) as error:
        message = f"`{what}`: {where} cannot be read ({code_of(error)})"
        hint = "the role needs `secretsmanager:GetSecretValue` or `ssm:GetParameter`, and `kms:Decrypt` on its key"
        raise ConfigError.of("no-secret", message, where=what, hint=hint) from error
    if not isinstance(text, str) or not text.strip():
        raise ConfigError.of("no-secret", f"`{what}`: {where} is empty, or not text", where=what)
    return text.strip()


def _under(key: str, text: str, what: str) -> str:
    # The error must not carry the text along, so that it is not chained.
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, str) or not value:
        raise ConfigError.of("no-secret", f"`{what}`: the secret has no text under `{key}`", where=what)
    return value
