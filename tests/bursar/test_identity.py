"""Who sits at the command line."""

import os
import pwd

from bursar.identity import name_of, user_of_process

NOBODY = 2**31 - 5


def test_a_user_has_a_name():
    """The one that the system knows, whatever the environment says."""
    assert user_of_process() == pwd.getpwuid(os.getuid()).pw_name


def test_a_user_without_a_name():
    """Containers run as a number that is in no list of users."""
    assert name_of(NOBODY) == str(NOBODY)
