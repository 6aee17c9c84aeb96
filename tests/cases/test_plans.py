"""
End-to-end cases as data: each folder of `plans/` has policies, a recorded estate and what is expected of them. It runs
through the library, through the command line and through the handler that Lambda calls, and all have to agree.
"""

import io
import json
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bursar.cli import main
from bursar.config import Config, read_config
from bursar.exit_status import exit_status
from bursar.lambdas.schedule import handler
from bursar.render.encode import plan_of
from bursar.wiring import Choice, context_at, open_estate, set_up
from engine.planning import run
from integrations.catalog import default_catalog

FOLDER = Path(__file__).parent / "plans"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


def outline(status: int, plan: dict) -> dict:
    """Return what a case says of a plan: names in order."""

    def named(part: str, first: str) -> list[str]:
        return sorted(f"{entry[first]} {entry['subject']['name']}" for entry in plan[part])

    return {
        "status": status,
        "findings": named("findings", "policy"),
        "undecided": named("undecided", "policy"),
        "exempt": named("exempt", "policy"),
        "steps": named("steps", "remediation"),
        "withheld": named("withheld", "remediation"),
        "holds": [" ".join(hold[key] for key in ("policy", "limit", "allowed", "wanted")) for hold in plan["holds"]],
    }


def by_library(folder: Path) -> dict:
    config = folder / "bursar.yaml"
    read = read_config(config, default_catalog()) if config.exists() else Config()
    choice = Choice(
        policies=(str(folder / "policies.yaml"),),
        config=config if config.exists() else None,
        estate=folder / "estate.jsonl",
    )
    setup = set_up(choice)
    with open_estate(choice, read) as (estate, now):
        plan = run(setup.policies, estate, context_at(now, read), setup.installation)
    return outline(exit_status(plan, None), plan_of(plan))


def by_command(folder: Path) -> dict:
    arguments = ["plan", "-p", str(folder / "policies.yaml"), "--estate", str(folder / "estate.jsonl"), "-f", "json"]
    if (folder / "bursar.yaml").exists():
        arguments += ["-c", str(folder / "bursar.yaml")]
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(arguments)
    return outline(int(ended.value.code or 0), json.loads(out.getvalue()))


def by_lambda(folder: Path) -> dict:
    with TemporaryDirectory() as root, pytest.MonkeyPatch.context() as patch:
        config = Path(root) / "config"
        (config / "policies").mkdir(parents=True)
        shutil.copy(folder / "policies.yaml", config / "policies")
        given = folder / "bursar.yaml"
        (config / "bursar.yaml").write_text(given.read_text("utf-8") if given.exists() else "version: 1\n", "utf-8")
        patch.setenv("LAMBDA_TASK_ROOT", root)
        patch.setenv("BURSAR_ESTATE", str(folder.absolute() / "estate.jsonl"))
        # The answer as it leaves the function.
        answer = json.loads(json.dumps(handler({"do": "plan"}, None)))
    return outline(answer["status"], answer["plan"])


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("door", [by_library, by_command, by_lambda], ids=["library", "command", "lambda"])
def test_case(name, door):
    """The plan is the expected one, through every door."""
    assert door(FOLDER / name) == json.loads((FOLDER / name / "expected.json").read_text(encoding="utf-8"))


def test_there_are_cases():
    """No folder went missing."""
    assert len(CASES) >= 9
