"""Two stages as one autoencoder (chapter 12): noise is its code, and so its prior is known again.

With f and g of the first stage and T the way of the second from noise ε to a code, the encoder is T⁻¹(f(x)), the decoder g(T(ε)).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn

from aae_core.construction import Constructed
from aae_core.models.elsewhere import CodeFlow, FirstStage
from aae_core.priors import Gaussian, Prior


class NormalCodes(Prior, nn.Module):
    """The plainest second stage: a normal distribution with the mean and the covariance of codes.

    Args:
        codes: (N, dim), N above dim.
    """

    mean: Tensor
    root: Tensor

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.dim = codes.shape[1]
        self.register_buffer("mean", codes.mean(0))
        self.register_buffer("root", torch.linalg.cholesky(codes.T.cov().reshape(self.dim, self.dim)))

    def to_codes(self, noise: Tensor) -> Tensor:
        """Where noise (N, dim) arrives: codes (N, dim)."""
        return self.mean + noise @ self.root.T

    def to_noise(self, codes: Tensor) -> Tensor:
        """Where codes (N, dim) come from: noise (N, dim)."""
        return torch.linalg.solve_triangular(self.root, (codes - self.mean).T, upper=False).T

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        noise = torch.randn(n, self.dim, generator=generator, device=device)
        return self.to_codes(noise.to(self.mean.device)).to(device)


class TwoStages(Constructed, nn.Module):
    """A plain autoencoder and a model of its codes, taken together: standard normal noise is decoded, and images become noise.

    Args:
        first: the autoencoder.
        second: the model of its codes, which leads there and back.
    """

    def __init__(self, first: FirstStage, second: CodeFlow | NormalCodes) -> None:
        super().__init__()
        self.first, self.second = first, second
        self.prior, self.code_dim = Gaussian(first.code_dim), first.code_dim

    @property
    def decoder(self) -> nn.Module:
        """The first stage's, which takes the codes that :meth:`to_codes` gives."""
        return self.first.decoder

    def to_codes(self, noise: Tensor) -> Tensor:
        """The first stage's codes (N, code_dim) at noise (N, code_dim)."""
        return self.second.to_codes(noise)

    def encode(self, x: Tensor) -> Tensor:
        """Noise (N, code_dim) that is drawn as images (N, C, H, W) in [0, 1] are rebuilt."""
        return self.second.to_noise(self.first.encode(x))

    def decode(self, noise: Tensor) -> Tensor:
        """Images (N, C, H, W) of noise (N, code_dim)."""
        return self.first.decode(self.to_codes(noise))
