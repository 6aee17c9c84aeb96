"""
Policy texts to a `PolicySet`, or to every mistake of every file at once.

A front door reads the files and calls `load_policies`; nothing runs on a set with a mistake in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from engine.errors import Place, PolicyError, Problem, did_you_mean
from engine.kinds import Catalog, Kind
from engine.policy.acting import acting_problems, approval_problems
from engine.policy.checks import CHECKS, Check, Schedule
from engine.policy.document import PolicyDocument, Shared
from engine.policy.expressions import Expressions, below
from engine.policy.judgeable import check_problems
from engine.policy.model import Approval, Expression, Limits, Mode, Policy, PolicySet, Remediation
from engine.policy.remedies import Remedy, read_remedies
from engine.policy.translate import find, salvage, validate
from engine.yaml_text import BrokenNode, ListNode, MapNode, Node, Parsed, ScalarNode, parse_yaml

VERSION = "1"
FILE_KEYS = ("version", "defaults", "policies")
TEST_KEYS = ("now", "fixtures", "cases")
"""Keys of the files that test policies."""
WITHOUT_RESOURCES = frozenset({"budget", "unit_cost", "job_approval", "vector_limits"})
"""Checks about spend, jobs and collections, which need not name a kind."""
NEAR = 4
"""So many kinds are suggested in the place of one that there is not."""

Zones = Callable[[str], tzinfo]


def load_policies(
    texts: Mapping[str, str],
    catalog: Catalog,
    remediations: Mapping[str, Remediation],
    zones: Zones | None = None,
) -> PolicySet:
    """
    Return the policies of all `texts`, by file name, in order of file and position.

    Raises:
        PolicyError: with every problem of every file.
    """
    loader = _Loader(catalog, remediations, zones)
    for file in sorted(texts):
        loader.file(parse_yaml(texts[file], file), file)
    if not loader.problems and not loader.policies:
        raise PolicyError.of("nothing-loaded", "no policy was found", hint="`bursar init` writes a first one")
    if loader.problems:
        raise PolicyError(dict.fromkeys(loader.problems))
    digest = hashlib.sha256()
    for file in sorted(texts):
        digest.update(f"{file}\0{len(texts[file])}\0{texts[file]}".encode("utf-8", "surrogatepass"))
    return PolicySet(tuple(loader.policies), digest.hexdigest(), tuple(sorted(texts)))


@dataclass
class _Loader:
    """Gathers policies and problems over all files."""

    catalog: Catalog
    remediations: Mapping[str, Remediation]
    zones: Zones | None
    policies: list[Policy] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: dict[str, Place] = field(default_factory=dict)

    def add(self, code: str, message: str, place: Place, hint: str = "") -> None:
        self.problems.append(Problem(code, message, place, hint))

    def file(self, parsed: Parsed, file: str) -> None:
        """Take the policies of one file."""
        self.problems += parsed.problems
        root = parsed.root
        if root is None or isinstance(root, BrokenNode):
            if not parsed.problems:
                self.add("nothing-loaded", "the file is empty", Place(file))
            return
        if not isinstance(root, MapNode):
            hint = "begin with `version: 1` and `policies:`"
            self.add("wrong-value", "a policy file is a mapping", root.place, hint)
            return
        self.top(root)
        defaults = self.defaults(root.get("defaults"))
        policies = root.get("policies")
        if isinstance(policies, ListNode):
            if not policies.items:
                self.add("nothing-loaded", "the list of policies is empty", policies.place)
            for node in policies.items:
                _PolicyReader(self, parsed, node, defaults).read()

    def top(self, root: MapNode) -> None:
        """Check the keys of the file itself."""
        for key, _ in root.entries:
            if key.text not in FILE_KEYS:
                hint = did_you_mean(key.text, FILE_KEYS)
                if key.text in CHECKS or key.text in PolicyDocument.model_fields:
                    hint = "policies stand in a list under `policies:`"
                elif key.text in TEST_KEYS:
                    hint = "tests of policies stand in files named `*_test.yaml`"
                self.add("unknown-key", f"`{key.text}` is not a key of a policy file", key.place, hint)
        version = root.get("version")
        if version is None:
            self.add("missing-key", "the key `version` is missing", root.place, "begin the file with `version: 1`")
        elif not (isinstance(version, ScalarNode) and version.text == VERSION):
            written = f"`{version.text}`" if isinstance(version, ScalarNode) else "this"
            self.add("unsupported-version", f"{written} is not a version of the language", version.place, "write `1`")
        policies = root.get("policies")
        if policies is None:
            self.add("missing-key", "the key `policies` is missing", root.place)
        elif not isinstance(policies, ListNode | BrokenNode):
            hint = "write each policy as `- name: …`"
            self.add("wrong-value", "`policies` is a list", policies.place, hint)

    def defaults(self, node: Node | None) -> Shared | None:
        if node is None or isinstance(node, BrokenNode):
            return None
        found, problems = validate(Shared, node)
        self.problems += problems
        return found


@dataclass
class _PolicyReader:
    """Reads one policy of a file."""

    loader: _Loader
    parsed: Parsed
    node: Node
    defaults: Shared | None

    def read(self) -> None:
        loader, node = self.loader, self.node
        if isinstance(node, BrokenNode):
            return
        if not isinstance(node, MapNode):
            loader.add("wrong-value", "a policy is a mapping", node.place, "write `- name: …` and its keys below")
            return
        before = len(loader.problems)
        document, problems = validate(PolicyDocument, node)
        loader.problems += problems
        self._name(node)
        check = self._check_name(node)
        kinds = self._kinds(node, check)
        # Spend, jobs and collections have no kind of their own: they are asked for what all kinds have.
        scope = tuple(self.loader.catalog.kinds.values()) if kinds == () else kinds
        expressions = Expressions(self.parsed.source)
        where = expressions.one(node.get("where"), scope)
        unless = expressions.many(node.get("unless"), scope)
        inside = self._inside(node, check, scope, expressions)
        complete = document is not None
        if document is None:
            document = salvage(PolicyDocument, node)
        remedies, written = read_remedies(node.get("remediate"), loader.remediations)
        loader.problems += written
        if remedies:
            conditions = (where, inside.get("when"))
            expressions.lint([c for c in conditions if c is not None], unless)
        loader.problems += expressions.problems
        if document is None or kinds is None:
            return
        self._semantics(document, node, check, kinds, remedies)
        if complete and len(loader.problems) == before and check is not None:
            loader.policies.append(self._policy(document, node, check, kinds, (where, unless, inside), remedies))

    def _name(self, node: MapNode) -> None:
        name = node.get("name")
        if isinstance(name, ScalarNode) and name.text:
            other = self.loader.names.setdefault(name.text, name.place)
            if other is not name.place:
                hint = f"the other stands at {other}"
                self.loader.add("duplicate-policy", f"a second policy has the name `{name.text}`", name.place, hint)

    def _check_name(self, node: MapNode) -> str | None:
        """Return the key of the policy's check."""
        present = [key for key, _ in node.entries if key.text in CHECKS]
        if len(present) == 1:
            return present[0].text
        known = ", ".join(f"`{name}`" for name in CHECKS)
        if not present:
            if not any(did_you_mean(key.text, CHECKS) for key, _ in node.entries if key.text not in _KEYS):
                self.loader.add("check-count", "the policy has no check", node.place, f"add one of {known}")
        else:
            names = " and ".join(f"`{key.text}`" for key in present)
            hint = "split it into a policy for each"
            self.loader.add("check-count", f"the policy has {len(present)} checks, {names}", present[1].place, hint)
        return None

    def _kinds(self, node: MapNode, check: str | None) -> tuple[Kind, ...] | None:
        """Return the kinds the policy is about, as far as they are known; None where none is."""
        resource = node.get("resource")
        if resource is None:
            if check in WITHOUT_RESOURCES:
                return ()
            if check is not None:
                hint = "name a kind such as `aws.ec2.instance` or a class such as `compute.instance`"
                self.loader.add("missing-key", "the key `resource` is missing", node.place, hint)
            return None
        nodes = resource.items if isinstance(resource, ListNode) else (resource,)
        found: dict[str, Kind] = {}
        for item in nodes:
            selected = self.loader.catalog.select(item.text) if isinstance(item, ScalarNode) else ()
            found.update((kind.name, kind) for kind in selected)
            if isinstance(item, ScalarNode) and not item.null and not selected:
                self._unknown_kind(item)
        return tuple(found.values()) or None

    def _unknown_kind(self, item: ScalarNode) -> None:
        known = self.loader.catalog.selectors
        hint = did_you_mean(item.text, known)
        near = [name for name in known if item.text.lower() in name.split(".")]
        if not hint and near:
            hint = f"write such as {', '.join(f'`{name}`' for name in near[:NEAR])}"
        hint = hint or "`bursar schema kinds` lists them; most policies are about `compute.instance`"
        self.loader.add("unknown-kind", f"`{item.text}` is neither a kind nor a class", item.place, hint)

    def _inside(
        self, node: MapNode, check: str | None, kinds: tuple[Kind, ...] | None, expressions: Expressions
    ) -> dict[str, Expression]:
        """Return the expressions inside the check by their keys."""
        own = node.get(check) if check else None
        if check == "rule":
            when = own if isinstance(own, ScalarNode) else below(own, "when")
            found = expressions.one(when, kinds)
            return {"when": found} if found else {}
        if check in ("quota", "budget") and isinstance(own, MapNode):
            written = own.get("group_by")
            if written is None:
                default = parse_yaml("resource.account", "(default)")
                keys = Expressions(default.source).groups(default.root, kinds)
            else:
                keys = expressions.groups(written, kinds)
            return {f"group_by[{n}]": key for n, key in enumerate(keys)}
        return {}

    def _semantics(
        self,
        document: PolicyDocument,
        node: MapNode,
        check: str | None,
        kinds: tuple[Kind, ...],
        remedies: tuple[Remedy, ...],
    ) -> None:
        """Check what needs the catalog, the remediations or several keys at once."""
        problems = self.loader.problems
        if check is not None:
            judged = _check_of(document, check)
            problems += check_problems(check, judged, kinds, below(node, check) or node)
            if judged is not None:
                self._zone(judged, node)
        mode: Mode = _given(document, self.defaults, "mode")
        if _given(document, self.defaults, "approval") is None:
            problems += approval_problems(mode, node)
        problems += acting_problems(mode, remedies, kinds, self.loader.remediations)

    def _zone(self, check: Check, node: MapNode) -> None:
        if isinstance(check, Schedule) and self.loader.zones is not None:
            try:
                self.loader.zones(check.zone)
            except KeyError as error:
                place = find(node, ("schedule", "zone")).place
                hint = "write such as `Europe/Berlin`, `America/New_York` or `UTC`"
                if len(error.args) > 1:
                    hint = f"did you mean `{error.args[1]}`?"
                self.loader.add("wrong-value", f"`{check.zone}` is not an IANA time zone", place, hint)

    def _policy(
        self,
        document: PolicyDocument,
        node: MapNode,
        check: str,
        kinds: tuple[Kind, ...],
        expressions: tuple[Expression | None, tuple[Expression, ...], dict[str, Expression]],
        remedies: tuple[Remedy, ...],
    ) -> Policy:
        where, unless, inside = expressions
        judged = _check_of(document, check)
        assert judged is not None
        approval = _given(document, self.defaults, "approval")
        name = node.get("name")
        return Policy(
            name=document.name,
            description=document.description,
            place=name.place if name else node.place,
            severity=_given(document, self.defaults, "severity"),
            selectors=tuple(document.resource or ()),
            kinds=kinds,
            check=judged,
            mode=_given(document, self.defaults, "mode"),
            where=where,
            unless=unless,
            expressions=inside,
            grace=_given(document, self.defaults, "grace"),
            remediate=tuple(remedy.name for remedy in remedies),
            parameters={remedy.name: remedy.parameters for remedy in remedies if remedy.parameters},
            approval=approval and Approval(**approval.model_dump()),
            limits=_limits(document, self.defaults),
            controls=document.controls,
            rationale=" ".join(document.rationale.split()),
            notify=_given(document, self.defaults, "notify").model_dump(exclude_none=True),
        )


_KEYS = frozenset(PolicyDocument.model_fields) - frozenset(CHECKS)


def _check_of(document: PolicyDocument, name: str) -> Check | None:
    """Return the policy's check; None only where what was wrong of it had to be left out."""
    check: Check | None = getattr(document, name)
    return check


def _given(document: PolicyDocument, defaults: Shared | None, key: str) -> Any:
    """Return what the policy says of `key`, else the file's defaults, else the language's."""
    if key in document.model_fields_set or defaults is None:
        return getattr(document, key)
    return getattr(defaults, key)


def _limits(document: PolicyDocument, defaults: Shared | None) -> Limits:
    """Return the limits, each one from the policy, else from the file's defaults, else the language's."""
    layers = [document.limits, *((defaults.limits,) if defaults else ())]
    given: dict[str, object] = {}
    for layer in reversed(layers):
        given.update((k, v) for k, v in layer.model_dump().items() if v is not None)
    return Limits(**given)  # type: ignore[arg-type]
