"""Sphinx extension: runs the pages that have to run side by side, one a processor, before Sphinx reads them one by one.

Jupyter Book runs a notebook when it comes to its page, so all processors but one would wait. Here jupyter-cache's own
workers fill the notebook cache first; Sphinx then finds each page's outputs there. A page whose cell fails is
not in the cache, so Sphinx runs that page again and reports the failure as ever.

The cache knows a page by its cells. A page that shows recorded figures names their files in its front matter (``figures``,
paths from the checkout) and runs again when they change.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import yaml
from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract
from jupyter_cache.executors import load_executor
from jupyter_cache.executors.basic import ExecutionWorkerLocalMProc, ProcessData
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from warm_kernels import warm_kernels

FEW = 3
"""Pages for which it does not pay to have kernels begin warm."""


def figures_of(page: Path) -> list[str]:
    """The files that a text page names in its front matter."""
    text = page.read_text("utf-8")
    if page.suffix != ".md" or not text.startswith("---\n"):
        return []
    return yaml.safe_load(text.split("---\n")[1]).get("figures", [])


def digest_of(files: list[Path]) -> str:
    """A hash of what stands in `files`; one that is not there counts as empty."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes() if file.exists() else b"")
    return digest.hexdigest()


def forget_outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    """Takes pages out of the notebook cache whose recorded figures are others than when they ran; Sphinx reads them anew."""
    cache = get_cache(env.mystnb_config.execution_cache_path)
    outdated = []
    for name in sorted(env.found_docs - removed):
        page = Path(env.doc2path(name))
        if not (figures := figures_of(page)):
            continue
        seen = Path(env.mystnb_config.execution_cache_path) / f"{name.replace('/', '-')}.figures"
        digest = digest_of([Path(app.srcdir) / figure for figure in figures])
        if not seen.exists() or seen.read_text("utf-8") != digest:
            for record in cache.list_cache_records():
                if Path(record.uri) == page:
                    cache.remove_cache(record.pk)
            seen.write_text(digest, "utf-8")
            outdated.append(name)
    return outdated


def run_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Runs those of the pages to be read that have cells and no outputs in the notebook cache."""
    config = env.mystnb_config
    if config.execution_mode != "cache" or config.execution_in_temp:
        return
    cache = get_cache(config.execution_cache_path)
    pages = {Path(env.doc2path(name)) for name in docnames}
    for page in pages:
        text = page.read_text("utf-8")
        reader = create_nb_reader(str(page), env.myst_config, config, text)
        if reader and any(cell.cell_type == "code" for cell in reader.read(text).cells):
            cache.add_nb_to_project(str(page), **({"read_data": reader.read_fmt} if reader.read_fmt else {}))
    waiting = [record.pk for record in cache.list_unexecuted() if Path(record.uri) in pages]
    if waiting:
        say_which_digits()
    if len(waiting) > 1:
        with warm_kernels() if len(waiting) > FEW else nullcontext():
            run_longest_first(
                cache, waiting, timeout=config.execution_timeout, allow_errors=config.execution_allow_errors
            )


def run_longest_first(cache: JupyterCacheAbstract, waiting: list[int], **how: object) -> None:
    """Runs the pages of those keys, as jupyter-cache's own executor does; but one at a time, and long files first.

    Its executor deals the pages out by threes, in any order, so that one processor may wait for minutes at the end.
    """
    records = load_executor("local-parallel", cache).get_records(filter_pks=waiting, clear_tracebacks=True)
    records.sort(key=lambda record: Path(record.uri).stat().st_size, reverse=True)
    tasks = [ProcessData(record.pk, record.uri, cache, **how) for record in records]
    with multiprocessing.Pool() as pool:
        say_how_far(pool.imap_unordered(ExecutionWorkerLocalMProc(), tasks), len(tasks))


def say_how_far(ending: Iterable, waiting: int) -> None:
    """Prints, for who builds the book, how many pages have run and how long the others may take, as each ends."""
    begin = time.monotonic()
    say(f"{waiting} have to run, {min(waiting, os.cpu_count() or 1)} at a time.")
    for done, _ in enumerate(ending, 1):
        left = (time.monotonic() - begin) / done * (waiting - done)
        say(f"{done} of {waiting} have run" + (f", about {left:.0f} s left." if left else "."))


def say(words: str) -> None:
    """Prints a line that ``tools/build.py`` hands on."""
    print(f"Pages: {words}", flush=True)


def say_writing(app: Sphinx, env: BuildEnvironment) -> None:
    """Prints that what remains is to write the pages."""
    say("all have run and are being written.")


def say_which_digits() -> None:
    """Prints for who builds the book which digits its pages will find; the pages say it at their end."""
    from aae_core.data import load_digits

    load_digits(announce=lambda line: print(line, flush=True))


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension to Sphinx."""
    app.connect("env-get-outdated", forget_outdated)
    app.connect("env-before-read-docs", run_pages)
    app.connect("env-check-consistency", say_writing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
