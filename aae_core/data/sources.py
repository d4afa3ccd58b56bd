"""Where a data set's files are: a named folder, else one cache, filled by downloads that are whole or not there.

A file of the cache that fails its check is set aside as ``….corrupt`` and fetched again; a named folder is never changed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from aae_core.data import downloads
from aae_core.data.downloads import File
from aae_core.data.images import DataError, is_build
from aae_core.files import cache_folder

Files = Callable[[], dict[str, File]]
"""A set's files by name, from torchvision, which takes a second to import: called when they must be known."""


def check_md5(path: Path, files: Files) -> None:
    """Refuses a file that is missing or has another checksum.

    Raises:
        DataError: with its name.
    """
    from torchvision.datasets.utils import check_integrity

    if not path.exists():
        raise DataError(f"{path}: the file is missing. Copy it there.")
    if not check_integrity(path, files()[path.name].md5):
        size = path.stat().st_size
        raise DataError(f"{path}: truncated or altered: its checksum is another ({size:,} bytes). Fetch it again.")


class Found(NamedTuple):
    """Where a set's files are, the same in words, and what the check has read of each, by its name."""

    place: Path
    source: str
    read: dict[str, Any]


@dataclass(frozen=True)
class Source:
    """The files of a data set that torchvision knows.

    Args:
        title: as its authors call it.
        place: where torchvision puts its files, seen from the folder that it is given.
        names: the files' names.
        files: where they may be had.
        check: raises :class:`DataError` for a file that is missing, damaged or altered; what it gives of others is kept.
    """

    title: str
    place: str
    names: tuple[str, ...]
    files: Files
    check: Callable[[Path, Files], Any] = check_md5

    def find(self, folder: str | Path | None, download: bool, announce: Callable[[str], None]) -> Found:
        """The folder that holds the files, each of them checked.

        Args:
            folder: a named one, which alone is looked at; None for the cache, which downloads fill.
            download: whether the network may be asked for what the cache lacks.
            announce: takes a line on a file of the cache that is set aside.

        Raises:
            DataError: files are missing or at fault, and cannot be had or are not to be touched.
        """
        if folder is not None:
            place = self._place(Path(folder))
            read, faults = self._look(place)
            if faults:
                raise DataError(f"{' '.join(faults.values())} Or leave the folder out to fetch {self.title}.")
            return Found(place, f"{self.title} in {'a folder of its own' if is_build() else folder}", read)

        place = cache_folder() / self.place
        read, faults = self._look(place)
        if not faults:
            return Found(place, f"{self.title} in the cache", read)
        names, them = " and ".join(path.name for path in faults), "them" if len(faults) > 1 else "it"
        by_hand = f"Fetch {names} elsewhere, and name the folder that holds {them}: --data DIR."
        if not download:
            raise DataError(f"{self.title}: not in the cache ({place}), and the network was not to be asked. {by_hand}")
        until = time.monotonic() + downloads.LIMIT
        try:
            with _alone(cache_folder() / f".{self.title}.lock", announce):
                self._fetch_missing(place, until, announce)
                read = {name: self.check(place / name, self.files) for name in self.names}
        except downloads.FAILURES as error:
            raise DataError(f"{self.title}: {error}. {by_hand}") from error
        return Found(place, f"{self.title}, downloaded into the cache", read)

    def _fetch_missing(self, place: Path, until: float, announce: Callable[[str], None]) -> None:
        """Fetches what the cache lacks; with the lock held, for another process may just have fetched it."""
        for dead in place.glob("partial-*"):  # of a process that was killed
            shutil.rmtree(dead, ignore_errors=True)
        failed: dict[str, int] = {}
        for path, fault in self._look(place)[1].items():
            if path.exists():
                announce(f"Data: the cached copy cannot be used: {fault}")
                path.replace(path.with_name(path.name + ".corrupt"))
            downloads.fetch(path, self.files()[path.name], until, failed)

    def _place(self, folder: Path) -> Path:
        """Where in a named folder the files lie: in it, or where torchvision would have put them."""
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such folder. Name the one that holds {' and '.join(self.names)}.")
        if (place := self.place_in(folder)) is None:
            raise DataError(f"{folder}: holds none of {self.title}'s files ({', '.join(self.names)}), plain or .gz.")
        return place

    def place_in(self, folder: Path) -> Path | None:
        """Where in a folder one of the files lies, plain or packed; None where none does."""
        for place in (folder / self.place, folder / Path(self.place).name, folder):
            if any((place / f"{name}{packed}").exists() for name in self.names for packed in ("", ".gz")):
                return place
        return None

    def _look(self, place: Path) -> tuple[dict[str, Any], dict[Path, str]]:
        """What the check gives of each file, by its name; and what is wrong, in words, with each that is at fault."""
        read, faults = {}, {}
        for name in self.names:
            try:
                read[name] = self.check(place / name, self.files)
            except DataError as error:
                faults[place / name] = str(error)
        return read, faults


@contextmanager
def _alone(path: Path, announce: Callable[[str], None]) -> Iterator[None]:
    """Lets one process at a time into the block; one that is killed lets go."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} cannot be written")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        announce("Data: another process is downloading it; waiting for its end.")
        lock.acquire(timeout=downloads.LIMIT)
    try:
        yield
    finally:
        lock.release()
