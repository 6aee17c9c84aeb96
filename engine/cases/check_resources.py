"""What is wrong with the resources and fixtures of a file of cases: names against the kinds' declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.cases.build import PARTS, flattened
from engine.cases.document import ResourceDocument
from engine.errors import Problem, did_you_mean
from engine.kinds import Catalog, Kind
from engine.policy.scalars import Null
from engine.policy.translate import Location, find
from engine.yaml_text import Node


@dataclass(frozen=True)
class ResourceChecks:
    """Checks the resources of one file."""

    fixtures: Mapping[str, ResourceDocument]
    broken: frozenset[str]
    """Fixtures that have problems of their own."""
    root: Node
    catalog: Catalog

    def problems(self, document: ResourceDocument, at: Location) -> Iterator[Problem]:
        """Yield what is wrong with the resource or fixture that stands at `at`."""
        if self._is_broken(document):
            return
        problem = self._base_problem(document, at)
        if problem is not None:
            yield problem
            return
        name = self.kind_of(document)
        kind = self.catalog.kinds.get(name)
        if kind is None:
            yield self._kind_problem(name, at)
            return
        yield from self._names(document, kind, at)
        yield from self._lacking(document, at)
        if document.base and document.kind:
            yield from self._misfits(document, kind, at)

    def kind_of(self, document: ResourceDocument) -> str:
        """Return the kind's name, its own or its base's; empty where there is none."""
        seen: set[str] = set()
        while not document.kind and document.base in self.fixtures and document.base not in seen:
            seen.add(document.base)
            document = self.fixtures[document.base]
        return document.kind

    def _is_broken(self, document: ResourceDocument) -> bool:
        """Return whether it is made from a fixture whose shape is wrong."""
        seen: set[str] = set()
        while document.base in self.fixtures and document.base not in seen:
            seen.add(document.base)
            document = self.fixtures[document.base]
        return document.base in self.broken

    def _problem(self, code: str, message: str, at: Location, hint: str = "") -> Problem:
        return Problem(code, message, find(self.root, at).place, hint)

    def _named(self, code: str, word: str, what: str, known: Iterable[str], at: Location) -> Problem:
        names = list(known)
        hint = did_you_mean(word, names) or f"there are {', '.join(f'`{name}`' for name in names[:20])}"
        return self._problem(code, f"`{word}` is not {what}", at, hint if names else "")

    def _base_problem(self, document: ResourceDocument, at: Location) -> Problem | None:
        seen: list[str] = []
        current = document
        while current.base:
            if current.base in seen:
                return self._problem("wrong-value", f"the fixtures {' → '.join((*seen, current.base))} go round", at)
            if current.base not in self.fixtures:
                # A fixture whose own base is missing is told where that fixture stands.
                where = (*at, "from") if current is document else ("fixtures", seen[-1], "from")
                return self._named("not-found", current.base, "a fixture", self.fixtures, where)
            seen.append(current.base)
            current = self.fixtures[current.base]
        return None

    def _kind_problem(self, name: str, at: Location) -> Problem:
        if not name:
            hint = "name a kind such as `aws.ec2.instance`, or a fixture with `from`"
            return self._problem("missing-key", "the resource has no `kind`", at, hint)
        if self.catalog.select(name):
            kinds = ", ".join(f"`{kind.name}`" for kind in self.catalog.select(name))
            return self._problem(
                "unknown-kind", f"`{name}` is a class: a resource is of one kind", at, f"one of {kinds}"
            )
        hint = did_you_mean(name, self.catalog.kinds)
        return self._problem("unknown-kind", f"`{name}` is not a kind", (*at, "kind"), hint)

    def _names(self, document: ResourceDocument, kind: Kind, at: Location) -> Iterator[Problem]:
        """Yield the names of `document` itself that `kind` does not declare."""
        of_kind = f"of `{kind.name}`"
        for name, value in document.fields.items():
            where = (*at, "fields", name)
            if name not in kind.field_by_name:
                yield self._named("unknown-field", name, f"a field {of_kind}", kind.field_by_name, where)
            elif not isinstance(value, str | list | Null):
                yield self._problem("wrong-value", f"`{name}` is neither a text nor a list", where)
        for name in document.metrics:
            where = (*at, "metrics", name)
            metric = kind.metric_by_name.get(name)
            sent = [m.name for m in kind.metrics if not m.derived_from]
            if metric is None:
                yield self._named("unknown-metric", name, f"a metric {of_kind}", sent, where)
            elif metric.derived_from:
                message = f"`{name}` is computed and never sent"
                yield self._problem("wrong-value", message, where, f"write the samples of `{metric.derived_from}`")
        groups = {"core", "tags", *(f.group for f in kind.fields), *(f"metrics.{m.signal}" for m in kind.metrics)}
        for group in document.gaps:
            if group not in groups:
                what = f"a group of fields {of_kind}"
                yield self._named("wrong-value", group, what, sorted(groups), (*at, "gaps", group))

    def _lacking(self, document: ResourceDocument, at: Location) -> Iterator[Problem]:
        """Yield what `document` does without that its base does not have."""
        there: list[str] = []
        if document.base:
            base = flattened(self.fixtures[document.base], self.fixtures)
            there = [f"{part}.{key}" for part in PARTS for key in getattr(base, part)]
        for number, path in enumerate(document.without):
            if path not in there:
                place = find(self.root, (*at, "without", number)).place
                owner = f"`{document.base}` has" if document.base else "without `from` there is"
                yield Problem("not-found", f"{owner} no `{path}` to do without", place, did_you_mean(path, there))

    def _misfits(self, document: ResourceDocument, kind: Kind, at: Location) -> Iterator[Problem]:
        """Yield what is taken over from a base of another kind and does not fit."""
        whole = flattened(document, self.fixtures)
        taken = [f"fields.{name}" for name in whole.fields if name not in (*kind.field_by_name, *document.fields)]
        taken += [f"metrics.{name}" for name in whole.metrics if name not in (*kind.metric_by_name, *document.metrics)]
        for path in taken:
            message = f"`{document.base}` brings `{path}`, which `{kind.name}` does not have"
            yield self._problem("wrong-value", message, (*at, "kind"), f"add `without: [{path}]`")
