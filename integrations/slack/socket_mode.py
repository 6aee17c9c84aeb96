"""
Clicks over a WebSocket that this side opens, for those without a public address.

Slack knows the app by its token, so there is no signature; everything else is checked as over HTTP.
https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from integrations.slack.client import ADDRESS, SlackError, refused

if TYPE_CHECKING:
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

INTERACTIVE = "interactive"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered with the acknowledgement, and what is done after it."""

    payload: Mapping[str, Any]
    afterwards: Callable[[], None]


Listener = Callable[[Mapping[str, Any]], Reply | None]
"""Takes a payload. None is not acknowledged, and Slack tells whoever clicked that it did not work."""


@contextmanager
def listening(app_token: SecretStr, listener: Listener, address: str = ADDRESS) -> Iterator[None]:
    """
    Listen as long as the `with` block lasts; the connection is made anew where it is lost.

    Raises:
        SlackError: it cannot be made at all.
    """
    from slack_sdk import WebClient
    from slack_sdk.errors import SlackApiError, SlackClientError
    from slack_sdk.socket_mode import SocketModeClient

    client = SocketModeClient(app_token.get_secret_value(), web_client=WebClient(base_url=address))
    client.socket_mode_request_listeners.append(lambda one, request: _taken(one, request, listener))
    try:
        try:
            client.connect()
        except SlackApiError as error:
            raise refused("apps.connections.open", error.response) from None
        except (SlackClientError, OSError) as error:
            raise SlackError.down("apps.connections.open", type(error).__name__) from error
        yield
    finally:
        client.close()


def _taken(client: BaseSocketModeClient, request: SocketModeRequest, listener: Listener) -> None:
    from slack_sdk.socket_mode.response import SocketModeResponse

    if request.type != INTERACTIVE:
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id))
        return
    reply = listener(request.payload)
    if reply is not None:
        client.send_socket_mode_response(SocketModeResponse(request.envelope_id, dict(reply.payload) or None))
        reply.afterwards()
