"""A GAN small enough to be looked at whole (chapter 1): a generator on the line whose density is known, and endless data."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset


class IncreasingGenerator(nn.Module):
    """A map of the line that only ever rises, so that the density of what it makes is known: p_g(G(z)) = p(z) / G′(z).

    G(z) = a + s z + Σₖ hₖ tanh(wₖ (z − cₖ)), where s, hₖ and wₖ are positive.

    Args:
        n_bends: how many tanh terms; more of them follow a more winding map.

    Shape: codes (N, 1) → points (N, 1).
    """

    def __init__(self, n_bends: int = 8) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.zeros(1))
        self.slope = nn.Parameter(torch.zeros(1))
        self.heights = nn.Parameter(torch.full((n_bends,), -3.0))
        self.widths = nn.Parameter(torch.zeros(n_bends))
        self.centres = nn.Parameter(torch.linspace(-2, 2, n_bends))

    def forward(self, z: Tensor) -> Tensor:
        bends = F.softplus(self.heights) * torch.tanh(F.softplus(self.widths) * (z - self.centres))
        return self.offset + F.softplus(self.slope) * z + bends.sum(1, keepdim=True)

    @torch.no_grad()
    def density(self, x: np.ndarray) -> np.ndarray:
        """p_g at the points `x` (N,), for codes from the standard normal distribution."""
        z = torch.linspace(-8, 8, 20_001)[:, None]
        widths = F.softplus(self.widths)
        rise = 1 - torch.tanh(widths * (z - self.centres)).square()
        slope = F.softplus(self.slope) + (F.softplus(self.heights) * widths * rise).sum(1, keepdim=True)
        density = torch.exp(-0.5 * z.square()) / math.sqrt(2 * math.pi) / slope
        return np.interp(x, self(z)[:, 0].numpy(), density[:, 0].numpy(), left=0.0, right=0.0)


class Draws(IterableDataset[tuple[Tensor, Tensor]]):
    """Batches drawn afresh from a distribution: data that never repeat.

    Args:
        sample: n → points (n, d).
        batch_size: points in a batch.
        n_batches: batches in an epoch.
    """

    def __init__(self, sample: Callable[[int], Tensor], batch_size: int, n_batches: int) -> None:
        super().__init__()
        self.sample, self.batch_size, self.n_batches = sample, batch_size, n_batches

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        no_labels = torch.full((self.batch_size,), -1)
        for _ in range(self.n_batches):
            yield self.sample(self.batch_size), no_labels

    def loader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """The batches as :func:`aae_core.training.fit` takes them."""
        return DataLoader(self, batch_size=None)
