"""The manifest that the Slack app is made from: one text for the command, the documentation and the test."""

from __future__ import annotations

from importlib.resources import files

EXAMPLE = "https://bursar.example.com/slack"
"""Stands in the manifest for where Slack posts clicks."""


def manifest_text(url: str | None = EXAMPLE) -> str:
    """Return the manifest as YAML, for clicks over HTTP to `url`, or over Socket Mode where there is none."""
    text = files("bursar.slack").joinpath("manifest.yaml").read_text(encoding="utf-8")
    if url is not None:
        return text.replace(EXAMPLE, url)
    without = "".join(line for line in text.splitlines(keepends=True) if EXAMPLE not in line)
    return without.replace("socket_mode_enabled: false", "socket_mode_enabled: true")
