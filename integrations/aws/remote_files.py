"""Small text files that are kept in AWS: a configuration with its policies, under a prefix in S3 or a path in SSM."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from engine.errors import ConfigError
from integrations.aws.act_session import refuse_all_but
from integrations.aws.refusals import code_of
from integrations.aws.session import AwsSettings, open_session

CALLS = frozenset({"s3:GetObject", "s3:ListObjectsV2", "ssm:GetParametersByPath"})
MOST_FILES = 500
LARGEST = 256 * 1024
"""Bytes of one file: what a policy file may have."""


def remote_files(address: str) -> Mapping[str, str]:
    """
    Return the files under `s3://BUCKET/PREFIX` or `ssm:/PATH`, by their paths below it.

    Raises:
        ConfigError: the address is none, nothing is there, or what is there cannot be read or is too much.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    with open_session(AwsSettings(attempts=4, listeners=(refuse_all_but(CALLS),))) as session:
        try:
            if address.startswith("s3://"):
                found = dict(_objects(session.client("s3", session.regions[0]), address))
            elif address.startswith("ssm:/"):
                found = dict(_parameters(session.client("ssm", session.regions[0]), address.removeprefix("ssm:")))
            else:
                raise _bad(address, "it is neither `s3://BUCKET/PREFIX` nor `ssm:/PATH`")
        except (BotoCoreError, ClientError) as error:
            raise _bad(address, f"it cannot be read ({code_of(error)})") from error
        except UnicodeDecodeError as error:
            raise _bad(address, "a file is not UTF-8 text") from error
    if not found:
        raise _bad(address, "nothing is there")
    return found


def _objects(client: Any, address: str) -> Iterator[tuple[str, str]]:
    bucket, _, prefix = address.removeprefix("s3://").partition("/")
    prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", ()):
            if entry["Key"].endswith("/"):
                continue
            count = _counted(address, count, int(entry["Size"]))
            body = client.get_object(Bucket=bucket, Key=entry["Key"])["Body"]
            yield _path(address, entry["Key"].removeprefix(prefix)), body.read(LARGEST).decode("utf-8")


def _parameters(client: Any, path: str) -> Iterator[tuple[str, str]]:
    path = path.rstrip("/") or "/"
    count = 0
    pages = client.get_paginator("get_parameters_by_path").paginate(Path=path, Recursive=True, WithDecryption=True)
    for page in pages:
        for entry in page["Parameters"]:
            count = _counted(f"ssm:{path}", count, len(entry["Value"]))
            yield _path(f"ssm:{path}", entry["Name"].removeprefix(path).strip("/")), entry["Value"]


def _counted(address: str, count: int, size: int) -> int:
    if count >= MOST_FILES or size > LARGEST:
        raise _bad(address, f"it has more than {MOST_FILES} files, or one of more than {LARGEST // 1024} KiB")
    return count + 1


def _path(address: str, name: str) -> str:
    """Return `name` as a path below a folder; whoever may write the bucket must not write elsewhere."""
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or "\\" in name or "\0" in name:
        raise _bad(address, "a file has a name that leads elsewhere")
    return "/".join(parts)


def _bad(address: str, message: str) -> ConfigError:
    return ConfigError.of("bad-config", message, where=address, hint="BURSAR_CONFIG names it")
