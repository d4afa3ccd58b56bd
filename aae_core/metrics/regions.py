"""Where codes lie in a prior whose regions belong to digits, and what near codes have in common (chapter 4)."""

from __future__ import annotations

import torch
from torch import Tensor

from aae_core.metrics.measure import Measure
from aae_core.priors import Prior

STYLES = ("slant", "thickness", "width")
"""What :func:`style_of` measures of a picture."""


def region_accuracy(z: Tensor, y: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """Share of codes (N, 2) that lie in the region of their own digit (N,).

    The reference is the share of the prior's own samples that do: regions of a mixture overlap a little.
    """
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randint(prior.n_classes, (len(z),), generator=generator)
    samples = prior.sample(len(z), drawn, generator=generator)
    ceiling = (prior.region(samples) == drawn).float().mean()
    own = (prior.region(z) == y.cpu()).float().mean()
    return Measure(float(own), float(ceiling), "samples of the prior, in their own region")


def region_matched(z: Tensor, y: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """The same under the best assignment of regions to digits, one to one: what no label can be blamed for.

    The assignment is chosen with the labels in hand (Hungarian method), so that even digits dealt at random score
    above a tenth; that is the reference.
    """
    region, y = prior.region(z), y.cpu()
    dealt = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))]
    return Measure(best_match(region, y), best_match(region, dealt), "labels dealt at random")


def best_match(region: Tensor, y: Tensor) -> float:
    """Share of codes in their own digit's region, regions (N,) named as suits the digits (N,) best."""
    from scipy.optimize import linear_sum_assignment

    n = int(max(region.max(), y.max())) + 1
    counts = torch.bincount(region * n + y, minlength=n**2).view(n, n).numpy()
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(y))


def style_of(images: Tensor) -> Tensor:
    """Slant, thickness and width of pictures (N, 1, H, W) in [0, 1], measured on their pixels: (N, 3).

    No network is asked. With μ_ij the mean of (column − its mean)^i (row − its mean)^j over the ink, slant is the
    shift sideways per row upwards, −μ11 / μ02, as rows are counted downwards: positive leans to the right. Thickness is
    twice the ink's area over the length of its outline, in pixels; width is the ratio of the two spreads,
    √(μ20 / μ02), taken after the slant is undone.
    """
    x = images[:, 0].double()
    rows = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)[:, None]
    columns = torch.arange(x.shape[2], dtype=x.dtype, device=x.device)

    def mean(value: Tensor) -> Tensor:
        return (x * value).sum((1, 2)) / x.sum((1, 2)).clamp(min=1e-9)

    down, right = rows - mean(rows)[:, None, None], columns - mean(columns)[:, None, None]
    vertical = mean(down.square()).clamp(min=1e-9)
    slant = -mean(down * right) / vertical
    upright = mean((right + slant[:, None, None] * down).square())
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    steps = padded[:, 1:, :-1] - padded[:, :-1, :-1], padded[:, :-1, 1:] - padded[:, :-1, :-1]
    outline = (steps[0].square() + steps[1].square()).sqrt().sum((1, 2)).clamp(min=1e-9)
    thickness = 2 * x.sum((1, 2)) / outline
    return torch.stack([slant, thickness, (upright / vertical).sqrt()], 1).float()


def neighbour_style(z: Tensor, images: Tensor, y: Tensor, n_neighbours: int = 5, seed: int = 0) -> dict[str, Measure]:
    """How much alike in style digits are whose codes lie side by side.

    For each image: the mean difference in style from those of its own digit whose codes are nearest, over that from
    as many of its own digit drawn at random. Below 1, near codes share style; at 1, the code tells nothing about it.

    Args:
        z: codes (N, d).
        images: their images (N, 1, H, W) in [0, 1].
        y: their digits (N,).
        n_neighbours: how many are compared with each image.

    Returns:
        One ratio for each of :data:`STYLES`; against 1.

    Raises:
        ValueError: a digit has too few images to have that many neighbours.
    """
    generator = torch.Generator().manual_seed(seed)
    style, y = style_of(images.cpu()), y.cpu()
    near, anyone = [], []
    for k in y.unique():
        members = (y == k).nonzero().flatten()
        n = len(members)
        if n <= n_neighbours:
            raise ValueError(f"y: digit {int(k)} has {n} images, {n_neighbours} neighbours need more than that.")
        distance = torch.cdist(z[members], z[members]).fill_diagonal_(float("inf"))
        side_by_side = distance.topk(n_neighbours, largest=False).indices
        shift = torch.randint(1, n, (n, n_neighbours), generator=generator)
        at_random = (torch.arange(n)[:, None] + shift) % n
        own = style[members]
        near.append((own[side_by_side] - own[:, None]).abs().mean(1))
        anyone.append((own[at_random] - own[:, None]).abs().mean(1))
    ratio = torch.cat(near).mean(0) / torch.cat(anyone).mean(0)
    return {
        name: Measure(value, 1.0, "pairs of one digit at random")
        for name, value in zip(STYLES, ratio.tolist(), strict=True)
    }
