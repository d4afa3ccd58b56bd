"""A convolutional decoder as the browser reads it: each layer a linear map of one pixel's channels.

A transposed convolution gives, for each pixel that goes in, a patch of 4 × 4 pixels, and adds up the patches where they overlap.
The patch is a linear layer of the pixel's channels, packed like any other (:mod:`aae_core.export`); the page lays the patches down.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aae_core import int12
from aae_core.export import activation_of, affine, array_of, leaves, plain_bytes
from aae_core.packed import Activation, ExportError, PackedMLP, module_of

FLAT = (nn.Dropout, nn.Flatten, nn.Identity)
"""Layers that leave numbers in evaluation mode as they are."""
KERNEL = 4
"""Pixels of a patch, each way; patches stand two pixels apart, and reach one beyond the border."""


@dataclass(frozen=True)
class Stage:
    """A layer: a linear map and what follows it. Channels of a pixel stand beside each other.

    Attributes:
        linear: numbers to all pixels' channels; or, with `height` and `width`, one pixel's channels to those of its patch.
        activation: what follows, after patches are added up.
        height, width: of the map that patches make; None where the map is the linear layer's output.
        bias: of each channel of that map.
    """

    linear: PackedMLP
    activation: Activation
    height: int | None = None
    width: int | None = None
    bias: tuple[float, ...] = ()


@dataclass(frozen=True)
class PackedConvolutions:
    """A stack of stages, ready for JSON.

    Attributes:
        stages: the first without, the others with patches.
        sizes: how many numbers go in and come out.
    """

    stages: tuple[Stage, ...]
    sizes: tuple[int, int]

    @property
    def activations(self) -> list[Activation]:
        """What follows each stage."""
        return [stage.activation for stage in self.stages]

    def traits(self) -> tuple[dict[str, Any], str]:
        """What an explorer sends to the page: the small description, and the weights' texts with spaces between."""
        stages = [asdict(stage) for stage in self.stages]
        texts = [stage["linear"].pop("weights") for stage in stages]
        return {"stages": stages}, " ".join(texts)

    def to_json(self) -> str:
        """The network as one JSON object, with the name and version of the format."""
        return json.dumps({"format": "aae-convolutions", "version": 1} | asdict(self))


def is_convolutional(module: nn.Module) -> bool:
    """Whether a network has a layer that :func:`pack_convolutions` is for."""
    return any(isinstance(layer, nn.ConvTranspose2d) for layer in module.modules())


def pack_convolutions(module: nn.Module, *, precision: str = "int12") -> PackedConvolutions:
    """Packs a linear layer and the transposed convolutions after it, as they compute in evaluation mode.

    Args:
        module: as :class:`aae_core.convolutions.Convolutions` makes a decoder. Batch normalisation is folded into the layer before it.
        precision: as :func:`aae_core.export.pack_mlp` takes it.

    Raises:
        ExportError: a layer, or an order of layers, that the browser cannot run.
    """
    stages: list[Stage] = []
    # of the layer at hand: W [places, channels, in], b [places or 1, channels], the map's height and width, what follows
    weight: Any = np.zeros(0)
    bias: Any = np.zeros(0)
    sides: tuple[int, int] | None = None
    activation: Activation = "identity"
    n_in = 0
    last: tuple[int, ...] = (0, 0, 0)  # channels, height and width of what comes next

    for name, layer in leaves(module, ignored=FLAT):
        if isinstance(layer, nn.Linear) and not n_in:
            n_in = layer.in_features
            weight = array_of(layer.weight)
            bias = array_of(layer.bias) if layer.bias is not None else np.zeros(len(weight))
        elif isinstance(layer, nn.Unflatten) and weight.ndim == 2 and len(layer.unflattened_size) == 3:
            channels, height, width = last = tuple(layer.unflattened_size)
            weight = weight.reshape(channels, height * width, n_in).transpose(1, 0, 2)
            bias = bias.reshape(channels, height * width).T
        elif isinstance(layer, nn.BatchNorm2d) and weight.ndim == 3 and activation == "identity":
            scale, shift = affine(layer, name)
            weight, bias = weight * scale[:, None], bias * scale + shift
        elif isinstance(layer, nn.ConvTranspose2d) and weight.ndim == 3:
            _check(layer, name, last[0])
            stages.append(_stage(weight, bias, sides, activation, precision))
            padding = layer.output_padding
            sides = 2 * last[1] + padding[0], 2 * last[2] + padding[1]
            last, activation = (layer.out_channels, *sides), "identity"
            weight = (
                array_of(layer.weight).transpose(2, 3, 1, 0).reshape(KERNEL**2, layer.out_channels, layer.in_channels)
            )
            bias = (array_of(layer.bias) if layer.bias is not None else np.zeros(layer.out_channels))[None]
        else:
            if weight.ndim != 3 or activation != "identity":
                raise ExportError(f"{name}: expected a linear layer, its output's shape, and transposed convolutions.")
            activation, factor = activation_of(layer, name)
            weight, bias = weight * factor, bias * factor
    if weight.ndim != 3 or sides is None:
        raise ExportError(f"{type(module).__name__}: expected a linear layer and transposed convolutions after it.")
    stages.append(_stage(weight, bias, sides, activation, precision))
    return PackedConvolutions(tuple(stages), (n_in, last[0] * last[1] * last[2]))


def _stage(
    weight: np.ndarray, bias: np.ndarray, sides: tuple[int, int] | None, activation: Activation, precision: str
) -> Stage:
    """The layer with W [places, channels, in] and b [places or 1, channels]; `sides` where its places are a patch's."""
    if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
        raise ExportError("Not every weight is finite; was the network trained to its end?")
    rows = weight.reshape(-1, weight.shape[2])
    flat = bias.reshape(-1) if sides is None else np.zeros(len(rows))
    if precision == "int12":
        raw = int12.encode([(rows, flat)])
    else:
        raw = b"".join(plain_bytes(part, precision, "a convolution") for part in (rows, flat))
    linear = PackedMLP([rows.shape[1], len(rows)], ["identity"], base64.b64encode(raw).decode(), precision)
    height, width = sides or (None, None)
    added = () if sides is None else tuple(float(f"{value:.7g}") for value in bias[0])
    return Stage(linear, activation, height, width, added)


def unpack_convolutions(packed: PackedConvolutions) -> nn.Module:
    """The network again, in PyTorch and in ``float32``: (N, in) → (N, C·H·W), what the browser computes."""
    return _Unpacked(packed).eval()


class _Unpacked(nn.Module):
    def __init__(self, packed: PackedConvolutions) -> None:
        super().__init__()
        self.packed = packed
        self.numbers = []
        for stage in packed.stages:
            n, m = stage.linear.sizes
            self.numbers.append(torch.from_numpy(stage.linear.numbers()).split([n * m, m]))

    def forward(self, x: Tensor) -> Tensor:
        for stage, (weight, bias) in zip(self.packed.stages, self.numbers, strict=True):
            n, m = stage.linear.sizes
            if stage.height is None or stage.width is None:
                x = x @ weight.view(m, n).T + bias
            else:
                channels = len(stage.bias)
                kernel = weight.view(KERNEL, KERNEL, channels, n).permute(3, 2, 0, 1)
                height, width = stage.height // 2, stage.width // 2
                maps = x.unflatten(1, (height, width, n)).permute(0, 3, 1, 2)
                odd = stage.height % 2, stage.width % 2
                maps = nn.functional.conv_transpose2d(maps, kernel, torch.tensor(stage.bias), 2, 1, odd)
                x = maps.permute(0, 2, 3, 1).flatten(1)
            x = module_of(stage.activation)(x)
        last = self.packed.stages[-1]
        return x.unflatten(1, (-1, len(last.bias))).transpose(1, 2).flatten(1)


def _check(layer: nn.ConvTranspose2d, name: str, channels: int) -> None:
    wanted = ((KERNEL, KERNEL), (2, 2), (1, 1), (1, 1), 1, channels)
    found = (layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.groups, layer.in_channels)
    if found != wanted:
        raise ExportError(
            f"{name}: expected kernel, stride, padding, dilation, groups, channels {wanted}, got {found}."
        )
