"""Semi-supervised adversarial autoencoder (chapter 6): the class inferred, the style beside it (the paper's section 5).

With π and z what is inferred of a corrupted image x, its class probabilities and its style, x̂ rebuilt from both, y' ~ Cat(K)
and z' ~ N(0, I), a step descends

    the discriminators   −½ E log D_z(z') − ½ E log(1 − D_z(z)) − ½ E log D_y(y' + ε) − ½ E log(1 − D_y(π + ε))
    the autoencoder      E‖x − x̂‖² / pixels − λ E (log D_z(z) + log D_y(π + ε))
                         − μ E log π_y, where the label y is known, + ν × the disagreement of two corruptions of x

with noise ε ~ N(0, `class_noise`² I), drawn anew each time, and the error that of the image before it was corrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aae_core import losses
from aae_core.construction import Constructed
from aae_core.corruption import NOISE, Corruption
from aae_core.data import IMAGE_SHAPE, N_CLASSES
from aae_core.networks import Decoder, Discriminator, Encoder, Hidden, chosen_labels
from aae_core.priors import Categorical, Gaussian
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig


class SemiSupervisedAAE(Constructed, nn.Module):
    """An autoencoder whose code has two parts: a class y, which is to be one of K, and a style z, which is to be normal.

    Two discriminators say so: one tells the encoder's class probabilities from one-hot vectors, the other its styles from
    N(0, I). Labels, where some are known, teach the encoder which class is which. Without any it finds clusters (section 6).

    Args:
        code_dim: width of the style code.
        n_classes: width of the class code: the digits, or the clusters to be found.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        discriminator_hidden: widths of the hidden layers of both discriminators.
        adversarial_weight: weight of fooling each discriminator, beside the mean squared error per pixel.
        classification_weight: weight of the cross-entropy on labelled images.
        agreement_weight: weight of the cross-entropy between the classes of two corruptions of each image; 0 leaves it out.
        corruption: what the encoder sees in training instead of the image; the target stays clean.
        class_noise: standard deviation of the noise on what the class discriminator sees, real or false: probabilities
            and one-hot vectors hardly meet, and without it the discriminator tells them apart at once.
        batch_norm: layers of the encoder that are batch-normalised, counted from 0; the last one gives class and style.
        class_gain: what normalised class logits are multiplied by to begin with, where the last layer is normalised:
            every class then wins some images of each batch, and none can be forgotten.
        image_shape: (C, H, W) of an image.
    """

    def __init__(
        self,
        code_dim: int = 10,
        n_classes: int = N_CLASSES,
        hidden: Hidden = (1000, 1000),
        *,
        discriminator_hidden: Sequence[int] = (1000, 1000),
        adversarial_weight: float = 0.02,
        classification_weight: float = 0.02,
        agreement_weight: float = 0.0,
        corruption: Corruption = NOISE,
        class_noise: float = 0.3,
        batch_norm: Sequence[int] = (0, 1),
        class_gain: float = 3.0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        super().__init__()
        self.code_dim, self.n_classes = code_dim, n_classes
        self.adversarial_weight, self.classification_weight = adversarial_weight, classification_weight
        self.agreement_weight, self.corruption, self.class_noise = agreement_weight, corruption, class_noise
        self.prior, self.class_prior = Gaussian(code_dim), Categorical(n_classes)
        self.encoder = Encoder(n_classes + code_dim, hidden, image_shape, batch_norm=batch_norm)
        if isinstance(last := self.encoder.net[-1], nn.BatchNorm1d):
            nn.init.constant_(last.weight[:n_classes], class_gain)
        self.decoder = Decoder(code_dim, hidden, image_shape, n_classes=n_classes)
        self.discriminator = Discriminator(code_dim, discriminator_hidden)
        self.class_discriminator = Discriminator(n_classes, discriminator_hidden)

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {
            "autoencoder": [self.encoder, self.decoder],
            "discriminator": [self.discriminator, self.class_discriminator],
        }

    def infer(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Class logits (N, n_classes) and styles (N, code_dim) of images (N, 1, 28, 28) in [0, 1]."""
        logits, z = self.encoder(x).split([self.n_classes, self.code_dim], 1)
        return logits, z

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x, known = batch.images, batch.labelled
        n = len(x)
        # One pass of the encoder serves all phases, so that batch norm sees one and the same batch.
        seen = [x, *([x] if self.agreement_weight else []), *([known.images] if known is not None else [])]
        logits, z = self.infer(self.corruption(torch.cat(seen)))
        logits, *others = logits.split([len(part) for part in seen])
        y, z = logits.softmax(1), z[:n]

        # Reconstruction phase: the clean image from class and style.
        reconstruction = losses.reconstruction(self.decode(z, y), x)

        # Regularisation phase, the discriminators: real are one-hot vectors and normal styles, false what was inferred.
        y_prior, z_prior = self.class_prior.sample(n, device=x.device), self.prior.sample(n, device=x.device)
        style = losses.discriminator(self.discriminator(z_prior), self.discriminator(z.detach()))
        category = losses.discriminator(self._judge_class(y_prior), self._judge_class(y.detach()))
        descend(style + category, optimizers["discriminator"])

        # Regularisation phase, the encoder: both parts of the code must pass for their priors'.
        fooling = losses.generator(self.discriminator(z)) + losses.generator(self._judge_class(y))

        loss = reconstruction + self.adversarial_weight * fooling
        found = {"reconstruction": reconstruction, "fooling": fooling, "style": style, "category": category}

        # Semi-supervised classification phase: cross-entropy where the label is known.
        if known is not None:
            found["classification"] = F.cross_entropy(others[-1], known.labels)
            loss = loss + self.classification_weight * found["classification"]

        # However an image is corrupted, it is of one class.
        if self.agreement_weight:
            found["agreement"] = losses.agreement(logits, others[0])
            loss = loss + self.agreement_weight * found["agreement"]
        for name, more in self.further_losses().items():
            found[name] = more
            loss = loss + more
        descend(loss, optimizers["autoencoder"])
        return found

    def further_losses(self) -> dict[str, Tensor]:
        """What a model of this kind may add to the autoencoder's loss, by name, already weighed; nothing here."""
        return {}

    def _judge_class(self, y: Tensor) -> Tensor:
        return self.class_discriminator(y + self.class_noise * torch.randn_like(y))

    def encode(self, x: Tensor) -> Tensor:
        """Styles (N, code_dim) of images (N, 1, 28, 28) in [0, 1]."""
        return self.infer(x)[1]

    @torch.no_grad()
    def probabilities(self, x: Tensor, batch_size: int = 2000) -> Tensor:
        """Class probabilities q(y|x), (N, n_classes), of images (N, 1, 28, 28), on the CPU."""
        device = next(self.parameters()).device
        return torch.cat([self.infer(part.to(device))[0].softmax(1).cpu() for part in x.split(batch_size)])

    def decode(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (N, 1, 28, 28) of styles (N, code_dim) and classes (N,) or class probabilities (N, n_classes)."""
        return self.decoder(z, y)

    def reconstruct(self, x: Tensor, y: Tensor | None = None) -> Tensor:
        """Images (N, C, H, W) rebuilt from what is inferred of images (N, C, H, W) in [0, 1]; `y` is not looked at."""
        logits, z = self.infer(x)
        return self.decode(z, logits.softmax(1))

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | int | None = None) -> Tensor:
        """`n` images (n, 1, 28, 28) in random styles.

        Args:
            y: the classes, (n,) or one for all; None draws them evenly at random.

        Raises:
            ValueError: a class outside 0 … n_classes − 1.
        """
        device = next(self.parameters()).device
        y = chosen_labels(n, y, self.n_classes, device)
        return self.decode(self.prior.sample(n, device=device), y)


class LabelsAlone(SemiSupervisedAAE):
    """The same encoder, taught by the labelled images and by nothing else: decoder and discriminators stand idle."""

    def parts(self) -> dict[str, list[nn.Module]]:
        """Which networks each optimizer moves."""
        return {"classifier": [self.encoder]}

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the loss."""
        known = batch.labelled or batch
        loss = F.cross_entropy(self.infer(self.corruption(known.images))[0], known.labels)
        descend(loss, optimizers["classifier"])
        return {"classification": loss}


SMALL_MOVES = Corruption(noise=0.3, shift=1.5, rotation=10, scale=0.1, shear=0.2)
"""Noise as in the paper; and movements that leave a digit what it is, about as large as those between two writers."""

SIZES: dict[str, Any] = {"hidden": (500, 500), "discriminator_hidden": (256, 256)}
MODERN = (
    "modern: Adam, logits, batch norm in the encoder, noise on the class discriminator's input, averaged weights",
    "modern: small movements of what the encoder sees (Simard et al. 2003), and two of them of one image are to agree "
    "on its class (Sajjadi et al. 2016)",
    "smaller than the paper: hidden layers of 500 units, 256 in the discriminators",
)
RUNGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "normalised": {"batch_norm": (0, 1, 2)},
    "moved": {"corruption": SMALL_MOVES},
    "agreeing": {"agreement_weight": 0.02},
}
"""What is added to the plain model, one after the other, until it is the recipes'."""
READING = ("test_error", "test_mse", "prior_swd")


def schedule(epochs: int, labelled_batch: int) -> TrainingConfig:
    """The training of chapters 6 to 8, which differ in its length and in how many labelled images join a step."""
    return TrainingConfig(
        epochs=epochs, batch_size=100, labelled_batch=labelled_batch, constant_until=0.5, ema_decay=0.998
    )


def options(rung: str, **changes: Any) -> dict[str, Any]:
    """A model's options up to `rung` of :data:`RUNGS`, and `changes` of them.

    Raises:
        ValueError: there is no such rung.
    """
    if rung not in RUNGS:
        raise ValueError(f"rung: there is no {rung!r}; choose from {', '.join(RUNGS)}.")
    names = list(RUNGS)
    added = {key: value for name in names[: names.index(rung) + 1] for key, value in RUNGS[name].items()}
    return added | SIZES | changes


def reading_model(rung: str = "agreeing", **changes: Any) -> SemiSupervisedAAE:
    """An untrained model that infers the digit, built as far as `rung`; with labels no class needs normalising.

    Args:
        changes: options of :class:`SemiSupervisedAAE` that differ, such as the widths of the hidden layers.
    """
    return SemiSupervisedAAE(**options(rung, batch_norm=(0, 1), **changes))


def labels_alone_model(rung: str, **changes: Any) -> LabelsAlone:
    """The model of :func:`reading_model`, untrained, that learns from labelled images alone."""
    return LabelsAlone(**options(rung, batch_norm=(0, 1), **changes))


RECIPES = tuple(
    Recipe(
        name=f"semi-supervised-{labels}",
        chapter=6,
        summary=summary,
        build=lambda image_shape, n_classes: reading_model(n_classes=n_classes, image_shape=image_shape),
        training=schedule(30, labelled_batch),
        measures=(*READING, "sample_accuracy", "style_leak"),
        practice=("paper: ten classes and a 10-D style, two discriminators, three phases, input noise of .3", *MODERN),
        labelled=known,
        told=True,
        ships=known == 100,
    )
    for labels, known, labelled_batch, summary in (
        ("100", 100, 50, "Semi-supervised AAE: the digit inferred from 100 labels and 50,000 images."),
        ("1000", 1000, 50, "Semi-supervised AAE: the digit inferred from 1,000 labels and 50,000 images."),
        ("all", None, 100, "Semi-supervised AAE with every label: the digit inferred, the style beside it."),
    )
)
