"""What a record says of the state of the source that it was made with."""

import subprocess

import pytest

from aae_core.revision import revision


@pytest.fixture
def checkout(tmp_path):
    """A checkout with two tracked files, one of them in the folder ``records``, and a folder that git does not keep."""
    folder = tmp_path / "a project, an Übung"
    for name in ("code.py", "records/figures.json", "installed/code.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("1\n")
    (folder / ".gitignore").write_text("installed\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "commit", "--quiet", "-m", "One")
    return folder


def git(folder, *arguments):
    return subprocess.check_output(["git", "-C", str(folder), *arguments], text=True).strip()


def test_a_revision_is_the_commit_and_says_whether_something_was_changed(checkout):
    head = git(checkout, "rev-parse", "HEAD")
    assert len(revision(checkout)) >= 7 and head.startswith(revision(checkout))
    assert revision(checkout / "code.py", digits=12) == head[:12]
    (checkout / "code.py").write_text("2\n")
    assert revision(checkout, digits=12) == revision(checkout / "records", digits=12) == head[:12] + "+"
    assert revision(checkout, digits=12, changed=", changed") == head[:12] + ", changed"


def test_changes_of_a_folder_apart_do_not_count(checkout):
    (checkout / "records" / "figures.json").write_text("2\n")
    assert revision(checkout).endswith("+") and not revision(checkout, apart="records").endswith("+")
    (checkout / "code.py").write_text("2\n")
    assert revision(checkout, apart="records").endswith("+")


def test_what_git_does_not_keep_has_no_revision_nor_has_anything_without_git(checkout, tmp_path, monkeypatch):
    """A package that is installed in a folder of somebody's project is no state of that project."""
    assert revision(checkout / "installed" / "code.py") == revision(checkout / "installed") == "unknown"
    assert revision(tmp_path) == revision(tmp_path / "nowhere" / "code.py") == "unknown"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert revision(checkout) == "unknown"
