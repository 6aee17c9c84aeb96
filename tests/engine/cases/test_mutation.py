"""Which mutants are noticed: by the cases there are, and no others."""

from engine.cases.document import SurvivorDocument
from engine.cases.mutation import Excuse, mutate
from engine.errors import Place
from tests.engine.cases.samples import ALL, INSTALLATION, cases_of, contexts
from tests.engine.estates import CATALOG


def mutation(cases, *excused, used=slice(None)):
    """
    Return what becomes of the mutants of the sample's policy.

    Args:
        excused: the changes that a file excuses.
        used: those of the cases that are asked.
    """
    found, policy, written = cases_of(cases)
    place = Place("small_test.yaml", 20, 3)
    excuses = [Excuse(SurvivorDocument(policy="small", mutant=change, reason="because"), place) for change in excused]
    stages = []
    result = mutate(
        [policy],
        {"small": found[used]},
        excuses,
        written,
        CATALOG,
        contexts,
        INSTALLATION,
        lambda stage, more: stages.append((stage, more)),
    )
    assert stages == [("mutants tried", 1)] * result.total
    return result


def test_without_cases_every_mutant_survives():
    """They come in the order of their places."""
    result = mutation(ALL, used=slice(0))
    assert result.killed == 0
    assert len(result.survivors) == result.total > 10
    assert [mutant.place for mutant in result.survivors] == sorted(mutant.place for mutant in result.survivors)


def test_what_the_cases_do_not_notice():
    """All cases together notice everything; without the one at the boundary, two changes of the boundary survive."""
    assert [mutant.change for mutant in mutation(ALL).survivors] == []
    fewer = ALL.replace(
        "  - {name: four, policy: small, resource: {from: large, fields: {vcpus: 4}}, expect: compliant}\n", ""
    )
    assert [mutant.change for mutant in mutation(fewer).survivors] == [
        "rule: `resource.vcpus > 4`: > → >=",
        "rule: `resource.vcpus > 4`: 4 → 3",
    ]


def test_an_excuse_counts_once_it_is_needed():
    """A mutant that survives is excused; an excuse of one that a case notices, or that is none, is needless."""
    fewer = ALL.replace("fields: {vcpus: 4}", "fields: {vcpus: 3}")
    result = mutation(fewer, "rule: `resource.vcpus > 4`: > → >=", "mode: notify → report", "rule: nothing")
    assert [mutant.change for mutant, _ in result.excused] == ["rule: `resource.vcpus > 4`: > → >="]
    assert [excuse.document.mutant for excuse in result.needless] == ["mode: notify → report", "rule: nothing"]
    assert [mutant.change for mutant in result.survivors] == ["rule: `resource.vcpus > 4`: 4 → 3"]
    assert result.killed == result.total - 2
