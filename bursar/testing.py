"""Policies and the tests beside them to what came of the tests: all that `bursar test` shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from actions.catalog import remediations
from bursar.config import Config
from bursar.loading import load_texts, source_paths
from bursar.wiring import context_at
from engine.cases.coverage import PolicyCoverage, cover, percent
from engine.cases.load import Cases, load_cases
from engine.cases.mutation import Excuse, Mutation, mutate
from engine.cases.run import Case, Contexts, Result, built, explain_view, judge
from engine.cases.written import Written
from engine.errors import ConfigError, PolicyError, Problem
from engine.explaining import Answers
from engine.planning import Installation
from engine.policy.model import Policy, PolicySet
from engine.ports import Progress
from integrations.catalog import default_catalog
from integrations.policy_files import is_test, read_policies, read_tests, tests_beside


@dataclass(frozen=True)
class Wanted:
    """What to do beside running the cases."""

    only: str = ""
    """Cases whose file, policy or name holds this text, whatever its case; all of them where it is empty."""
    coverage: bool = False
    minimum: Decimal | None = None
    """Percent of the conditions that have to be covered."""
    mutate: bool = False


@dataclass(frozen=True)
class Tested:
    """What came of a run of tests."""

    results: tuple[Result, ...]
    evidence: Mapping[int, Answers]
    """What is behind each verdict that is not as expected, by the `id` of its view."""
    files: tuple[str, ...]
    policies: tuple[Policy, ...]
    """Those that were looked at, with cases or without."""
    coverage: tuple[PolicyCoverage, ...] | None
    minimum: Decimal | None
    mutation: Mutation | None
    unmutated: tuple[str, ...]
    """Policies whose mutants were not tried: a case of theirs fails."""

    @property
    def failed(self) -> tuple[Result, ...]:
        return tuple(result for result in self.results if not result.passed)

    @property
    def too_little(self) -> bool:
        """Whether fewer conditions are covered than asked for."""
        return self.minimum is not None and self.coverage is not None and percent(self.coverage) < self.minimum

    @property
    def good(self) -> bool:
        mutants = self.mutation is not None and bool(self.mutation.survivors or self.mutation.needless)
        return not (self.failed or self.too_little or mutants)


@dataclass(frozen=True)
class _Loaded:
    policies: PolicySet
    texts: Mapping[str, str]
    named: frozenset[str]
    """Files whose policies were asked for, whether or not a case speaks of them."""
    files: tuple[Cases, ...]


def run_tests(config: Config, sources: Sequence[str], wanted: Wanted, progress: Progress) -> Tested:
    """
    Return what came of the tests beside the policies of `sources`, or of those of the configuration.

    Raises:
        PolicyError: with every mistake of every policy and test file.
        ConfigError: where there is no test to run.
    """
    loaded = _load(source_paths(config, sources))
    by_name = {policy.name: policy for policy in loaded.policies.policies}
    chosen = [case for file in loaded.files for case in _chosen(file, by_name, wanted.only)]
    if not chosen:
        raise _no_tests(loaded, wanted.only, sources)
    contexts: Contexts = cache(lambda now: context_at(now, config))
    installation = Installation(remediations())
    results: list[Result] = []
    evidence: dict[int, Answers] = {}
    cases: dict[str, list[Case]] = {}
    for case in chosen:
        policy = by_name[case.document.policy]
        result = judge(case, policy, contexts, installation)
        results.append(result)
        cases.setdefault(policy.name, []).append(case)
        for difference in result.differences:
            evidence[id(difference.view)] = explain_view(difference.view, policy, contexts)
        progress("cases run", 1)
    looked_at = tuple(
        p for p in by_name.values() if p.name in cases or (not wanted.only and p.place.file in loaded.named)
    )
    written = Written.of(loaded.texts)
    coverage = None
    if wanted.coverage or wanted.minimum is not None:
        coverage = cover(looked_at, cases, written, contexts, progress)
    failing = {result.policy for result in results if not result.passed}
    mutation = None
    if wanted.mutate:
        sound = [policy for policy in looked_at if policy.name not in failing]
        excuses = [excuse for file in loaded.files for excuse in _excuses(file)]
        catalog = default_catalog()
        mutation = mutate(sound, cases, excuses, written, catalog, contexts, installation, progress)
    return Tested(
        tuple(results),
        evidence,
        tuple(file.file for file in loaded.files),
        looked_at,
        coverage,
        wanted.minimum,
        mutation,
        tuple(sorted(failing)) if wanted.mutate else (),
    )


def _load(paths: Sequence[Path]) -> _Loaded:
    """Return policies and cases; a test file stands for itself, and needs the policies of its folder."""
    asked = [path for path in paths if not is_test(path)]
    folders = list(dict.fromkeys(path.parent for path in paths if is_test(path)))
    tests = [
        found for path in paths for found in (tests_beside(path) if path.is_file() and not is_test(path) else (path,))
    ]
    problems: list[Problem] = []
    named: dict[str, str] = {}
    texts: dict[str, str] = {}
    sources: dict[str, str] = {}
    policies = None
    try:
        sources = read_tests(tests)
    except PolicyError as error:
        problems += error.problems
    try:
        named = read_policies(asked)
        texts = {**read_policies(folders), **named}
        policies = load_texts(texts)
    except PolicyError as error:
        problems += error.problems
    files = []
    for file, text in sources.items():
        try:
            files.append(load_cases(text, file, policies, default_catalog(), remediations()))
        except PolicyError as error:
            problems += error.problems
    if problems or policies is None:
        raise PolicyError(dict.fromkeys(problems))
    return _Loaded(policies, texts, frozenset(named), tuple(files))


def _chosen(file: Cases, policies: Mapping[str, Policy], only: str) -> Iterator[Case]:
    for case in built(file, policies, default_catalog()):
        names = (file.file, case.document.policy, case.document.name)
        if not only or any(only.casefold() in name.casefold() for name in names):
            yield case


def _excuses(file: Cases) -> Iterator[Excuse]:
    for document, place in zip(file.document.survivors, file.excuses, strict=True):
        yield Excuse(document, place)


def _no_tests(loaded: _Loaded, only: str, sources: Sequence[str]) -> ConfigError:
    if loaded.files:
        hint = "it is looked for in the names of files, policies and cases"
        return ConfigError.of("nothing-loaded", f"no test has `{only}` in its name", where="-k", hint=hint)
    hint = "tests of `gpus.yaml` stand beside it, in `gpus_test.yaml`"
    return ConfigError.of("nothing-loaded", "there are no tests, so none ran", where=", ".join(sources), hint=hint)
