"""The networks of every chapter: encoders, decoder and discriminator, all small multilayer perceptrons.

The paper's networks have two hidden layers (Appendix A of arXiv 1511.05644). Of images of one's own, encoder and decoder may be
convolutional. Images are (N, C, H, W) in [0, 1], codes (N, code_dim).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from aae_core.checks import check_code, check_images, check_noise
from aae_core.construction import Constructed
from aae_core.convolutions import Convolutions

Hidden = Sequence[int] | Convolutions
"""What stands between an image and a code: widths of a perceptron's hidden layers, or convolutions."""


def mlp(
    sizes: Sequence[int], *, slope: float = 0.0, batch_norm: Sequence[int] = (), output: nn.Module | None = None
) -> nn.Sequential:
    """Linear layers with (leaky) rectifiers between them.

    Args:
        sizes: widths, input first, output last.
        slope: slope of the rectifier below zero; 0 is the plain ReLU.
        batch_norm: which layers, counted from 0, are batch-normalised: a hidden one before its rectifier, the last as it is.
        output: what follows the last linear layer; nothing by default.

    Raises:
        ValueError: a hidden layer without units.
    """
    if any(width < 1 for width in sizes[1:-1]):
        raise ValueError(f"hidden: expected layers of at least 1 unit, got {', '.join(map(str, sizes[1:-1]))}.")
    layers: list[nn.Module] = []
    for k, (n_in, n_out) in enumerate(zip(sizes[:-2], sizes[1:-1], strict=True)):
        layers.append(nn.Linear(n_in, n_out))
        if k in batch_norm:
            layers.append(nn.BatchNorm1d(n_out))
        layers.append(nn.LeakyReLU(slope, inplace=True) if slope else nn.ReLU(inplace=True))
    layers.append(nn.Linear(sizes[-2], sizes[-1]))
    if len(sizes) - 2 in batch_norm:
        layers.append(nn.BatchNorm1d(sizes[-1]))
    if output is not None:
        layers.append(output)
    return nn.Sequential(*layers)


def from_images(image_shape: Sequence[int], hidden: Hidden, n_out: int, **options: Any) -> nn.Sequential:
    """Flattened images (N, C·H·W) → (N, n_out); options of :func:`mlp`."""
    if isinstance(hidden, Convolutions):
        return hidden.encoder(image_shape, n_out, **options)
    return mlp([prod(image_shape), *hidden, n_out], **options)


def one_hot(y: Tensor, n_classes: int) -> Tensor:
    """Labels (N,) as ``float32`` (N, n_classes); probabilities (N, n_classes), which an encoder gives, stay as they are.

    Raises:
        ValueError: a label outside 0 … n_classes − 1, or probabilities of another width.
    """
    if y.is_floating_point():
        if y.ndim != 2 or y.shape[1] != n_classes:
            raise ValueError(f"y: expected probabilities of shape (N, {n_classes}), got {tuple(y.shape)}.")
        return y
    # torch's own one_hot checks the range on the host, which would make a GPU wait at every step.
    if y.device.type == "cpu" and y.numel() and (int(y.min()) < 0 or int(y.max()) >= n_classes):
        raise ValueError(f"y: expected labels in 0 … {n_classes - 1}, got {int(y.min())} … {int(y.max())}.")
    return (y.unsqueeze(1) == torch.arange(n_classes, device=y.device)).float()


def chosen_labels(n: int, y: Tensor | int | None, n_classes: int, device: torch.device) -> Tensor:
    """The labels (n,) to draw: `y` itself, one class for all, or, for None, classes evenly at random."""
    if y is None:
        return torch.randint(n_classes, (n,), device=device)
    return torch.full((n,), y, device=device) if isinstance(y, int) else y


class Encoder(Constructed, nn.Module):
    """The deterministic posterior: z = f(x), so that q(z) is random through the data alone (section 2 of the paper).

    Shape: images (N, C, H, W) → codes (N, code_dim).
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        image_shape: Sequence[int] = (1, 28, 28),
        *,
        slope: float = 0.0,
        batch_norm: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.code_dim, self.image_shape = code_dim, tuple(image_shape)
        self.net = from_images(image_shape, hidden, code_dim, slope=slope, batch_norm=batch_norm)

    def forward(self, x: Tensor) -> Tensor:
        check_images(x, self.image_shape, self.training)
        return self.net(x.flatten(1)).float()


class GaussianEncoder(Constructed, nn.Module):
    """The Gaussian posterior N(μ(x), σ²(x)), drawn as z = μ(x) + σ(x) ε with ε ~ N(0, I) (section 2 of the paper).

    Written so, z is a smooth function of μ and σ, and gradients pass through the draw: the reparameterisation trick.

    Shape: images (N, C, H, W), noise (N, code_dim) → codes (N, code_dim).
    """

    def __init__(self, code_dim: int, hidden: Hidden = (512, 512), image_shape: Sequence[int] = (1, 28, 28)) -> None:
        super().__init__()
        self.code_dim, self.noise_dim, self.image_shape = code_dim, code_dim, tuple(image_shape)
        self.net = from_images(image_shape, hidden, 2 * code_dim)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log variance of q(z|x), each (N, code_dim)."""
        check_images(x, self.image_shape, self.training)
        mean, log_variance = self.net(x.flatten(1)).float().chunk(2, 1)
        return mean, log_variance

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        noise = check_noise(noise, len(x), self.noise_dim)
        mean, log_variance = self.moments(x)
        return mean + (0.5 * log_variance).exp() * noise


class NoisyEncoder(Constructed, nn.Module):
    """The universal approximator posterior: z = f(x, η), noise η ~ N(0, I) being a further input (section 2 of the paper).

    q(z|x) = ∫ q(z|x, η) p(η) dη may take any shape that the network can bend a Gaussian into.

    Shape: images (N, C, H, W), noise (N, noise_dim) → codes (N, code_dim).
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        image_shape: Sequence[int] = (1, 28, 28),
        *,
        noise_dim: int = 10,
    ) -> None:
        super().__init__()
        self.code_dim, self.noise_dim, self.image_shape = code_dim, noise_dim, tuple(image_shape)
        if isinstance(hidden, Convolutions):
            raise ValueError("hidden: this posterior's noise is no pixel, so that convolutions have no place for it.")
        self.net = mlp([prod(image_shape) + noise_dim, *hidden, code_dim])

    def forward(self, x: Tensor, noise: Tensor | None = None) -> Tensor:
        check_images(x, self.image_shape, self.training)
        noise = check_noise(noise, len(x), self.noise_dim)
        return self.net(torch.cat([x.flatten(1), noise], 1)).float()


class ScaledTanh(Constructed, nn.Module):
    """A hyperbolic tangent that ends in [0, 1], as pixels do: (tanh(a) + 1) / 2, which is sigmoid(2a)."""

    def forward(self, a: Tensor) -> Tensor:
        return torch.sigmoid(2 * a)


class Decoder(Constructed, nn.Module):
    """p(x|z), or p(x|z, y) where `n_classes` is not 0: the label then joins the code as a one-hot vector.

    Shape: codes (N, code_dim), labels (N,) → images (N, C, H, W) in [0, 1].
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Hidden = (512, 512),
        image_shape: Sequence[int] = (1, 28, 28),
        *,
        n_classes: int = 0,
        slope: float = 0.0,
        batch_norm: Sequence[int] = (),
        output: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.code_dim, self.n_classes, self.image_shape = code_dim, n_classes, tuple(image_shape)
        self.hidden, output = hidden, output or nn.Sigmoid()
        if isinstance(hidden, Convolutions):
            self.net = hidden.decoder(
                code_dim + n_classes, image_shape, slope=slope, batch_norm=batch_norm, output=output
            )
        else:
            sizes = [code_dim + n_classes, *hidden, prod(image_shape)]
            self.net = mlp(sizes, slope=slope, batch_norm=batch_norm, output=output)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        check_code(z, self.code_dim)
        if self.n_classes:
            if y is None:
                raise ValueError("y: this decoder draws a digit of a given class; pass labels (N,).")
            z = torch.cat([z, one_hot(y, self.n_classes)], 1)
        elif y is not None:
            raise ValueError("y: this decoder has no label input; leave y out.")
        return self.net(z).float().unflatten(1, self.image_shape)


class Discriminator(Constructed, nn.Module):
    """One logit per code: above 0 where the code looks like the prior's, below where it looks encoded.

    With `n_classes` it sees the label as well, D(z, y): as a one-hot vector beside the code; or, with `heads`, as the choice
    among one output for each class, which leaves more of the network to each.

    Shape: codes (N, code_dim), labels (N,) → logits (N,).
    """

    def __init__(
        self,
        code_dim: int,
        hidden: Sequence[int] = (512, 512),
        *,
        n_classes: int = 0,
        heads: bool = False,
        slope: float = 0.0,
    ) -> None:
        super().__init__()
        self.code_dim, self.n_classes, self.heads = code_dim, n_classes, heads
        n_in, n_out = (code_dim, n_classes) if heads else (code_dim + n_classes, 1)
        self.net = mlp([n_in, *hidden, n_out], slope=slope)

    def forward(self, z: Tensor, y: Tensor | None = None) -> Tensor:
        check_code(z, self.code_dim)
        if self.n_classes:
            if y is None:
                raise ValueError("y: this discriminator looks at the label too; pass labels (N,).")
            label = one_hot(y, self.n_classes)
            if self.heads:
                return (self.net(z).float() * label).sum(1)
            z = torch.cat([z, label], 1)
        return self.net(z).squeeze(1).float()


class ImageDiscriminator(Constructed, nn.Module):
    """One logit per image: above 0 where it looks real, below where it looks made (chapter 1).

    Shape: images (N, C, H, W) in [0, 1] → logits (N,).
    """

    def __init__(
        self, hidden: Sequence[int] = (512, 256), image_shape: Sequence[int] = (1, 28, 28), *, slope: float = 0.2
    ) -> None:
        super().__init__()
        self.image_shape = tuple(image_shape)
        self.net = mlp([prod(image_shape), *hidden, 1], slope=slope)

    def forward(self, x: Tensor) -> Tensor:
        check_images(x, self.image_shape, self.training)
        return self.net(2 * x.flatten(1) - 1).squeeze(1).float()
