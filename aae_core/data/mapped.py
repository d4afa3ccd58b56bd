"""Arrays larger than memory: written once, piece by piece, into a file that is mapped into memory and read as it is needed.

The file has no name, so that the system takes it away when nobody uses it any more. It lies where temporary files do: the
environment's ``TMPDIR`` names another place, where these have no room or lie in memory themselves.
"""

from __future__ import annotations

import tempfile
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from math import prod

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

LARGE = 2**29
"""Bytes of images from which on they are kept in a file that is mapped into memory, and never copied whole."""
PIECE = 2**24
"""Bytes that are read of such a file at a time."""
AHEAD = 16
"""Batches that are read of such a file before they are asked for, all at the same time: a disk answers many as soon as one.
Of large images they are fewer, of two :data:`PIECE` in all.
"""


def gathered(pieces: Iterable[np.ndarray], most: int) -> np.ndarray:
    """Pieces (n, …) of at most `most` bytes in all, one after another in one array: in memory or, where they may be :data:`LARGE`, mapped.

    Raises:
        OSError: there is no room for them.
    """
    if most <= LARGE:
        return np.concatenate(list(pieces))
    n = 0
    with tempfile.TemporaryFile() as file:
        for piece in pieces:
            try:
                file.write(np.ascontiguousarray(piece).data)
            except OSError as error:
                raise OSError(
                    f"{tempfile.gettempdir()}: {most:,} bytes of images are kept there while they are used, and could not be written "
                    f"({error.strerror}). Set the environment variable TMPDIR to a folder on a disk with more room."
                ) from error
            n += len(piece)
        file.flush()
        shape, dtype = (n, *piece.shape[1:]), piece.dtype
        return np.memmap(file, dtype, "r+", shape=shape) if n else np.empty(shape, dtype)


def pieces_of(array: np.ndarray) -> Iterator[np.ndarray]:
    """The array in its order, :data:`PIECE` bytes at a time."""
    each = max(1, PIECE // max(1, array[:1].nbytes))
    return (array[at : at + each] for at in range(0, len(array), each))


def as_tensor(array: np.ndarray) -> Tensor:
    """The same numbers as a tensor, which nobody is to write to: the array may be somebody's file."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*not writable.*", UserWarning)
        return torch.from_numpy(array)


def taken(images: Tensor, index: Tensor | slice) -> Tensor:
    """``images[index]``, of positions, of a mask or of a slice; what is :data:`LARGE` is gathered in a file, not in memory.

    Raises:
        OSError: there is no room for it.
    """
    if isinstance(index, slice) or images.device.type != "cpu" or images.nbytes <= LARGE:
        return images[index]
    at = index.nonzero().flatten() if index.dtype == torch.bool else index.flatten()
    size = prod(images.shape[1:]) * images.element_size()
    if (most := len(at) * size) <= LARGE:
        return images[at]
    parts = tqdm(at.split(max(1, PIECE // size)), "setting images in order", unit="", disable=None, leave=False)
    return as_tensor(gathered((images[part].numpy() for part in parts), most))


def read_ahead(images: Tensor, places: Sequence[Tensor]) -> Iterator[Tensor]:
    """``images[place]`` for each place; the next :data:`AHEAD` are read by threads while the caller works, which wait for the disk."""
    size = max(map(len, places), default=0) * images.nbytes // max(1, len(images))
    count = max(1, min(AHEAD, 2 * PIECE // max(1, size)))
    coming = iter(places)
    with ThreadPoolExecutor(count) as readers:
        ahead: deque[Future[Tensor]] = deque()

        def begin(n: int) -> None:
            ahead.extend(readers.submit(images.__getitem__, place) for place in islice(coming, n))

        try:
            begin(count)
            while ahead:
                now = ahead.popleft().result()
                begin(1)
                yield now
        finally:
            readers.shutdown(cancel_futures=True)
