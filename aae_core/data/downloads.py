"""Where a data set's files are: a named folder, else one cache, filled by downloads that are whole or not there.

A file of the cache that fails its check is set aside as ``….corrupt`` and fetched again; a named folder is never changed.
A download goes into a folder of its own, and moves to its place when it is checked. Addresses and checksums are torchvision's.
Nothing is unpacked but single gzip files, whose names are ours.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, getproxies, urlopen

from filelock import FileLock, Timeout

from aae_core.data.images import DataError, is_build

FAILURES = (OSError, HTTPException, EOFError, ValueError)
"""What a download may raise: no network, an answer that breaks off or is none, an address that is none."""
PATIENCE = 20.0
"""Seconds that a server may be silent, or slow."""
SLOWEST = 5_000
"""Bytes a second that a server is to send, on average, after so long."""
PAUSES = (0.0, 2.0, 8.0)
"""Seconds before each round over the mirrors."""
LIMIT = 1800.0
"""Seconds that a set's downloads may take in all."""


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
            return place, f"{self.title} in {'a folder of its own' if is_build() else folder}"

        place = cache_folder() / self.place
        faults = self._faults(place)
        if not faults:
            return place, f"{self.title} in the cache"
        names, them = " and ".join(path.name for path in faults), "them" if len(faults) > 1 else "it"
        by_hand = f"Fetch {names} elsewhere, and name the folder that holds {them}: --data DIR."
        if not download:
            raise DataError(f"{self.title}: not in the cache ({place}), and the network was not to be asked. {by_hand}")
        until = time.monotonic() + LIMIT
        try:
            with _alone(cache_folder() / f".{self.title}.lock", announce):
                self._fetch_missing(place, until, announce)
        except FAILURES as error:
            raise DataError(f"{self.title}: {error}. {by_hand}") from error
        return place, f"{self.title}, downloaded into the cache"

    def _fetch_missing(self, place: Path, until: float, announce: Callable[[str], None]) -> None:
        """Fetches what the cache lacks; with the lock held, for another process may just have fetched it."""
        for dead in place.glob("partial-*"):  # of a process that was killed
            shutil.rmtree(dead, ignore_errors=True)
        failed: dict[str, int] = {}
        for path, fault in self._faults(place).items():
            if path.exists():
                announce(f"Data: the cached copy cannot be used: {fault}")
                path.replace(path.with_name(path.name + ".corrupt"))
            _fetch(path, self.files()[path.name], until, failed)

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


@contextmanager
def _alone(path: Path, announce: Callable[[str], None]) -> Iterator[None]:
    """Lets one process at a time into the block; one that is killed lets go."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(13, f"{path.parent} cannot be written")
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        announce("Data: another process is downloading it; waiting for its end.")
        lock.acquire(timeout=LIMIT)
    try:
        yield
    finally:
        lock.release()


def _fetch(path: Path, file: File, until: float, failed: dict[str, int]) -> None:
    """One file from the first mirror that gives it whole, unpacked where it is kept so, before it moves to `path`.

    Args:
        until: when to give up, on the monotonic clock.
        failed: how often each server has failed so far; those that failed least are asked first.

    Raises:
        OSError: none did; it says of each mirror why.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    reasons: dict[str, str] = {}
    addresses = list(file.addresses)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="partial-") as folder:
        for pause in PAUSES:
            if not addresses or time.monotonic() + pause > until:
                break
            time.sleep(pause)
            for address in sorted(addresses, key=lambda each: failed.get(urlsplit(each).netloc, 0)):
                server, sent = urlsplit(address).netloc, Path(folder, Path(urlsplit(address).path).name)
                try:
                    _download(address, sent, file.md5, until)
                    if sent.suffix == ".gz" and path.suffix != ".gz":
                        sent, packed = Path(folder, path.name), sent
                        sent.write_bytes(gzip.decompress(packed.read_bytes()))
                    sent.replace(path)
                    return
                except FAILURES as error:
                    if isinstance(error, OSError) and error.errno in (28, 30, 13):
                        raise  # here, and not there: no room, or not to be written
                    failed[server] = failed.get(server, 0) + 1
                    reasons[server] = f"{server}: {error}"
                    if not _may_pass(error):
                        addresses.remove(address)
    why = "; ".join(reasons.values()) or "no mirror is known, or no time was left"
    raise OSError(f"{path.name} could not be downloaded ({why}); nothing of it was kept")


def _may_pass(error: Exception) -> bool:
    """Whether to ask the same server again: it is busy, or the answer broke off or went astray; a refusal will not pass."""
    if isinstance(error, HTTPError):
        return error.code in (408, 429) or error.code >= 500
    return isinstance(error, HTTPException | ConnectionResetError)


def _download(address: str, sent: Path, md5: str, until: float) -> None:
    """What `address` answers, into the file `sent`, with a bar in a terminal or a notebook; checked.

    Raises:
        OSError, HTTPException: it does not answer, not in time, or with something else.
    """
    from tqdm.auto import tqdm

    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    shown = (in_notebook or sys.stderr.isatty()) and os.environ.get("TQDM_DISABLE") != "1"
    _reach(address)
    begun, found, taken = time.monotonic(), hashlib.md5(usedforsecurity=False), 0
    request = Request(address, headers={"User-Agent": "aae_core"})
    with urlopen(request, timeout=PATIENCE) as answer, sent.open("wb") as kept:
        size = int(answer.headers.get("Content-Length") or 0)
        options = {"unit": "B", "unit_scale": True, "leave": False, "disable": not shown}
        with tqdm(total=size or None, desc=sent.name, **options) as bar:
            while part := answer.read1(2**16):
                kept.write(part)
                found.update(part)
                bar.update(len(part))
                taken, now = taken + len(part), time.monotonic()
                if now > until or (now - begun > PATIENCE and taken < SLOWEST * (now - begun)):
                    raise TimeoutError(f"too slow: {taken:,} bytes in {now - begun:.0f} s")
                if size and taken > size:
                    break
    if taken < size:
        raise ConnectionResetError(f"the answer broke off after {taken:,} of {size:,} bytes")
    if found.hexdigest() != md5:
        raise OSError("the answer is not the file: its checksum is another")


def _reach(address: str, seconds: float = 3.0) -> None:
    """Raises OSError unless the server of `address` accepts a connection; a proxy is asked at once."""
    url = urlsplit(address)
    if url.scheme in getproxies():
        return
    try:
        socket.create_connection((url.hostname, url.port or {"http": 80}.get(url.scheme, 443)), seconds).close()
    except OSError as reason:
        raise OSError(str(reason)) from reason
