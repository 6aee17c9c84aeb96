"""
A Slack workspace on loopback that speaks the real wire format: the demo and the tests talk to it.

It keeps messages, refuses what Slack refuses (blocks over the limits, unknown channels, wrong tokens, expired
triggers), fails when told to, and signs clicks the way Slack does. The real SDK is its client.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

Answer = tuple[int, dict[str, str], dict[str, Any]]
TEAM, APP, TOKEN, SECRET = "T0BURSAR", "A0BURSAR", "xoxb-demo", "8f742231b10e8888abcd99yyyzzz85a5"
LARGEST = 13_000
"""Bytes of a message's blocks: where the real one was seen to answer `msg_blocks_too_long`."""


def ok(**more: Any) -> Answer:
    return 200, {}, {"ok": True, **more}


def error(word: str) -> Answer:
    return 200, {}, {"ok": False, "error": word}


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as Slack sends it."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Workspace:
    """One workspace with one app in it."""

    clock: Callable[[], datetime]
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """By id: the handle without its `@`, and the members."""
    channels: dict[str, str] = field(default_factory=dict)
    """Names, without `#`, to ids."""
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    """By channel and ts, as they stand now."""
    whispers: list[dict[str, Any]] = field(default_factory=list)
    """Ephemeral messages."""
    views: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    triggers: set[str] = field(default_factory=set)
    down: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    """Methods to the error that they answer."""
    limited: int = 0
    """How many calls are answered with 429 from now on."""
    socket: str = ""
    """Where Socket Mode is, if anywhere."""
    address: str = ""
    number: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    # --- people and places -----------------------------------------------------------------------

    def add_user(self, id_: str, name: str, email: str, **more: Any) -> str:
        """Add a user; `more` are fields of Slack's user object, such as `deleted=True`."""
        profile = {"real_name": name, "email": email}
        self.users[id_] = {"id": id_, "team_id": TEAM, "name": name, "profile": profile, "deleted": False,
                           "is_bot": False, "is_email_confirmed": True, "is_restricted": False, **more}  # fmt: skip
        return id_

    def add_group(self, id_: str, handle: str, *members: str) -> None:
        self.groups[id_] = (handle, list(members))

    def add_channel(self, name: str) -> str:
        """Add a channel, and return its id."""
        return self.channels.setdefault(name, f"C{len(self.channels):08d}")

    # --- the Web API -----------------------------------------------------------------------------

    def answer(self, method: str, arguments: dict[str, Any], token: str) -> Answer:
        """Answer one call."""
        with self.lock:
            self.calls.append((method, arguments))
            if self.down:
                return 503, {}, {}
            if self.limited:
                self.limited -= 1
                return 429, {"Retry-After": "0"}, {"ok": False, "error": "ratelimited"}
            if token != TOKEN and method != "apps.connections.open":
                return error("invalid_auth")
            if method in self.errors:
                return error(self.errors[method])
            known: dict[str, Callable[[dict[str, Any]], Answer]] = {
                "auth.test": lambda _: ok(team_id=TEAM, user_id="U0BOT", bot_id="B0BOT", user="bursar"),
                "apps.connections.open": lambda _: ok(url=self.socket),
                "chat.postMessage": self._post,
                "chat.update": self._update,
                "chat.postEphemeral": self._whisper,
                "views.open": self._open,
                "users.info": self._user,
                "users.lookupByEmail": self._lookup,
                "usergroups.list": self._groups,
                "usergroups.users.list": self._members,
            }
            return known[method](arguments) if method in known else error("unknown_method")

    def _post(self, given: dict[str, Any]) -> Answer:
        name = str(given.get("channel", ""))
        channel = self.channels.get(name.removeprefix("#"), name)
        if channel not in self.channels.values():
            return error("channel_not_found")
        wrong = _wrong(given.get("blocks") or [])
        if wrong:
            return error(wrong)
        self.number += 1
        ts = f"{int(self.clock().timestamp())}.{self.number:06d}"
        message = {"type": "message", "user": "U0BOT", "bot_id": "B0BOT", "app_id": APP, "ts": ts,
                   "text": given.get("text", ""), "blocks": given.get("blocks") or [],
                   "thread_ts": given.get("thread_ts", "")}  # fmt: skip
        self.messages[channel, ts] = message
        return ok(channel=channel, ts=ts, message=message)

    def _update(self, given: dict[str, Any]) -> Answer:
        message = self.messages.get((str(given.get("channel")), str(given.get("ts"))))
        if message is None:
            return error("message_not_found")
        wrong = _wrong(given.get("blocks") or [])
        if wrong:
            return error(wrong)
        message |= {"text": given.get("text", ""), "blocks": given.get("blocks") or [], "edited": True}
        return ok(channel=given["channel"], ts=given["ts"])

    def _whisper(self, given: dict[str, Any]) -> Answer:
        if given.get("channel") not in self.channels.values():
            return error("channel_not_found")
        self.whispers.append(given)
        return ok(message_ts="1.0")

    def _open(self, given: dict[str, Any]) -> Answer:
        if given.get("trigger_id") not in self.triggers:
            return error("expired_trigger_id")
        self.triggers.discard(given["trigger_id"])
        view = given["view"]
        if len(view["title"]["text"]) > 24 or len(view["blocks"]) > 100 or len(view["private_metadata"]) > 3000:
            return error("invalid_arguments")
        if _wrong(view["blocks"]):
            return error("invalid_arguments")
        self.number += 1
        self.views.append({**view, "id": f"V{self.number:08d}"})
        return ok(view=self.views[-1])

    def _user(self, given: dict[str, Any]) -> Answer:
        user = self.users.get(str(given.get("user")))
        return ok(user=user) if user else error("user_not_found")

    def _lookup(self, given: dict[str, Any]) -> Answer:
        email = str(given.get("email", "")).casefold()
        found = [u for u in self.users.values() if u["profile"]["email"].casefold() == email and not u["deleted"]]
        return ok(user=found[0]) if found else error("users_not_found")

    def _groups(self, _given: dict[str, Any]) -> Answer:
        return ok(usergroups=[{"id": id_, "handle": handle, "date_delete": 0}
                              for id_, (handle, _) in self.groups.items()])  # fmt: skip

    def _members(self, given: dict[str, Any]) -> Answer:
        group = self.groups.get(str(given.get("usergroup")))
        return ok(users=group[1]) if group else error("no_such_subteam")

    # --- clicks ----------------------------------------------------------------------------------

    def payload(self, channel: str, ts: str, action: str, user: str, choice: str = "") -> dict[str, Any]:
        """Return what Slack sends when `user` clicks `action` under a message; `choice` is the label in a menu."""
        message = self.messages[channel, ts]
        element = element_of(message["blocks"], action)
        with self.lock:
            self.number += 1
            trigger = f"{self.number}.{TEAM}.trigger"
            self.triggers.add(trigger)
        now = self.clock()
        clicked: dict[str, Any] = {"type": element["type"], "action_id": action, "block_id": "b",
                                   "action_ts": f"{int(now.timestamp())}.{self.number:06d}"}  # fmt: skip
        if element["type"] == "static_select":
            option = next(o for o in element["options"] if o["text"]["text"] == choice)
            clicked["selected_option"] = option
        else:
            clicked["value"] = element["value"]
        return {
            **self.origin(user),
            "type": "block_actions",
            "container": {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": False},
            "trigger_id": trigger,
            "channel": {"id": channel, "name": "channel"},
            "message": message,
            "state": {"values": {}},
            "response_url": "https://hooks.slack.com/actions/T0BURSAR/1/x",
            "actions": [clicked],
        }

    def submission(self, view: Mapping[str, Any], user: str, reason: str) -> dict[str, Any]:
        """Return what Slack sends when `user` sends off a modal with one field."""
        field_ = next(block for block in view["blocks"] if block["type"] == "input")
        values = {field_["block_id"]: {field_["element"]["action_id"]: {"type": "plain_text_input", "value": reason}}}
        sent = {key: view[key] for key in ("id", "callback_id", "private_metadata", "title", "blocks")}
        return {**self.origin(user), "type": "view_submission",
                "view": {**sent, "state": {"values": values}, "team_id": TEAM}}  # fmt: skip

    def origin(self, user: str) -> dict[str, Any]:
        known = self.users.get(user, {"name": user, "team_id": TEAM})
        return {
            "team": {"id": TEAM, "domain": "bursar"},
            "enterprise": None,
            "is_enterprise_install": False,
            "api_app_id": APP,
            "token": "deprecated",
            "user": {"id": user, "username": known["name"], "name": known["name"], "team_id": known["team_id"]},
        }

    def signed(self, payload: Mapping[str, Any], *, secret: str = SECRET, shift: int = 0) -> Signed:
        """Return `payload` as Slack posts it, `shift` seconds from now."""
        body = urlencode({"payload": json.dumps(payload)}).encode()
        return self.signed_body(body, secret=secret, shift=shift)

    def signed_body(self, body: bytes, *, secret: str = SECRET, shift: int = 0) -> Signed:
        from slack_sdk.signature import SignatureVerifier

        stamp = str(int(self.clock().timestamp()) + shift)
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=body) or ""
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": signature,
        }
        return Signed(headers, body)


def element_of(blocks: list[dict[str, Any]], action: str) -> dict[str, Any]:
    """Return the button or menu of that name; raise `LookupError` where the message has none."""
    for block in blocks:
        for element in block.get("elements", ()):
            if element.get("action_id") == action:
                found: dict[str, Any] = element
                return found
    raise LookupError(f"the message has no `{action}`")


def _wrong(blocks: list[dict[str, Any]]) -> str:
    """Return what Slack answers to `blocks`, by the limits of its SDK's models; nothing where it takes them."""
    from slack_sdk.errors import SlackObjectFormationError
    from slack_sdk.models.blocks import Block

    if len(blocks) > 50 or len(json.dumps(blocks, ensure_ascii=False).encode()) > LARGEST:
        return "msg_blocks_too_long"
    try:
        for block in blocks:
            parsed = Block.parse(block)
            if parsed is None:
                return "invalid_blocks"
            parsed.validate_json()
            for text in _texts(block):
                if not text["text"] or len(text["text"]) > 3000:
                    return "invalid_blocks"
    except SlackObjectFormationError:
        return "invalid_blocks"
    return ""


def _texts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") in ("plain_text", "mrkdwn") and "text" in node:
            yield node
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


@contextmanager
def running_slack(workspace: Workspace) -> Iterator[Workspace]:
    """Serve `workspace` on loopback as long as the `with` block lasts; its `address` is that of the Web API."""
    from werkzeug.serving import WSGIRequestHandler, make_server
    from werkzeug.wrappers import Request, Response

    class Quiet(WSGIRequestHandler):
        def log(self, *_args: Any) -> None:
            return

    def serve(environ: Any, start: Any) -> Any:
        request = Request(environ)
        method = request.path.rpartition("/")[2]
        raw = request.get_data()
        if "json" in (request.content_type or ""):
            arguments = json.loads(raw or b"{}")
        else:
            arguments = {**request.args.to_dict(), **dict(parse_qsl(raw.decode()))}
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        status, headers, document = workspace.answer(method, arguments, token)
        return Response(json.dumps(document), status, headers, content_type="application/json")(environ, start)

    server = make_server("127.0.0.1", 0, serve, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    workspace.address = f"http://127.0.0.1:{server.port}/api/"
    try:
        yield workspace
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
