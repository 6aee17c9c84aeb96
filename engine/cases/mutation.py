"""Which mutants of the policies the cases notice: those that no case notices show what is not tested."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.cases.document import SurvivorDocument
from engine.cases.mutants import Mutant, mutants_of
from engine.cases.run import Case, Contexts, passes
from engine.cases.written import Written
from engine.errors import Place
from engine.kinds import Catalog
from engine.planning import Installation
from engine.policy.model import Policy
from engine.ports import Progress


@dataclass(frozen=True)
class Excuse:
    """A mutant that need not be noticed, as a test file says."""

    document: SurvivorDocument
    place: Place


@dataclass(frozen=True)
class Mutation:
    """What became of the mutants of the policies."""

    killed: int
    survivors: tuple[Mutant, ...]
    """Those no case notices and no file excuses, in the order of their places."""
    excused: tuple[tuple[Mutant, Excuse], ...]
    needless: tuple[Excuse, ...]
    """Excuses of mutants that do not exist or that a case notices."""

    @property
    def total(self) -> int:
        return self.killed + len(self.survivors) + len(self.excused)


def mutate(
    policies: Iterable[Policy],
    cases: Mapping[str, Sequence[Case]],
    excuses: Sequence[Excuse],
    written: Written,
    catalog: Catalog,
    contexts: Contexts,
    installation: Installation,
    progress: Progress,
) -> Mutation:
    """
    Return what becomes of every mutant of `policies`.

    Args:
        cases: by the name of their policy; all of them pass.
        excuses: those of the files that the cases come from.
    """
    killed = 0
    survivors: list[Mutant] = []
    excused: list[tuple[Mutant, Excuse]] = []
    wanted = {(excuse.document.policy, excuse.document.mutant): excuse for excuse in excuses}
    judged: set[str] = set()
    for policy in policies:
        judged.add(policy.name)
        order = list(cases.get(policy.name, ()))
        for mutant in mutants_of(policy, catalog, written):
            excuse = wanted.get((mutant.name, mutant.change))
            if _noticed(mutant, order, contexts, installation):
                killed += 1
            elif excuse is not None:
                excused.append((mutant, excuse))
            else:
                survivors.append(mutant)
            progress("mutants tried", 1)
    used = {id(excuse) for _, excuse in excused}
    needless = [excuse for excuse in excuses if excuse.document.policy in judged and id(excuse) not in used]
    survivors.sort(key=lambda mutant: (mutant.place, mutant.change))
    return Mutation(killed, tuple(survivors), tuple(excused), tuple(needless))


def _noticed(mutant: Mutant, order: list[Case], contexts: Contexts, installation: Installation) -> bool:
    """Return whether a case fails on `mutant`; that case is asked first the next time, as the likeliest."""
    for number, case in enumerate(order):
        if not passes(case, mutant.policy, contexts, installation):
            order.insert(0, order.pop(number))
            return True
    return False
