"""Whether those whom policies want told can be reached; apart from the telling, which takes longer to load."""

from __future__ import annotations

from bursar.config import Config
from engine.errors import ConfigError, Problem
from engine.policy.model import Mode, PolicySet
from integrations.notify.mail import EXAMPLE


def check_reachable(config: Config, policies: PolicySet) -> None:
    """Raise `ConfigError` with every policy that would tell by e-mail, where there is no mail server."""
    if config.mail or config.max_mode is Mode.REPORT:
        return
    silent = [p for p in policies.policies if "email" in p.notify and p.mode is not Mode.REPORT]
    if silent:
        hint = f"write `notify: {{mail: env:BURSAR_SMTP}}` in bursar.yaml; the variable holds the server, {EXAMPLE}"
        said = "there is no mail server for `notify.email` of policy `{}`"
        raise ConfigError([Problem("bad-config", said.format(p.name), p.place, hint) for p in silent])
