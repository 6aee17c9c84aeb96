"""Messages through apprise, to a server on loopback."""

import json
import threading
from decimal import Decimal

import pytest
from pydantic import SecretStr
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from bursar.receivers import LINES, JsonReceiver, LineReceiver
from bursar.summary import Outcome, Summary
from engine.errors import ConfigError
from integrations.notify.addresses import Addresses, check_addresses
from integrations.notify.webhook import Webhook
from tests.bursar.slack.conftest import NOW, question_of
from tests.bursar.slack.test_teller import task_of

# What apprise imports of the standard library is deprecated there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Quiet(WSGIRequestHandler):
    def log(self, *_args):
        return


@pytest.fixture
def server():
    """A server that keeps what it is sent; `status` is what it answers."""

    class Server:
        got, status, port = [], 200, 0

    def answer(environ, start):
        request = Request(environ)
        Server.got.append((request.path, json.loads(request.get_data())))
        return Response("", Server.status)(environ, start)

    Server.got = []
    made = make_server("127.0.0.1", 0, answer, request_handler=Quiet)
    Server.port = made.port
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield Server
    made.shutdown()
    thread.join()
    made.server_close()


def line_receiver(server, *paths):
    return LineReceiver(Addresses([SecretStr(f"json://127.0.0.1:{server.port}/{path}") for path in paths]))


def test_lines(server):
    """Warnings, questions and summaries are lines of text at every address."""
    receiver = line_receiver(server, "a", "b")
    assert receiver.warn([task_of(1), task_of(2)], NOW) == {}
    assert receiver.ask(question_of(), task_of(1)) == ""
    assert receiver.summarize(Summary("r", "1 step carried out", (Outcome("dev", "stopped", False, "a.1"),))) == ""
    assert [path for path, _ in server.got] == ["/a", "/b"] * 3
    warned, asked, done = (server.got[n][1] for n in (0, 2, 4))
    assert warned["title"] == "Bursar warns of 2 findings (2026-03-04 16:00 UTC)"
    assert "stop-idle-gpus: dev-1; no GPU work for 4h; $730 a month; stop the instance" in warned["message"]
    assert "bursar approvals show a1b2c3d4e5f6" in asked["message"]
    assert "dev: stopped (bursar undo a.1)" in done["message"]


def test_hostile_names_are_one_visible_line(server):
    """A name with line breaks and escapes is one line in which they are seen."""
    line_receiver(server, "a").warn([task_of(1, name="a\nbursar: all approved\x1b[2J\u202e")], NOW)
    (line,) = server.got[0][1]["message"].splitlines()
    assert "a\\nbursar: all approved\\x1b[2J\\u202e" in line


def test_more_than_one_message_holds(server):
    """What is not in the message was not delivered."""
    refused = line_receiver(server, "a").warn([task_of(n) for n in range(LINES + 5)], NOW)
    assert set(refused) == {f"f{n}" for n in range(LINES, LINES + 5)}


def test_an_address_that_fails(server):
    """What not all addresses took was not delivered; nothing of an address is in the reason."""
    server.status = 500
    receiver = line_receiver(server, "secret-token")
    refused = receiver.warn([task_of(1)], NOW)
    assert refused == {"f1": "1 of 1 addresses did not take it"}
    assert receiver.ask(question_of(), task_of(1))
    assert "secret-token" not in repr(receiver)


@pytest.mark.parametrize("address", ["nonsense", "unknown://x", "syslog://", "file:///tmp/x", ""])
def test_addresses_that_are_none(address):
    """What apprise does not know, and what only this machine would see, is refused without being shown."""
    with pytest.raises(ConfigError) as raised:
        check_addresses([SecretStr("json://localhost"), SecretStr(address)])
    assert "address 2 of" in str(raised.value)
    assert not address or address not in raised.value.problems[0].message


@pytest.mark.parametrize(
    "address",
    [
        "workflows://prod-1.logic.azure.com:443/643e69f83c8944438d68119179a10a64/e2b6fdfb8c2d4d6b9f0d/",
        "mailtos://user:password@smtp.example.com?from=bursar@example.com&to=ml@example.com",
        "jsons://hooks.example.com/bursar",
    ],
)
def test_addresses_of_the_documentation(address):
    """Microsoft Teams, e-mail and a webhook as the documentation writes them."""
    check_addresses([SecretStr(address)])


def test_the_webhook_gets_documents(server):
    """The webhook gets one JSON document for each policy, question and run."""
    receiver = JsonReceiver(Webhook(f"http://127.0.0.1:{server.port}/hook"))
    assert receiver.warn([task_of(1, "a"), task_of(2, "b")], NOW) == {}
    assert receiver.ask(question_of(), task_of(1)) == ""
    assert receiver.summarize(Summary("r1", "t", (), ("held: x",), ("held: y",))) == ""
    kinds = [document["kind"] for _, document in server.got]
    assert kinds == ["warning", "warning", "question", "run"]
    assert Decimal(server.got[0][1]["findings"][0]["monthly_cost"]) == 730
    assert server.got[3][1] == {
        "kind": "run", "run": "r1", "title": "t", "outcomes": [], "held": ["held: x"], "over": ["held: y"],
    }  # fmt: skip
