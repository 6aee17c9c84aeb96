"""What a cold start loads."""

from tests.bursar.test_cli import loaded_by

HEAVY = {"boto3", "botocore", "moto", "pydantic", "rich", "slack_sdk", "sqlalchemy", "yaml"}


def test_handlers_load_nothing_heavy():
    """Importing the three handlers loads no library: what a function needs is loaded where it is used."""
    code = "import bursar.lambdas.schedule, bursar.lambdas.slack, bursar.lambdas.deferred"
    assert loaded_by(code) & HEAVY == set()


def test_what_answers_slack_is_light():
    """Within Slack's three seconds neither a database library nor one for terminals is loaded."""
    assert loaded_by("import bursar.lambdas.desk") & {"boto3", "moto", "rich", "sqlalchemy", "apprise"} == set()
