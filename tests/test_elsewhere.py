"""The adversary elsewhere: a kernel in its place, a flow of codes, and a code that two domains share (chapter 12)."""

from __future__ import annotations

import math

import pytest
import torch

from aae_core import losses, metrics
from aae_core.models.elsewhere import (
    CodeFlow,
    FirstStage,
    InvariantAutoencoder,
    WassersteinAutoencoder,
    faded,
    inverted,
)
from aae_core.models.pairs import PairedAutoencoder
from aae_core.models.pixels import PixelAutoencoder
from aae_core.models.stages import NormalCodes, TwoStages
from aae_core.priors import Gaussian
from aae_core.step import Batch
from aae_core.training.config import TrainingConfig
from aae_core.training.optimizers import optimizers_of


def test_the_discrepancy_of_two_points_is_that_of_its_kernels():
    a, b = torch.zeros(5, 2), torch.tensor([[2.0, 0.0]]).repeat(3, 1)
    widths = [4 * factor for factor in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    expected = sum(2 - 2 * c / (c + 4) for c in widths)
    assert float(losses.mean_discrepancy(a, b)) == pytest.approx(expected, rel=1e-5)
    assert float(losses.mean_discrepancy(3 * a, 3 * b, scale=3)) == pytest.approx(expected, rel=1e-5)


def test_the_discrepancy_is_zero_on_average_where_two_samples_are_alike_and_leads_codes_back():
    generator = torch.Generator().manual_seed(0)
    values = [float(losses.mean_discrepancy(*torch.randn(2, 100, 2, generator=generator).unbind())) for _ in range(60)]
    error = torch.tensor(values).std() / math.sqrt(len(values))
    assert abs(sum(values) / len(values)) < 4 * error and min(values) < 0  # an estimate without bias
    far = torch.randn(100, 2, generator=generator).add(torch.tensor([6.0, 0.0])).requires_grad_()
    losses.mean_discrepancy(far, torch.randn(100, 2, generator=generator)).backward()
    assert far.grad[:, 0].mean() > 10 * far.grad[:, 1].mean().abs()


def batch(n=16):
    generator = torch.Generator().manual_seed(0)
    return Batch(torch.rand(n, 1, 28, 28, generator=generator), torch.arange(n) % 10)


@pytest.mark.parametrize(
    "model",
    [
        WassersteinAutoencoder(Gaussian(2), (16,)),
        FirstStage(2, (16,)),
        InvariantAutoencoder(2, inverted, (16,)),
        PixelAutoencoder(2, (16,), discriminator_hidden=(8,)),
        PairedAutoencoder(Gaussian(2), (16,), discriminator_hidden=(8,), gradient_penalty=0.1),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_step_moves_every_part_and_tells_finite_losses(model):
    before = {name: value.clone() for name, value in model.named_parameters()}
    told = model.step(batch(), optimizers_of(model, TrainingConfig()))
    assert all(torch.isfinite(loss) for loss in told.values())
    still = [name for name, value in model.named_parameters() if torch.equal(value, before[name])]
    assert still == [] and len(before) == sum(
        len(list(network.parameters())) for part in model.parts().values() for network in part
    )


def test_no_label_is_looked_at():
    told = []
    for labels in (batch().labels, torch.zeros(16, dtype=torch.int64)):
        torch.manual_seed(0)
        model = InvariantAutoencoder(2, faded, (16,))
        told.append(model.step(batch()._replace(labels=labels), optimizers_of(model, TrainingConfig())))
    assert told[0] == told[1]


def test_a_flow_draws_what_it_has_learnt():
    """Two clusters off the origin: noise splits between them, which no single normal distribution does."""
    torch.manual_seed(0)
    side = (torch.rand(2000, 1) < 0.5).float()
    codes = torch.cat([8 * side - 2, torch.zeros_like(side)], 1) + 0.3 * torch.randn(2000, 2)
    flow = CodeFlow(codes, hidden=(64, 64))
    optimizers = optimizers_of(flow, TrainingConfig(learning_rate=5e-3, betas=(0.9, 0.999)))
    for _ in range(400):
        part = codes[torch.randint(len(codes), (256,))]
        flow.step(Batch(part, torch.zeros(256)), optimizers)
    drawn = flow.sample(2000, generator=torch.Generator().manual_seed(1))
    assert drawn.shape == (2000, 2) and not drawn.requires_grad
    normal = codes.mean(0) + codes.std(0) * torch.randn(2000, 2)
    assert metrics.sliced_wasserstein(drawn, codes) < 0.5 * metrics.sliced_wasserstein(normal, codes)
    way = flow.paths(torch.zeros(3, 2))
    assert way.shape == (flow.n_steps + 1, 3, 2) and torch.allclose(way[0], flow.mean.expand(3, 2))
    again = flow.sample(2000, generator=torch.Generator().manual_seed(1))
    assert torch.equal(drawn, again)


def test_a_critic_on_pixels_is_neither_trained_nor_heard_before_it_starts():
    """Until then the step is the plain autoencoder's, weight by weight; from then on it is not."""
    models = []
    for make in (FirstStage, lambda *about: PixelAutoencoder(*about, discriminator_hidden=(8,), starts_after=2)):
        torch.manual_seed(0)
        models.append(make(2, (16,)))
    plain, critic = models
    optimizers = [optimizers_of(model, TrainingConfig()) for model in models]
    first = [value.clone() for value in critic.discriminator.parameters()]
    for step in range(3):
        told = [model.step(batch(), each) for model, each in zip(models, optimizers, strict=True)]
        assert told[0]["reconstruction"] == told[1]["reconstruction"]  # of the weights before the step
        begun = step == 2
        same = all(
            torch.equal(a, b) for a, b in zip(plain.decoder.parameters(), critic.decoder.parameters(), strict=True)
        )
        still = all(torch.equal(a, b) for a, b in zip(first, critic.discriminator.parameters(), strict=True))
        assert same == still == (not begun) and (told[1]["fooling"] > 0) == begun
    with pytest.raises(ValueError, match=r"starts_after.*-1"):
        PixelAutoencoder(2, (16,), starts_after=-1)


def test_pairs_bring_a_decoder_to_its_encoder_without_a_reconstruction_error():
    """A game of two images: what the encoder makes of them, the decoder turns into them, which the margins alone do not ask."""
    torch.manual_seed(0)
    images = torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)])
    model = PairedAutoencoder(
        Gaussian(1), (32,), discriminator_hidden=(32,), gradient_penalty=0.1, image_shape=(1, 4, 4)
    )
    optimizers = optimizers_of(model, TrainingConfig(learning_rate=5e-3))
    x = images.repeat(64, 1, 1, 1)
    before = (model.reconstruct(x) - x).square().mean()
    for _ in range(300):
        model.step(Batch(x, torch.zeros(128)), optimizers)
    with torch.no_grad():
        after = (model.reconstruct(x) - x).square().mean()
    assert after < 0.2 * before and after < 0.05


def test_a_flow_leads_codes_back_to_the_noise_that_leads_to_them():
    torch.manual_seed(0)
    codes = torch.randn(50, 2) @ torch.tensor([[3.0, 1.0], [0.0, 0.5]]) - 2
    flow = CodeFlow(codes, hidden=(16,), n_steps=50)
    noise = torch.randn(20, 2)
    there = flow.to_codes(noise)
    assert (there - (flow.mean + flow.std * noise)).abs().max() > 0.1  # it moves them, untrained as it is
    assert torch.allclose(flow.to_noise(there), noise, atol=1e-3)
    assert torch.allclose(flow.paths_back(there)[0], there, atol=1e-5)


@pytest.mark.parametrize("second", [NormalCodes, lambda codes: CodeFlow(codes, hidden=(16,), n_steps=50)])
def test_two_stages_are_one_autoencoder_whose_code_is_noise(second):
    torch.manual_seed(0)
    first = FirstStage(3, (16,))
    codes = torch.randn(200, 3) @ torch.tensor([[2.0, 0.0, 0.0], [1.0, 0.5, 0.0], [0.0, 0.3, 0.1]]) + 4
    model = TwoStages(first, second(codes))
    x = batch().images
    with torch.no_grad():
        assert torch.allclose(model.decode(model.encode(x)), first.reconstruct(x), atol=1e-3)
    assert model.prior.dim == 3 and model.decoder is first.decoder


def test_a_normal_second_stage_has_the_moments_of_its_codes():
    torch.manual_seed(0)
    codes = torch.randn(500, 2) @ torch.tensor([[2.0, 0.0], [1.0, 0.5]]) + torch.tensor([4.0, -1.0])
    normal = NormalCodes(codes)
    noise = normal.to_noise(codes)
    assert torch.allclose(noise.mean(0), torch.zeros(2), atol=1e-4) and torch.allclose(
        noise.T.cov(), torch.eye(2), atol=1e-3
    )
    drawn = normal.sample(20_000, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(drawn.T.cov(), codes.T.cov(), rtol=0.1, atol=0.05)
