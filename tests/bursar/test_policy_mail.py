"""A policy's own e-mail addresses, through a real SMTP server on loopback."""

import socket
from dataclasses import dataclass, field
from email import message_from_bytes
from email import policy as email_policy

import boto3
import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from bursar.config import Config
from bursar.loading import load_texts
from bursar.policy_mail import MailReceiver
from bursar.policy_reach import check_reachable
from engine.errors import ConfigError
from engine.policy.model import Mode
from engine.policy.scalars import emails_of
from engine.units import UnitError
from integrations.notify.mail import check_mail, mail_to
from tests.bursar.slack.conftest import NOW, question_of
from tests.bursar.slack.test_teller import task_of
from tests.bursar.test_slack_run import POLICIES, make_bucket

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
CONFIG = """
version: 1
max_mode: MODE
policies: [p.yaml]
aws: {regions: [us-east-1]}
"""
MAIL = "notify: {mail: env:BURSAR_SMTP}\n"


@dataclass
class Mailbox:
    """What an SMTP server was given: receivers and message."""

    port: int = 0
    refusing: str = ""
    got: list = field(default_factory=list)

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802  (the library's name)
        if address == self.refusing:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802  (the library's name)
        message = message_from_bytes(envelope.content, policy=email_policy.default)
        self.got.append((sorted(envelope.rcpt_tos), message))
        return "250 OK"

    @property
    def url(self):
        return f"mailto://127.0.0.1:{self.port}?from=bursar@example.com&to=somebody@example.com&cc=else@example.com"

    def receivers(self):
        return sorted(address for receivers, _ in self.got for address in receivers)


@pytest.fixture
def mailbox():
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=free_port())
    controller.start()
    box.port = controller.port
    yield box
    controller.stop()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def words(message):
    return message.get_body(("plain", "html")).get_content()


def test_each_policy_tells_its_own(mailbox):
    """Warnings and questions go to the addresses of their policy and to nobody else; runs are no policy's own."""
    emails = {"stop-idle-gpus": ("ml@example.com", "a+b@example.com")}
    receiver = MailReceiver(SecretStr(mailbox.url), emails)
    assert receiver.warn([task_of(1), task_of(2)], NOW) == {}
    assert mailbox.receivers() == ["a+b@example.com", "ml@example.com"]
    assert "2 findings" in mailbox.got[0][1]["subject"]
    assert "stop-idle-gpus: dev-1" in words(mailbox.got[0][1])
    mailbox.got.clear()
    assert receiver.ask(question_of(), task_of(1)) == ""
    assert mailbox.receivers() == ["a+b@example.com", "ml@example.com"]
    assert "bursar approvals show a1b2c3d4e5f6" in words(mailbox.got[0][1])
    mailbox.got.clear()
    assert receiver.ask(question_of(policy="another"), task_of(1)) == ""
    assert MailReceiver(SecretStr(mailbox.url), {}).warn([task_of(1)], NOW) == {}
    assert mailbox.got == []


def test_what_the_server_refuses_was_not_delivered(mailbox):
    """A warning that did not arrive at all addresses is told as such, and nothing of the server's address is."""
    mailbox.refusing = "ml@example.com"
    receiver = MailReceiver(SecretStr(f"{mailbox.url}&name=very-secret"), {"stop-idle-gpus": ("ml@example.com",)})
    assert receiver.warn([task_of(1)], NOW) == {"f1": "1 of 1 addresses did not take it"}
    assert "very-secret" not in repr(receiver)


@pytest.mark.parametrize(
    "url", ["", "smtp.example.com", "json://127.0.0.1/x", "file:///tmp/x", "mailto://", "https://example.com"]
)
def test_what_is_no_mail_server(url):
    """Only a mail server takes addresses that are said later."""
    with pytest.raises(ConfigError, match=r"`notify.mail` is no"):
        check_mail(SecretStr(url))


def test_addresses_cannot_change_the_server():
    """An address is one value of the query, whatever it holds."""
    (secret,) = mail_to(SecretStr("mailtos://u:p@smtp.example.com?from=b@example.com"), ["a+b@example.com"]).secrets
    assert secret.get_secret_value() == "mailtos://u:p@smtp.example.com?from=b%40example.com&to=a%2Bb%40example.com"


@pytest.mark.parametrize(
    "text", ["", "ml", "a@b", "a@example.com&smtp=evil", "a b@example.com", "A <a@b.example>", "a@example.com,"]
)
def test_what_is_no_address(text):
    """A policy's addresses are plain ones."""
    with pytest.raises(UnitError):
        emails_of(text)


def test_two_addresses():
    """Commas lie between addresses; each counts once."""
    assert emails_of("ml@example.com , ops@example.com,ml@example.com") == ("ml@example.com", "ops@example.com")


def test_only_what_tells_somebody_needs_a_server():
    """An installation that only reports needs none."""
    policies = load_texts({"p.yaml": POLICIES.replace("grace: 0s", "notify: {email: data@example.com}")})
    check_reachable(Config(max_mode=Mode.REPORT), policies)
    check_reachable(Config(max_mode=Mode.ENFORCE, mail="env:X"), policies)
    with pytest.raises(ConfigError):
        check_reachable(Config(max_mode=Mode.NOTIFY), policies)


# --- a run -----------------------------------------------------------------------------------------


@pytest.fixture
def site(here, account, mailbox, monkeypatch):
    """A folder with two policies that name addresses; one of them only reports."""
    monkeypatch.setenv("BURSAR_SMTP", mailbox.url)
    told = POLICIES.replace("grace: 0s", "grace: 0s\n    notify: {email: 'data@example.com, ops@example.com'}")
    silent = told.partition("policies:\n")[2].replace("close-buckets", "look-at-buckets")
    (here / "p.yaml").write_text(told + silent.replace("mode: approve", "mode: report"), encoding="utf-8")
    configure(here, "notify", MAIL)
    client = boto3.client("s3", region_name="us-east-1", endpoint_url=account.endpoint)
    make_bucket(client, "first")
    client.close()
    return here


def configure(here, mode, more=""):
    (here / "bursar.yaml").write_text(CONFIG.replace("MODE", mode) + more, encoding="utf-8")


def test_a_run_tells_the_policys_people(bursar, site, mailbox):
    """A run sends a policy's warning to its addresses, once."""
    ran = bursar("run")
    assert ran.status == 0, ran.err
    assert mailbox.receivers() == ["data@example.com", "ops@example.com"]
    assert "close-buckets: first" in words(mailbox.got[0][1])
    assert bursar("run").status == 0
    assert len(mailbox.receivers()) == 2


def test_a_mail_that_is_not_taken_is_sent_again(bursar, site, mailbox):
    """Where nothing else is configured the mail counts: what it did not take, the next run sends."""
    mailbox.refusing = "ops@example.com"
    assert "NOT DELIVERED" in bursar("run").err
    mailbox.refusing = ""
    mailbox.got.clear()
    bursar("run")
    assert mailbox.receivers() == ["data@example.com", "ops@example.com"]


@pytest.mark.parametrize("command", ["run", "validate"])
def test_no_mail_server(bursar, site, command):
    """Addresses without a mail server are an error of the configuration before anything is read, at their policy."""
    configure(site, "notify")
    ran = bursar(command)
    assert ran.status == 2
    assert "there is no mail server for `notify.email` of policy `close-buckets`" in ran.err
    assert "p.yaml:4" in ran.err
    assert "look-at-buckets" not in ran.err


def test_who_only_reports_needs_none(bursar, site, mailbox):
    """An installation that tells nobody needs no mail server, and sends nothing."""
    configure(site, "report")
    assert bursar("validate").status == 0
    assert bursar("run").status == 0
    assert mailbox.got == []


def test_a_server_that_stands_in_the_file(bursar, site):
    """The server's address holds a password: in the file it is refused, and not shown."""
    configure(site, "notify", MAIL.replace("env:BURSAR_SMTP", '"mailto://u:very-secret@x"'))
    ran = bursar("run")
    assert ran.status == 2
    assert "`notify.mail` is a secret" in ran.err
    assert "very-secret" not in ran.err


def test_a_bad_address_in_a_policy(bursar, site):
    """What is no address is told where it stands."""
    text = (site / "p.yaml").read_text(encoding="utf-8")
    (site / "p.yaml").write_text(text.replace("data@example.com", "data"), encoding="utf-8")
    ran = bursar("validate")
    assert ran.status == 2
    assert "`data` is not an e-mail address" in ran.err


def test_doctor(bursar, site):
    """Doctor says so, too, and which channels nobody is told in."""
    configure(site, "notify")
    text = (site / "p.yaml").read_text(encoding="utf-8")
    (site / "p.yaml").write_text(text.replace("{email:", '{slack: "#data", email:'), encoding="utf-8")
    out = " ".join(bursar("doctor").out.split())
    assert "there is no mail server for `notify.email`" in out
    assert "Slack is not configured" in out
