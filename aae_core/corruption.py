"""What an encoder sees in training in place of a clean image: noise, missing pixels, a small movement (chapter 6).

The target of the reconstruction stays clean, so that the code holds the digit and not the accident (Vincent et al. 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Corruption:
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
        cos, sin = turn.cos(), turn.sin()
        # Where each pixel of the new image is taken from: slanted, then turned, then scaled. grid_sample's unit is half a side.
        across = torch.stack([wide * cos, wide * (slant * cos - sin), draw(2 * self.shift / width)], 1)
        down = torch.stack([high * sin, high * (slant * sin + cos), draw(2 * self.shift / height)], 1)
        # In float32: under autocast half a pixel would be lost to rounding.
        with torch.autocast(x.device.type, enabled=False):
            grid = F.affine_grid(torch.stack([across, down], 1), list(x.shape), align_corners=False)
            return F.grid_sample(x, grid, align_corners=False)
