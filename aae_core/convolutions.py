"""A convolutional pair in the place of perceptrons, for images of 8 pixels a side and more (appendix C).

Each layer halves height and width and looks at 4 × 4 neighbours; the decoder runs the same way backwards. What it learns in one
place of an image holds in every other, which a perceptron has to learn anew for each pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import nn

from aae_core.construction import Constructed

LEAST_SIDE = 8
"""Height and width that are halved at least once; from there on, as long as both have so many pixels."""
DEEPEST = 256
"""Most channels of a layer."""


class Convolutions(Constructed):
    """Stands where a perceptron's widths would: ``hidden=Convolutions(32)``.

    Args:
        width: channels of the layer next to the image; they double with each layer further in, up to :data:`DEEPEST`.
    """

    def __init__(self, width: int = 32) -> None:
        if isinstance(width, bool) or not isinstance(width, int) or width < 1:
            raise ValueError(f"width: expected a number of channels of at least 1, got {width!r}.")
        self.width = width

    def encoder(
        self, image_shape: Sequence[int], n_out: int, *, slope: float = 0.0, batch_norm: Sequence[int] = ()
    ) -> nn.Sequential:
        """Flattened images (N, C·H·W) → (N, n_out); options as in :func:`aae_core.networks.mlp`."""
        channels, sides = self._shapes(image_shape)
        layers: list[nn.Module] = [nn.Unflatten(1, tuple(image_shape))]
        for k, (n_in, n) in enumerate(zip(channels[:-1], channels[1:], strict=True)):
            layers += [nn.Conv2d(n_in, n, 4, 2, 1), *_after(k, n, slope, batch_norm)]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels[-1] * prod(sides[-1]), n_out))

    def decoder(
        self,
        n_in: int,
        image_shape: Sequence[int],
        *,
        slope: float = 0.0,
        batch_norm: Sequence[int] = (),
        output: nn.Module,
    ) -> nn.Sequential:
        """(N, n_in) → flattened images (N, C·H·W)."""
        channels, sides = self._shapes(image_shape)
        inner = channels[-1] * prod(sides[-1])
        layers: list[nn.Module] = [nn.Linear(n_in, inner), nn.Unflatten(1, (channels[-1], *sides[-1]))]
        for k in range(len(channels) - 1, 0, -1):
            odd = [wanted - 2 * side for side, wanted in zip(sides[k], sides[k - 1], strict=True)]
            layers += _after(len(channels) - 1 - k, channels[k], slope, batch_norm)
            layers.append(nn.ConvTranspose2d(channels[k], channels[k - 1], 4, 2, 1, output_padding=(odd[0], odd[1])))
        return nn.Sequential(*layers, output, nn.Flatten())

    def _shapes(self, image_shape: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """Channels, and height and width, of the image and of each layer's output."""
        channels, height, width = image_shape
        if min(height, width) < LEAST_SIDE:
            raise ValueError(
                f"hidden: convolutions need images of at least {LEAST_SIDE} pixels a side, got {height} × {width}; take "
                "widths of layers, as hidden=128,128."
            )
        all_channels, sides = [channels], [(height, width)]
        while min(sides[-1]) >= LEAST_SIDE:
            all_channels.append(min(self.width * 2 ** (len(sides) - 1), max(DEEPEST, self.width)))
            sides.append((sides[-1][0] // 2, sides[-1][1] // 2))
        return all_channels, sides


def _after(k: int, channels: int, slope: float, batch_norm: Sequence[int]) -> list[nn.Module]:
    rectifier = nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True)
    return [nn.BatchNorm2d(channels), rectifier] if k in batch_norm else [rectifier]
