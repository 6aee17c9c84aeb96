"""
Messages without buttons to Microsoft Teams, e-mail and a hundred other services, through apprise.

An address is a secret: it holds passwords and tokens, and is shown nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import SecretStr

from engine.errors import ConfigError

LOCAL = ("file", "syslog", "dbus", "gnome", "kde", "qt", "glib", "windows", "macosx")
"""Schemes that write to this machine's own log or screen: whoever runs Bursar for others reads neither."""


@dataclass(frozen=True)
class Addresses:
    """Receivers that apprise knows."""

    secrets: Sequence[SecretStr]

    def send(self, title: str, body: str) -> str:
        """Send one message to all of them; return why not all took it, or nothing where they did."""
        import logging

        from apprise import Apprise, AppriseAsset, NotifyFormat

        # What apprise logs of a failure names the host at best and quotes the answer at worst.
        logging.getLogger("apprise").setLevel(logging.CRITICAL)
        asset = AppriseAsset(app_id="Bursar", app_desc="Bursar", app_url="", async_mode=False, plugin_paths=[])
        failed = 0
        for secret in self.secrets:
            one = Apprise(asset=asset)
            taken = one.add(secret.get_secret_value()) and one.notify(body, title, body_format=NotifyFormat.TEXT)
            failed += not taken
        return f"{failed} of {len(self.secrets)} addresses did not take it" if failed else ""


def check_addresses(secrets: Sequence[SecretStr], where: str = "notify.addresses") -> None:
    """
    Raise `ConfigError` where apprise is not installed, or does not know what an address means.

    The message says which one by its number, and nothing of what it is.
    """
    try:
        from apprise import Apprise
    except ImportError as error:
        hint = "pip install 'bursar[notify]'"
        raise ConfigError.of("missing-extra", "`apprise` is not installed", where=where, hint=hint) from error
    for number, secret in enumerate(secrets, 1):
        text = secret.get_secret_value()
        if text.partition(":")[0].casefold() in LOCAL or not Apprise.instantiate(text, suppress_exceptions=True):
            hint = (
                "such as `mailtos://USER:PASSWORD@smtp.example.com?to=ml@example.com`; https://appriseit.com lists them"
            )
            said = f"address {number} of `{where}` is none that a message can be sent to"
            raise ConfigError.of("bad-config", said, where=where, hint=hint)
