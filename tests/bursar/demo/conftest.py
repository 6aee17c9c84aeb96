"""Clients of the emulated account that make one attempt a call, so that a fault is seen as it was sent."""

import pytest


@pytest.fixture
def client(aws_server):
    """Return a function that makes a client of a service; all are closed at the end of the test."""
    from boto3.session import Session
    from botocore.config import Config

    made = []

    def make(service, region="us-east-1"):
        once = Config(retries={"total_max_attempts": 1})
        found = Session().client(service, region, endpoint_url=aws_server.endpoint, config=once)
        made.append(found)
        return found

    yield make
    for one in made:
        one.close()
