"""`bursar test`, from the command line."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bursar.packs import packs_folder
from tests.engine.cases.samples import ALL, FIXTURE, ONE, POLICIES

SHAPES = Path(__file__).parents[2] / "cases" / "shapes"
WRONG = ONE.replace("expect: violation, mode: notify", "expect: compliant")


@pytest.fixture
def write(here):
    """Return a function that writes a file below the current folder."""

    def write(name: str, text: str) -> None:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def small(write):
    """The sample's policies and all of its cases, in a folder."""
    write("team/small.yaml", POLICIES)
    write("team/small_test.yaml", FIXTURE + ALL)
    return write


@pytest.mark.parametrize("path", ["team", "team/small.yaml", "team/small_test.yaml", "."])
def test_a_folder_a_policy_or_its_tests(bursar, small, path):
    """Each of them runs the tests beside the policies."""
    result = bursar("test", path)
    assert (result.status, result.out) == (0, "4 cases of 1 policy in 1 file: all as expected\n")
    assert result.err == ""


def test_the_policies_of_the_configuration(bursar, small):
    """Where no path is named, they are those that `bursar.yaml` names."""
    small("bursar.yaml", "version: 1\npolicies: [team]\n")
    assert bursar("test").out == "4 cases of 1 policy in 1 file: all as expected\n"


def test_a_case_that_fails(bursar, small):
    """It is shown with its place, what was expected, what came, and what the policy read."""
    small("team/small_test.yaml", FIXTURE + WRONG)
    result = bursar("test", "team")
    assert result.status == 1
    lines = [line.strip() for line in result.out.splitlines()]
    assert lines[0] == "FAILED  team/small_test.yaml:6:12  small: large"
    assert "expected  compliant" in lines
    assert "came      violation: resource.vcpus > 4 holds" in lines
    assert "check   resource.vcpus = 5" in lines
    assert lines[-1] == "1 case of 1 policy in 1 file: 1 failed"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "there are no tests, so none ran"),
        ({"team/small_test.yaml": FIXTURE + ONE.replace("policy: small", "policy: smal")}, "did you mean `small`?"),
        ({"team/small_test.yaml": ""}, "the file is empty"),
        ({"team/small.yaml": POLICIES.replace("vcpus", "vcpu")}, "did you mean `vcpus`?"),
    ],
)
def test_what_is_never_good(bursar, write, files, said):
    """No tests, wrong tests and wrong policies are exit status 2."""
    write("team/small.yaml", POLICIES)
    for name, text in files.items():
        write(name, text)
    result = bursar("test", "team")
    assert result.status == 2
    assert said in result.err
    assert result.out == ""


def test_mistakes_of_policies_and_tests_come_together(bursar, small):
    """A wrong policy does not hide what is wrong with a test file, and the other way round."""
    small("team/small.yaml", POLICIES.replace("vcpus", "vcpu"))
    small("team/small_test.yaml", FIXTURE + ONE.replace("from: large", "from: lage"))
    result = bursar("test", "team")
    assert result.status == 2
    assert "did you mean `vcpus`?" in result.err
    assert "did you mean `large`?" in result.err
    assert "2 problems in 2 files" in result.err


def test_names_choose_cases(bursar, small):
    """`-k` looks into the names of files, policies and cases; what it does not find is an error."""
    assert bursar("test", "team", "-k", "KEPT").out == "1 case of 1 policy in 1 file: all as expected\n"
    assert bursar("test", "team", "-k", "small").out.startswith("4 cases")
    result = bursar("test", "team", "-k", "nothing like that")
    assert result.status == 2
    assert "no test has `nothing like that` in its name" in result.err


def test_policies_without_a_case(bursar, small):
    """They are counted, and nothing about them is covered."""
    other = POLICIES.replace("name: small", "name: other")
    small("team/other.yaml", other)
    result = bursar("test", "team", "--coverage")
    assert result.status == 0
    assert "1 policy has no case" in result.out
    assert "4 of 8 conditions covered: 50%" in result.out
    assert "never true, never false, never decided" in " ".join(result.out.split())


@pytest.mark.parametrize(("asked", "status"), [("50%", 0), ("50.1%", 1), ("100%", 1), ("0%", 0)])
def test_the_least_coverage(bursar, small, asked, status):
    """Half of the conditions are covered: enough for half of them and for no more."""
    small("team/other.yaml", POLICIES.replace("name: small", "name: other"))
    result = bursar("test", "team", "--min-coverage", asked)
    assert result.status == status
    assert f"covered: 50%, {asked} wanted" in result.out


@pytest.mark.parametrize("asked", ["90", "101%", "-1%", "many"])
def test_a_coverage_that_is_none(bursar, small, asked):
    """It is a percentage with its sign, from 0% to 100%."""
    assert bursar("test", "team", f"--min-coverage={asked}").status == 2


def test_mutants(bursar, small):
    """What no case notices is listed with its place and fails; a written reason excuses it, a needless one fails."""
    assert bursar("test", "team", "--mutate").status == 0
    fewer = FIXTURE + ALL.replace("fields: {vcpus: 4}", "fields: {vcpus: 3}")
    small("team/small_test.yaml", fewer)
    result = bursar("test", "team", "--mutate")
    assert result.status == 1
    assert "  team/small.yaml:8:28  rule: `resource.vcpus > 4`: 4 → 3\n" in result.out
    excuse = 'survivors:\n  - {policy: small, mutant: "rule: `resource.vcpus > 4`: 4 → 3", reason: nobody buys four}\n'
    second = '  - {policy: small, mutant: "rule: `resource.vcpus > 4`: > → >=", reason: nor sells them}\n'
    small("team/small_test.yaml", fewer + excuse + second)
    result = bursar("test", "team", "--mutate")
    assert result.status == 0
    assert "4 → 3: nobody buys four" in result.out
    small("team/small_test.yaml", FIXTURE + ALL + excuse)
    result = bursar("test", "team", "--mutate")
    assert result.status == 1
    assert "remove the excuse" in result.out


def test_mutants_of_a_policy_that_fails(bursar, small):
    """They are not tried: its cases fail anyway."""
    small("team/small_test.yaml", FIXTURE + WRONG)
    result = bursar("test", "team", "--mutate")
    assert result.status == 1
    assert "not tried: the mutants of small, of which a case fails" in result.out


def test_json(bursar, small):
    """Everything is in one document."""
    small("team/small_test.yaml", FIXTURE + WRONG)
    result = bursar("test", "team", "--coverage", "--mutate", "-f", "json")
    assert result.status == 1
    document = json.loads(result.out)
    (case,) = document["cases"]
    assert case["differences"][0]["expected"] == "compliant"
    assert case["place"] == {"file": "team/small_test.yaml", "line": 6, "column": 12}
    assert document["good"] is False
    assert document["coverage"]["percent"] == 0
    assert document["mutants"]["not_tried"] == ["small"]


def test_junit(bursar, small):
    """A suite for each file, a failure for each case that fails, and one for each mutant that survives."""
    small("team/small_test.yaml", FIXTURE + ALL.replace("fields: {vcpus: 4}", "fields: {vcpus: 3}"))
    small("team/other_test.yaml", FIXTURE + WRONG.replace("name: large", 'name: "<\\e[31m&"'))
    result = bursar("test", "team", "--mutate", "-f", "junit", "-k", "small")
    suites = {suite.get("name"): suite for suite in ET.fromstring(result.out)}
    assert suites["team/small_test.yaml"].get("failures") == "0"
    (failure,) = suites["team/other_test.yaml"].iter("failure")
    assert failure.get("message") == "expected compliant, came violation: resource.vcpus > 4 holds"
    assert "resource.vcpus = 5" in failure.text
    (case,) = suites["team/other_test.yaml"].iter("testcase")
    assert case.get("name") == "<\\x1b[31m&"


def test_github(bursar, small):
    """A workflow command stands for each failure, on its line."""
    small("team/small_test.yaml", FIXTURE + WRONG)
    result = bursar("test", "team", "-f", "github")
    message = "expected compliant, came violation: resource.vcpus > 4 holds"
    assert result.out.splitlines() == [
        f"::error file=team/small_test.yaml,line=6,col=12,title=small%3A large::{message}",
        "::notice title=bursar test::0 of 1 cases as expected",
    ]


def test_several_formats(bursar, small, here):
    """All but one go to files; two to the screen are an error."""
    assert bursar("test", "team", "-f", "json=all.json", "-f", "junit=out/all.xml").status == 0
    assert json.loads((here / "all.json").read_text())["good"] is True
    assert ET.parse(here / "out" / "all.xml").getroot().tag == "testsuites"
    assert bursar("test", "team", "-f", "json", "-f", "junit").status == 2
    assert bursar("test", "team", "-f", "csv").status == 2


def test_shapes_of_work(bursar):
    """What the idle check says of each shape of work is what the shapes say."""
    result = bursar("test", str(SHAPES))
    assert result.status == 0, result.out
    assert int(result.out.split()[0]) >= 20


def test_the_how_to(bursar, write):
    """The example of the documentation holds for the shipped policy of that name."""
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "test-policies.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    write("policies/gpus.yaml", (packs_folder() / "idle" / "gpus.yaml").read_text(encoding="utf-8"))
    write("policies/gpus_test.yaml", example)
    result = bursar("test", "policies", "-k", "stop-idle")
    assert result.out == "2 cases of 1 policy in 1 file: all as expected\n", result.out + result.err
