"""Machines with a fake NVIDIA driver under NVIDIA's own binding."""

from contextlib import ExitStack

import pytest

from tests.fake_nvml import Samples


@pytest.fixture
def sampled(driver):
    """Return a function that takes a sample of the GPUs given as lines; the process stays the same."""
    with ExitStack() as stack:
        held = []

        def take(*gpus):
            driver.set(*gpus)
            if not held:
                held.append(Samples(driver))
                stack.callback(held[0].close)
            return held[0].next()

        yield take
