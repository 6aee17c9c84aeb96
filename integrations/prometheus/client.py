"""
The HTTP API of Prometheus and of what speaks like it: Thanos, Mimir, VictoriaMetrics, managed services.

Answers are read as a stream and refused once they are too large. Failures, warnings and partial answers are
values: a series that an incomplete answer lacks is not one that does not exist.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from engine.values import Reason, Unknown
from integrations.telemetry.frame import Frame

MOST_BYTES = 64 * 1024 * 1024
"""Bytes of an answer, unpacked. A query is cut so that a full answer has a tenth of it."""
CHUNK = 64 * 1024
RETRIED = (408, 425, 429, 500, 502, 503, 504)
LONGEST_WAIT = 120
"""Seconds of `Retry-After` that are waited for at most before the next try."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret by where it is: the environment or a file, read anew for each call, since tokens are rotated."""

    variable: str = ""
    file: Path | None = None

    def read(self, environment: Mapping[str, str]) -> str:
        """Return the secret; raise `OSError` or `KeyError` where there is none."""
        return self.file.read_text(encoding="utf-8").strip() if self.file else environment[self.variable].strip()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server is and how to speak to it."""

    url: str
    """With the path before `/api/v1`, if any."""
    headers: Mapping[str, str] = field(default_factory=dict)
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    sigv4: str = ""
    """The AWS region for whose Managed Service for Prometheus requests are signed; empty for no signature."""
    ca_file: str = ""
    connect_seconds: float = 10
    read_seconds: float = 120
    attempts: int = 5
    backoff: float = 0.5
    """Seconds before the first new try; each further one waits twice as long."""
    most_bytes: int = MOST_BYTES

    @property
    def host(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"


Row = tuple[Mapping[str, str], Sequence[tuple[float, float]]]
"""The labels of a series, and its times in epoch seconds with their values."""


class PrometheusClient:
    """Queries of one server; safe to use from several threads."""

    def __init__(self, endpoint: Endpoint, environment: Mapping[str, str]) -> None:
        self._endpoint = endpoint
        self._environment = environment
        self._pool: Any = None
        self._lock = threading.Lock()

    def instant(self, query: str, at: float | None = None) -> list[Row] | Unknown:
        """Return the vector or scalar that `query` is at `at`, in epoch seconds, or at the server's own now."""
        fields = {"query": query} | ({"time": f"{at:.3f}"} if at is not None else {})
        return self._rows("query", fields, _instant_rows)

    def matrix(self, query: str, frame: Frame) -> list[Row] | Unknown:
        """
        Return what `query` is at the end of every bucket of `frame`.

        It is asked a millisecond early, so that a sample at the border of two buckets is of the later one. Times
        of the answer are the starts of the buckets.
        """
        fields = {
            "query": query,
            "start": f"{frame.start + frame.step - 0.001:.3f}",
            "end": f"{frame.until - 0.001:.3f}",
            "step": str(frame.step),
            "nocache": "1",  # VictoriaMetrics moves the times asked for without it; others ignore it
        }
        found = self._rows("query_range", fields, _matrix_rows)
        if isinstance(found, Unknown):
            return found
        late = frame.step - 0.001
        return [(labels, [(at - late, value) for at, value in points]) for labels, points in found]

    def series(self, matchers: Sequence[str], frame: Frame) -> list[Mapping[str, str]] | Unknown:
        """Return the labels of all series that one of `matchers` selects over `frame`."""
        fields = [("match[]", matcher) for matcher in matchers]
        fields += [("start", str(frame.start)), ("end", str(frame.end + frame.step))]
        return self._rows("series", fields, _label_rows)

    def _rows(
        self, path: str, fields: Mapping[str, str] | Sequence[tuple[str, str]], read: Callable[[Any], list[Any]]
    ) -> list[Any] | Unknown:
        answer = self._ask(path, urlencode(list(fields.items()) if isinstance(fields, Mapping) else fields))
        if isinstance(answer, Unknown):
            return answer
        try:
            return read(answer)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            return self._failed(f"/api/v1/{path} sent what is no answer ({type(error).__name__})")

    def _ask(self, path: str, body: str) -> Any:
        """Return `data` of the answer to a POST, or why there is none."""
        from urllib3.exceptions import HTTPError

        url = f"{self._endpoint.url.rstrip('/')}/api/v1/{path}"
        try:
            headers = self._headers()
            if self._endpoint.sigv4:
                headers = signed(url, body, headers, self._endpoint.sigv4)
        except KeyError as error:
            return Unknown(Reason.DENIED, f"{self._endpoint.host}: the variable {error.args[0]} is not set")
        except OSError as error:
            return Unknown(Reason.DENIED, f"{self._endpoint.host}: the credentials cannot be read ({error})")
        try:
            response = self._connections().request(
                "POST",
                url,
                body=body,
                headers=headers,
                preload_content=False,
                redirect=False,
            )
            try:
                text = self._bounded(response)
            finally:
                response.close()
        except HTTPError as error:
            return self._failed(f"no answer ({_told(error)})")
        if isinstance(text, Unknown):
            return text
        return self._checked(response.status, text)

    def _bounded(self, response: Any) -> bytes | Unknown:
        """Return the unpacked body, or why it is too large; no more than the bound is ever held."""
        most, parts, size = self._endpoint.most_bytes, [], 0
        for part in response.stream(CHUNK, decode_content=True):
            size += len(part)
            if size > most:
                return self._failed(f"an answer of more than {most // 2**20} MiB is refused")
            parts.append(part)
        return b"".join(parts)

    def _checked(self, status: int, text: bytes) -> Any:
        """Return the data of a whole and successful answer."""
        if status in (401, 403, 407):
            return Unknown(Reason.DENIED, f"{self._endpoint.host}: HTTP {status}")
        try:
            answer = json.loads(text)
            good = answer.get("status") == "success"
        except (ValueError, AttributeError, RecursionError):
            return self._failed(f"HTTP {status} and no JSON")
        if status != 200 or not good:
            return self._failed(f"HTTP {status}: {str(answer.get('error') or 'no reason given')[:200]}")
        warnings = answer.get("warnings")
        if warnings or answer.get("isPartial"):
            told = "; ".join(str(one) for one in warnings) if isinstance(warnings, list) else ""
            return self._failed(f"the answer is partial ({told[:200] or 'isPartial'})")
        return answer.get("data")

    def _failed(self, what: str) -> Unknown:
        return Unknown(Reason.SOURCE_ERROR, f"{self._endpoint.host}: {what}")

    def _headers(self) -> dict[str, str]:
        from urllib3.util import make_headers

        endpoint = self._endpoint
        headers = {**make_headers(accept_encoding="gzip", user_agent="bursar")}
        if endpoint.user:
            password = endpoint.password.read(self._environment) if endpoint.password else ""
            headers |= make_headers(basic_auth=f"{endpoint.user}:{password}")
        if endpoint.token:
            headers["authorization"] = f"Bearer {endpoint.token.read(self._environment)}"
        return {**headers, **endpoint.headers, "content-type": "application/x-www-form-urlencoded"}

    def _connections(self) -> Any:
        from urllib3 import PoolManager, Retry, Timeout

        with self._lock:
            if self._pool is None:
                endpoint = self._endpoint
                self._pool = PoolManager(
                    maxsize=8,
                    timeout=Timeout(connect=endpoint.connect_seconds, read=endpoint.read_seconds),
                    retries=Retry(
                        total=endpoint.attempts - 1,
                        redirect=0,
                        status_forcelist=RETRIED,
                        allowed_methods=None,  # queries by POST change nothing
                        backoff_factor=endpoint.backoff,
                        backoff_jitter=endpoint.backoff / 2,
                        raise_on_status=False,
                        respect_retry_after_header=True,
                        retry_after_max=LONGEST_WAIT,
                    ),
                    ca_certs=endpoint.ca_file or None,
                )
            return self._pool

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            if self._pool is not None:
                self._pool.clear()


def signed(url: str, body: str, headers: Mapping[str, str], region: str) -> dict[str, str]:
    """
    Return `headers` with the signature that Amazon Managed Service for Prometheus wants.

    Raises:
        KeyError: where boto3 finds no credentials.
    """
    from boto3.session import Session
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials = Session().get_credentials()
    if credentials is None:
        raise KeyError("no AWS credentials")
    request = AWSRequest("POST", url, data=body.encode(), headers=dict(headers))
    SigV4Auth(credentials.get_frozen_credentials(), "aps", region).add_auth(request)
    return {str(name): str(value) for name, value in request.headers.items()}


def _told(error: Exception) -> str:
    """Return an error in a few words, without the addresses and objects that urllib3 puts into its own."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__


def _labels(found: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in found.items()}


def _instant_rows(data: Any) -> list[Row]:
    match data["resultType"]:
        case "scalar":
            at, value = data["result"]
            return [({}, [(float(at), float(value))])]
        case "vector":
            rows = data["result"]
            return [(_labels(row["metric"]), [(float(row["value"][0]), float(row["value"][1]))]) for row in rows]
        case _:
            raise ValueError("neither a vector nor a scalar")


def _matrix_rows(data: Any) -> list[Row]:
    if data["resultType"] != "matrix":
        raise ValueError("no matrix")
    rows = data["result"]
    return [(_labels(row["metric"]), [(float(at), float(value)) for at, value in row["values"]]) for row in rows]


def _label_rows(data: Any) -> list[Mapping[str, str]]:
    return [_labels(row) for row in data]
