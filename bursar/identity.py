"""Who sits at the command line: the user of the machine, or whom AWS says the credentials belong to."""

from __future__ import annotations

import getpass
import os

from bursar.config import Config
from engine.people import Door


def caller(door: Door, config: Config) -> str:
    """
    Return what `door` calls whoever runs the command: a user's name, or the ARN of the caller at AWS.

    Raises:
        ConfigError: without AWS credentials, or where they are refused.
    """
    if door is Door.USER:
        return user_of_process()
    from integrations.aws.session import open_session

    with open_session(config.aws) as session:
        return str(session.caller()["Arn"])


def user_of_process() -> str:
    """Return the name of the process's user, as the system knows it: the environment could say anything."""
    number = getattr(os, "getuid", None)
    return getpass.getuser() if number is None else name_of(number())


def name_of(number: int) -> str:
    """Return the name of a user of a Unix; in a container it may have none, and is its number, as for `ls`."""
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
