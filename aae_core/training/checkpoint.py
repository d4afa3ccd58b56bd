"""A run's folder: a checkpoint that is there whole or not at all and runs no code when it is read, and one run at a time.

The checkpoint is one safetensors file: tensors, and all else as JSON in its metadata, with a
checksum of every byte. Nothing here knows what is in them; that is :mod:`aae_core.training.run`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from aae_core.files import refuse_pickle
from aae_core.training.config import TrainingError

CHECKPOINT = "checkpoint.safetensors"
WEIGHTS, CARD = "model.safetensors", "card.json"
LOCK = ".lock"
UNSIGNED = "0" * 64
"""What stands in place of a checkpoint's checksum while it is taken."""


def check_folder(folder: Path, *, resume: bool, overwrite: bool) -> None:
    """Refuses at once, before data are looked for, what :func:`take` would refuse; nothing is made.

    Raises:
        ValueError, TrainingError: as :func:`take`.
    """
    _check_held(folder, resume, overwrite)
    if (folder / LOCK).exists():
        with take(folder, resume=resume, overwrite=overwrite):
            return
    near = next(path for path in (folder, *folder.parents) if path.exists())
    if not near.is_dir() or not os.access(near, os.W_OK):
        raise _unwritable(folder, f"{near} is no folder" if not near.is_dir() else "Permission denied")


def _unwritable(folder: Path, why: str | None) -> TrainingError:
    return TrainingError(f"{folder}: cannot be written ({why}), so nothing was begun. Choose another folder.")


def _check_held(folder: Path, resume: bool, overwrite: bool) -> None:
    """Refuses a folder that lacks the run to resume, or holds one, finished or not, that nobody asked to resume or give up."""
    if resume and overwrite:
        raise ValueError(
            "resume and overwrite: the one goes on with a run, the other gives it up. Ask for one of them."
        )
    if resume and not (folder / CHECKPOINT).exists():
        raise TrainingError(f"{folder / CHECKPOINT}: there is no checkpoint to resume from. Start without resuming.")
    if resume or overwrite:
        return
    if held := [name for name in (CHECKPOINT, WEIGHTS, CARD) if (folder / name).exists()]:
        raise ValueError(
            f"{folder}: holds a run already ({', '.join(held)}). It was left as it is. --resume goes on with it, another --out "
            "keeps both, --overwrite begins again and gives it up; in Python, resume=True, another folder, overwrite=True."
        )


@contextmanager
def take(folder: Path, *, resume: bool, overwrite: bool) -> Iterator[None]:
    """Makes `folder` where it is missing, and keeps other runs out of it. However the process ends, it lets go of it.

    Raises:
        ValueError: it holds a run, and neither to resume nor to overwrite it was asked for.
        TrainingError: there is nothing to resume, another run is under way there, or the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    _check_held(folder, resume, overwrite)
    lock = FileLock(folder / LOCK, timeout=0, is_singleton=True)  # taken twice by one run: to train, and to measure
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
        lock.acquire()
    except Timeout as error:
        raise TrainingError(
            f"{folder}: another run is under way there. It was left alone; wait for its end, or choose another folder."
        ) from error
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error
    try:
        yield
    finally:
        lock.release()


def give_up(folder: Path) -> None:
    """Removes a run but for its checkpoint, which the next one replaces; its card first, which says that the run is done."""
    for name in (CARD, WEIGHTS):
        (folder / name).unlink(missing_ok=True)


def check_room(folder: Path, size: int) -> None:
    """Refuses a disk without room for a checkpoint of `size` bytes and the one before it, which stays until that is whole.

    Raises:
        TrainingError: it has less.
    """
    path = folder / CHECKPOINT
    need = 2 * size - (path.stat().st_size if path.exists() else 0)
    if (free := shutil.disk_usage(folder).free) < need:
        raise TrainingError(
            f"{folder}: too little space on the disk: checkpoints need {need / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free. "
            "Nothing was begun. Make room, or choose another folder."
        )


def write_whole(path: Path, content: bytes) -> None:
    """Puts `content` at `path`, whole or not at all: what was there stays until the new file has reached the disk.

    Raises:
        OSError: the disk is full, the folder is gone.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    with suppress(OSError):  # Windows opens no folder, and some file systems synchronise none
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, object]) -> None:
    """Writes a checkpoint of tensors and plain data.

    Raises:
        OSError: as of :func:`write_whole`.
    """
    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    raw = save(plain, {"about": json.dumps(about), "sha256": UNSIGNED})
    write_whole(path, raw.replace(UNSIGNED.encode(), hashlib.sha256(raw).hexdigest().encode(), 1))


def read(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """A checkpoint's tensors, on the CPU, and its plain data.

    Raises:
        TrainingError: the file is damaged, which its checksum shows, or another kind of file, such as a pickle, which is not opened.
    """
    try:
        refuse_pickle(path)
    except ValueError as error:
        raise TrainingError(f"{error} It was left as it is. Start without resuming, in another folder.") from error
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read ({error.strerror or error}). It was left as it is.") from error
    try:
        raw = path.read_bytes()
        header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])["__metadata__"]
        unsigned = raw.replace(header["sha256"].encode(), UNSIGNED.encode(), 1)
        about = json.loads(header["about"])
        whole = isinstance(about, dict) and hashlib.sha256(unsigned).hexdigest() == header["sha256"]
        tensors = load(raw) if whole else {}
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise TrainingError(
            f"{path}: damaged, or no checkpoint of a run, which is a safetensors file. It was left as it is. Start without "
            "resuming, in another folder."
        )
    return tensors, about


def reason(error: OSError, folder: Path) -> str:
    """Why a file could not be written, in words."""
    with suppress(OSError):
        if shutil.disk_usage(folder).free < 2**20:
            return "the disk is full"
    return error.strerror or str(error)
