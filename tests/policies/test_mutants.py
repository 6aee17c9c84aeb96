"""The shipped cases notice every small change to the shipped policies, or say why they need not."""

from bursar.config import Config
from bursar.packs import packs_folder
from bursar.testing import Wanted, run_tests
from engine.cases.coverage import percent


def test_no_mutant_survives_and_every_condition_is_covered():
    """Every mutant is noticed or has a written reason, no reason is needless, and every condition decided once."""
    wanted = Wanted(coverage=True, mutate=True)
    tested = run_tests(Config(), [str(packs_folder())], wanted, lambda _stage, _more: None)
    assert tested.failed == ()
    assert [f"{m.place} {m.name} {m.change}" for m in tested.mutation.survivors] == []
    assert [f"{excuse.place} {excuse.document.mutant}" for excuse in tested.mutation.needless] == []
    assert len(tested.mutation.excused) <= tested.mutation.total / 50
    assert percent(tested.coverage) == 100
