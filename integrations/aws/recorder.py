"""
The flight recorder: every answer of AWS to a file, without secrets, and such a file in the place of AWS.

Both listen to the SDK's own events, so that a replay goes through the SDK's checks of parameters and its
paginators: only the network is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from typing import Any

from engine.errors import ConfigError

ASKED = "bursar_parameters"
"""Where an API call's parameters wait for its answer."""
TIME = "$time"
TOKENS = frozenset({"nexttoken", "marker", "nextmarker", "continuationtoken", "nextcontinuationtoken"})
SECRET = re.compile(
    r"secret|passw|authtoken|credential|privatekey|userdata|hyperparameters|sessiontoken"
    r"|^(?:environment|parameters|(?:container)?(?:command|arguments|entry_?point))$",
    re.IGNORECASE,
)
ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
HIDDEN = (
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"), "AKIAIOSFODNN7EXAMPLE"),
    (re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"), "192.0.2.1"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "somebody@example.com"),
)


@dataclass
class Sanitizer:
    """Replaces what identifies or opens an account; the same thing by the same stand-in throughout."""

    accounts: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def clean(self, value: Any, key: str = "") -> Any:
        """Return `value` as JSON, without secrets, accounts, addresses and e-mail addresses."""
        match value:
            case Mapping() if SECRET.search(key):
                return {str(k): "REDACTED" for k in value}
            case Mapping():
                return {str(k): self.clean(v, str(k)) for k, v in value.items() if k != "ResponseMetadata"}
            case list() | tuple():
                return [self.clean(item, key) for item in value]
            case datetime():
                return {TIME: value.astimezone(UTC).isoformat()}
            case bool() | int() | float() | None:
                return value
            case str():
                return self._text(value, key)
            case _:
                return {"$left_out": type(value).__name__}

    def _text(self, text: str, key: str) -> str:
        if key.lower() in TOKENS:
            return self.tokens.setdefault(text, f"page-{len(self.tokens) + 1}") if text else text
        if SECRET.search(key):
            return "REDACTED"
        for pattern, instead in HIDDEN:
            text = pattern.sub(instead, text)
        return ACCOUNT.sub(lambda m: self.accounts.setdefault(m[0], f"{len(self.accounts) + 1:012}"), text)


@dataclass
class Recorder:
    """Writes each answer to `folder/<service>.jsonl`, one a line."""

    folder: Path
    sanitizer: Sanitizer = field(default_factory=Sanitizer)
    _lock: Lock = field(default_factory=Lock)

    def listen(self, core: Any) -> None:
        """Listen to every call of a botocore session."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            hint = "give a folder that can be written to"
            message = f"the folder `{self.folder}` cannot be written to: {error.strerror}"
            raise ConfigError.of("file-unreadable", message, where="--record-api", hint=hint) from error
        core.register("before-parameter-build", remember)
        core.register("after-call", self.write)

    def write(
        self, http_response: Any, parsed: Mapping[str, Any], model: Any, context: Mapping[str, Any], **_: Any
    ) -> None:
        """Append one answer."""
        with self._lock:
            line = {
                "service": model.service_model.service_name,
                "operation": model.name,
                "region": context.get("client_region", ""),
                "parameters": self.sanitizer.clean(context.get(ASKED, {})),
                "status": http_response.status_code,
                "response": self.sanitizer.clean(parsed),
            }
            with (self.folder / f"{line['service']}.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")


def remember(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Keep the parameters of a call beside it, until its answer comes."""
    context[ASKED] = dict(params)


class NotRecorded(LookupError):  # noqa: N818  # the name says it
    """A call was made that the recording does not hold."""


@dataclass
class Replay:
    """Answers every call from recorded lines, whatever the region."""

    answers: dict[tuple[str, str, str], Mapping[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Service, operation and parameters of every call made."""

    @classmethod
    def of(cls, lines: Iterable[Mapping[str, Any]]) -> Replay:
        """Return the replay of recorded lines; of two answers to one question the last counts."""
        return cls({_question(line["service"], line["operation"], line["parameters"]): line for line in lines})

    def listen(self, core: Any) -> None:
        """Answer every call of a botocore session."""
        core.register("before-parameter-build", remember)
        core.register("before-call", self.answer)

    def answer(self, model: Any, context: Mapping[str, Any], **_: Any) -> tuple[Any, Mapping[str, Any]]:
        """Return the recorded answer, as the SDK wants it."""
        question = _question(model.service_model.service_name, model.name, as_json(context.get(ASKED, {})))
        self.asked.append(question)
        found = self.answers.get(question)
        if found is None:
            raise NotRecorded(f"{question[0]}:{question[1]} {question[2]}")
        parsed = restored(found["response"])
        parsed.setdefault("ResponseMetadata", {"HTTPStatusCode": found["status"]})
        return SimpleNamespace(status_code=found["status"], headers={}), parsed


def _question(service: str, operation: str, parameters: Mapping[str, Any]) -> tuple[str, str, str]:
    return service, operation, json.dumps(parameters, sort_keys=True)


def as_json(value: Any) -> Any:
    """Return what the SDK takes or gives as JSON; `restored` turns it back."""
    match value:
        case Mapping():
            return {str(k): as_json(v) for k, v in value.items()}
        case list() | tuple():
            return [as_json(item) for item in value]
        case datetime():
            return {TIME: value.astimezone(UTC).isoformat()}
        case _:
            return value


def restored(value: Any) -> Any:
    """Return recorded JSON as the SDK gives it."""
    match value:
        case {"$time": str(text), **rest} if not rest:
            return datetime.fromisoformat(text)
        case dict():
            return {k: restored(v) for k, v in value.items()}
        case list():
            return [restored(item) for item in value]
        case _:
            return value


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a recording: a file, or a folder of them."""
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    return [
        json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
