"""The model of chapter 5 in one file that needs torch and torchvision alone.

``python in_one_file.py`` downloads MNIST, trains, and writes ``samples.png``: a style a row, a digit a column. In a step the
autoencoder descends first, as chapter 5's model has it, and the discriminator then learns from the codes that it has just scored.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.datasets import MNIST
from torchvision.utils import save_image

CODE_DIM, N_CLASSES, PIXELS, ADVERSARIAL_WEIGHT = 8, 10, 28 * 28, 0.02


def perceptron(n_in: int, n_out: int, *, batch_norm: bool) -> nn.Sequential:
    """Two hidden layers, the second of which may be batch-normalised."""
    norm = nn.BatchNorm1d(512) if batch_norm else nn.Identity()
    first = [nn.Linear(n_in, 512), nn.LeakyReLU(0.2)]
    return nn.Sequential(*first, nn.Linear(512, 512), norm, nn.LeakyReLU(0.2), nn.Linear(512, n_out))


def told(z: Tensor, y: Tensor) -> Tensor:
    """What the decoder sees: styles (N, 8) beside digits (N,), one-hot."""
    return torch.cat([z, F.one_hot(y, N_CLASSES).to(z)], 1)


def train(x_all: Tensor, y_all: Tensor, steps: int, batch_size: int = 256) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder after so many steps on images (N, 784) in [0, 1] and their digits (N,)."""
    encoder = perceptron(PIXELS, CODE_DIM, batch_norm=True).to(x_all.device)
    decoder = perceptron(CODE_DIM + N_CLASSES, PIXELS, batch_norm=True).append(nn.Sigmoid()).to(x_all.device)
    discriminator = perceptron(CODE_DIM, N_CLASSES, batch_norm=False).to(x_all.device)  # D(z, y): a logit for each y
    autoencoder_descends = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=1e-3, betas=(0.5, 0.999))
    discriminator_descends = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.999))

    for step in range(1, steps + 1):
        i = torch.randint(len(x_all), (batch_size,), device=x_all.device)
        x, y = x_all[i], y_all[i]

        # Rebuild the image, and make its code pass for a sample of the prior.
        z = encoder(x)
        error = F.mse_loss(decoder(told(z, y)), x)
        fooling = F.softplus(-discriminator(z).gather(1, y[:, None])).mean()  # −log D(z, y)
        autoencoder_descends.zero_grad()
        (error + ADVERSARIAL_WEIGHT * fooling).backward()
        autoencoder_descends.step()

        # Tell the prior's samples from the codes. Detached, the codes send no gradient to the encoder, and
        # zero_grad takes away what fooling has left in the discriminator.
        for _ in range(2):
            real = discriminator(torch.randn_like(z)).gather(1, y[:, None])
            false = discriminator(z.detach()).gather(1, y[:, None])
            discrimination = (F.softplus(-real).mean() + F.softplus(false).mean()) / 2
            discriminator_descends.zero_grad()
            discrimination.backward()
            discriminator_descends.step()

        if step % 500 == 0:
            print(f"step {step}: error {error:.4f}, fooling {fooling:.2f}, discrimination {discrimination:.2f}")
    return encoder.eval(), decoder.eval()


@torch.no_grad()
def samples(decoder: nn.Module, n_styles: int = 10) -> Tensor:
    """Images (10 n, 1, 28, 28): a style of the prior a row, a digit a column."""
    device = next(decoder.parameters()).device
    z = torch.randn(n_styles, CODE_DIM, device=device).repeat_interleave(N_CLASSES, 0)
    return decoder(told(z, torch.arange(N_CLASSES, device=device).repeat(n_styles))).view(-1, 1, 28, 28)


def main(folder: str = "data", steps: int = 12_000) -> None:
    """Trains on MNIST, which lies in `folder` or is downloaded to it, and writes ``samples.png``."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    mnist = MNIST(folder, train=True, download=True)
    _, decoder = train((mnist.data.flatten(1) / 255).to(device), mnist.targets.to(device), steps)
    save_image(samples(decoder), "samples.png", nrow=N_CLASSES)


if __name__ == "__main__":
    main()
