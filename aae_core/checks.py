"""What networks refuse, in words: images, codes and noise that are not what they were made for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

FARTHEST = 64.0
"""Images are in [0, 1], and standardised rows of a table have outliers; what goes beyond this was never scaled."""


def check_images(x: Tensor, image_shape: Sequence[int], training: bool) -> None:
    """Refuses what is no batch of images (N, C, H, W) in [0, 1], or of points (N, D) where `image_shape` is (D,).

    Args:
        training: leaves the range out, which is looked at before a training and would make a GPU wait at each step.

    Raises:
        ValueError: another shape, another type, or numbers that were not scaled; the message says what to do.
    """
    if not isinstance(x, Tensor):
        raise ValueError(f"x: expected a tensor, got {type(x).__name__}. torch.as_tensor makes one of an array.")
    shape = tuple(image_shape)
    if x.ndim != len(shape) + 1 or x.shape[1:] != shape:
        hint = ""
        if x.shape[1:] == (*shape[1:], shape[0]):
            hint = " These have their channels last: x.permute(0, 3, 1, 2)."
        elif x.shape == shape or (x.shape == shape[1:] and shape[0] == 1):
            hint = " This is one image: add the axes before it."
        elif x.shape[1:] == shape[1:] and shape[0] == 1:
            hint = " They lack the axis of the channel: x.unsqueeze(1)."
        raise ValueError(f"x: expected images (N, {', '.join(map(str, shape))}), got {tuple(x.shape)}.{hint}")
    if not x.is_floating_point():
        raise ValueError(f"x: expected floating-point images in [0, 1], got {x.dtype}. Divide bytes by 255.")
    if x.dtype == torch.float64:
        raise ValueError("x: expected numbers of 32 bits, as the weights are, got torch.float64. Pass x.float().")
    if training or x.device.type != "cpu" or not x.numel():
        return
    if (high := float(x.detach().abs().max())) > FARTHEST:
        raise ValueError(f"x: expected images in [0, 1], got numbers up to {high:.4g}. Divide bytes by 255.")


def check_code(z: Tensor, code_dim: int) -> None:
    """Raises ValueError unless `z` is (N, code_dim)."""
    if z.ndim != 2 or z.shape[1] != code_dim:
        raise ValueError(f"z: expected codes of shape (N, {code_dim}), got {tuple(z.shape)}.")


def check_noise(noise: Tensor | None, n: int, noise_dim: int) -> Tensor:
    """`noise`, if it is what a random posterior needs for `n` images.

    Raises:
        ValueError: it is missing, or not (n, noise_dim).
    """
    if noise is None:
        raise ValueError(f"noise: this posterior is random; pass standard normal noise of shape ({n}, {noise_dim}).")
    if noise.shape != (n, noise_dim):
        raise ValueError(f"noise: expected shape ({n}, {noise_dim}), one row per image, got {tuple(noise.shape)}.")
    return noise
