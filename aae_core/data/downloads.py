"""One file of a data set out of the network: from the first mirror that gives it whole, checked before it is in its place.

A download goes into a folder of its own. Addresses and checksums are torchvision's. Nothing is unpacked but single gzip
files, whose names are ours.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import socket
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, getproxies, urlopen

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


@dataclass(frozen=True)
class File:
    """One file of a data set: where it may be had, the MD5 checksum by which torchvision knows what is sent, and a number of
    bytes that it does not reach, beyond which nothing is taken.
    """

    addresses: tuple[str, ...]
    md5: str
    most: int


def fetch(path: Path, file: File, until: float, failed: dict[str, int]) -> None:
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
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="partial-", ignore_cleanup_errors=True) as folder:
        for pause in PAUSES:
            if not addresses or time.monotonic() + pause > until:
                break
            time.sleep(pause)
            for address in sorted(addresses, key=lambda each: failed.get(urlsplit(each).netloc, 0)):
                server, sent = urlsplit(address).netloc, Path(folder, Path(urlsplit(address).path).name)
                try:
                    _download(address, sent, file, until)
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


def _download(address: str, sent: Path, file: File, until: float) -> None:
    """What `address` answers, into the file `sent`, with a bar in a terminal or a notebook; checked.

    Raises:
        OSError, HTTPException: it does not answer, not in time, or with something else.
    """
    from tqdm.auto import tqdm

    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    shown = (in_notebook or sys.stderr.isatty()) and os.environ.get("TQDM_DISABLE") != "1"
    begun, answer = time.monotonic(), _Answer(address, sent, file.most)
    answer.start()
    try:
        with tqdm(unit="B", unit_scale=True, leave=False, disable=not shown, desc=sent.name) as bar:
            while answer.is_alive():
                answer.join(0.1)
                bar.total = answer.size or None
                bar.update(answer.taken - bar.n)
                took = (now := time.monotonic()) - begun
                slow = now > until or (took > PATIENCE and answer.taken < SLOWEST * took)
                if slow and answer.is_alive():
                    raise TimeoutError(f"too slow: {answer.taken:,} bytes in {took:.0f} s")
    finally:
        answer.given_up.set()
    if answer.failure is not None:
        raise answer.failure
    if answer.taken < answer.size:
        raise ConnectionResetError(f"the answer broke off after {answer.taken:,} of {answer.size:,} bytes")
    if answer.found.hexdigest() != file.md5:
        raise OSError("the answer is not the file: its checksum is another")


class _Answer(threading.Thread):
    """An answer on its way into a file, in a thread of its own: who waits for it can give it up at any time.

    A time-out of the socket counts from each byte, and a server may send those of a name, a header or a length one by one.
    """

    def __init__(self, address: str, sent: Path, most: int) -> None:
        super().__init__(daemon=True)
        self.address, self.sent, self.most = address, sent, most
        self.size = self.taken = 0
        self.found = hashlib.md5(usedforsecurity=False)
        self.given_up = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            self._take()
        except Exception as error:  # for the thread that waits
            self.failure = error

    def _take(self) -> None:
        _reach(self.address)
        request = Request(self.address, headers={"User-Agent": "aae_core"})
        with urlopen(request, timeout=PATIENCE) as answer:
            self.size = int(answer.headers.get("Content-Length") or 0)
            if self.size > self.most:
                raise OSError(
                    f"the answer is not the file: {self.size:,} bytes, and the file has less than {self.most:,}"
                )
            if self.given_up.is_set():
                return
            with self.sent.open("wb") as kept:
                while (part := answer.read1(2**16)) and not self.given_up.is_set():
                    self.taken += len(part)
                    if self.taken > self.most:
                        raise OSError(f"the answer is not the file: it has more than {self.most:,} bytes")
                    kept.write(part)
                    self.found.update(part)


def _reach(address: str, seconds: float = 3.0) -> None:
    """Raises OSError unless the server of `address` accepts a connection; a proxy is asked at once."""
    url = urlsplit(address)
    if url.scheme in getproxies():
        return
    try:
        socket.create_connection((url.hostname, url.port or {"http": 80}.get(url.scheme, 443)), seconds).close()
    except OSError as reason:
        raise OSError(str(reason)) from reason
