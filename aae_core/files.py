"""Files from elsewhere, at the door: pickles are refused, JSON is an object or none, and what is packed has a limit."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from pathlib import Path
from typing import Any

PICKLE, ARCHIVE = b"\x80", b"PK\x03\x04"
LARGEST = 2**28
"""Bytes that a packed file may become: the largest of the data sets that come packed is a fifth of it."""


def cache_folder() -> Path:
    """Where downloads and lists are kept: ``AAE_CACHE``, else the platform's cache folder for this user."""
    from platformdirs import user_cache_dir

    return Path(os.environ.get("AAE_CACHE") or user_cache_dir("aae_core"))


def refuse_pipe(path: Path) -> None:
    """Refuses what is there and is neither a file nor a folder: to read it may wait, or go on, for ever.

    Raises:
        ValueError: so it is.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(f"{path}: a pipe or a device, which was not opened. Save what it gives, and name that file.")


def refuse_pickle(path: Path) -> None:
    """Refuses a file that holds Python objects, whatever its name ends in: to open it would run the code that it brings.

    Raises:
        ValueError: it is a pickle, or an archive of torch's that has one; or no file, see :func:`refuse_pipe`.
    """
    refuse_pipe(path)
    with path.open("rb") as file:
        head = file.read(4096)
    # protocols 2 to 5; an archive of torch.save names its pickle at once
    if (head[:1] == PICKLE and head[1:2] in b"\2\3\4\5" and len(head) > 2) or (
        head.startswith(ARCHIVE) and b"data.pkl" in head
    ):
        raise ValueError(
            f"{path}: a pickle, which may run any code when it is opened. It was not opened. Ask for safetensors or JSON."
        )


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        ValueError: the file is a pickle, no text, no JSON, nested without end, or holds something else than an object.
        OSError: it cannot be read.
    """
    refuse_pickle(path)
    try:
        read = json.loads(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: expected JSON, got a file that is no text.") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not JSON ({error}).") from error
    if not isinstance(read, dict):
        raise ValueError(f"{path}: expected a JSON object, got {type(read).__name__}.")
    return read


def unpacked(path: Path, most: int = LARGEST) -> bytes:
    """The bytes of a file, unpacked if its name ends in ``.gz``.

    Raises:
        ValueError: it is truncated or not gzip, has more than `most` bytes, beyond which it is not unpacked, or is no file.
        OSError: it cannot be read.
    """
    refuse_pipe(path)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            raw = file.read(most + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: truncated or not gzip ({error}). Fetch it again.") from error
    if len(raw) > most:
        raise ValueError(f"{path}: has more than {most:,} bytes, which no file of its kind has. Fetch it again.")
    return raw
