"""Label information in the adversary (chapter 4): each digit gets a region of its own (the paper's section 2.3).

With y the label of x, a digit or "unlabelled", z its code, and z' ~ p(z|y) from the digit's region, or from the whole
prior where there is no label, a step descends

    the discriminator   −½ E log D(z', y) − ½ E log(1 − D(z, y)) + γ E‖∇ℓ(z', y)‖² + γ E‖∇ℓ(z, y)‖²
    the autoencoder     E‖x − x̂‖² / pixels − λ E log D(z, y)

with ℓ the discriminator's logit and its gradients by the codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from aae_core import losses
from aae_core.data import IMAGE_SHAPE, N_CLASSES, UNLABELLED
from aae_core.models.adversarial import AdversarialAutoencoder
from aae_core.networks import Discriminator, Hidden
from aae_core.priors import GaussianMixture, Prior, SwissRoll
from aae_core.step import Batch, Optimizers, descend
from aae_core.training import Recipe, TrainingConfig


class LabelledAAE(AdversarialAutoencoder):
    """An adversarial autoencoder whose discriminator sees a label beside the code: of digits, in eleven entries.

    The first ten say which digit; the eleventh says that nobody knows. Encoder and decoder see no label at all.

    Args:
        prior: has a region for each class, as :class:`GaussianMixture` and :class:`SwissRoll` have.
        hidden: widths of the hidden layers of encoder and decoder, or convolutions.
        discriminator_hidden: widths of the discriminator's hidden layers.
        adversarial_weight: weight of fooling the discriminator beside the mean squared error per pixel.
        gradient_penalty: weight of the penalty that keeps the discriminator smooth; 0 leaves it out.
        image_shape: (C, H, W) of an image.

    Raises:
        ValueError: the prior has no region for any class.
    """

    def __init__(
        self,
        prior: Prior,
        hidden: Hidden = (512, 512),
        *,
        discriminator_hidden: Sequence[int] = (512, 512),
        adversarial_weight: float = 0.05,
        gradient_penalty: float = 0.0,
        image_shape: Sequence[int] = IMAGE_SHAPE,
    ) -> None:
        if not prior.n_classes:
            raise ValueError(f"prior: expected one region for each class, {type(prior).__name__} has none.")
        super().__init__(
            prior,
            hidden=hidden,
            adversarial_weight=adversarial_weight,
            gradient_penalty=gradient_penalty,
            image_shape=image_shape,
        )
        self.n_classes = prior.n_classes
        self.discriminator = Discriminator(prior.dim, discriminator_hidden, n_classes=self.n_classes + 1)

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]:
        """One training step; returns the losses, each a scalar."""
        x, y = batch.images, batch.labels
        known = y != UNLABELLED
        label = torch.where(known, y, self.n_classes)  # the last entry: unlabelled

        # Reconstruction phase: no label here.
        z = self.encoder(x)
        reconstruction = losses.reconstruction(self.decoder(z), x)

        # Regularisation phase, the discriminator. Real pairs: a label with a sample of that digit's own region, and
        # "unlabelled" with a sample of the whole prior. False pairs: each code with its image's label.
        own = self.prior.sample(len(x), y.clamp(min=0), device=x.device)
        whole = self.prior.sample(len(x), device=x.device)
        z_prior = torch.where(known[:, None], own, whole)
        discrimination, smooth = losses.smooth_discriminator(
            self.discriminator, z_prior, z.detach(), label, weight=self.gradient_penalty
        )
        descend(smooth, optimizers["discriminator"])

        # Regularisation phase, the encoder: a code must pass for its digit's region, or for the prior's.
        fooling = losses.generator(self.discriminator(z, label))
        descend(reconstruction + self.adversarial_weight * fooling, optimizers["autoencoder"])

        return {"reconstruction": reconstruction, "fooling": fooling, "discrimination": discrimination}

    @torch.no_grad()
    def sample(self, n: int, y: Tensor | int | None = None) -> Tensor:
        """`n` new images (n, C, H, W), decoded from samples of the prior.

        Args:
            y: the digits whose regions are drawn from, (n,) or one for all; None draws from the whole prior.

        Raises:
            ValueError: a class that there is not.
        """
        labels = torch.full((n,), y) if isinstance(y, int) else y
        device = next(self.parameters()).device
        return self.decoder(self.prior.sample(n, labels if labels is None else labels.cpu()).to(device))


FIFTH = 0.2
"""10,000 labelled and 40,000 unlabelled images of the full training set, as in the paper."""

RECIPES = tuple(
    Recipe(
        name=name,
        chapter=4,
        summary=summary,
        build=lambda image_shape, n_classes, prior=prior: LabelledAAE(  # type: ignore[misc]  # of the default
            prior(n_classes or N_CLASSES),  # of unlabelled images, as many regions as of digits
            (512, 256),
            discriminator_hidden=(256, 256),
            adversarial_weight=0.2,
            image_shape=image_shape,
        ),
        # The discriminator learns faster than the codes move, and keeps its rate while they come to rest.
        training=TrainingConfig(
            epochs=60,
            learning_rate={"autoencoder": 1e-3, "discriminator": 2e-3},
            constant_until=0.3,
            final_rate={"autoencoder": 0.02, "discriminator": 1.0},
            ema_decay=0.999,
        ),
        measures=("test_mse", "prior_swd", "two_sample", *regions),
        practice=(
            "paper: 10K labels, eleven-way one-hot to the discriminator",
            "modern: Adam, logits, averaged weights, two learning rates",
        ),
        labelled=labelled,
        told=bool(labelled),
    )
    for name, summary, prior, labelled, regions in (
        (
            "labels-mixture",
            "AAE with ten petals and a fifth of the labels in the discriminator: each digit on its own petal.",
            GaussianMixture,
            FIFTH,
            ("region_accuracy", "neighbour_style", "sample_accuracy"),
        ),
        (
            "labels-roll",
            "AAE with a swiss roll and a fifth of the labels in the discriminator: each digit on its own segment.",
            lambda n: SwissRoll(n_classes=n),
            FIFTH,
            ("region_accuracy", "neighbour_style", "sample_accuracy"),
        ),
        (
            "labels-mixture-none",
            "The same ten petals with every label withheld: what the adversary finds without being told.",
            GaussianMixture,
            0.0,
            ("region_matched", "neighbour_style"),
        ),
    )
)
