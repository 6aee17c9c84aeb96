"""What every test shares: an environment without credentials, and an emulated AWS account on demand."""

import itertools
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from shutil import which

import pytest
from hypothesis import settings

from bursar.demo.process import Server, running_server
from integrations.store.addresses import PostgresAddress
from tests.fake_nvml import FakeDriver, build

ROOT = Path(__file__).parents[1]
NUMBERS = itertools.count(1)
# One commit gets one answer: the suite's examples are fixed by the tests themselves; `make fuzz` draws new ones.
settings.register_profile("suite", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, print_blob=True)
settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def no_credentials():
    """Replace every `AWS_*` variable by dummies, so that no test can reach or depend on a real account."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            patch.delenv(name, raising=False)
        yield


@pytest.fixture(scope="session")
def aws_server(no_credentials) -> Server:
    """One emulated AWS account for the whole session; what is in it is what tests left there."""
    if find_spec("moto") is None:
        pytest.skip("NOT TESTED: `moto` is not installed, so nothing that speaks to AWS was tested")
    with running_server() as server:
        yield server


@pytest.fixture
def aws(aws_server) -> Server:
    """The emulated account, empty and without faults."""
    aws_server.reset()
    return aws_server


@pytest.fixture(scope="module")
def company(aws_server):
    """The demo's company, built once for a module; returns server and blueprint."""
    from bursar.demo.company import build

    return aws_server, build(aws_server.endpoint, datetime.now(UTC).replace(microsecond=0))


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The folder of the socket of a real PostgreSQL server."""
    from tests.integrations.store.postgres_server import running_postgres

    with running_postgres() as folder:
        yield folder


@pytest.fixture
def postgres_address(postgres_socket) -> PostgresAddress:
    """The address of an empty schema: a database for each test would be a thousand files for each."""
    import psycopg

    name = f"bursar_{next(NUMBERS)}"
    with psycopg.connect(host=str(postgres_socket), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    options = (("host", str(postgres_socket)), ("options", f"-c search_path={name}"))
    return PostgresAddress("postgres", "", None, "postgres", options)


@pytest.fixture(scope="session")
def nvml_libraries(tmp_path_factory) -> dict[str, Path]:
    """The fake NVIDIA library, as of a new driver and of an old one."""
    if which("gcc") is None or find_spec("pynvml") is None:
        pytest.skip("NOT TESTED: `gcc` or `nvidia-ml-py` is missing, so nothing that speaks to the driver was tested")
    folder = tmp_path_factory.mktemp("nvml")
    return {"new": build(folder / "new"), "old": build(folder / "old", "-DOLD")}


@pytest.fixture
def driver(nvml_libraries, tmp_path) -> FakeDriver:
    """A machine without a GPU as yet."""
    made = FakeDriver(nvml_libraries["new"], tmp_path / "nvml.state")
    made.set()
    return made


@pytest.fixture(scope="session")
def custodian() -> Path:
    """The folder of Cloud Custodian's programs, which `make custodian` installs in a place of its own."""
    untested = "Cloud Custodian could not be installed, so nothing was compared with it"
    return _made("custodian", ".venv-custodian", untested) / "bin"


@pytest.fixture(scope="session")
def prometheus_programs() -> Path:
    """The folder of `prometheus` and `promtool`, which `make prometheus` gets from the distribution."""
    untested = "no Prometheus server can be had, so no telemetry was read from one"
    return _made("prometheus", ".prometheus", untested) / "bin"


@pytest.fixture(scope="session")
def browser_folder() -> Path:
    """The folder of Chromium and axe, which `make browser` installs."""
    return _made("browser", ".browser", "no Chromium can be had, so no browser looked at the page")


@pytest.fixture(scope="session")
def kubernetes_programs() -> Path:
    """The folder of `kubectl`, `helm` and `bwrap`, which `make kubernetes` installs."""
    untested = "no kubectl and helm can be had, so nobody followed the page on Kubernetes"
    return _made("kubernetes", ".kubernetes", untested) / "bin"


@pytest.fixture(scope="session")
def aws_tools() -> Path:
    """The folder of AWS's own command lines, `aws` and `sam`, which `make aws-tools` installs."""
    untested = "the AWS CLI and SAM CLI could not be installed, so nothing was deployed"
    return _made("aws-tools", ".aws-tools", untested) / "bin"


def _made(target: str, folder: str, untested: str) -> Path:
    """Let make install something into `folder`, and return that; skip, saying what is `untested`, where it cannot."""
    failed = _failure(target, ROOT / f"{folder}.lock")
    if failed:
        pytest.skip(f"NOT TESTED: {untested}: {failed}")
    return ROOT / folder


def _failure(target: str, lock: Path) -> str:
    """Let make install something; return why it could not, empty where it did."""
    import fcntl

    with lock.open("w") as held:
        # Several workers may want it at once.
        fcntl.flock(held, fcntl.LOCK_EX)
        try:
            done = subprocess.run(
                ["make", "--silent", target], cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if not done.returncode:
        return ""
    return (done.stderr.strip().splitlines() or ["no reason given"])[-1]


FIGURES = "figures"


@pytest.fixture
def figures(record_property):
    """Return a function that takes a line of what a test measured; the run's summary shows it, whoever ran the test."""

    def told(line: str) -> None:
        record_property(FIGURES, line)

    return told


def pytest_terminal_summary(terminalreporter):
    """Show what tests measured, also where several workers ran them."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    lines = [line for report in reports for name, line in getattr(report, "user_properties", ()) if name == FIGURES]
    lines += kills_of(reports)
    if lines:
        terminalreporter.section("measured")
        for line in dict.fromkeys(lines):
            terminalreporter.line(line)


def kills_of(reports):
    """Return what the killed processes of `tests/engine/acting/test_kills.py` came to, over all workers."""
    calls = [report for report in reports if getattr(report, "when", "") == "call"]
    tallies = [value for report in calls for name, value in report.user_properties if name == "tally"]
    if not tallies:
        return []
    kills, effects, double, lost = map(sum, zip(*tallies, strict=True))
    return [f"kills {kills}, effects {effects}, double {double}, lost {lost}"]
