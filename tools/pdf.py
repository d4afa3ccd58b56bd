"""The built book as one PDF: ``python tools/pdf.py [TARGET]``.

Chromium prints each page as a reader's browser would, with the still pictures in place of explorers and solutions open.
The pages are put together in the order of the table of contents, after a title and a list of contents; each gets its
number, and links from page to page lead within the document.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import yaml
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, FloatObject, NameObject, NullObject

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "browser"))

from find_browser import find, what_to_install  # noqa: E402

HTML = ROOT / "_build" / "html"
PAPER = {"format": "A4", "print_background": True, "tagged": True, "outline": True}
MARGINS = {"top": "18mm", "bottom": "20mm", "left": "25mm", "right": "25mm"}
PATIENCE = 300_000  # milliseconds, for a machine that is busy with other things
READY = """async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    for (const image of document.images) image.loading = "eager";
    await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
    dispatchEvent(new Event("beforeprint"));
    for (const link of document.querySelectorAll("a[href]")) link.target = "";
    return [...document.querySelectorAll("article h1, article h2")].map((h) => [h.closest("section")?.id ?? "", h.tagName,
        [...h.childNodes].filter((n) => !n.matches?.(".headerlink")).map((n) => n.textContent).join("").trim()]);
}"""
FRONT = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>
  @font-face {{ font-family: "Source Serif 4"; font-weight: 200 900; src: url("{fonts}/source-serif-4-latin-wght-normal.woff2"); }}
  @font-face {{ font-family: "Source Sans 3"; font-weight: 200 900; src: url("{fonts}/source-sans-3-latin-wght-normal.woff2"); }}
  body {{ font: 10.5pt/1.45 "Source Serif 4", serif; margin: 0; color: #1f2a37; }}
  h1, h2, li, .by {{ font-family: "Source Sans 3", sans-serif; }}
  .title {{ height: 250mm; display: flex; flex-direction: column; justify-content: center; }}
  .title h1 {{ font-size: 38pt; line-height: 1.1; margin: 0 0 6mm; font-weight: 650; }}
  .by {{ color: #5a6673; }}
  h2 {{ break-before: page; font-size: 20pt; }}
  ol {{ list-style: none; padding: 0; }} ol ol {{ padding-left: 6mm; color: #5a6673; }}
  li > a, li > span {{ display: flex; gap: 2mm; color: inherit; text-decoration: none; }}
  li > a::before {{ content: ""; order: 1; flex: 1; border-bottom: 1px dotted #a9b4bf; margin-bottom: .35em; }}
  li > a > b {{ order: 2; font-weight: 400; font-variant-numeric: tabular-nums; }}
  .chapter > a {{ font-weight: 600; margin-top: 2.2mm; }}
</style><section class="title"><h1>{title}</h1><p>A book to read, to run, and to play with.</p>
<p class="by">{by}</p></section><h2>Contents</h2><ol>{contents}</ol></html>"""
NUMBERS = """<!DOCTYPE html><meta charset="utf-8"><style>
  @page {{ margin: 0; }} body {{ margin: 0; }}
  p {{ margin: 0; box-sizing: border-box; height: 297mm; padding: 282mm 25mm 0; break-after: page; display: flex; justify-content: space-between;
    font: 8.5pt "Source Sans 3", sans-serif; color: #5a6673; }}
  p:last-child {{ break-after: auto; }}
</style>{pages}"""


@dataclass
class Part:
    """A printed page of the book: its name, its PDF, and its headings (anchor, tag, words)."""

    name: str
    pdf: PdfReader
    headings: list[list[str]]
    first: int = 0  # the number of its first sheet in the whole, from 0

    @property
    def title(self) -> str:
        """What it is called."""
        return next((words for _, tag, words in self.headings if tag == "H1"), self.name)

    def sheets(self) -> dict[str, int]:
        """On which sheet each section begins, by its anchor, from the outline that Chromium writes."""
        found: dict[str, int] = {}
        waiting = list(self.headings)
        for entry in flat(self.pdf.outline):
            words = " ".join(str(entry.title).replace("#", "").split())
            for k, (anchor, _, heading) in enumerate(waiting):
                if " ".join(heading.split()) == words:
                    found[anchor] = self.pdf.get_destination_page_number(entry)
                    del waiting[k]
                    break
        return found


def flat(outline: list[Any]) -> Iterator[Any]:
    """The entries of an outline, level by level."""
    for entry in outline:
        if isinstance(entry, list):
            yield from flat(entry)
        else:
            yield entry


def names_of_pages() -> list[str]:
    """The pages in the order of the table of contents."""
    text = (ROOT / "_toc.yml").read_text("utf-8")
    return re.findall(r"(?:root|file): (\S+)", yaml.safe_dump(yaml.safe_load(text), sort_keys=False))


def printed(browser: Browser, address: str, folder: Path) -> tuple[PdfReader, list[list[str]]]:
    """One address as a PDF, and the headings of its page."""
    tab = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    tab.set_default_timeout(PATIENCE)
    tab.goto(address)
    headings = tab.evaluate(READY)
    tab.emulate_media(media="print")
    target = folder / f"{len(list(folder.iterdir()))}.pdf"
    tab.pdf(path=target, margin=MARGINS, **PAPER)
    tab.close()
    return PdfReader(target), headings


def contents(parts: list[Part], before: int) -> str:
    """The list of contents, `before` sheets standing before the first part."""
    lines = []
    for part in parts:
        sheets = part.sheets()
        number = before + part.first + 1
        inner = "".join(
            f'<li><a href="{part.name}.html#{anchor}">{escape(words)}<b>{number + sheets[anchor]}</b></a></li>'
            for anchor, tag, words in part.headings
            if tag == "H2" and anchor in sheets
        )
        own = f'<a href="{part.name}.html">{escape(part.title)}<b>{number}</b></a>'
        lines.append(f'<li class="chapter">{own}<ol>{inner}</ol></li>')
    return "".join(lines)


def print_html(browser: Browser, html: str, folder: Path, name: str, **options: object) -> PdfReader:
    """A page of our own as a PDF; its links are as from the book's first folder."""
    file = HTML / f"{name}.tmp.html"
    file.write_text(html, "utf-8")
    try:
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(file.as_uri())
        tab.evaluate("() => document.fonts.ready")
        tab.pdf(path=folder / f"{name}.pdf", **{"margin": MARGINS, **PAPER, **options})
        tab.close()
    finally:
        file.unlink()
    return PdfReader(folder / f"{name}.pdf")


def link_within(whole: PdfWriter, parts: list[Part], before: int) -> int:
    """Links to a page of the book become links within the document; returns how many."""
    places = {part.name: part for part in parts}
    sheets = {part.name: part.sheets() for part in parts}
    count = 0
    for sheet in whole.pages:
        kept = ArrayObject()
        for reference in sheet.get("/Annots", ()):
            annotation = reference.get_object()
            address, section = urldefrag(str(annotation.get("/A", {}).get("/URI", "")))
            path = Path(unquote(urlsplit(address).path)) if address.startswith("file:") else None
            part = (
                places.get(path.relative_to(HTML).with_suffix("").as_posix()) if path and HTML in path.parents else None
            )
            if part is None:
                if path is None:  # an address on the web, or a place on the same page
                    kept.append(reference)
                continue
            place = before + part.first + sheets[part.name].get(unquote(section).split("&")[0], 0)
            page = whole.pages[place]
            del annotation["/A"]
            top = [NameObject("/XYZ"), NullObject(), FloatObject(page.mediabox.top), NullObject()]
            annotation[NameObject("/Dest")] = ArrayObject([page.indirect_reference, *top])
            kept.append(reference)
            count += 1
        sheet[NameObject("/Annots")] = kept
    return count


def make(target: Path, browser: Browser, names: list[str]) -> int:
    """Writes the PDF of these pages; returns the number of its sheets."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        parts: list[Part] = []
        for number, name in enumerate(names, 1):
            print(f"Printing {name}, {number} of {len(names)}", flush=True)
            parts.append(Part(name, *printed(browser, (HTML / f"{name}.html").as_uri(), folder)))
        sheet = 0
        for part in parts:
            part.first = sheet
            sheet += len(part.pdf.pages)
        config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
        fonts = "_static/vendor/fonts"

        def front(before: int) -> PdfReader:
            words = {"title": escape(config["title"]), "by": escape(config["author"]), "fonts": fonts}
            return print_html(browser, FRONT.format(contents=contents(parts, before), **words), folder, "front")

        before = len(front(0).pages)  # the list of contents is as long whatever the numbers
        whole = PdfWriter()
        whole.append(front(before), import_outline=False)
        for part in parts:
            whole.append(part.pdf, import_outline=False)
            entry = whole.add_outline_item(part.title, before + part.first)
            sheets = part.sheets()
            for anchor, tag, words in part.headings:
                if tag == "H2" and anchor in sheets:
                    whole.add_outline_item(words, before + part.first + sheets[anchor], parent=entry)
        running = [""] * before + [part.title for part in parts for _ in part.pdf.pages]
        lines = (
            f"<p><span>{escape(title)}</span><span>{k if k > 1 else ''}</span></p>"
            for k, title in enumerate(running, 1)
        )
        numbers = print_html(
            browser, NUMBERS.format(pages="".join(lines)), folder, "numbers", margin=dict.fromkeys(MARGINS, "0")
        )
        for page, number in zip(whole.pages, numbers.pages, strict=True):
            page.merge_page(number)
        link_within(whole, parts, before)
        whole.add_metadata({"/Title": config["title"], "/Author": config["author"]})
        whole.compress_identical_objects(remove_unreferenced=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        whole.write(target)
        return len(whole.pages)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "_build" / "adversarial-autoencoders.pdf")
    if not (path := find()):
        sys.exit(what_to_install())
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        sheets = make(target, chromium, names_of_pages())
        chromium.close()
    print(f"The PDF is ready: {target}, {sheets} pages, {target.stat().st_size / 1e6:.0f} MB")
