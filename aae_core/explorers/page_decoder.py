"""A decoder as the page will run it: checked at the door, packed for the browser, and runnable here for the still."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from math import isqrt, prod
from typing import Any

import torch
from torch import Tensor, nn

from aae_core.export import pack_mlp
from aae_core.packed import unpack_mlp

TOLERANCE = 0.02  # a pixel; twelve bits stay below it, a network that is not what it seems does not


@contextmanager
def in_evaluation(module: nn.Module) -> Iterator[None]:
    """A module in evaluation mode and without gradients; then as it was."""
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        module.train(training)


class PageDecoder:
    """A decoder that takes a code, and a label where it has classes, as one vector: code first, then the one-hot label.

    Args:
        model: a model with a ``decoder``, a decoder, or any stack of layers that :func:`aae_core.export.pack_mlp`
            takes.
        code_dim: width of the code; taken from the decoder if it says so, else what the input leaves.
        n_classes: width of the one-hot label, 0 for none; taken from the decoder if it says so, else 0.
        image_shape: (C, H, W) of an image, C 1 or 3; taken from the decoder if it says so, else a grey square.
        pixel_range: what black and white are in the decoder's output; by default (−1, 1) after a Tanh, else (0, 1).
        precision: of the weights, see :func:`aae_core.export.pack_mlp`.

    Raises:
        ValueError: there is no decoder, or it is not of the shape that it claims or is given.
        ExportError: the network has a layer that the browser cannot run.
    """

    OPTIONS = ("code_dim", "n_classes", "image_shape", "pixel_range", "precision")

    def __init__(
        self,
        model: nn.Module,
        *,
        code_dim: int | None = None,
        n_classes: int | None = None,
        image_shape: Sequence[int] | None = None,
        pixel_range: tuple[float, float] | None = None,
        precision: str = "int12",
    ) -> None:
        decoder = getattr(model, "decoder", model)
        if not isinstance(decoder, nn.Module):
            raise ValueError(f"model: expected a model with a decoder, or a decoder, got {type(model).__name__}.")
        self.packed = pack_mlp(decoder, precision=precision)
        n_in, n_out = self.packed.sizes[0], self.packed.sizes[-1]
        self.n_classes = int(n_classes if n_classes is not None else getattr(decoder, "n_classes", 0))
        width: Any = code_dim or getattr(decoder, "code_dim", n_in - self.n_classes)
        self.code_dim = int(width)
        if self.code_dim < 1 or self.n_classes < 0 or self.code_dim + self.n_classes != n_in:
            raise ValueError(
                f"code_dim, n_classes: expected widths that add up to the decoder's input, {n_in}, "
                f"got {self.code_dim} and {self.n_classes}."
            )
        side = isqrt(n_out)
        shape: Any = image_shape or getattr(decoder, "image_shape", (1, side, side))
        self.image_shape = tuple(shape)
        if len(self.image_shape) != 3 or self.image_shape[0] not in (1, 3) or prod(self.image_shape) != n_out:
            raise ValueError(
                f"image_shape: expected (1, H, W) or (3, H, W) of {n_out} numbers in all, got {self.image_shape}."
            )
        self.pixel_range = pixel_range or ((-1.0, 1.0) if self.packed.activations[-1] == "tanh" else (0.0, 1.0))
        self._net = unpack_mlp(self.packed)
        self._agree(decoder)

    def _agree(self, decoder: nn.Module) -> None:
        """Runs both networks on a few inputs: a module whose forward does more than its layers is found out here."""
        x = torch.randn(4, self.packed.sizes[0], generator=torch.Generator().manual_seed(0))
        y = torch.arange(4) % max(1, self.n_classes)
        x[:, self.code_dim :] = torch.eye(self.n_classes)[y] if self.n_classes else 0
        first = next(decoder.parameters())
        with in_evaluation(decoder):
            if hasattr(decoder, "code_dim"):  # this package's kind: code and label apart
                labels = [y.to(first.device)] if self.n_classes else []
                real = decoder(x[:, : self.code_dim].to(first), *labels)
            else:
                real = decoder(x.to(first))
        gap = (real.flatten(1).cpu().float() - self._net(x).detach()).abs().max().item()
        if not gap < TOLERANCE * (self.pixel_range[1] - self.pixel_range[0]):
            raise ValueError(
                f"model: what {type(decoder).__name__} computes differs from its layers in a row by {gap:.3g} a pixel; "
                "its forward must do no more than run them."
            )

    @torch.no_grad()
    def images(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) in [0, 1] of codes (N, code_dim) and labels (N,), from the weights that the page has."""
        x = codes.float()
        if self.n_classes:
            x = torch.cat([x, torch.eye(self.n_classes)[labels]], 1)
        low, high = self.pixel_range
        return ((self._net(x) - low) / (high - low)).clamp(0, 1).unflatten(1, self.image_shape)

    def traits(self) -> tuple[dict[str, Any], str]:
        """What an explorer sends to the page: the small description, and the weights' text apart."""
        spec = asdict(self.packed)
        weights = spec.pop("weights")
        spec |= {"code_dim": self.code_dim, "n_classes": self.n_classes}
        spec |= {"image_shape": list(self.image_shape), "pixel_range": list(self.pixel_range)}
        return spec, weights
