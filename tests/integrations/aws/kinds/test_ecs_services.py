"""ECS services, as recorded."""

from engine.values import Unknown
from tests.integrations.aws.replayed import only, replay

KIND = "aws.ecs.service"


def test_a_service_with_gpus():
    """Two of three tasks run, with four GPUs each; the machines under them are charged for."""
    llm = replay(KIND).resources["llm"]
    assert llm.fields["accelerator.count"] == 8
    assert llm.fields["task_definition"] == "llm:7"
    assert llm.fields["cluster"] == "serving"
    assert llm.usage == ()


def test_a_service_at_rest():
    """No task, no accelerator, and a capacity provider in the place of a launch type."""
    web = replay(KIND).resources["web"]
    assert web.fields["running"] is False
    assert web.fields["accelerator.count"] == 0
    assert "launch_type" not in web.fields
    assert isinstance(web.usage, Unknown)


def test_tags_are_asked_for_only_if_needed():
    """And then the absence of tags says nothing."""
    reading = replay(KIND, only(KIND, "hardware"))
    assert "tags" in reading.resources["llm"].gaps
    assert reading.resources["llm"].tags == {}
