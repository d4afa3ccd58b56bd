"""What the built book has beside its pages: an address, a page for what is not there, a picture, dates; files to take away."""

from __future__ import annotations

import ast
import re
import zipfile
from pathlib import Path

import nbformat
import pytest
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ConfigError
from sphinx.util.docutils import docutils_namespace

from archive import NAME, pack
from downloads import notebook_of, script_of
from pages import PAGES

ROOT = Path(__file__).parents[1]
SITE = "https://someone.github.io/aae-book"


@pytest.fixture
def built(tmp_path):
    """``built(site)`` builds a page for that public address and returns the folder of the HTML."""

    def build(site: str) -> Path:
        (tmp_path / "page.md").write_text("# A page\n\nText.\n", "utf-8")
        (tmp_path / "pyproject.toml").write_text(f'[tool.aae-book]\nsite = "{site}"\n', "utf-8")
        settings = {"extensions": ["myst_parser", "for_the_web"], "root_doc": "page", "html_theme": "basic"}
        with docutils_namespace():
            folders = (tmp_path, None, tmp_path / "out", tmp_path / "trees")
            Sphinx(*folders, "html", settings, status=None, warning=None).build()
        return tmp_path / "out"

    return build


def test_a_book_with_an_address_claims_it(built):
    folder = built(f"{SITE}/")
    assert f'<link rel="canonical" href="{SITE}/page.html" />' in (folder / "page.html").read_text("utf-8")
    assert f"<loc>{SITE}/page.html</loc>" in (folder / "sitemap.xml").read_text("utf-8")
    assert f"Sitemap: {SITE}/sitemap.xml" in (folder / "robots.txt").read_text("utf-8")
    assert f'href="{SITE}/page.html"' in (folder / "404.html").read_text("utf-8")


def test_a_book_without_an_address_claims_none(built):
    folder = built("")
    assert "canonical" not in (folder / "page.html").read_text("utf-8")
    assert not (folder / "sitemap.xml").exists()
    assert "http" not in (folder / "robots.txt").read_text("utf-8")


@pytest.mark.parametrize("site", ["someone.github.io", "http://x.org", "https://x.org/a b"])
def test_what_is_no_address_is_refused(built, site):
    with pytest.raises(ConfigError, match="site is"):
        built(site)


def test_the_picture_for_links_has_the_size_that_is_asked_for():
    with Image.open(ROOT / "book" / "_static" / "social.png") as picture:
        assert picture.size == (1200, 630)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_can_be_taken_away(path):
    notebook = notebook_of(path)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    script = script_of(notebook)
    ast.parse(script)
    assert script.count("\n# %%") + 1 >= len(notebook.cells)


def test_a_page_without_code_has_nothing_to_take_away():
    assert notebook_of(ROOT / "book" / "glossary.md") is None


def test_a_script_keeps_what_only_notebooks_understand_as_a_comment():
    cells = [
        nbformat.v4.new_markdown_cell("# Title\n\nText."),
        nbformat.v4.new_code_cell("if True:\n    %pip install x\n!ls"),
    ]
    script = script_of(nbformat.v4.new_notebook(cells=cells))
    assert script.startswith("# %% [markdown]\n# # Title\n#\n# Text.\n\n# %%\nif True:\n    pass  #")
    names: dict[str, object] = {}
    exec(script, names)


def test_an_archive_has_all_files_under_one_folder(tmp_path):
    site = tmp_path / "a site"
    (site / "book").mkdir(parents=True)
    for name in ("index.html", "book/é.html", ".buildinfo"):
        (site / name).write_text(name, "utf-8")
    assert pack(site, tmp_path / "new" / "book.zip") == 2
    with zipfile.ZipFile(tmp_path / "new" / "book.zip") as archive:
        assert sorted(archive.namelist()) == [f"{NAME}/book/é.html", f"{NAME}/index.html"]
        archive.extractall(tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere" / NAME / "book" / "é.html").read_text("utf-8") == "book/é.html"


def test_built_pages_have_dates_and_what_they_offer(book):
    for path in PAGES:
        page = book.folder / path.parent.name / f"{path.stem}.html"
        text = page.read_text("utf-8")
        assert re.search(r"built on \d+ \w+ \d{4}\.", text)
        for kind in ("ipynb", "py"):
            offered = re.search(rf'href="(\.\./_downloads/[^"]+\.{kind})"', text)[1]
            assert (page.parent / offered).is_file()
    assert 'content="noindex"' in (book.folder / "search.html").read_text("utf-8")
    assert (book.folder / "404.html").exists() and (book.folder / "robots.txt").exists()
