"""The Gaussian prior and the contract that every prior keeps."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aae_core.priors import Categorical, Gaussian, GaussianMixture, SwissRoll


@settings(max_examples=30, deadline=None)
@given(dim=st.integers(1, 20), n=st.integers(1, 200), seed=st.integers(0, 2**31))
def test_samples_have_the_shape_asked_for_and_follow_the_generator(dim, n, seed):
    prior = Gaussian(dim)
    first, again = (prior.sample(n, generator=torch.Generator().manual_seed(seed)) for _ in range(2))
    assert first.shape == (n, dim) and first.dtype == torch.float32 and torch.isfinite(first).all()
    assert torch.equal(first, again)


@settings(max_examples=30, deadline=None)
@given(dim=st.integers(1, 12), scale=st.floats(0, 5), std=st.floats(0.1, 10))
def test_density_agrees_with_torchs_own(dim, scale, std):
    z = scale * torch.randn(7, dim, generator=torch.Generator().manual_seed(dim))
    expected = torch.distributions.Normal(0.0, std).log_prob(z).sum(1)
    assert torch.allclose(Gaussian(dim, std).log_prob(z), expected, rtol=1e-4, atol=1e-4)


def test_samples_have_mean_zero_and_variance_one():
    z = Gaussian(3).sample(20_000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(z.mean(0), torch.zeros(3), atol=0.03)
    assert torch.allclose(z.T.cov(), torch.eye(3), atol=0.04)
    wide = Gaussian(3, std=5.0).sample(20_000, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(wide, 5 * z)
    assert Gaussian(1).log_prob(torch.zeros(1, 1)).item() == pytest.approx(-0.5 * math.log(2 * math.pi))


def test_a_wider_mixture_is_the_flower_beside_standard_normal_coordinates():
    flat, wide = GaussianMixture(8, shift=2.0, tangential_std=0.2), GaussianMixture(8, 2.0, tangential_std=0.2, dim=5)
    labels = torch.arange(4000) % 8
    z = wide.sample(4000, labels, torch.Generator().manual_seed(0))
    assert z.shape == (4000, 5) and z[:, 2:].std(0).tolist() == pytest.approx([1] * 3, abs=0.05)
    others = torch.distributions.Normal(0.0, 1.0).log_prob(z[:, 2:]).sum(1)
    assert torch.allclose(wide.log_prob(z), flat.log_prob(z[:, :2]) + others, atol=1e-4)
    assert (wide.region(z) == labels).float().mean() > 0.9 and (wide.region(z) == flat.region(z[:, :2])).all()
    assert wide.sample(7).shape == (7, 5)
    with pytest.raises(ValueError, match="dim: .*at least 2, got 1"):
        GaussianMixture(dim=1)


@pytest.mark.parametrize("n", [0, -3, 2.0, True])
def test_a_number_of_samples_that_is_none_is_refused(n):
    with pytest.raises(ValueError, match="n: .*1"):
        Gaussian(2).sample(n)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Gaussian, {"dim": 1}),
        (Categorical, {"n_classes": 2}),
        (GaussianMixture, {"n_components": 1, "shift": 0.0}),
        (SwissRoll, {"thickness": 0.0}),
        (SwissRoll, {"thickness": 0.5, "n_classes": 1}),
    ],
)
def test_the_least_and_the_greatest_options_are_taken(kind, options):
    prior = kind(**options)
    assert prior.sample(1).shape == (1, prior.dim) and prior.sample(9).isfinite().all()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Categorical, {"n_classes": 1}),
        (GaussianMixture, {"shift": -0.1}),
        (GaussianMixture, {"weights": [0.1] * 9}),
        (GaussianMixture, {"weights": [0.1] * 11}),
        (GaussianMixture, {"weights": [-0.1, 0.3] + [0.1] * 8}),
        (GaussianMixture, {"radial_std": math.inf}),
        (SwissRoll, {"n_classes": 0}),
        (SwissRoll, {"thickness": 0.51}),
    ],
)
def test_options_beyond_them_are_refused_by_name(kind, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"{name}: "):
        kind(**options)


def test_what_a_gaussian_does_not_have_is_refused():
    with pytest.raises(ValueError, match="labels: Gaussian"):
        Gaussian(2).sample(3, labels=torch.tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"\(N, 2\).*\(4, 3\)"):
        Gaussian(2).log_prob(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="dim: .*1.*0"):
        Gaussian(0)
    for std in (0, -1.0, math.nan):
        with pytest.raises(ValueError, match=f"std: .*{std}"):
            Gaussian(2, std=std)


@pytest.mark.parametrize(
    "prior", [Categorical(3), GaussianMixture(3, shift=3, tangential_std=0.1, dim=3), SwissRoll(n_classes=3)]
)
def test_a_code_lies_in_the_region_that_it_was_drawn_for_and_no_label_is_beyond_the_last(prior):
    labels = torch.arange(300) % 3
    z = prior.sample(300, labels, torch.Generator().manual_seed(0))
    assert z.shape == (300, prior.dim) and (prior.region(z) == labels).float().mean() > 0.95
    for odd in (-1, 3, 12):
        with pytest.raises(ValueError, match=f"labels: .*0 … 2, got {min(odd, 0)} … {max(odd, 0)}"):
            prior.sample(2, torch.tensor([0, odd]))
