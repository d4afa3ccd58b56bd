"""The supervised adversarial autoencoder trained as tutorials train it: what :func:`aae_core.training.fit` is held against.

torchvision's dataset with ``ToTensor``, a ``DataLoader``, two Adams, and after each step the losses as numbers to
print. The networks are those of the recipe, and so are batch, rates and phases.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Adam
from torch.utils.data import DataLoader
from torchvision.datasets import MNIST, VisionDataset
from torchvision.transforms import ToTensor

from aae_core.data import Digits


class DigitsAsMNIST(MNIST):
    """torchvision's MNIST of digits that are at hand: its items are made by torchvision's own code."""

    def __init__(self, digits: Digits) -> None:
        VisionDataset.__init__(self, root="", transform=ToTensor())
        self.data, self.targets = digits.images.squeeze(1), digits.labels


def make_loader(digits: Digits, batch_size: int) -> DataLoader:
    return DataLoader(DigitsAsMNIST(digits), batch_size=batch_size, shuffle=True, drop_last=True)


def make_optimizers(model: nn.Module, learning_rate: float, betas: tuple[float, float]) -> tuple[Adam, Adam]:
    autoencoder = [*model.encoder.parameters(), *model.decoder.parameters()]
    return (
        Adam(autoencoder, lr=learning_rate, betas=betas),
        Adam(model.discriminator.parameters(), lr=learning_rate, betas=betas),
    )


def train_one_epoch(
    model: nn.Module, loader: DataLoader, optimizer_ae: Adam, optimizer_d: Adam, device: str = "cpu"
) -> dict[str, float]:
    """One pass over the data; returns the mean of each loss."""
    model.to(device).train()
    log = {"reconstruction": 0.0, "fooling": 0.0, "discrimination": 0.0}

    for x, y in loader:
        x, y = x.to(device), y.to(device)
        label = y if model.label_in_discriminator else None

        # Reconstruction, and regularization by fooling the discriminator
        optimizer_ae.zero_grad()
        z = model.encoder(x)
        x_hat = model.decoder(z, y)
        reconstruction_loss = F.mse_loss(x_hat, x)
        fake = model.discriminator(z, label)
        fooling_loss = F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
        loss = model.reconstruction_weight * reconstruction_loss + model.adversarial_weight * fooling_loss
        loss.backward()
        optimizer_ae.step()

        # Discriminator: real are samples of the prior, fake are codes
        for _ in range(model.discriminator_steps):
            optimizer_d.zero_grad()
            z_real = torch.randn(len(x), model.code_dim, device=device)
            real = model.discriminator(z_real, label)
            fake = model.discriminator(z.detach(), label)
            real_loss = F.binary_cross_entropy_with_logits(real, torch.ones_like(real))
            fake_loss = F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))
            discriminator_loss = 0.5 * (real_loss + fake_loss)
            discriminator_loss.backward()
            optimizer_d.step()

        log["reconstruction"] += reconstruction_loss.item()
        log["fooling"] += fooling_loss.item()
        log["discrimination"] += discriminator_loss.item()

    return {name: total / len(loader) for name, total in log.items()}
