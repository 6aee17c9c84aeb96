"""The list `telemetry` of `bursar.yaml` to the settings of sources."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from engine.errors import Problem
from engine.policy.scalars import Percent, PositiveDuration, Size, Text, Word
from engine.policy.translate import find
from engine.yaml_text import Node
from integrations.prometheus.client import Endpoint, Secret
from integrations.prometheus.exporters import HOSTS, INSTANCES, PROVIDERS, Labels
from integrations.prometheus.source import PrometheusSettings
from integrations.telemetry.joining import FLOOR
from integrations.telemetry.reach import Reach
from integrations.telemetry.recorded import RecordedSettings

STRICT = ConfigDict(frozen=True, extra="forbid", defer_build=True)
SourceSettings: TypeAlias = PrometheusSettings | RecordedSettings


class JoinedDocument(BaseModel):
    """What sources of GPU samples have in common."""

    model_config = STRICT

    accounts: tuple[Word, ...] = ()
    regions: tuple[Word, ...] = ()
    gpus: Text | None = None
    join_floor: Percent = Decimal(str(FLOOR))
    required: bool = True


class LabelsDocument(BaseModel):
    """Labels of one's own that say where a GPU is."""

    model_config = STRICT

    instance_id: Word | None = None
    provider_id: Word | None = None
    node: Word | None = None


class PrometheusDocument(JoinedDocument):
    """A server that speaks like Prometheus."""

    url: Text
    match: Text | None = None
    canary: Text = "up"
    nodes: Text | None = "kube_node_info"
    interval: PositiveDuration | None = None
    labels: LabelsDocument = Field(default_factory=LabelsDocument)
    tenant: Word | None = None
    headers: dict[Word, Text] = Field(default_factory=dict)
    token_env: Word | None = None
    token_file: Text | None = None
    user: Word | None = None
    password_env: Word | None = None
    password_file: Text | None = None
    sigv4_region: Word | None = None
    ca_file: Text | None = None
    timeout: PositiveDuration = timedelta(minutes=2)
    max_answer: Size = 64 * 1024 * 1024


class RecordedDocument(JoinedDocument):
    """Files that `bursar agent` wrote."""

    files: tuple[Text, ...] = Field(min_length=1)


class TelemetryDocument(BaseModel):
    """One source beside CloudWatch: exactly one key."""

    model_config = STRICT

    prometheus: PrometheusDocument | None = None
    recorded: RecordedDocument | None = None


@dataclass(frozen=True, slots=True)
class SourcesRead:
    """What the list came to."""

    settings: tuple[SourceSettings, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_sources(documents: Sequence[TelemetryDocument], root: Node, folder: Path) -> SourcesRead:
    """Return the sources of `documents`, the list at `telemetry` under `root`, with all that is wrong with them."""
    settings: list[SourceSettings] = []
    problems: list[Problem] = []
    for position, document in enumerate(documents):
        chosen = [(name, one) for name, one in document if one is not None]
        node = find(root, ("telemetry", position))
        if len(chosen) != 1:
            hint = "write `- prometheus:` or `- recorded:`; CloudWatch is read without being named"
            problems.append(Problem("bad-config", "a source of telemetry has exactly one kind", node.place, hint))
            continue
        name, one = chosen[0]
        gpus, wrong = _gpus(one.gpus, folder, find(root, ("telemetry", position, name, "gpus")))
        problems += wrong
        if isinstance(one, PrometheusDocument):
            problems += _of_server(one, find(root, ("telemetry", position, name)))
            settings.append(_prometheus(one, gpus, folder))
        else:
            settings.append(_recorded(one, gpus, folder))
    return SourcesRead(tuple(settings), tuple(problems))


def _of_server(document: PrometheusDocument, node: Node) -> Iterator[Problem]:
    parts = urlsplit(document.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        hint = "write such as `https://prometheus.example/prefix`, without `/api/v1`"
        yield Problem(
            "bad-config", f"`{document.url}` is not the address of a server", find(node, ("url",)).place, hint
        )
    elif parts.username or parts.password or parts.query:
        hint = "write `token_env`, `token_file`, or `user` with `password_env`"
        yield Problem("bad-config", "an address holds no credentials and no query", find(node, ("url",)).place, hint)
    for one, other in (("token_env", "token_file"), ("password_env", "password_file")):
        if getattr(document, one) and getattr(document, other):
            yield Problem("bad-config", f"`{one}` and `{other}` exclude each other", find(node, (other,)).place)
    if document.sigv4_region and (document.user or document.token_env or document.token_file):
        message = "a signature of AWS excludes other credentials"
        yield Problem("bad-config", message, find(node, ("sigv4_region",)).place)
    if document.user and not (document.password_env or document.password_file):
        hint = "write `password_env`, the name of a variable, or `password_file`"
        yield Problem("bad-config", "a user needs a password", find(node, ("user",)).place, hint)
    for name in document.headers:
        if name.lower() in ("authorization", "proxy-authorization", "cookie"):
            hint = "write `token_env` or `token_file`: secrets do not stand in the configuration"
            yield Problem("bad-config", f"`{name}` is a secret", find(node, ("headers", name)).place, hint)


def _prometheus(document: PrometheusDocument, gpus: Mapping[str, str], folder: Path) -> PrometheusSettings:
    headers = {**document.headers, **({"X-Scope-OrgID": document.tenant} if document.tenant else {})}
    endpoint = Endpoint(
        document.url,
        headers,
        token=_secret(document.token_env, document.token_file, folder),
        user=document.user or "",
        password=_secret(document.password_env, document.password_file, folder),
        sigv4=document.sigv4_region or "",
        ca_file=str(folder / document.ca_file) if document.ca_file else "",
        read_seconds=document.timeout.total_seconds(),
        most_bytes=document.max_answer,
    )
    own = document.labels
    return PrometheusSettings(
        endpoint,
        match=document.match or "",
        canary=document.canary,
        nodes="" if document.nodes in (None, "none") else document.nodes,
        interval=int(document.interval.total_seconds()) if document.interval else 0,
        labels=Labels(
            _before(own.instance_id, INSTANCES), _before(own.provider_id, PROVIDERS), _before(own.node, HOSTS)
        ),
        gpus=gpus,
        reach=Reach(document.accounts, document.regions),
        floor=float(document.join_floor),
        required=document.required,
    )


def _before(label: str | None, known: tuple[str, ...]) -> tuple[str, ...]:
    return (label.lower(), *known) if label else known


def _secret(variable: str | None, file: str | None, folder: Path) -> Secret | None:
    if variable:
        return Secret(variable=variable)
    return Secret(file=folder / file) if file else None


def _recorded(document: RecordedDocument, gpus: Mapping[str, str], folder: Path) -> RecordedSettings:
    return RecordedSettings(
        document.files,
        folder,
        gpus,
        Reach(document.accounts, document.regions),
        float(document.join_floor),
        document.required,
    )


def _gpus(file: str | None, folder: Path, node: Node) -> tuple[Mapping[str, str], list[Problem]]:
    """Return the table of GPU UUIDs, a CSV file with the columns `uuid` and `resource`."""
    if file is None:
        return {}, []
    try:
        with (folder / file).open(encoding="utf-8", newline="") as text:
            rows = list(csv.DictReader(text))
        found = {row["uuid"].strip(): row["resource"].strip() for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        return {}, [Problem("bad-config", f"`{file}` cannot be read: {error}", node.place)]
    except (KeyError, AttributeError):
        hint = "its first line is `uuid,resource`"
        return {}, [Problem("bad-config", f"`{file}` lacks the columns `uuid` and `resource`", node.place, hint)]
    if len(found) < len(rows) or not all(found) or not all(found.values()):
        return {}, [Problem("bad-config", f"`{file}` names a GPU twice, or leaves something out", node.place)]
    return found, []
