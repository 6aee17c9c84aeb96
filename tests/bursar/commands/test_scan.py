"""`bursar scan` with what AWS answered beside the estate."""

import json

from integrations.aws.recorder import read_lines


def test_answers_are_recorded(bursar, account, here):
    """One folder holds every answer, without the account's number."""
    result = bursar("scan", "-p", "pack:encryption", "--record-api", "answers", "-o", "estate.jsonl")
    assert result.status in (0, 3), result.err
    lines = read_lines(here / "answers")
    assert {line["service"] for line in lines} >= {"ec2", "s3", "sagemaker", "sts"}
    assert "123456789012" not in json.dumps(lines)


def test_a_recorded_estate_has_no_answers(bursar, account, here):
    """Nothing is asked, so there is nothing to record."""
    bursar("scan", "-p", "pack:encryption", "-o", "estate.jsonl")
    result = bursar(
        "scan", "-p", "pack:encryption", "--estate", "estate.jsonl", "-o", "again.jsonl", "--record-api", "answers"
    )
    assert result.status == 2
    assert "--record-api" in result.err
