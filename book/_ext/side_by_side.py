"""Sphinx extension: runs the pages that have to run side by side, one a processor, before Sphinx reads them one by one.

Jupyter Book runs a notebook when it comes to its page, so all processors but one would wait. Here jupyter-cache's own
parallel executor fills the notebook cache first; Sphinx then finds each page's outputs there. A page whose cell fails is
not in the cache, so Sphinx runs that page again and reports the failure as ever.
"""

from __future__ import annotations

from pathlib import Path

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from myst_nb.core.read import create_nb_reader
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment


def run_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Runs those of the pages to be read that have cells and no outputs in the notebook cache."""
    config = env.mystnb_config
    if config.execution_mode != "cache" or config.execution_in_temp:
        return
    cache = get_cache(config.execution_cache_path)
    for name in docnames:
        page = Path(env.doc2path(name))
        if reader := create_nb_reader(str(page), env.myst_config, config, page.read_text("utf-8")):
            cache.add_nb_to_project(str(page), **({"read_data": reader.read_fmt} if reader.read_fmt else {}))
    pages = {Path(env.doc2path(name)) for name in docnames}
    waiting = [record.pk for record in cache.list_unexecuted() if Path(record.uri) in pages]
    if len(waiting) > 1:
        load_executor("local-parallel", cache).run_and_cache(
            filter_pks=waiting, timeout=config.execution_timeout, allow_errors=config.execution_allow_errors
        )


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension to Sphinx."""
    app.connect("env-before-read-docs", run_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
