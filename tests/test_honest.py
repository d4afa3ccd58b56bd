"""The build stops for what did not run here and whole, and says of each page how it ran."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from docutils.nodes import literal_block, title
from docutils.utils import new_document
from nbformat.v4 import new_code_cell, new_notebook, new_output
from sphinx.errors import ExtensionError

import conftest
from honest import held, refuse_outputs, refuse_unrun, status_page
from pages import PAGES

RAN = {"runtime": 12.34, "succeeded": True, "method": "cache", "mtime": 0.0, "error": None, "traceback": None}
SOURCE = "digits = 1\nclaim('falls', True)\nglue('verb', reads(True, 'falls', 'rises'))\nclaim('far', True)"
LINES = "aae_core 0.1.0 · Python 3.11\nData: 5,000 <digits>: 3,333 training\n"


def a_build(folder: Path, ran: dict | None, **cell: object) -> SimpleNamespace:
    """A build of one notebook and a page of text."""
    notebook = new_notebook(cells=[new_code_cell(SOURCE, **cell)])
    nbformat.write(notebook, folder / "page.ipynb")
    (folder / "text.md").write_text("# Text\n")
    page = new_document("page")
    page += [literal_block("", SOURCE), literal_block("", LINES, classes=["output", "stream"])]
    (folder / "_build" / "jupyter_execute").mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / "_build" / "jupyter_execute" / "page.ipynb")
    env = SimpleNamespace(
        found_docs={"page", "text"},
        doc2path=lambda name: folder / {"page": "page.ipynb", "text": "text.md"}[name],
        nb_metadata={"page": {"exec_data": ran} if ran else {}},
        get_doctree=lambda name: page,
        titles={"page": title("", "A page & more")},
    )
    builder = SimpleNamespace(format="html", get_relative_uri=lambda at, to: f"{to}.html")
    return SimpleNamespace(env=env, outdir=folder / "_build" / "html", builder=builder)


def test_a_long_test_that_fails_leaves_no_figures_and_one_that_passes_says_of_which_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(conftest, "SOAK", tmp_path / "soak.json")

    def ends(test: str, outcome: str, **figures: int) -> None:
        properties = [("figures", [name, {"count": count}]) for name, count in figures.items()]
        for when in ("setup", "call", "teardown"):
            came = outcome if when == "call" else "passed"
            report = pytest.TestReport(test, ("", 0, ""), {}, came, None, when, user_properties=properties)
            conftest.Recorder.pytest_runtest_logreport(report)

    def kept() -> dict[str, int]:
        return {name: found["count"] for name, found in json.loads(conftest.SOAK.read_text("utf-8")).items()}

    ends("a::kills", "passed", kills=200)
    ends("a::moves[one]", "passed", moves=9, visits=1)
    assert kept() == {"kills": 200, "moves": 9, "visits": 1}
    ends("a::moves[one]", "passed", moves=2000)  # what it no longer looks at goes
    assert kept() == {"kills": 200, "moves": 2000}
    ends("a::kills", "failed", kills=100)
    found = json.loads(conftest.SOAK.read_text("utf-8"))
    assert kept() == {"moves": 2000} and found["moves"]["test"] == "a::moves"
    assert found["moves"]["commit"] == conftest.commit() != ""
    ends("a::moves[one]", "failed", moves=1)
    assert kept() == {}


def test_a_notebook_with_outputs_stops_the_build(tmp_path):
    app = a_build(tmp_path, RAN)
    refuse_outputs(app, app.env, [])
    for cell in ({"outputs": [new_output("stream", text="1")]}, {"execution_count": 3}):
        app = a_build(tmp_path, RAN, **cell)
        with pytest.raises(ExtensionError, match="outputs .*: page"):
            refuse_outputs(app, app.env, [])


@pytest.mark.parametrize("ran", [None, RAN | {"succeeded": False}], ids=["not run", "failed"])
def test_a_page_that_did_not_run_to_its_end_stops_the_build(tmp_path, ran):
    app = a_build(tmp_path, RAN)
    refuse_unrun(app, app.env)
    app = a_build(tmp_path, ran)
    with pytest.raises(ExtensionError, match="not run .*: page"):
        refuse_unrun(app, app.env)


def test_the_status_says_how_each_page_ran(tmp_path):
    app = a_build(tmp_path, RAN)
    ((name, context, template),) = status_page(app)
    assert (name, template) == ("status", "page.html")
    for part in ("A page &amp; more", "<td>12</td>", "5,000 &lt;digits&gt;", "<td>2</td><td>1</td>", "Python 3.11"):
        assert part in context["body"]
    assert held(nbformat.read(tmp_path / "page.ipynb", 4)) == {"held": 2, "chosen": 1}


def test_the_book_has_a_status_of_every_page_with_code(book):
    text = (book.folder / "status.html").read_text("utf-8")
    assert all(f"{page.parent.name}/{page.stem}.html" in text for page in PAGES)


def test_what_is_promised_names_tests_that_are_there():
    page = (conftest.ROOT / "book" / "promises.md").read_text("utf-8")
    record = json.loads(conftest.SOAK.read_text("utf-8"))
    named = re.findall(r'"(tests/[^"]*)"', page) + [each["test"] for each in record.values()]
    assert len(named) > 20
    for name in named:
        file, _, test = name.partition("::")
        assert f"def {test}(" in (conftest.ROOT / file).read_text("utf-8"), name
