"""
Where a Lambda function finds its configuration, from its environment; read anew by every run.

| variable | says |
|---|---|
| `BURSAR_CONFIG` | the place of `bursar.yaml` and policies: a folder in the zip, `s3://BUCKET/PREFIX`, `ssm:/PATH` |
| `BURSAR_STATE` | the state, where `bursar.yaml` names none: `dynamodb://TABLE?region=REGION` |
| `BURSAR_ESTATE` | a recorded estate in the package, for plans of it |
| `BURSAR_DEFERRED` | the function that does what an answer to Slack does not wait for |
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bursar.config import NAME, Config, read_config
from bursar.wiring import Choice, Setup, set_up
from engine.errors import ConfigError
from integrations.catalog import default_catalog
from integrations.store.addresses import AddressError, SqliteAddress, state_address

FOLDER = "config"


@contextmanager
def configured(
    only: tuple[str, ...] = (), environment: Mapping[str, str] = os.environ
) -> Iterator[tuple[Choice, Setup]]:
    """
    Yield what the environment says, with the policies of `only` alone where any are named.

    Raises:
        ConfigError: with all that is wrong with it, or with the configuration.
    """
    with _folder(environment) as folder:
        estate = environment.get("BURSAR_ESTATE")
        choice = Choice(config=folder / NAME, only=only, estate=_inside(estate, environment) if estate else None)
        setup = set_up(choice)
        yield choice, replace(setup, config=_with_state(setup.config, environment))


@contextmanager
def configuration(environment: Mapping[str, str] = os.environ) -> Iterator[Config]:
    """Yield the configuration alone, without loading policies; raise as `configured` does."""
    with _folder(environment) as folder:
        yield _with_state(read_config(folder / NAME, default_catalog()), environment)


def needs_state(config: Config) -> None:
    """Raise `ConfigError` where what is remembered would be lost with the function."""
    if isinstance(config.state, SqliteAddress):
        message = "the state is a file, and a function keeps no files"
        hint = "write `state: dynamodb://TABLE?region=REGION`, or set BURSAR_STATE"
        raise ConfigError.of("bad-config", message, where="state", hint=hint)


@contextmanager
def _folder(environment: Mapping[str, str]) -> Iterator[Path]:
    address = environment.get("BURSAR_CONFIG", FOLDER)
    if "://" not in address and not address.startswith("ssm:"):
        yield _complete(_inside(address, environment), address)
        return
    from integrations.aws.remote_files import remote_files

    # The same folder in each run, as the names of files are part of what a plan says of its policies.
    folder = Path(tempfile.gettempdir()) / f"bursar-{hashlib.sha256(address.encode()).hexdigest()[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        for path, text in remote_files(address).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        yield _complete(folder, address)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _complete(folder: Path, address: str) -> Path:
    """Return `folder`; raise `ConfigError` where it holds no configuration."""
    if not (folder / NAME).is_file():
        hint = "`make lambda CONFIG=FOLDER` packs it, or BURSAR_CONFIG says where it is"
        raise ConfigError.of("bad-config", f"there is no {NAME}", where=address, hint=hint)
    return folder


def _inside(path: str, environment: Mapping[str, str]) -> Path:
    """Return `path`, relative to the code of the function."""
    return Path(environment.get("LAMBDA_TASK_ROOT", ".")) / path


def _with_state(config: Config, environment: Mapping[str, str]) -> Config:
    address = environment.get("BURSAR_STATE")
    if not address or not isinstance(config.state, SqliteAddress):
        return config
    try:
        return replace(config, state=state_address(address, config.folder))
    except AddressError as error:
        raise ConfigError.of("bad-config", f"{error}", where="BURSAR_STATE", hint=error.hint) from error
