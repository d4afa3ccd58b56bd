"""What a training step sees, and how it descends: all that a model needs of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import torch
from torch import Tensor, nn

Optimizers = Mapping[str, torch.optim.Optimizer]
AnyModel: TypeAlias = Any
"""A model of some chapter, an ``nn.Module`` with the parts that are used where it is taken, such as ``prior`` and ``encode``.

torch says of each attribute of a module that it is a tensor or a module, so that a type checker cannot follow these.
"""


class Batch(NamedTuple):
    """What a step sees: images ``float32`` (N, C, H, W) in [0, 1] and labels ``int64`` (N,).

    Where few labels are known, a step may see a batch of labelled images as well, drawn beside the epoch's own.
    """

    images: Tensor
    labels: Tensor
    labelled: Batch | None = None


class Model(Protocol):
    """What :func:`aae_core.training.fit` asks of a model, beside being an ``nn.Module``."""

    def parts(self) -> dict[str, list[nn.Module]]: ...

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]: ...


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step of `optimizer` down `loss`, touching the gradients of its own parameters and of no others.

    Another part of the model may lie on the way (the discriminator, when the encoder fools it): it is
    differentiated through, but neither receives gradients nor keeps stale ones. Where several processes train,
    :func:`aae_core.training.fit` has told the optimizer to step along the mean of their gradients.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(loss.device.type, enabled=False):
        loss.backward(inputs=parameters)
    optimizer.step()
    torch.clear_autocast_cache()  # it holds the weights as they were: the next phase must see what this one learnt
