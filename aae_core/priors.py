"""Priors: what a latent code should look like. An adversarial autoencoder needs only samples of them.

Every prior has ``dim``, ``n_classes`` (0 where it knows no labels), ``sample`` and, where there is one, ``log_prob``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from aae_core.networks import check_code


class Prior:
    """The interface of a prior over codes of width `dim`."""

    dim: int
    n_classes: int = 0

    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        """`n` independent codes, ``float32`` (n, dim).

        Args:
            n: how many, at least 1.
            labels: ``int64`` (n,), for a prior whose regions belong to classes; None draws from the whole prior.
            generator: source of randomness on `device`; torch's global one by default.
            device: where the codes are made.

        Raises:
            ValueError: `n` is below 1, or labels are given that this prior does not have.
        """
        raise NotImplementedError

    def log_prob(self, z: Tensor) -> Tensor:
        """log p(z) in nats, (N,), for codes (N, dim)."""
        raise NotImplementedError(f"{type(self).__name__} has samples but no density in closed form.")

    def check_sample(self, n: int, labels: Tensor | None) -> None:
        """Refuses a request that :meth:`sample` cannot serve."""
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"n: expected a number of samples of at least 1, got {n!r}.")
        if labels is None:
            return
        if not self.n_classes:
            raise ValueError(f"labels: {type(self).__name__} has no regions that belong to labels; leave them out.")
        if labels.shape != (n,):
            raise ValueError(f"labels: expected shape ({n},), one per sample, got {tuple(labels.shape)}.")


class Gaussian(Prior):
    """The standard normal prior N(0, I).

    Args:
        dim: width of the code, at least 1.
    """

    def __init__(self, dim: int) -> None:
        if dim < 1:
            raise ValueError(f"dim: expected a width of at least 1, got {dim}.")
        self.dim = dim

    def sample(
        self,
        n: int,
        labels: Tensor | None = None,
        generator: torch.Generator | None = None,
        device: torch.device | str = "cpu",
    ) -> Tensor:
        self.check_sample(n, labels)
        return torch.randn(n, self.dim, generator=generator, device=device)

    def log_prob(self, z: Tensor) -> Tensor:
        check_code(z, self.dim)
        return -0.5 * (z.square().sum(1) + self.dim * math.log(2 * math.pi))
