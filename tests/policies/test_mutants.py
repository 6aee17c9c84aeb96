"""The shipped cases notice every small change to the shipped policies, or say why they need not."""

from functools import cache

from actions.catalog import remediations
from bursar.config import Config
from bursar.loading import load_texts
from bursar.packs import packs_folder
from bursar.testing import Wanted, run_tests
from bursar.wiring import context_at
from engine.cases.coverage import percent
from engine.cases.load import load_cases
from engine.cases.mutants import mutants_of
from engine.cases.run import built
from engine.cases.written import Written
from engine.evaluate import Tallies, compile_policies, judge_groups, judge_items
from engine.findings import Outcome
from integrations.catalog import default_catalog
from integrations.policy_files import read_policies, read_tests

REMEDIATIONS = remediations()


def test_no_mutant_survives_and_every_condition_is_covered():
    """Every mutant is noticed or has a written reason, no reason is needless, and every condition decided once."""
    wanted = Wanted(coverage=True, mutate=True)
    tested = run_tests(Config(), [str(packs_folder())], wanted, lambda _stage, _more: None)
    assert tested.failed == ()
    assert [f"{mutant.place} {mutant.name} {mutant.change}" for mutant in tested.mutation.survivors] == []
    assert [f"{excuse.place} {excuse.document.mutant}" for excuse in tested.mutation.needless] == []
    assert len(tested.mutation.excused) <= tested.mutation.total / 50
    assert percent(tested.coverage) == 100


def test_mutants_decide():
    """A mutant differs in its verdicts: none is noticed for failing on a resource."""
    texts, context = read_policies([packs_folder()]), cache(lambda now: context_at(now, Config()))
    written, policies, catalog = Written.of(texts), load_texts(texts), default_catalog()
    by_name = {policy.name: policy for policy in policies.policies}
    first = {}
    for file, text in read_tests([packs_folder()]).items():
        for case in built(load_cases(text, file, policies, catalog, REMEDIATIONS), by_name, catalog):
            first.setdefault(case.document.policy, case.views[0])
    failed, tried = [], 0
    for policy in policies.policies:
        view = first[policy.name]
        for mutant in mutants_of(policy, catalog, written):
            compiled, tallies = compile_policies((mutant.policy,), context(view.now)), Tallies()
            verdicts = [verdict for _, _, verdict in judge_items(compiled, view.items, tallies)]
            verdicts += [verdict for _, verdict in judge_groups(compiled, tallies)]
            failed += [f"{mutant.name}: {mutant.change}: {v.summary}" for v in verdicts if v.outcome is Outcome.ERROR]
            tried += 1
    assert failed == []
    assert tried > 500
