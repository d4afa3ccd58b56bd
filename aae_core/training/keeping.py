"""What a run keeps: a checkpoint in its folder, and, where none is due after an epoch, the epoch in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aae_core.training import checkpoint
from aae_core.training.checkpoint import CHECKPOINT
from aae_core.training.config import TrainingError

STEP_BYTES = 2**19
"""Bytes of checkpoints a step: with a large model and little data, an epoch is short, and not each is written."""


class Keeper:
    """The checkpoint of a run's folder, and the last finished epoch where that is a later one.

    A copy in memory costs a fraction of a write that reaches the disk. It is written when the run breaks off, unless the
    process is killed.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.epoch = self.step = 0  # that the folder's checkpoint is of
        self.overwrites = False  # a run that is in the folder; it stays until this one has something to put there
        self._held: tuple[Mapping[str, Tensor], dict[str, Any]] | None = None
        self._copies: dict[str, Tensor] = {}

    def end_epoch(self, tensors: Mapping[str, Tensor], about: dict[str, Any], last: bool) -> None:
        """Writes the epoch where it is due, else copies it. Due are the first, the last, and one after as many steps as pay
        for the writing.

        Raises:
            TrainingError: it cannot be written.
        """
        self._held = tensors, about  # an interrupt from here on finds it: no tensor moves before the next step
        size = sum(tensor.nbytes for tensor in tensors.values())
        if last or not self.epoch or (about["step"] - self.step) * STEP_BYTES >= size:
            self.write(tensors, about)
            return
        try:
            self._held = self._copied(tensors), about
        except (MemoryError, RuntimeError):  # no room for a copy
            self._copies.clear()
            self.write(tensors, about)

    def _copied(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """A copy, in the memory of the last one."""
        for name, tensor in tensors.items():
            if (copy := self._copies.get(name)) is None or copy.shape != tensor.shape or copy.dtype != tensor.dtype:
                self._copies[name] = torch.empty_like(tensor, requires_grad=False)
            self._copies[name].copy_(tensor.detach())
        return {name: self._copies[name] for name in tensors}

    def write(self, tensors: Mapping[str, Tensor], about: dict[str, Any]) -> None:
        """Writes the checkpoint whole or not at all.

        Raises:
            TrainingError: it cannot be written; the last one stays.
        """
        assert self.folder is not None
        epoch = about["history"]["epochs"]
        try:
            if self.overwrites:
                checkpoint.give_up(self.folder)
            checkpoint.write(self.folder / CHECKPOINT, tensors, about)
        except OSError as error:
            self._held = None  # a second attempt would meet the same
            raise TrainingError(
                f"{self.folder / CHECKPOINT}: epoch {epoch} could not be written "
                f"({checkpoint.reason(error, self.folder)}). Kept: {self.kept()}. "
                "Make room, or choose another folder, and resume."
            ) from error
        self.epoch, self.step, self._held, self.overwrites = epoch, about["step"], None, False

    def write_held(self) -> None:
        """Writes the last finished epoch, where only memory has it.

        Raises:
            TrainingError: it cannot be written.
        """
        if self._held is not None:
            self.write(*self._held)

    @contextmanager
    def at_a_break(self) -> Iterator[None]:
        """Writes the last finished epoch when the block is interrupted or fails."""
        try:
            yield
        except (TrainingError, OSError):
            with suppress(TrainingError):  # what went wrong first is to be told
                self.write_held()
            raise
        except BaseException:
            self.write_held()
            raise

    def kept(self) -> str:
        """What the folder holds, in words."""
        there = self.folder is not None and self.epoch and (self.folder / CHECKPOINT).exists()
        before = f"the run that was in {self.folder}" if self.overwrites else "nothing"
        return f"the checkpoint of epoch {self.epoch} in {self.folder}" if there else before
