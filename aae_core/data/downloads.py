"""Where a data set's files are: a named folder, else one cache, filled by downloads that are whole or not there.

A file of the cache that fails its check is set aside as ``….corrupt`` and fetched again; a named folder is never changed.
A download goes into a folder of its own, and moves to its place when it is checked. Addresses and checksums are torchvision's.
"""

from __future__ import annotations

import gzip
import os
import socket
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from aae_core.data.images import DataError

FAILURES = (OSError, RuntimeError, HTTPException)
"""What a download may raise: no network, torchvision's word on a wrong checksum, an answer that breaks off."""
PATIENCE = 30.0
"""Seconds that a server may be silent."""


def cache_folder() -> Path:
    """Where downloads are kept: ``AAE_CACHE``, else the platform's cache folder for this user."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("AAE_CACHE") or user_cache_dir("aae_core"))


@dataclass(frozen=True)
class File:
    """One file of a data set: where it may be had, and the MD5 checksum by which torchvision knows what is sent."""

    addresses: tuple[str, ...]
    md5: str


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


@dataclass(frozen=True)
class Source:
    """The files of a data set that torchvision knows.

    Args:
        title: as its authors call it.
        place: where torchvision puts its files, seen from the folder that it is given.
        names: the files' names.
        files: where they may be had.
        check: raises :class:`DataError` for a file that is missing, damaged or altered.
    """

    title: str
    place: str
    names: tuple[str, ...]
    files: Files
    check: Callable[[Path, Files], object] = check_md5

    def find(self, folder: str | Path | None, download: bool, announce: Callable[[str], None]) -> tuple[Path, str]:
        """The folder that holds the files, each of them checked, and in words where that is.

        Args:
            folder: a named one, which alone is looked at; None for the cache, which downloads fill.
            download: whether the network may be asked for what the cache lacks.
            announce: takes a line on a file of the cache that is set aside.

        Raises:
            DataError: files are missing or at fault, and cannot be had or are not to be touched.
        """
        if folder is not None:
            place = self._place(Path(folder))
            if faults := self._faults(place):
                raise DataError(f"{' '.join(faults.values())} Or leave the folder out to fetch {self.title}.")
            return place, f"{self.title} in {folder}"

        place = cache_folder() / self.place
        faults = self._faults(place)
        if not faults:
            return place, f"{self.title} in the cache"
        for path, fault in faults.items():
            if path.exists():
                announce(f"Data: the cached copy cannot be used: {fault}")
                path.replace(path.with_name(path.name + ".corrupt"))
        names, them = " and ".join(path.name for path in faults), "them" if len(faults) > 1 else "it"
        by_hand = f"Fetch {names} elsewhere, and name the folder that holds {them}: --data DIR."
        if not download:
            raise DataError(f"{self.title}: not in the cache ({place}), and the network was not to be asked. {by_hand}")
        for path in faults:
            try:
                _fetch(path, self.files()[path.name])
            except FAILURES as error:
                raise DataError(
                    f"{self.title}: {path.name} could not be downloaded ({error}); nothing of it was kept. {by_hand}"
                ) from error
        return place, f"{self.title}, downloaded into the cache"

    def _place(self, folder: Path) -> Path:
        """Where in a named folder the files lie, plain or packed: in it, or where torchvision would have put them."""
        if not folder.is_dir():
            raise DataError(f"{folder}: there is no such folder. Name the one that holds {' and '.join(self.names)}.")
        for place in (folder / self.place, folder / Path(self.place).name, folder):
            if any((place / f"{name}{packed}").exists() for name in self.names for packed in ("", ".gz")):
                return place
        raise DataError(f"{folder}: holds none of {self.title}'s files ({', '.join(self.names)}), plain or .gz.")

    def _faults(self, place: Path) -> dict[Path, str]:
        """What is wrong, in words, with each file at fault."""
        faults = {}
        for name in self.names:
            try:
                self.check(place / name, self.files)
            except DataError as error:
                faults[place / name] = str(error)
        return faults


def _fetch(path: Path, file: File) -> None:
    """torchvision's download of one file, checked, and unpacked where it is kept so, before it moves to `path`."""
    from torchvision.datasets.utils import download_url

    path.parent.mkdir(parents=True, exist_ok=True)
    timeout = socket.getdefaulttimeout()
    error: Exception = OSError("no mirror is known")
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="partial-") as folder:
        socket.setdefaulttimeout(PATIENCE)
        try:
            for address in file.addresses:
                sent = Path(folder, Path(urlsplit(address).path).name)
                try:
                    _reach(address)  # torchvision asks without a time limit
                    download_url(address, folder, sent.name, file.md5)
                    break
                except FAILURES as reason:
                    error = reason
            else:
                raise error
        finally:
            socket.setdefaulttimeout(timeout)
        if sent.suffix == ".gz" and path.suffix != ".gz":
            sent, packed = Path(folder, path.name), sent
            sent.write_bytes(gzip.decompress(packed.read_bytes()))
        sent.replace(path)


def _reach(address: str, seconds: float = 3.0) -> None:
    """Raises OSError unless the server of `address` accepts a connection."""
    url = urlsplit(address)
    try:
        socket.create_connection((url.hostname, url.port or {"http": 80}.get(url.scheme, 443)), seconds).close()
    except OSError as reason:
        raise OSError(f"{url.hostname}: {reason}") from reason
