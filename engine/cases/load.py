"""The text of a `*_test.yaml` file to its cases, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from engine.cases.check import Parts, case_problems
from engine.cases.document import CaseDocument, CasesDocument, ResourceDocument, SurvivorDocument
from engine.errors import Place, PolicyError, Problem
from engine.kinds import Catalog
from engine.policy.model import PolicySet, Remediation
from engine.policy.translate import find, validate
from engine.yaml_text import ListNode, MapNode, Node, parse_yaml

Model = TypeVar("Model", bound=BaseModel)


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
    if root is not None:
        parts = _parts(document, root)
        problems += case_problems(parts, root, policies, catalog, remediations)
    if document is None or root is None or problems:
        raise PolicyError(dict.fromkeys(problems))
    places = [find(root, ("cases", number, "name")).place for number in range(len(document.cases))]
    excuses = [find(root, ("survivors", number, "mutant")).place for number in range(len(document.survivors))]
    return Cases(file, document, tuple(places), tuple(excuses))


def _parts(document: CasesDocument | None, root: Node) -> Parts:
    """Return the parts of the file that have the right shape: one mistake does not hide the others."""
    if document is not None:
        return Parts(
            document.fixtures, frozenset(), tuple(enumerate(document.cases)), tuple(enumerate(document.survivors))
        )
    fixtures = root.get("fixtures") if isinstance(root, MapNode) else None
    entries = fixtures.entries if isinstance(fixtures, MapNode) else ()
    found = {key.text: validate(ResourceDocument, node)[0] for key, node in entries}
    return Parts(
        {name: fixture for name, fixture in found.items() if fixture is not None},
        frozenset(name for name, fixture in found.items() if fixture is None),
        _sound(CaseDocument, root, "cases"),
        _sound(SurvivorDocument, root, "survivors"),
    )


def _sound(model: type[Model], root: Node, key: str) -> tuple[tuple[int, Model], ...]:
    """Return the items of the list at `key` that have the right shape, with their numbers."""
    node = root.get(key) if isinstance(root, MapNode) else None
    items = node.items if isinstance(node, ListNode) else ()
    found = ((number, validate(model, item)[0]) for number, item in enumerate(items))
    return tuple((number, item) for number, item in found if item is not None)
