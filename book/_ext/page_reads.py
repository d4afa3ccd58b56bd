"""What a page's kernel reads of the project, noted as it reads it; ``page_records.py`` asks later whether that has changed.

Run as a program it is an IPython kernel that listens from its first moment; the forks of ``warm_kernels.py`` are such kernels too.
It hears of files that are opened and folders that are listed (Python's audit events), of files that are looked for (``os.stat``
and its like, which have no such event), of modules that are imported or looked for, and of processes that are started, whose
reading nobody hears: they count as all of the package. What a library in C or Rust opens by itself raises no event; in the project
these are the weights, so whoever touches one file of a model's folder has read all of the folder.

Each file is noted with what stood in it when it was first read, so that one which changes while the page runs is no longer as noted.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache, wraps
from importlib.machinery import all_suffixes
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

NOTE = "AAE_NOTE"
"""The variable that names the file in which a kernel leaves what it has read."""
ROOTS = "AAE_ROOTS"
"""The variable with the folders that count, by name, as JSON; of a file that lies in several of them the first has it."""

APART = {"_build", "__pycache__", ".git", ".ipynb_checkpoints", "site-packages", "dist-packages"}
A_FOLDER, NOTHING = "a folder", "nothing"
STARTED = {
    *("subprocess.Popen", "os.system", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "os.forkpty"),
    *("os.startfile", "_winapi.CreateProcess"),
}
HARMLESS = {"/sbin/ldconfig", "uname"}
"""Programs that read nothing of the project, and that libraries start: torch to find CUDA, Python to name the processor."""
HEARD = {"open", "os.listdir", "os.scandir"} | STARTED
# Who lists folders to find modules is heard as a search for them; the versions of what is installed are in the cache's key.
FINDERS = ("<frozen importlib._bootstrap_external>", f"importlib{os.sep}metadata{os.sep}__init__.py")


def state_of(path: str) -> str:
    """What stands in a file, as a digest; or that `path` is a folder, or that nothing is there."""
    if not os.path.isfile(path):
        return A_FOLDER if os.path.isdir(path) else NOTHING
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def tree_of(path: str) -> str:
    """All names in a folder and in those below it, and what stands in its files, as a digest; hidden names do not count."""
    digest = hashlib.sha256(state_of(path).encode())
    seen = set()
    for folder, below, files in os.walk(path, followlinks=True):
        real = os.path.realpath(folder)
        below[:] = sorted(each for each in below if counts(each) and each[0] != "." and real not in seen)
        seen.add(real)
        for name in sorted(each for each in files if each[0] != "." and not each.endswith(".pyc")):
            file = os.path.join(folder, name)
            digest.update(f"{os.path.relpath(file, path)}\0{state_of(file)}\0".encode())
        digest.update("\0".join(["", *below]).encode())
    return digest.hexdigest()


def found_in(folder: str, names: Iterable[str]) -> list[str]:
    """What lies in a folder that an import of one of those names could take."""
    endings, wanted = tuple(all_suffixes()), set(names)
    there = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(
        name for name in there if name.partition(".")[0] in wanted and ("." not in name or name.endswith(endings))
    )


def counts(relative: str) -> bool:
    """Whether a path within a root is the project's: neither built from it nor an environment."""
    return not APART.intersection(relative.split(os.sep))


@cache
def real_folder(folder: str) -> str:
    """A folder without symbolic links; asked once for each."""
    return os.path.realpath(folder)


class Reads:
    """What was read so far below some folders: by kind, each with its state when it was first read.

    Args:
        roots: the folders by name.
    """

    def __init__(self, roots: Mapping[str, str]) -> None:
        self.roots = {name: os.path.realpath(folder) for name, folder in roots.items()}
        self.files: dict[str, str] = {}
        self.trees: dict[str, str] = {}
        self.sought: dict[str, tuple[set[str], set[str]]] = {}
        """Names of modules that were looked for in a folder, and what was found of them."""
        self.fault = ""
        """Why the notes are not whole; such a page has none."""
        self.written: set[str] = set()
        self.here = threading.local()
        environment = {sys.prefix, sys.exec_prefix} - {sys.base_prefix, sys.base_exec_prefix}
        self.apart = tuple(os.path.join(each, "") for each in {*environment, *map(os.path.realpath, environment)})

    def place(self, path: Any) -> str | None:
        """A path as the notes have it, such as ``package:zoo.py``; None where it lies in no root."""
        full = os.path.join(os.getcwd(), os.fsdecode(path))
        if full.endswith(".pyc"):
            with suppress(ValueError):  # else it stands for no source, but for itself
                full = source_from_cache(full)
        folder, name = os.path.split(full)
        unlinked = os.path.normpath(os.path.join(real_folder(folder), name))
        for each in (unlinked, os.path.normpath(full)):
            for root, top in self.roots.items():
                if each == top or each.startswith(top + os.sep):
                    relative = each[len(top) + 1 :]
                    apart = root != "package" and each.startswith(self.apart)
                    return f"{root}:{Path(relative).as_posix()}" if counts(relative) and not apart else None
        return None

    def path(self, place: str) -> str:
        """The path of a place in the notes."""
        root, _, relative = place.partition(":")
        return os.path.join(self.roots[root], relative)

    def note_file(self, path: Any) -> None:
        """Notes a file that is opened or looked for."""
        place = self.place(path)
        if place is None or place in self.files or place in self.written:
            return
        self.files[place] = state_of(self.path(place))
        kind, _, rest = place.partition("weights/")
        if kind == "package:" and rest:
            self.note_tree(self.path(f"package:weights/{rest.partition('/')[0]}"))

    def note_tree(self, path: Any) -> None:
        """Notes a folder with all that is in it."""
        place = self.place(path)
        if place is not None and not os.path.isdir(self.path(place)):
            self.note_file(path)
        elif place is not None and place not in self.trees:
            self.trees[place] = tree_of(self.path(place))

    def note_search(self, name: str, folders: Iterable[str]) -> None:
        """Notes a module that is looked for in folders, found or not."""
        name = name.rpartition(".")[2]
        for folder in folders:
            place = self.place(folder) if isinstance(folder, str) else None
            if place is None:
                continue
            sought, found = self.sought.setdefault(place, (set(), set()))
            if name not in sought:
                sought.add(name)
                for each in found_in(self.path(place), [name]):
                    found.add(each)
                    inside = [] if "." in each else ["__init__.py"]
                    self.note_file(os.path.join(self.path(place), each, *inside))

    def opened(self, path: Any, _mode: object, flags: int) -> None:
        """Notes a file that is opened, unless it is one that the page itself writes."""
        if isinstance(path, int):  # it was heard of when it was opened by its name
            return
        if flags & os.O_TRUNC or (flags & os.O_EXCL and not os.path.lexists(path)):
            if (place := self.place(path)) and place not in self.files:
                self.written.add(place)
        elif os.path.isdir(path):
            self.note_tree(path)
        elif not flags & os.O_WRONLY:
            self.note_file(path)

    def looked_for(self, path: Any, *_: object, dir_fd: object = None, **__: object) -> None:
        """Notes a file that is looked for by its name."""
        if not isinstance(path, int) and dir_fd is None:
            self.note_file(path)

    def started(self, program: Any = None, *_: object) -> None:
        """Notes a process, of whose reading nothing is known."""
        if str(program) not in HARMLESS:
            self.note_tree(self.roots["package"])

    def quietly(self, do: Callable[..., None], *arguments: Any, **options: Any) -> None:
        """Notes something, without hearing of the reading that this needs; what goes wrong makes all notes worthless."""
        if getattr(self.here, "busy", False):
            return
        self.here.busy = True
        try:
            do(*arguments, **options)
        except Exception as error:
            self.fault = self.fault or f"{do.__name__}{arguments}: {error!r}"
        finally:
            self.here.busy = False

    def hear(self, event: str, given: tuple) -> None:
        """Python's audit hook."""
        if event in HEARD:
            self.quietly(self.note_event, event, given)

    def note_event(self, event: str, given: tuple) -> None:
        """Notes what an event is about."""
        if event == "open":
            self.opened(*given)
        elif event in STARTED:
            self.started(*given)
        elif not isinstance(given[0], int) and not sys._getframe(3).f_code.co_filename.endswith(FINDERS):
            self.note_tree(os.getcwd() if given[0] is None else given[0])

    def find_spec(self, name: str, path: Iterable[str] | None = None, target: object = None) -> None:
        """Finds no module: this is the first of those that are asked for one, and notes the question."""
        self.quietly(self.note_search, name, list(sys.path if path is None else path))

    def listen(self) -> None:
        """Notes from now on what this process and its forks read."""
        sys.addaudithook(self.hear)
        sys.meta_path.insert(0, self)
        for name in ("stat", "lstat", "access"):
            asks = self.noting(getattr(os, name), self.looked_for)
            for able in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks, os.supports_effective_ids):
                if getattr(os, name) in able:
                    able.add(asks)
            setattr(os, name, asks)
        with suppress(ImportError):  # multiprocessing starts processes by this, of which there is no event
            import _posixsubprocess
            import subprocess  # noqa: F401  which keeps the function as it was: it has an event

            _posixsubprocess.fork_exec = self.noting(_posixsubprocess.fork_exec, self.started)
        for name in {each.partition(".")[0] for each in sys.modules}:
            self.quietly(self.note_search, name, [*sys.path])

    def noting(self, function: Callable, note: Callable[..., None]) -> Callable:
        """A function before which `note` is called with its arguments."""

        @wraps(function)
        def called(*arguments: Any, **options: Any) -> Any:
            self.quietly(note, *arguments, **options)
            return function(*arguments, **options)

        return called

    def write(self, note: Path) -> None:
        """Leaves what was read so far in that file; modules are there whichever way they came."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__dict__", {}).get("__file__")
            if isinstance(file, str):
                self.quietly(self.note_file, file)
        sought = {place: {"names": sorted(n), "found": sorted(f)} for place, (n, f) in self.sought.items()}
        read = {"files": dict(self.files), "trees": dict(self.trees), "sought": sought, "fault": self.fault}
        self.quietly(note.write_text, json.dumps(read), "utf-8")


reads: Reads | None = None
"""What this process has read, once it listens."""


def listen() -> None:
    """Listens from now on, where the environment names the folders that count."""
    global reads
    if reads is None and ROOTS in os.environ:
        reads = Reads(json.loads(os.environ[ROOTS]))
        reads.listen()


def run_kernel(argv: list[str]) -> None:
    """Goes on as an IPython kernel, which ends this process; after each cell it leaves what was read, where the environment says."""
    note = os.environ.pop(NOTE, None)
    if note is not None:
        listen()
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher", *argv]
    kernel = IPKernelApp.instance()
    kernel.initialize(argv)
    if note is not None and reads is not None:
        # What comes with a cell's end, such as drawing its figures, is of `post_execute`, before this.
        kernel.shell.events.register("post_run_cell", lambda *_: reads.write(Path(note)))
    kernel.start()


if __name__ == "__main__":
    import page_reads  # IPython puts the page's own module in the place of __main__

    sys.path.pop(0)  # this file's folder, which a kernel does not have
    page_reads.run_kernel(sys.argv[1:])
