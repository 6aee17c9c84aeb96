"""The command line: what it loads, how it fails, what it says."""

import subprocess
import sys

import pytest

from bursar.cli import COMMANDS, cli

HEAVY = ("boto3", "botocore", "moto", "psycopg", "rich", "pydantic", "sqlalchemy", "tenacity", "yaml")


def loaded_by(code: str) -> set[str]:
    """Return the top-level modules that are loaded after `code` ran in a new interpreter."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted({{n.partition('.')[0] for n in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_command_line_loads_no_sdk():
    """Importing the command line loads neither an SDK nor a library that a command may need."""
    assert loaded_by("import bursar.cli") & set(HEAVY) == set()


def test_version_loads_no_sdk():
    """`--version` answers without them."""
    code = "import bursar.cli\ntry: bursar.cli.main(['--version'])\nexcept SystemExit: pass"
    assert loaded_by(code) & set(HEAVY) == set()


def test_validate_loads_no_sdk():
    """Checking fifty policies loads no SDK and no terminal library."""
    code = "import bursar.cli\ntry: bursar.cli.main(['validate', '-q', 'pack:all'])\nexcept SystemExit: pass"
    assert loaded_by(code) & {"boto3", "botocore", "moto", "rich", "sqlalchemy"} == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_exists_and_helps(bursar, name):
    """Each command of the table has help with a first line."""
    ran = bursar(name, "--help")
    assert ran.status == 0
    assert f"Usage: bursar {name}" in ran.out


def test_help_lists_commands_and_statuses(bursar):
    """`--help` shows every command and the exit statuses."""
    ran = bursar("--help")
    assert [name for name in COMMANDS if f"  {name} " not in ran.out] == []
    assert "incomplete: something could not be read" in ran.out
    assert list(cli.list_commands(None)) == list(COMMANDS)


def test_unknown_command(bursar):
    """A misspelt command is an error with the nearest one."""
    ran = bursar("plna")
    assert ran.status == 2
    assert "Did you mean `plan`?" in ran.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["plan", "-f", "xml"], "`xml` is not a format"),
        (["plan", "-f", "json="], "names no file"),
        (["plan", "--now", "yesterday"], "is not a time"),
        (["plan", "--now", "2026-03-04T16:00:00"], "has no zone"),
        (["plan", "--now", "2026-03-04"], "write 2026-03-04T00:00:00Z for UTC"),
        (["audit", "list", "--since", "yesterday"], "is neither such as 7d nor a time such as"),
        (["snooze", "abcdef", "--for", "3"], "write a unit, such as `3h`"),
        (["plan", "--fail-on", "awful"], "awful"),
        (["explain"], "RESOURCE|FINDING"),
    ],
)
def test_bad_usage(bursar, here, args, said):
    """Usage that cannot be understood is status 2 and says what is wrong."""
    ran = bursar(*args)
    assert ran.status == 2
    assert said in ran.err


def test_a_closed_pipe_is_no_failure():
    """`bursar schema | head -1` ends quietly."""
    command = f"{sys.executable} -m bursar schema | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("{\n", "")
