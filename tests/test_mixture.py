"""The mixture of Gaussians as a prior: what it draws, how dense it is, what it refuses."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aae_core.priors import GaussianMixture


@st.composite
def mixtures(draw):
    n = draw(st.integers(1, 12))
    parts = draw(st.lists(st.floats(0.05, 1), min_size=n, max_size=n))
    scales = {name: draw(st.floats(0.1, 0.8)) for name in ("radial_std", "tangential_std")}
    return GaussianMixture(n, draw(st.floats(0, 2)), **scales, weights=[part / sum(parts) for part in parts])


def draws(prior, n, labels=None, seed=0):
    return prior.sample(n, labels, torch.Generator().manual_seed(seed))


@given(mixtures())
@settings(max_examples=25, deadline=None)
def test_density_integrates_to_one(prior):
    step = 0.04
    line = torch.arange(-6, 6, step)
    plane = torch.cartesian_prod(line, line)
    assert float(prior.log_prob(plane).exp().sum()) * step**2 == pytest.approx(1, abs=5e-3)


@given(mixtures(), st.integers(0, 3))
@settings(max_examples=25, deadline=None)
def test_samples_are_drawn_from_the_density(prior, seed):
    z = draws(prior, 40_000, seed=seed)
    assert z.shape == (40_000, 2) and z.dtype == torch.float32
    # Against the moments in closed form: those of each petal, weighed.
    angle = 2 * math.pi * torch.arange(prior.n_classes) / prior.n_classes
    radial = torch.stack([angle.cos(), angle.sin()], 1)
    mean = prior.shift * (prior.weights[:, None] * radial).sum(0)
    assert torch.allclose(z.mean(0), mean, atol=0.06)
    second = float(z.square().sum(1).mean())
    assert second == pytest.approx(prior.shift**2 + prior.radial_std**2 + prior.tangential_std**2, rel=0.06)


@given(mixtures(), st.data())
@settings(max_examples=25, deadline=None)
def test_a_labelled_sample_lies_in_its_petal(prior, data):
    k = data.draw(st.integers(0, prior.n_classes - 1))
    z = draws(prior, 4000, torch.full((4000,), k))
    angle = 2 * math.pi * k / prior.n_classes
    centre = prior.shift * torch.tensor([math.cos(angle), math.sin(angle)])
    assert torch.allclose(z.mean(0), centre, atol=0.08)


@given(mixtures())
@settings(max_examples=25, deadline=None)
def test_the_parts_add_up(prior):
    z = draws(prior, 50)
    joint = prior.log_joint(z)
    assert joint.shape == (50, prior.n_classes)
    assert torch.allclose(joint.exp().sum(1), prior.log_prob(z).exp(), rtol=1e-4)


def test_labels_are_drawn_by_weight():
    prior = GaussianMixture(3, shift=3, radial_std=0.2, weights=[0.7, 0.2, 0.1])
    petals = prior.log_joint(draws(prior, 20_000)).argmax(1)
    assert torch.bincount(petals, minlength=3) / 20_000 == pytest.approx(prior.weights, abs=0.02)


def test_the_same_seed_gives_the_same_samples():
    prior = GaussianMixture()
    assert torch.equal(draws(prior, 10, seed=3), draws(prior, 10, seed=3))
    assert not torch.equal(draws(prior, 10, seed=3), draws(prior, 10, seed=4))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, "n_components: .*1.*0"),
        ({"weights": [0.2] * 10}, "sum to 1, got .* of sum 2"),
        ({"weights": [1.0]}, "expected 10 shares"),
        ({"n_components": 2, "weights": [1.5, -0.5]}, "at least 0"),
        ({"n_components": 2, "weights": [math.nan, 1.0]}, "expected 2 shares"),
        ({"radial_std": 0.0}, "radial_std:"),
        ({"tangential_std": -1.0}, "tangential_std:"),
        ({"shift": math.inf}, "shift: expected"),
    ],
)
def test_a_mixture_that_is_none_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**options)


@pytest.mark.parametrize(
    ("n", "labels", "message"),
    [
        (2, [0, 10], r"labels: expected petals 0 … 9, got 0 … 10"),
        (2, [-1, 3], r"labels: expected petals 0 … 9, got -1 … 3"),
        (3, [0, 1], r"labels: expected shape \(3,\)"),
        (0, None, "n: .*1"),
    ],
)
def test_a_sample_that_cannot_be_drawn_is_refused(n, labels, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture().sample(n, None if labels is None else torch.tensor(labels))


def test_a_code_of_the_wrong_width_is_refused():
    with pytest.raises(ValueError, match=r"\(N, 2\).*\(4, 3\)"):
        GaussianMixture().log_prob(torch.zeros(4, 3))
