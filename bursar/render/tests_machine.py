"""What came of the tests of policies, for machines: JSON, JUnit's XML, and annotations of a GitHub workflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO
from xml.etree import ElementTree as ET

from bursar.render.tests_table import evidence_text
from bursar.render.text import visible
from engine.cases.coverage import percent
from engine.cases.run import Result
from engine.errors import Place

if TYPE_CHECKING:
    from bursar.testing import Tested


def complaints(tested: Tested) -> Iterator[tuple[Place, str, str, str]]:
    """Yield everything that fails the run: place, subject, message, and the evidence where there is some."""
    for result in tested.failed:
        message = "; ".join(str(difference) for difference in result.differences)
        yield result.place, f"{result.policy}: {result.case}", message, _evidence(tested, result)
    if tested.too_little and tested.coverage is not None:
        for policy in tested.coverage:
            for condition in policy.conditions:
                if not condition.covered:
                    yield condition.place, f"{policy.policy}: coverage", f"{condition.name}: {condition.lacks}", ""
    if tested.mutation is not None:
        for mutant in tested.mutation.survivors:
            yield mutant.place, f"{mutant.name}: mutant", f"no case notices {mutant.change}", ""
        for excuse in tested.mutation.needless:
            message = f"a case notices `{excuse.document.mutant}`, or there is no such mutant"
            yield excuse.place, f"{excuse.document.policy}: needless excuse", message, ""


def _evidence(tested: Tested, result: Result) -> str:
    views = {id(difference.view): difference.view for difference in result.differences}
    return "".join(evidence_text(tested, view) for view in views.values())


def render_github(tested: Tested, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001
    """Write a workflow command for everything that fails the run, and a notice of how it ended."""
    for place, subject, message, _ in complaints(tested):
        where = f"file={_property(place.file)},line={max(place.line, 1)},col={max(place.column, 1)}"
        out.write(f"::error {where},title={_property(subject)}::{_data(message)}\n")
    failed, total = len(tested.failed), len(tested.results)
    out.write(f"::notice title=bursar test::{total - failed} of {total} cases as expected\n")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def render_junit(tested: Tested, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001
    """Write a test suite for each file, and one for what the cases leave open, where that was asked for."""
    root = ET.Element("testsuites", name="bursar test")
    for file in tested.files:
        of_file = [result for result in tested.results if result.place.file == file]
        suite = _suite(root, file, len(of_file), sum(not result.passed for result in of_file))
        for result in of_file:
            case = ET.SubElement(suite, "testcase", _texts(classname=result.policy, name=result.case))
            if not result.passed:
                message = "; ".join(str(difference) for difference in result.differences)
                told = ET.SubElement(case, "failure", _texts(message=message))
                told.text = _plain(f"{result.place}\n{_evidence(tested, result)}")
    open_ends = [found for found in complaints(tested) if not found[3]]
    if tested.mutation is not None or tested.too_little:
        suite = _suite(root, "coverage and mutants", len(open_ends), len(open_ends))
        for place, subject, message, _ in open_ends:
            case = ET.SubElement(suite, "testcase", _texts(classname=subject, name=message))
            ET.SubElement(case, "failure", _texts(message=message)).text = _plain(str(place))
    ET.indent(root)
    out.write('<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n")


def _suite(root: ET.Element, name: str, tests: int, failures: int) -> ET.Element:
    return ET.SubElement(root, "testsuite", _texts(name=name, tests=str(tests), failures=str(failures)))


def _texts(**texts: str) -> dict[str, str]:
    return {name: _plain(text) for name, text in texts.items()}


def _plain(text: str) -> str:
    """Return `text` with nothing in it that XML does not allow."""
    return "\n".join(visible(line) for line in text.splitlines())


def render_json(tested: Tested, out: TextIO, *, width: int | None, color: bool) -> None:  # noqa: ARG001
    """Write everything as one document."""
    out.write(json.dumps(_document(tested), indent=2, ensure_ascii=False) + "\n")


def _document(tested: Tested) -> dict[str, Any]:
    document: dict[str, Any] = {
        "bursar.test": 1,
        "good": tested.good,
        "files": list(tested.files),
        "policies": [policy.name for policy in tested.policies],
        "cases": [_result(tested, result) for result in tested.results],
    }
    if tested.coverage is not None:
        document["coverage"] = {
            "percent": float(percent(tested.coverage)),
            "policies": [
                {
                    "policy": policy.policy,
                    "cases": policy.cases,
                    "conditions": [
                        {
                            "condition": condition.name,
                            "place": _place(condition.place),
                            "true": condition.true,
                            "false": condition.false,
                            "unknown": condition.unknown,
                            "decided": condition.decided,
                            "covered": condition.covered,
                        }
                        for condition in policy.conditions
                    ],
                }
                for policy in tested.coverage
            ],
        }
    if tested.mutation is not None:
        document["mutants"] = _mutants(tested)
    return document


def _result(tested: Tested, result: Result) -> dict[str, Any]:
    found: dict[str, Any] = {
        "policy": result.policy,
        "case": result.case,
        "place": _place(result.place),
        "passed": result.passed,
    }
    if not result.passed:
        found["differences"] = [
            {"now": one.view.now.isoformat(), "expected": one.expected, "came": one.came} for one in result.differences
        ]
        found["evidence"] = _evidence(tested, result)
    return found


def _mutants(tested: Tested) -> dict[str, Any]:
    mutation = tested.mutation
    assert mutation is not None
    excused = [
        {"policy": mutant.name, "change": mutant.change, "reason": excuse.document.reason}
        for mutant, excuse in mutation.excused
    ]
    return {
        "tried": mutation.total,
        "noticed": mutation.killed,
        "survivors": [
            {"policy": mutant.name, "change": mutant.change, "place": _place(mutant.place)}
            for mutant in mutation.survivors
        ],
        "excused": excused,
        "needless": [
            {"policy": excuse.document.policy, "mutant": excuse.document.mutant, "place": _place(excuse.place)}
            for excuse in mutation.needless
        ],
        "not_tried": list(tested.unmutated),
    }


def _place(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}
