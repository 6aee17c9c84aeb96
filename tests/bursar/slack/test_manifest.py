"""The app's manifest: it parses, asks for the scopes that are used and for no others, and the how-to shows it."""

import re
from pathlib import Path

import pytest
import yaml

from bursar.slack.manifest import EXAMPLE, manifest_text
from integrations.slack.client import SCOPES

ROOT = Path(__file__).parents[3]
NEEDED = {
    "chat.postMessage": {"chat:write"},
    "chat.update": {"chat:write"},
    "chat.postEphemeral": {"chat:write"},
    "views.open": set(),
    "users.info": {"users:read", "users:read.email"},
    "users.lookupByEmail": {"users:read.email"},
    "usergroups.list": {"usergroups:read"},
    "usergroups.users.list": {"usergroups:read"},
    "users.conversations": {"channels:read", "groups:read"},
}
"""What Slack's reference asks for each method; `users.info` tells an address with `users:read.email` only."""


def test_scopes_are_those_that_are_used():
    """Every method that the program calls has its scopes in the manifest, and every scope has a method."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "integrations" / "slack").glob("*.py"))
    called = set(re.findall(r'\.call\(\s*"([\w.]+)"', sources))
    assert called == set(NEEDED)
    asked = yaml.safe_load(manifest_text())["oauth_config"]["scopes"]["bot"]
    assert asked == sorted(asked)
    assert set(asked) == set().union(*(NEEDED[method] for method in called)) == set(SCOPES)


def test_over_http():
    """With an address, clicks are posted there."""
    settings = yaml.safe_load(manifest_text("https://b.example/slack"))["settings"]
    assert settings["interactivity"] == {"is_enabled": True, "request_url": "https://b.example/slack"}
    assert settings["socket_mode_enabled"] is False


def test_over_a_socket():
    """Without an address, the app uses Socket Mode, and no address is left in it."""
    settings = yaml.safe_load(manifest_text(None))["settings"]
    assert settings["interactivity"] == {"is_enabled": True}
    assert settings["socket_mode_enabled"] is True
    assert "https" not in manifest_text(None)


def test_the_how_to_shows_it():
    """The manifest of the page is the one that the command prints."""
    page = (ROOT / "docs" / "how-to" / "slack.md").read_text("utf-8")
    assert f"```yaml\n{manifest_text(EXAMPLE)}```" in page


@pytest.mark.parametrize("arguments", [(), ("--url", "https://b.example/slack")])
def test_the_command_prints_it(bursar, arguments):
    """What is printed can be pasted."""
    ran = bursar("slack", "manifest", *arguments)
    assert ran.status == 0
    assert yaml.safe_load(ran.out)["features"]["bot_user"]["display_name"] == "bursar"


def test_listening_needs_a_token(bursar, here):
    """Without Slack in the configuration there is nothing to listen to."""
    (here / "bursar.yaml").write_text("version: 1\n", encoding="utf-8")
    ran = bursar("slack", "listen")
    assert ran.status == 2
    assert "Socket Mode is not configured" in ran.err


def test_an_address_that_slack_would_not_take(bursar):
    """Slack posts to https alone, and says so much later."""
    ran = bursar("slack", "manifest", "--url", "bursar.example.com/slack")
    assert ran.status == 2
    assert "write https://bursar.example.com/slack" in ran.err
