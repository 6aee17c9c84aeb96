"""Files and folders to texts."""

import os

import pytest

from engine.errors import PolicyError
from integrations.policy_files import read_policies


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def problems(*paths) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read_policies(paths)
    return [f"{p.place} {p.code}" for p in caught.value.problems]


def test_folders_are_read_deeply_and_tests_are_not_policies(here):
    """A folder gives every .yaml and .yml below it, in order, without tests and hidden things."""
    for name in ("b.yaml", "a/c.yml", "a/c_test.yaml", ".git/d.yaml", ".e.yaml", "f.json"):
        file = here / "p" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    assert read_policies([here / "p"]) == {"p/a/c.yml": "a/c.yml", "p/b.yaml": "b.yaml"}


def test_a_file_is_read_whatever_its_name(here):
    """A file that is named is read, with any name."""
    (here / "x.txt").write_text("x")
    assert read_policies([here / "x.txt"]) == {"x.txt": "x"}


def test_everything_that_cannot_be_read_is_told_at_once(here):
    """A missing file, an empty folder, bytes that are no text and a file too large are told in one pass."""
    (here / "empty").mkdir()
    (here / "bytes.yaml").write_bytes(b"version: \xff\xfe")
    (here / "large.yaml").write_text("#" * (256 * 1024 + 1))
    assert problems(here / "gone.yaml", here / "empty", here / "bytes.yaml", here / "large.yaml") == [
        "bytes.yaml file-unreadable",
        "empty nothing-loaded",
        "gone.yaml file-unreadable",
        "large.yaml file-too-large",
    ]


def test_links_that_go_round_end(here):
    """A link to a folder above is not followed."""
    (here / "p").mkdir()
    (here / "p" / "a.yaml").write_text("a")
    (here / "p" / "again").symlink_to(here / "p")
    assert read_policies([here / "p"]) == {"p/a.yaml": "a"}


def test_pipes_are_not_waited_for(here):
    """A pipe among the files, which would never end, is told and not read; so is a link to nothing."""
    os.mkfifo(here / "pipe.yaml")
    (here / "dead.yaml").symlink_to(here / "gone")
    assert problems(here) == ["dead.yaml file-unreadable", "pipe.yaml file-unreadable"]
    assert problems(here / "pipe.yaml") == ["pipe.yaml file-unreadable"]


def test_the_same_file_twice_counts_once(here):
    """A file that is named beside its folder is read once."""
    (here / "a.yaml").write_text("a")
    assert read_policies([here, here / "a.yaml"]) == {"a.yaml": "a"}
