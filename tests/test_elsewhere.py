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
