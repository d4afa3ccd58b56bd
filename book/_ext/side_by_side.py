"""Sphinx extension: runs the pages that have to run side by side, one a processor, before Sphinx reads them one by one.

Jupyter Book runs a notebook when it comes to its page, so all processors but one would wait. Here jupyter-cache's own
workers fill the notebook cache first; Sphinx then finds each page's outputs there. A page whose cell fails is
not in the cache, so Sphinx runs that page again and reports the failure as ever. ``page_records.py`` says which pages have to run.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract, ProjectNb
from jupyter_cache.executors import load_executor
from jupyter_cache.executors.basic import ExecutionWorkerLocalMProc, ProcessData
from jupyter_cache.executors.utils import ExecutionResult
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from page_records import caches, cells_of, keep, noted, record_of, start_listening
from warm_kernels import warm_kernels

FEW = 3
"""Pages for which it does not pay to have kernels begin warm."""


class NotingWorker(ExecutionWorkerLocalMProc):
    """jupyter-cache's worker, which keeps beside a page's outputs what the page has read."""

    def __call__(self, data: ProcessData) -> tuple[int, str]:
        """Runs a page; what happened, as a number, and the page."""
        start_listening()  # a process that is no fork of Sphinx's does not yet
        with noted(data.cache) as note:
            done, page = super().__call__(data)
            if done == 0:
                keep(note, self.record)
        return done, page

    def execute(self, project_nb: ProjectNb, data: ProcessData) -> ExecutionResult:
        """Runs the cells, of which it remembers where their record belongs: running changes them."""
        self.record = record_of(data.cache, project_nb.nb)
        return super().execute(project_nb, data)


def run_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Runs those of the pages to be read that have cells and no outputs in the notebook cache."""
    if not caches(env):
        return
    config = env.mystnb_config
    cache = get_cache(config.execution_cache_path)
    pages = {Path(env.doc2path(name)): cells_of(env, name) for name in docnames}
    for page, (cells, how) in pages.items():
        if cells:
            cache.add_nb_to_project(str(page), **how)
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
        say_how_far(pool.imap_unordered(NotingWorker(), tasks), len(tasks))


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
    app.connect("env-before-read-docs", run_pages)
    app.connect("env-check-consistency", say_writing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
