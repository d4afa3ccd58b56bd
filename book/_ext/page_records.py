"""What each page has read of the project, kept beside its outputs: a page runs again when a file has changed that it can reach.

The notebook cache knows a page by its cells. Beside each entry lies a record of the files, folders and modules that the page's
kernel opened, listed or looked for (``page_reads.py``), each with its state then. Before Sphinx reads the pages, an entry
whose record is no longer true leaves the cache; so does one without a record, or with one that another state of
``page_reads.py`` wrote. A record is written when its page has run to its end, and after the entry.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.base import JupyterCacheAbstract
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from myst_nb.core.read import create_nb_reader
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import page_reads
from notebook_cache import package_folder

FOLDER = "reads"
"""Of the records, in the folder of the cache."""
OUT_OF_THE_BOX = "local-provisioner"


class ListeningProvisioner(LocalProvisioner):
    """Starts a kernel of IPython as one that notes what it reads, where the environment asks for that; others as ever."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """The connection of the kernel."""
        if "ipykernel_launcher" in cmd and page_reads.NOTE in kwargs["env"]:
            after = cmd.index("ipykernel_launcher")
            cmd = [*cmd[: after - 1], page_reads.__file__, *cmd[after + 1 :]]
        return await super().launch_kernel(cmd, **kwargs)


def roots(book: Path) -> dict[str, str]:
    """The folders whose files count: the package's, the book's, and the package's checkout where it lies in one."""
    package = package_folder()
    beside = {"checkout": str(package.parent)} if (package.parent / "pyproject.toml").exists() else {}
    return {"package": str(package), "book": str(book), **beside}


def let_kernels_listen(app: Sphinx) -> None:
    """Tells the kernels that begin from here which folders count."""
    os.environ[page_reads.ROOTS] = json.dumps(roots(Path(app.srcdir)))
    os.environ.pop(page_reads.NOTE, None)
    start_listening()


def start_listening() -> None:
    """Has this process start kernels that listen, but where it starts warm ones, which listen too."""
    factory = KernelProvisionerFactory.instance()
    if factory.default_provisioner_name == OUT_OF_THE_BOX:
        entry = EntryPoint("listening", f"{__name__}:{ListeningProvisioner.__name__}", factory.GROUP_NAME)
        factory.provisioners["listening"] = entry
        factory.default_provisioner_name = "listening"


@contextmanager
def noted(cache: JupyterCacheAbstract) -> Iterator[Path]:
    """While it lasts, a kernel that begins leaves its notes in the file that this gives."""
    note = begin_note(Path(cache.path))
    try:
        yield note
    finally:
        os.environ.pop(page_reads.NOTE, None)
        note.unlink(missing_ok=True)


def begin_note(cache: Path) -> Path:
    """Names to the next kernel a file for its notes."""
    note = cache / FOLDER / f"{uuid.uuid4().hex}.note"
    note.parent.mkdir(exist_ok=True)
    os.environ[page_reads.NOTE] = str(note)
    return note


def noted_by() -> dict[str, str]:
    """What the notes rest on: another state of the module that notes may miss something, and so may other places of the folders."""
    folders = json.loads(os.environ[page_reads.ROOTS])
    book = os.path.realpath(folders["book"])
    places = {name: os.path.relpath(os.path.realpath(folder), book) for name, folder in folders.items()}
    return places | {"module": page_reads.state_of(page_reads.__file__)}


def record_of(cache: JupyterCacheAbstract, notebook: NotebookNode) -> Path:
    """Where the record of those cells lies."""
    return Path(cache.path) / FOLDER / f"{cache.create_hashed_notebook(notebook)[1]}.json"


def keep(note: Path, record: Path) -> None:
    """Makes a kernel's notes the record of a page that has run; where they are not whole, it has none."""
    record.unlink(missing_ok=True)
    try:
        read = json.loads(note.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if not read["fault"]:
        note.write_text(json.dumps(read | {"run": note.stem, "noted by": noted_by()}), "utf-8")
        note.replace(record)


def run_of(record: Path) -> str | None:
    """Which run a record is of; None if there is no such record."""
    try:
        return json.loads(record.read_text("utf-8"))["run"]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def holds(record: Path) -> bool:
    """Whether all that a page read stands as it stood; not if there is no record, or a damaged one."""
    reads = page_reads.Reads(json.loads(os.environ[page_reads.ROOTS]))
    try:
        return _holds(json.loads(record.read_text("utf-8")), reads)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return False


def _holds(kept: dict[str, Any], reads: page_reads.Reads) -> bool:
    return (
        kept["noted by"] == noted_by()
        and all(page_reads.state_of(reads.path(place)) == was for place, was in kept["files"].items())
        and all(
            page_reads.found_in(reads.path(p), each["names"]) == each["found"] for p, each in kept["sought"].items()
        )
        and all(page_reads.tree_of(reads.path(place)) == was for place, was in kept["trees"].items())
    )


def cells_of(env: BuildEnvironment, name: str) -> tuple[NotebookNode | None, dict[str, Any]]:
    """A page as a notebook, None if it has no cells to run; and how jupyter-cache is to read it."""
    path = env.doc2path(name)
    text = Path(path).read_text("utf-8")
    reader = create_nb_reader(path, env.myst_config, env.mystnb_config, text)
    notebook = reader.read(text) if reader else None
    if notebook is None or not any(cell.cell_type == "code" for cell in notebook.cells):
        return None, {}
    return notebook, {"read_data": reader.read_fmt} if reader.read_fmt else {}


def caches(env: BuildEnvironment) -> bool:
    """Whether the build keeps outputs, of pages that run in their own folder."""
    return env.mystnb_config.execution_mode == "cache" and not env.mystnb_config.execution_in_temp


def forget_outdated(app: Sphinx, env: BuildEnvironment, added: set, changed: set, removed: set) -> list[str]:
    """Takes out of the notebook cache what ran when the files that it read were others.

    Returns:
        The pages that Sphinx is to read anew: those, and pages that it has read as they were in an earlier run.
    """
    if not caches(env):
        return []
    cache, outdated = get_cache(env.mystnb_config.execution_cache_path), []
    for left in (Path(cache.path) / FOLDER).glob("*.note"):  # by a build that was ended
        left.unlink(missing_ok=True)
    for name in sorted(env.found_docs - removed):
        notebook, _ = cells_of(env, name)
        if notebook is None:
            continue
        record = record_of(cache, notebook)
        if not holds(record):
            record.unlink(missing_ok=True)
            with suppress(KeyError):  # there is no entry
                cache.remove_cache(cache.match_cache_notebook(notebook).pk)
            outdated.append(name)
        elif runs_read(env).get(name) != run_of(record):
            outdated.append(name)
    return outdated


def runs_read(env: BuildEnvironment) -> dict[str, str | None]:
    """The run of which Sphinx has read a page's outputs, by page; kept with all else that it has read."""
    if not hasattr(env, "aae_runs_read"):
        env.aae_runs_read = {}
    return env.aae_runs_read


def begin_page(app: Sphinx, name: str, text: list[str]) -> None:
    """Sphinx begins to read a page: if it runs it itself, the kernel shall leave its notes."""
    if caches(app.env):
        begin_note(Path(app.env.mystnb_config.execution_cache_path))


def end_page(app: Sphinx, doctree: object) -> None:
    """Sphinx has read a page: its record is kept if it has run here, and its run noted."""
    env = app.env
    if not caches(env) or not (note := os.environ.pop(page_reads.NOTE, None)):
        return
    notebook, _ = cells_of(env, env.docname)
    if notebook is not None:
        cache = get_cache(env.mystnb_config.execution_cache_path)
        record = record_of(cache, notebook)
        if Path(note).exists():
            with suppress(KeyError):  # it failed
                cache.match_cache_notebook(notebook)
                keep(Path(note), record)
            Path(note).unlink(missing_ok=True)
        runs_read(env)[env.docname] = run_of(record)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connects the extension to Sphinx."""
    app.connect("builder-inited", let_kernels_listen)
    app.connect("env-get-outdated", forget_outdated)
    app.connect("source-read", begin_page)
    app.connect("doctree-read", end_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
