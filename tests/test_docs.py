"""What the documentation says is so."""

import re
from pathlib import Path

import pytest

from bursar.cli import COMMANDS
from bursar.exit_status import DONE, FAILED, FOUND, HELD, INCOMPLETE, USAGE
from bursar.reference.pages import pages
from engine.cases.document import CaseDocument, CasesDocument, ResourceDocument, SurvivorDocument, UsageDocument
from engine.codes import CODES
from engine.expr.calls import FUNCTIONS, METHODS
from engine.values import Reason

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", sorted(pages()))
def test_reference_pages_are_current(name):
    """The generated pages in the repository are what the program writes: `make docs` writes them anew."""
    assert pages()[name] == (DOCS / "reference" / name).read_text(encoding="utf-8")


def test_every_command_is_documented():
    """Every command has a section with its help."""
    text = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## bursar {name}\n" not in text] == []


def test_every_error_code_is_documented():
    """Every code has a row."""
    text = (DOCS / "reference" / "errors.md").read_text(encoding="utf-8")
    assert [code for code in CODES if f"| `{code}` |" not in text] == []


def test_every_code_in_the_program_is_a_known_one():
    """No message carries a code that is not in the table, and no code in the table is never used."""
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("bursar", "engine", "integrations", "actions")
        for path in (ROOT / folder).rglob("*.py")
        if path.name != "codes.py"
    )
    used = set(
        re.findall(
            r"""(?:Problem|\.of|fail|\badd|_report|_stop|_bad|accuse)\(\s*["']([a-z]+(?:-[a-z]+)+)["']""", sources
        )
    )
    assert used - set(CODES) == set()
    assert [code for code in CODES if f'"{code}"' not in sources] == []


def test_expressions_are_documented():
    """Every function, method and reason of not knowing is on the page of expressions."""
    text = (DOCS / "reference" / "expressions.md").read_text(encoding="utf-8")
    assert [word for word in (*FUNCTIONS, *METHODS) if f"{word}(" not in text and f"`{word}`" not in text] == []
    assert [reason.value for reason in Reason if f"| `{reason.value}` |" not in text] == []


def test_exit_statuses_are_documented():
    """Every exit status has a row."""
    text = (DOCS / "reference" / "outputs.md").read_text(encoding="utf-8")
    assert [s for s in (DONE, FOUND, USAGE, INCOMPLETE, HELD, FAILED) if f"| {s} |" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Every relative link is a file or folder of the repository."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]
    assert [link for link in relative if not (page.parent / link).exists()] == []


def test_threats_name_tests_that_exist():
    """Every test that the table of threats names is there; threats of other people's branches alone have no row."""
    text = (DOCS / "explanation" / "safety.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) >= 60
    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text("utf-8")]
    assert missing == []
    rows = {int(number) for number in re.findall(r"^\| T(\d+) \|", text, re.MULTILINE)}
    assert rows == {*range(1, 50), 52, 54, 55}


def test_decisions_have_numbers_in_order():
    """Decisions are numbered from one without a gap."""
    numbers = [int(path.name[:4]) for path in sorted((DOCS / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


def test_keys_of_test_files_are_documented():
    """Every key of a test file, a case, a resource and a reason for a survivor is on the page of test files."""
    text = (DOCS / "reference" / "test-files.md").read_text(encoding="utf-8")
    models = (CasesDocument, CaseDocument, ResourceDocument, UsageDocument, SurvivorDocument)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert [key for key in sorted(keys) if f"`{key}`" not in text] == []
