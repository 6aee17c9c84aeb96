"""Recorded estates for tests of commands."""

import os
import subprocess
import sys


def scan(server, file, *policies):
    """Record the emulated account in `file` for `policies`; returns the file's name."""
    asked = [part for policy in policies for part in ("-p", policy)]
    regions = ["--region", "us-east-1", "--region", "us-west-2"]
    command = [sys.executable, "-m", "bursar", "scan", *asked, *regions, "-o", str(file)]
    env = {**os.environ, "AWS_ENDPOINT_URL": server.endpoint}
    subprocess.run(command, check=True, env=env, capture_output=True)
    return str(file)
