"""Several processes that train one model, each on its share of every batch: data-parallel training with ``accelerate``.

``torchrun`` or ``accelerate launch`` starts the processes and tells each its number through the environment. Every one
holds the whole model. What they tell each other is the mean of their gradients before each descent, so that all of them
take the same step; Hugging Face's ``accelerate`` joins them. A process that is alone imports none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

T = TypeVar("T")


class LostProcess(ConnectionError):
    """Another process of the run has ended, so this one cannot go on."""


def how_many() -> int:
    """How many processes train together, as their launcher says; 1 without one."""
    return int(os.environ.get("WORLD_SIZE", 1)) if "RANK" in os.environ else 1


def is_first() -> bool:
    """Whether this process is the one that writes and prints."""
    return how_many() == 1 or int(os.environ["RANK"]) == 0


class Processes:
    """This process among those that train together: ``index`` of ``count``. Alone, its methods change nothing.

    Args:
        device: what this process computes on. On CUDA each process of a machine takes a GPU of its own.

    Raises:
        ValueError: there are several processes, and ``accelerate`` is missing or cannot join them on `device`.
        LostProcess: from any method, another process has ended.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.count, self.index = device, how_many(), 0
        self._flat = torch.empty(0, device=device)
        if self.count == 1:
            return
        try:
            from accelerate import PartialState
        except ImportError as error:
            raise ValueError(
                f"{self.count} processes: they need the library accelerate. Install it: pip install 'aae-core[parallel]'"
            ) from error
        if device.type not in ("cpu", "cuda"):
            raise ValueError(f"device: several processes train on cpu or cuda, not on {device.type}.")
        with _others_needed():
            self._state = PartialState(cpu=device.type == "cpu")
        self.index = self._state.process_index

    def check_shares(self, setting: str, size: int) -> None:
        """Refuses a batch of `size` that cannot be shared out evenly.

        Raises:
            ValueError: the number of processes does not divide `size`.
        """
        if size % self.count:
            raise ValueError(
                f"{setting}: {size} cannot be shared out evenly among {self.count} processes; it is what all of them take "
                f"together. Choose a multiple of {self.count}, or another number of processes."
            )

    def seed(self, seed: int) -> int:
        """The seed of this process's own noise, where `seed` is that of the whole run."""
        # Steps of 2³² over the golden ratio lie far apart in the lower 32 bits, which are all that a CPU's generator reads.
        return seed if self.count == 1 else seed + (self.index + 1) * 0x9E3779B1

    def synchronise_norms(self, model: nn.Module) -> None:
        """On GPUs, lets batch normalisation look at the whole batch. On CPUs torch cannot: each process looks at its share."""
        if self.count > 1 and self.device.type == "cuda":
            nn.SyncBatchNorm.convert_sync_batchnorm(model)

    @contextmanager
    def first_one_ahead(self) -> Iterator[None]:
        """The first process of each machine runs the block before the others do, to fill a cache that they then use."""
        if self.count == 1:
            yield
            return
        with _others_needed(), self._state.local_main_process_first():
            yield

    def average(self, tensors: Iterable[Tensor]) -> None:
        """Puts in the place of each tensor its mean over the processes. One flat tensor carries them all."""
        tensors = list(tensors)
        if self.count == 1 or not tensors:
            return
        sizes = [tensor.numel() for tensor in tensors]
        if self._flat.numel() < sum(sizes):  # kept from step to step: fresh memory would cost as long as telling
            self._flat = torch.empty(sum(sizes), device=self.device)
        flat = self._flat[: sum(sizes)]
        with torch.no_grad(), _others_needed():
            torch.cat([tensor.flatten() for tensor in tensors], out=flat)
            torch.distributed.all_reduce(flat)
            for tensor, mean in zip(tensors, flat.div_(self.count).split(sizes), strict=True):
                tensor.copy_(mean.view_as(tensor))

    def average_gradients(self, optimizer: torch.optim.Optimizer) -> None:
        """From now on `optimizer` steps along the gradients' mean over the processes: that of the whole batch's loss."""
        if self.count == 1:
            return

        def before_each_step(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            parameters = (parameter for group in optimizer.param_groups for parameter in group["params"])
            self.average(parameter.grad for parameter in parameters if parameter.grad is not None)

        optimizer.register_step_pre_hook(before_each_step)

    def begin_equal(self, model: nn.Module) -> None:
        """Gives every process the weights and statistics of the first."""
        if self.count == 1:
            return
        from accelerate.utils import broadcast

        with torch.no_grad(), _others_needed():
            broadcast([tensor.detach() for tensor in model.state_dict().values()])

    def average_statistics(self, *models: nn.Module | None) -> None:
        """Puts the running statistics of batch normalisation at their mean over the processes."""
        buffers = [buffer for model in models if model is not None for buffer in model.buffers()]
        self.average(buffer for buffer in buffers if buffer.is_floating_point())

    def from_all(self, value: T) -> list[T]:
        """The `value` of every process, by index."""
        if self.count == 1:
            return [value]
        from accelerate.utils import gather_object

        with _others_needed():
            return gather_object([value])

    def from_first(self, make: Callable[[], T]) -> T:
        """What `make` gives, or raises, in the first process; only there is it called."""
        if self.count == 1:
            return make()
        from accelerate.utils import broadcast_object_list

        made: list[Any] = [None]
        if self.index == 0:
            try:
                made = [make()]
            except Exception as error:  # the others must hear of it, else they wait
                made = [error]
        with _others_needed():
            broadcast_object_list(made)
        if isinstance(made[0], Exception):
            raise made[0]
        return made[0]


@contextmanager
def _others_needed() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # gloo and NCCL raise nothing more special
        raise LostProcess(
            "another process of this run has ended, or cannot be reached. What the last epoch left can be resumed: "
            f"start all of them again with --resume. ({error})"
        ) from error
