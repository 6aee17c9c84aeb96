"""Who changed which policy of a file, and the record for places without git."""

import pytest

from engine.errors import ConfigError
from integrations.policy_authors import NOWHERE, PolicyAuthors, RecordDocument, digest_of, ranges_of, read_record
from tests.git_repository import repository

TEXT = """\
# about this file
version: 1
defaults:
  severity: low
policies:
  # the first
  - name: one
    description: d

  -
    name: two
    description: d
"""


def test_ranges():
    """A policy reaches to the next one; what stands before the first is none's; the defaults are nobody's own."""
    assert ranges_of(TEXT) == {"": (3, 4), "one": (7, 10), "two": (11, 12)}
    assert ranges_of(TEXT + "extra: 1\n")["two"] == (11, 12)
    assert ranges_of("") == {}
    assert ranges_of("policies: 3") == {}


def test_the_policy_and_the_defaults_count(tmp_path):
    """Who changed the policy or the file's defaults is named, and not who changed another policy."""
    made = repository(tmp_path)
    made.write("p.yaml", TEXT)
    made.commit("first@example.com")
    made.write("p.yaml", text := TEXT.replace("two\n    description: d", "two\n    description: e"))
    made.commit("second@example.com")
    authors = PolicyAuthors({str(tmp_path / "p.yaml"): text})
    assert authors.of(str(tmp_path / "p.yaml"), "one").emails == ("first@example.com",)
    assert authors.of(str(tmp_path / "p.yaml"), "two").emails == ("second@example.com", "first@example.com")
    made.write("p.yaml", text := text.replace("severity: low", "severity: high"))
    made.commit("third@example.com")
    authors = PolicyAuthors({str(tmp_path / "p.yaml"): text})
    assert authors.of(str(tmp_path / "p.yaml"), "one").emails == ("first@example.com", "third@example.com")


def test_a_record(tmp_path):
    """Without git the record tells, of the very text it was written for and of no other."""
    file = str(tmp_path / "p.yaml")
    record = RecordDocument(files={digest_of(TEXT): {"one": ("mira@example.com",)}})
    (tmp_path / "authors.json").write_text(record.model_dump_json(), encoding="utf-8")
    read = read_record(tmp_path / "authors.json")
    assert PolicyAuthors({file: TEXT}, read).of(file, "one").emails == ("mira@example.com",)
    assert PolicyAuthors({file: TEXT}, read).of(file, "two").unknown == NOWHERE
    assert PolicyAuthors({file: TEXT + "\n"}, read).of(file, "one").unknown == NOWHERE
    assert read_record(tmp_path / "nothing.json") == RecordDocument()


def test_git_wins_over_a_record(tmp_path):
    """Where git answers, a file in the repository says nothing: whoever commits could write it."""
    made = repository(tmp_path)
    file = made.write("p.yaml", TEXT)
    made.commit("eve@example.com")
    record = RecordDocument(files={digest_of(TEXT): {"one": ("mira@example.com",)}})
    assert PolicyAuthors({str(file): TEXT}, record).of(str(file), "one").emails == ("eve@example.com",)
    file.write_text(TEXT + "\n", encoding="utf-8")
    record = RecordDocument(files={digest_of(TEXT + "\n"): {"one": ("mira@example.com",)}})
    assert PolicyAuthors({str(file): TEXT + "\n"}, record).of(str(file), "one").unknown


@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"files": {"x": ["y"]}}', "\0", '{"more": 1}'])
def test_a_damaged_record(tmp_path, text):
    """A file that is no record is an error, and never taken for an empty one."""
    (tmp_path / "authors.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="no record of authors"):
        read_record(tmp_path / "authors.json")
