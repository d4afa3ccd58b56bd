"""Images as tensors in memory: batches, labels that are hidden and drawn.

All images of a split are one ``uint8`` tensor; a batch is taken by index and scaled to [0, 1] on the way out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aae_core.data.mapped import LARGE, read_ahead, taken

DIGITS = tuple("0123456789")
"""The names of MNIST's classes."""
N_CLASSES = len(DIGITS)
"""How many classes MNIST has; of other data see :attr:`aae_core.data.Splits.classes`."""
INFERRED = -1
UNLABELLED = -1
"""The label of an image whose digit is withheld from the model."""
IMAGE_SHAPE = (1, 28, 28)
LEAST = 10
"""Images of each class that a model which is told of classes must see, and images that each split must have at all."""


class DataError(ValueError):
    """Data that must not be trained on; the message names the file or the argument and says what to do."""


@dataclass(frozen=True, eq=False)
class Digits:
    """Images with labels, in memory.

    Args:
        images: ``uint8`` (N, C, H, W), pixels in 0 … 255; or ``float32``, as they are to be seen: in [0, 1], but for
            what lies outside of a table's range.
        labels: ``int64`` (N,), classes 0, 1, …, or :data:`UNLABELLED`.
        n_classes: how many classes there are; by default, as many as the labels speak of.

    Raises:
        DataError: wrong type or shape, counts that differ, a label outside its range, a number that is not finite, or no
            image at all.
    """

    images: Tensor
    labels: Tensor
    n_classes: int = INFERRED

    def __post_init__(self) -> None:
        for name, given in (("images", self.images), ("labels", self.labels)):
            if not isinstance(given, Tensor):
                numpy = isinstance(given, np.ndarray)
                what = "a numpy array" if numpy else type(given).__name__
                raise DataError(
                    f"{name}: expected a torch tensor, got {what}. "
                    f"torch.{'from_numpy' if numpy else 'tensor'}({name}) makes it one."
                )
        if self.images.dtype not in (torch.uint8, torch.float32) or self.images.ndim != 4:
            raise DataError(
                f"images: expected uint8 (N, C, H, W), got {self.images.dtype} {tuple(self.images.shape)}. "
                "Scale pixels to 0 … 255 and add the missing axes."
            )
        if self.images.is_floating_point() and not bool(self.images.isfinite().all()):
            raise DataError("images: some numbers are not finite. Fill them or leave their rows out.")
        if self.labels.dtype != torch.int64 or self.labels.shape != self.images.shape[:1]:
            raise DataError(
                f"labels: expected int64 ({len(self.images)},), one per image, "
                f"got {self.labels.dtype} {tuple(self.labels.shape)}."
            )
        if not len(self.labels):
            raise DataError("images: the set is empty; there is nothing to train on or to measure.")
        low, high = int(self.labels.min()), int(self.labels.max())
        if self.n_classes == INFERRED:
            object.__setattr__(self, "n_classes", high + 1)
        if low < UNLABELLED or high >= self.n_classes:
            allowed = (
                f"0 … {self.n_classes - 1} (or {UNLABELLED}, unlabelled)" if self.n_classes else f"{UNLABELLED} alone"
            )
            raise DataError(f"labels: expected {allowed}, got {low} … {high}.")

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Digits:
        """The same digits on `device`."""
        return Digits(self.images.to(device), self.labels.to(device), self.n_classes)

    def subset(self, index: Tensor | slice) -> Digits:
        """The digits at `index` (positions or a boolean mask).

        Raises:
            DataError: nothing is left.
        """
        if not isinstance(index, slice):
            index = index.to(self.labels.device)
        return Digits(taken(self.images, index), self.labels[index], self.n_classes)

    def parted(self, label: int | Sequence[int] | None) -> tuple[Digits, Digits | None]:
        """The digits of all labels but `label`, or but several, and those of `label`: None where there is none of them.

        Raises:
            DataError: there is no other label.
        """
        labels = [] if label is None else [label] if isinstance(label, int) else list(label)
        odd = torch.isin(self.labels, torch.tensor(labels, dtype=torch.int64, device=self.labels.device))
        if not bool(odd.any()):
            return self, None
        return self.subset(~odd), self.subset(odd)

    def pixels(self, index: Tensor | slice = slice(None)) -> Tensor:
        """Images at `index` as ``float32`` (n, C, H, W) in [0, 1]."""
        return to_pixels(self.images[index])

    def batches(
        self,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        share: slice = slice(None),
        pairs_of: int = 0,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One pass over the digits in random order, as (images ``float32`` in [0, 1], labels).

        The order is drawn once and the set permuted once, if it is not larger than :data:`LARGE`; a batch is then a slice. The last batch may be short.

        Args:
            batch_size: images a batch.
            generator: source of the order, on the CPU; torch's global one by default.
            share: which places of the order are taken; ``slice(1, None, 2)`` is every second one, or every second pair.
            pairs_of: images in turn that belong together, as a face's 26 letters do: two by two, an image is then followed by another
                one of its group, drawn at random. 0 is no order.

        Raises:
            DataError: `batch_size` is not a positive whole number; the images are not whole groups of pairs.
        """
        check_batch_size(batch_size)
        order = torch.randperm(len(self), generator=generator)
        if pairs_of:
            if pairs_of % 2 or len(self) % pairs_of:
                raise DataError(f"pairs_of: {len(self)} images are not groups of {pairs_of}, each of whole pairs.")
            # by group, and in the order drawn within each: two by two, they are pairs; which are drawn in turn
            pairs = order[(order // pairs_of).argsort(stable=True)].view(-1, 2)
            order = pairs[torch.randperm(len(pairs), generator=generator)]
            share = slice(share.start, share.stop and share.stop // 2, share.step)
        order = order[share].flatten().to(self.labels.device)
        if self.images.nbytes > LARGE:  # a second copy would take as much again, and a file is read piece by piece
            places = order.split(batch_size)
            for images, at in zip(read_ahead(self.images, places), places, strict=True):
                yield to_pixels(images), self.labels[at]
            return
        images, labels = self.images[order], self.labels[order]
        for start in range(0, len(order), batch_size):
            stop = start + batch_size
            yield to_pixels(images[start:stop]), labels[start:stop]

    def balanced(self, n: int, seed: int) -> Tensor:
        """Positions of `n` labelled images, equally many of each class, drawn by `seed`.

        Returns:
            ``int64`` (n,), sorted.

        Raises:
            DataError: `n` is not a positive multiple of the number of classes, or a class has too few images.
        """
        each = self._of_each(n, "subset")
        generator = torch.Generator().manual_seed(seed)
        chosen = []
        for k in range(self.n_classes):
            members = (self.labels.cpu() == k).nonzero().flatten()
            if len(members) < each:
                raise DataError(f"n: {n} balanced labels need {each} of class {k}, there are {len(members)}.")
            chosen.append(members[torch.randperm(len(members), generator=generator)[:each]])
        return torch.cat(chosen).sort().values

    def _of_each(self, n: int, what: str) -> int:
        """How many of each class a balanced `what` of `n` has."""
        if not self.n_classes or n < 1 or n % self.n_classes:
            raise DataError(f"n: a balanced {what} needs a positive multiple of {self.n_classes} classes, got {n}.")
        return n // self.n_classes

    def labelled_draws(
        self, n: int, generator: torch.Generator | None = None, *, share: slice = slice(None)
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches without end of `n` labelled images, equally many of each class, as (images in [0, 1], labels).

        Each is drawn anew, so that a few labels serve as many steps as there are.

        Args:
            n: images a batch, before `share` takes its part.
            generator: source of randomness on the digits' device; torch's global one by default.
            share: which of the `n`, sorted by class, are taken.

        Raises:
            DataError: `n` is not a positive multiple of the number of classes, or a class has no label.
        """
        each = self._of_each(n, "batch")
        members = [(self.labels == k).nonzero().flatten() for k in range(self.n_classes)]
        for k, there in enumerate(members):
            if not len(there):
                raise DataError(f"labels: of class {k} there is no labelled image; label some of each class.")
        device = self.labels.device
        # One draw for all classes: so many of each, as shares of that class's own count.
        count = torch.tensor([len(there) for there in members], device=device)[:, None]
        start, pool = count.cumsum(0) - count, torch.cat(members)
        labels = torch.arange(self.n_classes, device=device).repeat_interleave(each)
        while True:
            at = (
                (torch.rand(self.n_classes, each, generator=generator, device=device) * count)
                .long()
                .clamp_max(count - 1)
            )
            yield to_pixels(self.images[pool[(start + at).flatten()[share]]]), labels[share]

    def hide_labels(self, keep: int, seed: int) -> Digits:
        """The same images, of which only a balanced `keep` stay labelled; the rest, or all, are :data:`UNLABELLED`."""
        labels = torch.full_like(self.labels, UNLABELLED)
        if keep:
            index = self.balanced(keep, seed).to(labels.device)
            labels[index] = self.labels[index]
        return Digits(self.images, labels, self.n_classes)


def is_build() -> bool:
    """Whether the book is being built, whose pages speak to its readers and not to who builds it."""
    return os.environ.get("AAE_BUILD") == "1"


def say(line: str) -> None:
    """Prints `line`, but not on a page of the book: what a build found concerns who builds it, not who reads it."""
    if not is_build():
        print(line)


def digits_of(images: np.ndarray, labels: np.ndarray, n_classes: int = N_CLASSES) -> Digits:
    """The digits of two arrays: images ``uint8`` (N, C, H, W) and labels (N,)."""
    return Digits(torch.tensor(np.ascontiguousarray(images)), torch.tensor(np.asarray(labels, np.int64)), n_classes)


def to_pixels(images: Tensor) -> Tensor:
    """``uint8`` images in 0 … 255 as ``float32`` in [0, 1], same shape; ``float32`` stays as it is."""
    return images if images.is_floating_point() else images.float().div_(255)


def check_batch_size(batch_size: int) -> None:
    """Raises :class:`DataError` unless `batch_size` is a positive whole number, below 2³¹."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size < 2**31:
        raise DataError(f"batch_size: expected a positive whole number, got {batch_size!r:.40}.")
