"""The deployed functions: the zip that was uploaded, unpacked, and AWS's own runtime client that runs it."""

import io
import json
import os
import tempfile
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import boto3
from moto.awslambda.models import lambda_backends

from bursar.demo.emulation import ACCOUNT
from tests.bursar.lambdas.runtime_api import running, runtime_client

PUBLIC = {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
"""What everybody has to be allowed, since October 2025, before a Function URL answers."""


class Warm:
    """One process of a function."""

    def __init__(self, function, path, environment, folder, stack):
        self.turn = threading.Lock()
        self.log = folder / f"{function.function_name}.log"
        self.read = 0
        output = stack.enter_context(self.log.open("wb"))
        self.invocations = stack.enter_context(
            running(function.handler, path, environment, float(function.timeout), isolated=True, output=output)
        )

    def written(self):
        """Return the lines that the function has written since this was last asked."""
        text = self.log.read_bytes()[self.read :]
        self.read += len(text)
        return text.decode(errors="replace").splitlines()


class Functions:
    """The functions of the account, each in a process of its own that is kept for the next event."""

    def __init__(self):
        self.endpoint = ""
        self.lock = threading.Lock()
        self.threads = ThreadPoolExecutor(4)
        self.stack, self.warm, self.later = ExitStack(), {}, []

    def close(self):
        """End all processes; functions that are invoked afterwards begin anew."""
        self.stack.close()
        self.stack, self.warm, self.later = ExitStack(), {}, []

    def find(self, region, name):
        """Return a function by its name or ARN; None where there is none."""
        wanted = name.rsplit(":", 1)[-1]
        found = (one for one in lambda_backends[ACCOUNT][region].list_functions() if one.function_name == wanted)
        return next(found, None)

    def behind(self, region, host):
        """Return the function that has the URL of `host`; None where there is none."""
        found = lambda_backends[ACCOUNT][region].list_functions()
        return next((one for one in found if one.url_config and host in one.url_config.url), None)

    def is_public(self, function):
        """Return whether its policy allows everybody both things that its URL needs."""
        return {one["Action"] for one in function.policy.statements if one["Principal"] == "*"} >= PUBLIC

    def invoke(self, function, event):
        """Return `response` or `error`, and what the function said; its log goes to CloudWatch Logs."""
        warm = self._warm(function)
        with warm.turn:
            kind, answer = warm.invocations.invoke(event)
            self._publish(function, warm.written())
        return kind, answer

    def invoke_later(self, function, event):
        self.later.append(self.threads.submit(self.invoke, function, event))

    def settled(self):
        """Wait for everything that was invoked asynchronously; return how each ended."""
        wait(self.later)
        ended, self.later = [one.result()[0] for one in self.later], []
        return ended

    def _warm(self, function):
        key = function.function_name, function.code_sha_256, json.dumps(function.environment_vars, sort_keys=True)
        with self.lock:
            if key not in self.warm:
                folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
                with zipfile.ZipFile(io.BytesIO(function.code_bytes)) as archive:
                    archive.extractall(folder / "task")
                path = [folder / "task", runtime_client(folder / "client")]
                environment = {**self._environment(function), "LAMBDA_TASK_ROOT": str(path[0])}
                self.warm[key] = Warm(function, path, environment, folder, self.stack)
            return self.warm[key]

    def _environment(self, function):
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": function.region,
            "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
            "AWS_LAMBDA_LOG_GROUP_NAME": function.logs_group_name,
            **function.environment_vars,
        }

    def _publish(self, function, lines):
        now = datetime.now(UTC)
        events = [{"timestamp": int(now.timestamp() * 1000), "message": line} for line in lines if line]
        if not events:
            return
        logs = boto3.client("logs", function.region, endpoint_url=self.endpoint)
        try:
            stream = f"{now:%Y/%m/%d}/[$LATEST]{os.urandom(8).hex()}"
            where = {"logGroupName": function.logs_group_name, "logStreamName": stream}
            logs.create_log_stream(**where)
            logs.put_log_events(**where, logEvents=events)
        finally:
            logs.close()
