"""Who changed lines of a file last, by a real git: what counts, what is not known, and that nothing of it is run."""

import os
import subprocess

import pytest

from integrations.git_history import Changed, last_changed
from tests.git_repository import repository

AS_EVE = {
    "GIT_AUTHOR_NAME": "e", "GIT_AUTHOR_EMAIL": "eve@example.com",
    "GIT_COMMITTER_NAME": "e", "GIT_COMMITTER_EMAIL": "eve@example.com",
}  # fmt: skip
THREE = "a: 1\nb: 2\nc: 3\n"


@pytest.fixture
def made(tmp_path):
    return repository(tmp_path / "repo")


def asked(path, *ranges):
    return last_changed(path, path.read_text(encoding="utf-8"), ranges)


def test_author_committer_and_co_authors(made):
    """All who had a hand in the last commit are named, in small letters; a forge that merged is nobody."""
    path = made.write("p.yaml", THREE)
    made.commit("first@example.com")
    made.write("p.yaml", THREE.replace("2", "5"))
    message = "change\n\nCo-authored-by: Zoe <Zoe@example.com>\nCo-authored-by: Ada <ada@example.com>\n"
    made.commit("Mira@Example.com", by="noreply@github.com", message=message)
    assert asked(path) == Changed(("mira@example.com", "zoe@example.com", "ada@example.com"))


def test_lines(made):
    """Of lines, whoever changed them counts, and not who changed others; taking one away is a change too."""
    path = made.write("p.yaml", THREE)
    made.commit("first@example.com")
    made.write("p.yaml", "a: 1\nc: 3\n")
    made.commit("remover@example.com")
    made.write("p.yaml", "a: 1\nc: 3\nd: 4\n")
    made.commit("later@example.com", by="merger@example.com")
    assert asked(path, (1, 2)).emails == ("remover@example.com",)
    assert asked(path, (1, 1)).emails == ("first@example.com",)
    assert asked(path, (1, 1), (3, 3)).emails == ("first@example.com", "later@example.com", "merger@example.com")


def test_another_file_does_not_count(made):
    """Who changed another file did not change this one."""
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    made.write("q.yaml", THREE)
    made.commit("tomas@example.com")
    assert asked(path).emails == ("mira@example.com",)


def test_what_is_not_committed(made):
    """A change that is in no commit has no known author; nor has a file that git does not hold."""
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    made.write("p.yaml", THREE + "d: 4\n")
    assert asked(path) == Changed(unknown="it was changed since the last commit")
    made.git("update-index", "--assume-unchanged", "p.yaml")
    assert asked(path).unknown == "it was changed since the last commit"
    assert asked(made.write("new.yaml", THREE)).unknown == "it was changed since the last commit"


def test_no_commit_at_all(made):
    """In a repository without a commit nothing is known."""
    assert asked(made.write("p.yaml", THREE)).unknown


def test_line_ends(made):
    """A file that is checked out with other line ends is the one of the commit."""
    path = made.write("p.yaml", THREE.replace("\n", "\r\n"))
    made.commit("mira@example.com")
    assert asked(path, (1, 3)).emails == ("mira@example.com",)


def test_no_git(made, tmp_path, monkeypatch):
    """Outside of a repository, and without git, there is nobody to ask."""
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    outside = tmp_path / "outside.yaml"
    outside.write_text(THREE, encoding="utf-8")
    assert asked(outside) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked(path) is None


def test_a_shallow_clone(made, tmp_path):
    """A clone of one commit would name whoever made that one: there nothing is known."""
    made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    made.write("q.yaml", THREE)
    made.commit("tomas@example.com")
    clone = tmp_path / "clone"
    made.git("clone", "-q", "--depth", "1", f"file://{made.folder}", str(clone))
    for ranges in ((), ((1, 3),)):
        assert asked(clone / "p.yaml", *ranges).unknown.startswith("the clone is shallow")


@pytest.mark.parametrize(
    "name",
    [
        "-rf.yaml",
        "--all",
        ":(glob)*.yaml",
        "a:b.yaml",
        "new\nline.yaml",
        "$(touch x).yaml",
        "*.yaml",
        "ü 'q\".yaml",
        "HEAD",
    ],
)
def test_hostile_names(made, name):
    """Whatever a file is called, it is a file."""
    made.write("zzz.yaml", THREE)
    made.commit("other@example.com")
    path = made.write(name, THREE)
    made.commit("mira@example.com")
    made.write("zzz.yaml", THREE + "d: 4\n")
    made.commit("other@example.com")
    assert asked(path).emails == ("mira@example.com",)
    assert asked(path, (1, 3)).emails == ("mira@example.com",)
    assert not (made.folder / "x").exists()


def test_a_link(made):
    """A link is asked about as what it leads to."""
    made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    (made.folder / "link.yaml").symlink_to("p.yaml")
    made.commit("tomas@example.com")
    assert asked(made.folder / "link.yaml").emails == ("mira@example.com",)


def test_nothing_of_a_repository_is_run(made, tmp_path):
    """What a repository's configuration would run for a log, a diff or a signature is not run."""
    sentinel = tmp_path / "ran"
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\ntouch {sentinel}\ncat\n", encoding="utf-8")
    script.chmod(0o755)
    path = made.write("p.yaml", THREE)
    made.write(".gitattributes", "*.yaml diff=own filter=own\n")
    made.commit("mira@example.com")
    signature = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n abcd\n -----END PGP SIGNATURE-----\n\n"
    signed = tmp_path / "signed"
    signed.write_text(made.git("cat-file", "commit", "HEAD").replace("\n\n", f"\n{signature}", 1), encoding="utf-8")
    made.git("update-ref", "HEAD", made.git("hash-object", "-t", "commit", "-w", str(signed)).strip())
    for key in (
        "core.fsmonitor", "core.pager", "diff.external", "diff.own.textconv", "diff.own.command", "gpg.program",
        "core.sshCommand", "core.alternateRefsCommand", "pager.log", "filter.own.smudge", "filter.own.clean",
    ):  # fmt: skip
        made.git("config", key, str(script))
    made.git("config", "log.showSignature", "true")
    made.git("config", "alias.log", f"!{script}")
    assert asked(path, (1, 2)).emails == ("mira@example.com",)
    assert not sentinel.exists()


def test_a_commit_that_names_nobody(made):
    """Who commits without an address, or as a forge, is not known: that is no way to be nobody."""
    path = made.write("p.yaml", THREE)
    made.commit("noreply@github.com")
    assert asked(path).unknown == "its last commit names nobody"
    made.write("p.yaml", THREE + "d: 4\n")
    made.git("add", "-A")
    made.git("commit", "-q", "-m", "x", **{name: "e" if "NAME" in name else "" for name in AS_EVE})
    assert asked(path).unknown == "its last commit names nobody"


def test_a_replaced_commit(made):
    """A commit that was replaced here, and nowhere else, is not what is asked about."""
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    first = made.git("rev-parse", "HEAD").strip()
    made.git("commit", "-q", "--amend", "-m", "x", "--reset-author", **AS_EVE)
    second = made.git("rev-parse", "HEAD").strip()
    made.git("update-ref", "HEAD", first)
    made.git("replace", first, second)
    assert asked(path).emails == ("mira@example.com",)


def test_the_environment_names_no_other_repository(made, tmp_path, monkeypatch):
    """Git's own variables, such as those that hooks set, do not lead elsewhere."""
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    other = repository(tmp_path / "other")
    other.write("p.yaml", THREE)
    other.commit("eve@example.com")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.folder))
    assert asked(path).emails == ("mira@example.com",)


def test_a_mailmap_renames_nobody(made):
    """A `.mailmap` is written by whoever commits: addresses count as they are in the commit."""
    path = made.write("p.yaml", THREE)
    made.write(".mailmap", "Tomas <tomas@example.com> <mira@example.com>\n")
    made.commit("mira@example.com")
    assert asked(path).emails == ("mira@example.com",)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            "echo \"fatal: detected dubious ownership in repository at '/x'\" >&2; exit 128",
            "git does not trust the folder",
        ),
        ("exec tail -f /dev/null", "git did not answer within"),
        ("exit 1", "git refused"),
    ],
)
def test_git_that_refuses(tmp_path, monkeypatch, script, words):
    """Where git refuses, does not answer or does not trust the folder, that is why nothing is known."""
    fake = tmp_path / "bin" / "git"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    path = tmp_path / "p.yaml"
    path.write_text(THREE, encoding="utf-8")
    found = last_changed(path, THREE, (), seconds=0.2)
    assert found is not None
    assert words in found.unknown


def test_a_folder_of_somebody_else(made):
    """Git itself refuses a repository that another user owns."""
    if os.geteuid() != 0:
        pytest.skip("NOT TESTED: only root can give a folder away, so git's own refusal was not seen")
    path = made.write("p.yaml", THREE)
    made.commit("mira@example.com")
    subprocess.run(["chown", "-R", "12345", str(made.folder)], check=True)
    assert "safe.directory" in asked(path).unknown
