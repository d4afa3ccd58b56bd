"""What an encoder sees in training in place of a clean image: noise, missing pixels, a small movement (chapter 6).

The target of the reconstruction stays clean, so that the code holds the digit and not the accident (Vincent et al. 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from aae_core.construction import Constructed


@dataclass(frozen=True)
class Corruption(Constructed):
    """Random damage to images, drawn anew for each; 0 leaves a kind of it out.

    Args:
        noise: standard deviation of normal noise on each pixel.
        shift: most pixels that an image moves by, in either direction.
        rotation: most degrees that it turns by, 0 … 180.
        scale: most that height and width change by, each on its own: a factor between e^−scale and e^scale.
        shear: most that a row moves, in shares of its distance from the middle: the slant of handwriting.

    Raises:
        ValueError: a negative or infinite amount, or more than half a turn.
    """

    noise: float = 0.3
    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0

    def __post_init__(self) -> None:
        for kind in fields(self):
            if not 0 <= (value := getattr(self, kind.name)) < math.inf:
                raise ValueError(f"{kind.name}: expected a number of at least 0, got {value!r}.")
        if self.rotation > 180:
            raise ValueError(f"rotation: expected 0 … 180 degrees, got {self.rotation!r}.")

    def __call__(self, x: Tensor) -> Tensor:
        """Corrupted images (N, C, H, W) of images (N, C, H, W) in [0, 1]; with noise, they leave that range."""
        moved = self.move(x) if self.shift or self.rotation or self.scale or self.shear else x
        return moved + self.noise * torch.randn_like(moved) if self.noise else moved

    def move(self, x: Tensor) -> Tensor:
        """Images (N, C, H, W) moved, turned, scaled and slanted; what comes in at the border is black."""
        n, (height, width) = len(x), x.shape[2:]

        def draw(most: float) -> Tensor:
            return most * (2 * torch.rand(n, device=x.device) - 1)

        turn, slant = draw(math.radians(self.rotation)), draw(self.shear)
        wide, high = draw(self.scale).exp(), draw(self.scale).exp()
        # Where each pixel of the new image is taken from: slanted, then turned, then scaled. The unit is half a side.
        # (A product of small matrices, as affine_grid has it, takes several times as long on a CPU.)
        down, across = (
            (2 * torch.arange(size, device=x.device) + 1) / size - 1 for size in (height, width)
        )  # middles of the pixels, −1 … 1
        down, across = down[:, None], across[None, :]
        wide, high, slant, cos, sin = (each[:, None, None] for each in (wide, high, slant, turn.cos(), turn.sin()))
        column = wide * (cos * across + (slant * cos - sin) * down) + draw(2 * self.shift / width)[:, None, None]
        row = high * (sin * across + (slant * sin + cos) * down) + draw(2 * self.shift / height)[:, None, None]
        return F.grid_sample(x, torch.stack([column, row], 3), align_corners=False)


NOISE = Corruption(noise=0.3)
"""What the paper's semi-supervised encoder sees: pixels with normal noise."""
