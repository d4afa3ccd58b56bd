"""An encoder as the page will run it: checked at the door, packed for the browser, and runnable here for the still."""

from __future__ import annotations

from dataclasses import asdict
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from aae_core.data import IMAGE_SHAPE
from aae_core.explorers.page_decoder import TOLERANCE, PageDecoder, in_evaluation
from aae_core.export import pack_mlp
from aae_core.packed import unpack_mlp


class PageEncoder:
    """An encoder of MNIST's images: they go in as 784 numbers in [0, 1], a code comes out.

    Where the output is wider than the code by the decoder's classes, its first numbers are taken for class logits and the
    rest for the code, as :class:`aae_core.models.SemiSupervisedAAE` has it. ``n_logits`` is their number, or 0.

    Args:
        model: a model with an ``encoder``, a stack of layers that :func:`aae_core.export.pack_mlp` takes.
        decoder: the model's decoder, which says how wide code and label are.
        precision: of the weights.

    Raises:
        ValueError: there is no encoder, or its input or output is of another width, or it is random.
        ExportError: the network has a layer that the browser cannot run.
    """

    def __init__(self, model: nn.Module, decoder: PageDecoder, precision: str = "int12") -> None:
        encoder = getattr(model, "encoder", None)
        if not isinstance(encoder, nn.Module):
            raise ValueError(f"model: expected a model with an encoder, got {type(model).__name__}.")
        self.packed = pack_mlp(encoder, precision=precision)
        n_in, n_out = self.packed.sizes[0], self.packed.sizes[-1]
        if n_in != prod(IMAGE_SHAPE) or decoder.image_shape != IMAGE_SHAPE:
            raise ValueError(
                f"model: expected images of shape {IMAGE_SHAPE}, as drawings are made into, "
                f"got {n_in} numbers into the encoder and {decoder.image_shape} out of the decoder."
            )
        self.n_logits = n_out - decoder.code_dim
        if self.n_logits not in (0, decoder.n_classes):
            raise ValueError(
                f"encoder: expected a code of {decoder.code_dim} numbers, or {decoder.n_classes} class logits and the "
                f"code, got {n_out} numbers."
            )
        self._net = unpack_mlp(self.packed)
        images = torch.rand(4, *IMAGE_SHAPE, generator=torch.Generator().manual_seed(0))
        with in_evaluation(encoder):
            real = encoder(images.to(next(encoder.parameters()))).cpu().float()
        gap = (real - self._net(images.flatten(1)).detach()).abs().max().item()
        if not gap < TOLERANCE * max(1.0, real.abs().max().item()):
            raise ValueError(
                f"encoder: what {type(encoder).__name__} computes differs from its layers in a row by {gap:.3g}; "
                "its forward must do no more than run them."
            )

    @torch.no_grad()
    def codes(self, images: Tensor) -> Tensor:
        """Codes (N, code_dim) of images (N, 1, 28, 28), from the weights that the page has."""
        return self._net(images.flatten(1))[:, self.n_logits :]

    def traits(self) -> tuple[dict[str, Any], str]:
        """What an explorer sends to the page: the small description, and the weights' text apart."""
        spec = asdict(self.packed) | {"n_logits": self.n_logits}
        return spec, spec.pop("weights")
