"""Another Lambda function, called without waiting for what it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from engine.errors import ConfigError
from integrations.aws.act_session import refuse_all_but
from integrations.aws.refusals import code_of
from integrations.aws.session import AwsSettings, open_session

CALLS = frozenset({"lambda:Invoke", "lambda:InvokeFunction"})


def invoke_later(function: str, event: Mapping[str, Any]) -> None:
    """
    Have `function` called with `event`, some time soon; Lambda tries again where it fails.

    Raises:
        ConfigError: `not-invoked`; the function will not be called.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    settings = AwsSettings(connect_seconds=1, read_seconds=2, attempts=2, listeners=(refuse_all_but(CALLS),))
    with open_session(settings) as session:
        client = session.client("lambda", session.regions[0])
        try:
            client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            message = f"the function {function} was not called ({code_of(error)})"
            raise ConfigError.of("not-invoked", message, where=function) from error
