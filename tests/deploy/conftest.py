"""A cluster in the demo's account, and what a page's shell needs."""

import pytest

from tests.deploy.cluster.running import running_cluster


@pytest.fixture
def cluster(company, kubernetes_programs, tmp_path):
    """An empty cluster of one node in the demo's account."""
    server, _ = company
    with running_cluster(tmp_path, kubernetes_programs, server.endpoint) as made:
        yield made
