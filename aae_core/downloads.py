"""Downloads that are whole or not there: each goes into a folder of its own, and moves to its place when it is checked."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

FAILURES = (OSError, RuntimeError, HTTPException)
"""What a download may raise: no network, torchvision's word on a wrong checksum, an answer that breaks off."""
PATIENCE = 30.0
"""Seconds that a server may be silent."""


@contextmanager
def partial_folder(folder: Path, servers: Sequence[str]) -> Iterator[Path]:
    """A temporary folder inside `folder`, for a download from one of `servers`; what is left in it is thrown away.

    Raises:
        OSError: none of the servers answers.
    """
    # torchvision asks each address without a time limit: see first whether any answers at all.
    reach(servers)
    timeout = socket.getdefaulttimeout()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="partial-") as partial:
        try:
            socket.setdefaulttimeout(PATIENCE)
            yield Path(partial)
        finally:
            socket.setdefaulttimeout(timeout)


def reach(servers: Sequence[str], seconds: float = 3.0) -> None:
    """Raises OSError unless one of the servers, named by addresses of theirs, accepts a connection."""
    error: OSError = OSError("no mirror is known")
    for server in servers:
        url = urlsplit(server)
        try:
            with socket.create_connection((url.hostname, url.port or (443 if url.scheme == "https" else 80)), seconds):
                return
        except OSError as reason:
            error = OSError(f"{url.hostname}: {reason}")
    raise error
