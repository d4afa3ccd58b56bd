"""Dimensionality reduction with adversarial autoencoders (chapter 8): section 7 of the paper, Figures 10 and 11.

Chapter 6's model, whose decoder sees one point r = W_Cᵀ y + z. A step descends its losses and, with w_k the rows of W_C,

    β Σ_{i<j} max(0, η − ‖w_i − w_j‖)
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from aae_core.models.semi_supervised import MODERN, READING, SemiSupervisedAAE, options, schedule
from aae_core.networks import Decoder, one_hot
from aae_core.training import Recipe


def head_penalty(heads: Tensor, distance: float) -> Tensor:
    """What is missing between heads (K, d) that stand closer than `distance`, summed over pairs: a scalar."""
    return (distance - torch.pdist(heads)).clamp(min=0).sum()


def spread_heads(n: int, dim: int, distance: float, steps: int = 500) -> Tensor:
    """`n` heads (n, dim) in random order, hardly further apart than the penalty asks for.

    A head that starts far from all others has much room about it, which the images of another class then take.
    """
    heads = distance * torch.randn(n, dim) / (2 * dim) ** 0.5  # the mean squared distance of two is distance²
    for k in range(steps):
        heads.requires_grad_()
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(head_penalty(heads, distance), heads)
        heads = heads.detach() - 0.05 * distance * (1 - k / steps) * gradient
    return heads


class ReductionAAE(SemiSupervisedAAE):
    """A semi-supervised adversarial autoencoder whose decoder sees one point: its class's head, and the style about it.

    The point of an image is r = W_Cᵀ y + z. The rows of W_C are the heads of the classes; z, which is to be normal, moves
    a digit about its head. A penalty keeps the heads apart: none above a distance, growing linearly below it.

    Args:
        code_dim: width of the point and of the style: 2 for a map.
        head_distance: how far apart, in code units, any two heads are to be.
        head_weight: weight of the penalty for what is missing.
        options: of :class:`SemiSupervisedAAE`.
    """

    def __init__(
        self, code_dim: int = 2, *, head_distance: float = 6.0, head_weight: float = 0.01, **options: Any
    ) -> None:
        super().__init__(code_dim, **options)
        self.head_distance, self.head_weight = head_distance, head_weight
        self.heads = nn.Parameter(spread_heads(self.n_classes, code_dim, head_distance))
        self.decoder = Decoder(code_dim, self.decoder.hidden, self.decoder.image_shape)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves; the heads learn with the autoencoder."""
        parts = super().parts()
        return parts | {"autoencoder": [*parts["autoencoder"], nn.ParameterList([self.heads])]}

    def further_losses(self) -> dict[str, Tensor]:
        """The penalty on heads that stand too close: linear in what is missing, summed over pairs."""
        return {"heads": self.head_weight * head_penalty(self.heads, self.head_distance)}

    def place(self, z: Tensor, y: Tensor) -> Tensor:
        """Points (N, code_dim) of styles (N, code_dim) and classes (N,) or class probabilities (N, n_classes)."""
        return one_hot(y, self.n_classes) @ self.heads + z

    def represent(self, x: Tensor) -> Tensor:
        """The point (N, code_dim) of each image (N, C, H, W): where the map shows it."""
        logits, z = self.infer(x)
        return self.place(z, logits.softmax(1))

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (N, C, H, W) of styles (N, code_dim) and classes (N,) or class probabilities (N, n_classes)."""
        return self.decoder(self.place(z, y))


def reduction_model(code_dim: int, rung: str = "agreeing", **changes: Any) -> ReductionAAE:
    """An untrained model whose code is a point in `code_dim` dimensions, built as far as `rung`.

    Args:
        changes: options of :class:`ReductionAAE` that differ, such as the widths of the hidden layers.
    """
    return ReductionAAE(code_dim, classification_weight=0.1, **options(rung, batch_norm=(0, 1), **changes))


RECIPES = tuple(
    Recipe(
        name=f"reduction-{code_dim}d-{known}",
        chapter=8,
        summary=f"AAE whose code is a point in {code_dim} dimensions: a class head plus a style, from {known:,} labels.",
        build=lambda image_shape, n_classes, code_dim=code_dim: reduction_model(  # type: ignore[misc]  # of the default
            code_dim, n_classes=n_classes, image_shape=image_shape
        ),
        training=schedule(10, 50),
        measures=(*READING, "map_error"),
        practice=("paper: class heads plus a style, and a penalty that keeps the heads apart", *MODERN),
        labelled=known,
        told=True,
    )
    for code_dim, known in ((2, 100), (2, 1000), (10, 100))
)
