"""The book as one PDF, of two of its pages."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

import pdf
from conftest import PAGES

pytestmark = [pytest.mark.browser, pytest.mark.book, pytest.mark.slow]


def test_pages_are_put_together_with_contents_numbers_and_links(book, chromium, tmp_path):
    names = [PAGES[0].removesuffix(".html"), "book/glossary"]
    sheets = pdf.make(tmp_path / "book.pdf", chromium, names)
    document = PdfReader(tmp_path / "book.pdf")
    assert len(document.pages) == sheets > 4
    outline = {entry.title: document.get_destination_page_number(entry) for entry in pdf.flat(document.outline)}
    assert {"Adversarial Autoencoders", "What is in it", "Glossary"} <= set(outline)
    text = [page.extract_text() for page in document.pages]
    contents = next(page for page in text if page.startswith("Contents"))
    glossary = outline["Glossary"]
    assert f"Glossary{glossary + 1}" in contents.replace(" ", "")
    assert str(glossary + 1) in text[glossary].split()
    assert "adversarial autoencoder" in text[glossary]
    targets = set()
    for page in document.pages[1:]:
        for annotation in page.get("/Annots", ()):
            link = annotation.get_object()
            assert not str(link.get("/A", {}).get("/URI", "")).startswith("file:")
            if isinstance(link.get("/Dest"), list):
                targets.add(document.get_page_number(link["/Dest"][0].get_object()))
    assert glossary in targets


def test_the_order_is_that_of_the_table_of_contents():
    assert [f"{name}.html" for name in pdf.names_of_pages()] == PAGES
