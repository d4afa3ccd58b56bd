"""The first cell of a chapter in a kernel that passes for Colab's, with pip and git as they are."""

from __future__ import annotations

import json
import os
import subprocess
from queue import Empty
from types import SimpleNamespace
from urllib.parse import quote

import nbformat
import pytest
from jupyter_client.manager import KernelManager

from test_house import NOTEBOOKS, first_cell_with_code

BOOK = "https://github.com/someone/aae-book"
BRANCH = "next/two"
NOWHERE = "https://github.com/someone/no-such-book"
PROJECT = '[build-system]\nrequires = []\nbuild-backend = "build"\nbackend-path = ["."]\n'
BUILD = """
import zipfile

def build_wheel(folder, settings=None, metadata=None):
    name, info = "aae_core-9-py3-none-any.whl", "aae_core-9.dist-info"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        wheel.writestr("aae_core/branch.txt", open("branch.txt").read())
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: aae_core\\nVersion: 9\\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(f"{info}/RECORD", "")
    return name
"""
COLAB = """
import os, sys, types

answers = {answers!r}
for name in ("google", "google.colab", "google.colab._message"):
    sys.modules[name] = types.ModuleType(name)
message = sys.modules["google.colab"]._message = sys.modules["google.colab._message"]
message.blocking_request = lambda kind, timeout_sec: {{"get_ipynb": {{"ipynb": {{"metadata": answers}}}}}}[kind]
os.environ.update({variables!r})
os.environ.pop("OMP_WAIT_POLICY", None)
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A git repository with a package of the book's name on two branches, in a folder where git looks for those of `someone`."""
    folder = tmp_path_factory.mktemp("github")
    project = folder / "aae-book"
    project.mkdir()
    (project / "pyproject.toml").write_text(f'{PROJECT}[project]\nname = "aae_core"\nversion = "9"\n')
    (project / "build.py").write_text(BUILD)

    def git(*words):
        person = ["-c", "user.name=Someone", "-c", "user.email=someone@example.org"]
        subprocess.run(["git", *person, *words], cwd=project, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    for branch in ("main", BRANCH):
        (project / "branch.txt").write_text(branch)
        git("checkout", "-B", branch)
        git("add", ".")
        git("commit", "-m", branch)
    git("checkout", "main")
    return folder


@pytest.fixture(scope="module")
def kernel(repository, tmp_path_factory):
    """A kernel's client; its git finds `someone`'s repositories in a folder, its pip asks no index."""
    ours = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/",
        "PIP_NO_INDEX": "1",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    # By files: a port that was free when it was chosen may be taken when the kernel comes to it.
    manager = KernelManager(transport="ipc", ip=str(tmp_path_factory.mktemp("kernel") / "socket"))
    manager.start_kernel(env=os.environ | ours)
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.fixture
def run(kernel, serve, tmp_path):
    """``run(session, provenance, repository)`` runs the cell, and one that waits for it, and tells how each ended."""
    target = tmp_path / "installed"
    (tmp_path / "api").mkdir()

    def result(message_id):
        printed, shown = "", []
        reply = kernel.get_shell_msg(timeout=60)
        while reply["parent_header"]["msg_id"] != message_id:
            reply = kernel.get_shell_msg(timeout=60)
        while True:
            try:
                message = kernel.get_iopub_msg(timeout=10)
            except Empty:
                break
            if message["parent_header"].get("msg_id") != message_id:
                continue
            printed += message["content"].get("text", "")
            shown += message["content"].get("traceback", [])
            if message["content"].get("execution_state") == "idle":
                break
        return SimpleNamespace(status=reply["content"]["status"], printed=printed, shown=shown)

    def run(session="", provenance=(), repository=""):
        (tmp_path / "api" / "sessions").write_text(json.dumps([{"path": f"fileId={session}", "type": "notebook"}]))
        host, port = serve(tmp_path).removeprefix("http://").split(":")
        variables = {"COLAB_JUPYTER_IP": host, "KMP_TARGET_PORT": port, "PIP_TARGET": str(target)}
        history = {"colab": {"provenance": [{"file_id": place, "timestamp": 1} for place in provenance]}}
        assert result(kernel.execute(COLAB.format(answers=history, variables=variables))).status == "ok"
        cell = "".join(first_cell_with_code(nbformat.read(NOTEBOOKS[0], as_version=4))["source"])
        cell = cell.replace(cell.splitlines()[1], f"REPOSITORY = {repository!r}")
        first, second = kernel.execute(cell), kernel.execute('print("went on under", os.environ["OMP_WAIT_POLICY"])')
        first, second = result(first), result(second)
        branch = target / "aae_core" / "branch.txt"
        return first, second, branch.read_text() if branch.exists() else None

    return run


def notebook_at(address: str, branch: str = "main") -> str:
    return f"{address}/blob/{branch}/notebooks/05-style-and-content.ipynb"


@pytest.mark.parametrize(
    "places, branch",
    [
        ({"session": quote(notebook_at(BOOK, BRANCH), safe="")}, BRANCH),
        ({"session": quote(notebook_at(BOOK)), "repository": NOWHERE}, "main"),
        ({"session": "1ZAqQEIxR08eODSPEHvKPwbZoioVdV8L9", "provenance": ["1w6mq", notebook_at(BOOK, BRANCH)]}, BRANCH),
        ({"repository": f" {BOOK}"}, "main"),
        ({"session": quote(notebook_at(NOWHERE), safe=""), "repository": f"{BOOK}@{BRANCH}"}, BRANCH),
    ],
    ids=["opened from GitHub", "and not elsewhere", "a copy in Drive", "filled in", "filled in where that fails"],
)
def test_the_book_is_installed_from_where_the_notebook_is_from(run, places, branch):
    cell, after, installed = run(**places)
    assert (cell.status, cell.shown, installed) == ("ok", [], branch)
    assert BOOK in cell.printed and "GPU" in cell.printed and "minutes" in cell.printed
    assert (after.status, after.printed) == ("ok", "went on under PASSIVE\n")


@pytest.mark.parametrize(
    "places, named",
    [
        ({}, "Colab"),
        ({"session": "1ZAqQEIxR08eODSPEHvKPwbZoioVdV8L9"}, "Colab"),
        ({"repository": NOWHERE}, NOWHERE),
        ({"repository": "my own book"}, "my own book"),
        ({"session": quote(notebook_at(BOOK, "no-such-branch"))}, "no-such-branch"),
    ],
    ids=["unknown", "a copy of a file", "no such repository", "no address", "no such branch"],
)
def test_without_the_book_a_sentence_ends_the_cell_and_the_next_does_not_run(run, places, named):
    cell, after, installed = run(**places)
    assert (cell.status, installed) == ("error", None)
    [sentence] = cell.shown
    assert named in sentence and "REPOSITORY" in sentence and sentence.isprintable() and "Traceback" not in sentence
    assert (after.status, after.printed) == ("aborted", "")
