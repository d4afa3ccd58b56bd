"""The adversary elsewhere (chapter 12): chapter 2's autoencoder with its discriminator replaced, left out, or shown another thing.

The paper's section 2.2 compares the first of them, a moment matching network. With z = f(x), x̂ = g(z),
z' ~ p(z) and s the domain that an image x comes from, a step descends

    away        E‖x − x̂‖² / pixels + λ MMD²(z, z')
    two stages  E‖x − x̂‖² / pixels + λ_z E‖z‖², and then, of the codes at rest, E‖v(zₜ, t) − (z − ε)‖² with zₜ = (1 − t) ε + t z
    covariate   E‖x − g(z, s)‖² / pixels − λ E log D(1 − s | z), in turn with the reader's −E log D(s | z)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.data import IMAGE_SHAPE
from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.networks import Decoder, Discriminator, Encoder, Hidden, mlp
from aae_core.priors import Prior
from aae_core.step import Batch, Optimizers, descend


class WassersteinAutoencoder(AdversarialAutoencoder):
    """The adversarial autoencoder without an adversary: a kernel says how far codes are from the prior (Tolstikhin et al. 2018).

    Args:
        prior: what q(z) is to match. Samples of it are all that is needed.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        discrepancy_weight: λ, beside the mean squared error per pixel.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        prior: Prior,
        hidden: Hidden = (512, 512),
        *,
        discrepancy_weight: float = 0.1,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__(prior, hidden=hidden, image_shape=image_shape)
        self.discrepancy_weight = discrepancy_weight
        del self.discriminator  # nobody plays against the encoder

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks the one optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x = batch.images
        z = self.encode(x)
        reconstruction = losses.reconstruction(self.decoder(z), x)
        z_prior = self.prior.sample(len(x), device=x.device)
        discrepancy = losses.mean_discrepancy(z, z_prior)
        descend(reconstruction + self.discrepancy_weight * discrepancy, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "discrepancy": discrepancy}


class FirstStage(Constructed, nn.Module):
    """A plain autoencoder whose codes are kept short, and no more: the first of two stages (Ghosh et al. 2020).

    Args:
        code_dim: width of the code.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        code_weight: λ_z, of the squared length of a code beside the mean squared error per pixel.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        *,
        code_weight: float = 1e-4,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        self.code_dim, self.code_weight = code_dim, code_weight
        self.encoder = Encoder(code_dim, hidden, image_shape)
        self.decoder = Decoder(code_dim, hidden, image_shape)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks the one optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        z = self.encoder(batch.images)
        reconstruction = losses.reconstruction(self.decoder(z), batch.images)
        length = z.square().sum(1).mean()
        descend(reconstruction + self.code_weight * length, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "length": length}

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code_dim) of images (N, C, H, W) in [0, 1]."""
        return self.encoder(x)

    def decode(self, z: Tensor) -> Tensor:
        """Images (N, C, H, W) of codes (N, code_dim)."""
        return self.decoder(z)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) rebuilt from the codes of images (N, C, H, W) in [0, 1]; labels `y` are not looked at."""
        return self.decode(self.encode(x))


class CodeFlow(Prior, nn.Module):
    """A generative model of codes: the second of two stages, learnt by flow matching (Lipman et al. 2023).

    A network learns the velocity at which noise ε at time 0 becomes a code z at time 1 along straight lines. Where many lines
    cross it learns their mean, so that what follows it bends, and arrives distributed as the codes are. Being a prior, it
    serves wherever one does.

    Args:
        codes: (N, dim), whose mean and standard deviation bring them to one scale.
        hidden: widths of the velocity's hidden layers.
        n_steps: of the way from noise to codes.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, codes: Tensor, hidden: Sequence[int] = (128, 128), n_steps: int = 20) -> None:
        super().__init__()
        self.dim, self.n_steps = codes.shape[1], n_steps
        self.register_buffer("mean", codes.mean(0))
        self.register_buffer("std", codes.std(0))
        self.velocity = mlp([self.dim + 1, *hidden, self.dim], slope=0.1)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks the one optimizer moves."""
        return {"velocity": [self.velocity]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step on codes (N, dim), which stand where a batch has its images; returns the loss."""
        z = (batch.images - self.mean) / self.std
        noise, t = torch.randn_like(z), torch.rand(len(z), 1, device=z.device)
        error = (self.at((1 - t) * noise + t * z, t) - (z - noise)).square().mean()
        descend(error, optimizers["velocity"])
        return {"velocity": error}

    def at(self, z: Tensor, t: Tensor) -> Tensor:
        """The velocity (N, dim) at points (N, dim) on the way, at times (N, 1) in [0, 1]."""
        return self.velocity(torch.cat([z, t], 1)).float()

    @torch.no_grad()
    def paths(self, noise: Tensor) -> Tensor:
        """The way from noise (N, dim) to codes, by the midpoint rule: (n_steps + 1, N, dim), in the codes' own scale."""
        return self.mean + self.std * self._walk(noise, 0.0, 1.0)

    @torch.no_grad()
    def paths_back(self, codes: Tensor) -> Tensor:
        """The way back from codes (N, dim) to the noise that leads to them: (n_steps + 1, N, dim), in the codes' own scale."""
        return self.mean + self.std * self._walk((codes - self.mean) / self.std, 1.0, 0.0)

    def to_codes(self, noise: Tensor) -> Tensor:
        """Where noise (N, dim) arrives: codes (N, dim)."""
        return self.paths(noise)[-1]

    def to_noise(self, codes: Tensor) -> Tensor:
        """Where codes (N, dim) come from: noise (N, dim)."""
        return (self.paths_back(codes)[-1] - self.mean) / self.std

    def _walk(self, z: Tensor, begin: float, end: float) -> Tensor:
        way, width = [z], (end - begin) / self.n_steps
        for k in range(self.n_steps):
            t = torch.full((len(z), 1), begin + k * width, device=z.device)
            half = z + width / 2 * self.at(z, t)
            z = z + width * self.at(half, t + width / 2)
            way.append(z)
        return torch.stack(way)

    def draw(self, n: int, labels: Tensor | None, generator: Generator | None, device: torch.device | str) -> Tensor:
        noise = torch.randn(n, self.dim, generator=generator, device=device)
        return self.to_codes(noise.to(self.mean.device)).to(device)


def inverted(x: Tensor) -> Tensor:
    """Images (N, C, H, W) in [0, 1] as their negatives."""
    return 1 - x


def faded(x: Tensor) -> Tensor:
    """Images (N, C, H, W) in [0, 1] as from a poorer scanner: paper is grey, and ink half as strong."""
    return 0.3 + 0.5 * x


class InvariantAutoencoder(Constructed, nn.Module):
    """An autoencoder whose code is not to tell which of two domains an image is from: an adversary reads it (Ganin et al. 2016).

    Every second image of a batch is brought to the second domain. The decoder is told the domain, so that the code need not say
    it. No label is looked at.

    Args:
        code_dim: width of the code.
        change: what makes an image (N, C, H, W) one of the second domain.
        hidden: widths of the hidden layers of encoder and decoder.
        adversarial_weight: λ, of misleading the reader beside the mean squared error per pixel; at 0 nobody listens to it.
        gradient_penalty: weight of the penalty that keeps the reader smooth.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        code_dim: int,
        change: Callable[[Tensor], Tensor],
        hidden: Sequence[int] = (512, 512),
        *,
        adversarial_weight: float = 0.05,
        gradient_penalty: float = 0.1,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        self.code_dim, self.change, self.gradient_penalty = code_dim, change, gradient_penalty
        self.adversarial_weight = adversarial_weight
        self.encoder = Encoder(code_dim, hidden, image_shape)
        self.decoder = Decoder(code_dim, hidden, image_shape, n_classes=2)
        self.discriminator = Discriminator(code_dim, (128, 128))

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"autoencoder": [self.encoder, self.decoder], "discriminator": [self.discriminator]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        first, second = batch.images[::2], self.change(batch.images[1::2])
        x = torch.cat([first, second])
        domain = torch.cat([torch.zeros(len(first)), torch.ones(len(second))]).long().to(x.device)

        # Reconstruction phase: the decoder is told the domain.
        z = self.encoder(x)
        reconstruction = losses.reconstruction(self.decoder(z, domain), x)
        z_first, z_second = z[domain == 0], z[domain == 1]

        # The reader tells the first domain's codes from the second's.
        reading, smooth = losses.smooth_discriminator(
            self.discriminator, z_first.detach(), z_second.detach(), weight=self.gradient_penalty
        )
        descend(smooth, optimizers["discriminator"])

        # The encoder misleads it about both.
        misleading = losses.discriminator(self.discriminator(z_second), self.discriminator(z_first))
        descend(reconstruction + self.adversarial_weight * misleading, optimizers["autoencoder"])
        return {"reconstruction": reconstruction, "reading": reading, "misleading": misleading}

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, code_dim) of images (N, C, H, W) in [0, 1]."""
        return self.encoder(x)

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (N, C, H, W) of codes (N, code_dim) in the domains y (N,), 0 or 1."""
        return self.decoder(z, y)
