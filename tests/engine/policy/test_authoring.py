"""Typical authoring mistakes: each gives one precise error with line, column and hint."""

from pathlib import Path

import pytest

from actions.catalog import remediations
from bursar.zones import zone
from engine.errors import PolicyError
from engine.policy.load import load_policies
from integrations.catalog import default_catalog

FOLDER = Path(__file__).parents[2] / "cases" / "authoring"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def problems_of(name: str) -> str:
    """Return what the loader says of a case, one problem a line, as `line:column  message [code] (hint)`."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        load_policies({name: text}, default_catalog(), remediations(), zones=zone)
    return "".join(str(problem).removeprefix(f"{name}:") + "\n" for problem in caught.value.problems)


@pytest.mark.parametrize("name", CASES)
def test_mistake(name):
    """What is said of the mistake is what stands beside it."""
    assert (FOLDER / f"{name}.expected").read_text(encoding="utf-8") == problems_of(name)


@pytest.mark.parametrize("name", CASES)
def test_mistakes_have_a_place_and_a_way_out(name):
    """Every problem has a line and a column; where no hint is given the message itself says what to do."""
    for line in problems_of(name).splitlines():
        place, _, rest = line.partition("  ")
        assert all(int(number) > 0 for number in place.split(":")), line
        assert rest


def test_there_are_many():
    """The cases cover the mistakes people make."""
    assert len(CASES) >= 40
