"""Secrets by reference."""

import pytest

from bursar.config import read_config
from bursar.secrets import is_reference, read_secret
from engine.errors import ConfigError
from integrations.catalog import default_catalog


def test_where_they_are(tmp_path, monkeypatch):
    """From the environment, from a file beside the configuration, from one anywhere; without the line's end."""
    monkeypatch.setenv("A_TOKEN", "xoxb-1\n")
    (tmp_path / "token").write_text(" xoxb-2 \n", encoding="utf-8")
    for reference, value in (("env:A_TOKEN", "xoxb-1"), ("file:token", "xoxb-2"), (f"file:{tmp_path}/token", "xoxb-2")):
        secret = read_secret(reference, tmp_path, "slack.token")
        assert secret.get_secret_value() == value
        assert value not in repr(secret) + str(secret)


@pytest.mark.parametrize(
    "reference", ["env:NOT_SET", "env:EMPTY", "file:missing", "file:empty", "file:binary", "xoxb-3"]
)
def test_where_they_are_not(tmp_path, monkeypatch, reference):
    """What is not there, empty or no text is an error that names the setting."""
    monkeypatch.setenv("EMPTY", " ")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError) as raised:
        read_secret(reference, tmp_path, "slack.token")
    assert "`slack.token`" in str(raised.value)
    assert "xoxb" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("env:A", True), ("file:/run/secrets/a b", True), ("env:", False), ("ENV:A", False), ("a", False)],
)
def test_what_a_reference_is(text, is_one):
    """A kind in lower case and a name."""
    assert is_reference(text) is is_one


def test_slack_as_configured(here):
    """Everything that may be said about Slack, and what holds where it is not said."""
    text = """
version: 1
slack: {token: env:T, team: T1, app: A1, channel: "#c"MORE}
notify: {addresses: [env:MAIL]}
"""
    (here / "bursar.yaml").write_text(text.replace("MORE", ""), encoding="utf-8")
    config = read_config(None, default_catalog())
    slack = config.slack
    assert (slack.token, slack.signing_secret, slack.app_token, slack.escalate) == ("env:T", "", "", 50)
    assert slack.address == "https://slack.com/api/"
    assert config.addresses == ("env:MAIL",)
    more = ', signing_secret: file:s, app_token: env:X, escalate: never, address: "https://slack-gov.com/api/"'
    (here / "bursar.yaml").write_text(text.replace("MORE", more), encoding="utf-8")
    slack = read_config(None, default_catalog()).slack
    assert (slack.signing_secret, slack.app_token, slack.escalate) == ("file:s", "env:X", None)
    assert slack.address == "https://slack-gov.com/api/"
