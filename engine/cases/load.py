"""The text of a `*_test.yaml` file to its cases, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.cases.check import case_problems
from engine.cases.document import CasesDocument
from engine.errors import Place, PolicyError, Problem
from engine.kinds import Catalog
from engine.policy.model import PolicySet, Remediation
from engine.policy.translate import find, validate
from engine.yaml_text import parse_yaml


@dataclass(frozen=True)
class Cases:
    """One file of cases, with where each stands."""

    file: str
    document: CasesDocument
    places: tuple[Place, ...]
    """Of each case's name."""
    excuses: tuple[Place, ...]
    """Of each entry of `survivors`."""


def load_cases(
    text: str, file: str, policies: PolicySet | None, catalog: Catalog, remediations: Mapping[str, Remediation]
) -> Cases:
    """
    Return the cases in `text`, which are about `policies`.

    Without `policies`, which are then wrong themselves, what a case says of its policy stays unchecked.

    Raises:
        PolicyError: with every problem of the file.
    """
    parsed = parse_yaml(text, file)
    problems = list(parsed.problems)
    document, root = None, parsed.root
    if root is not None:
        document, wrong = validate(CasesDocument, root)
        problems += wrong
    elif not problems:
        problems.append(Problem("nothing-loaded", "the file is empty", Place(file)))
    if document is not None and root is not None:
        problems += case_problems(document, root, policies, catalog, remediations)
    if document is None or root is None or problems:
        raise PolicyError(dict.fromkeys(problems))
    places = [find(root, ("cases", number, "name")).place for number in range(len(document.cases))]
    excuses = [find(root, ("survivors", number, "mutant")).place for number in range(len(document.survivors))]
    return Cases(file, document, tuple(places), tuple(excuses))
