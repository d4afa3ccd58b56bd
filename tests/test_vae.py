"""The variational autoencoder, its bound, and the holes of codes (chapter 3)."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aae_core import losses
from aae_core.data import Digits
from aae_core.metrics.holes import NEIGHBOURS, in_hole, prior_holes
from aae_core.metrics.likelihood_bound import (
    SIGMA,
    SPREADS,
    Posteriors,
    best_spread,
    bound,
    bound_terms,
    entropy_of,
    importance_weighted,
    marginal_kl_floor,
    posteriors_of,
)
from aae_core.metrics.measure import codes_of
from aae_core.models import VAE, AdversarialAutoencoder
from aae_core.priors import Gaussian, GaussianMixture, Prior
from aae_core.training import TrainingConfig, fit

PRIORS = {"gaussian": Gaussian(2), "mixture": GaussianMixture()}


class Uniform(Prior):
    """A prior with samples and no density."""

    dim = 2

    def draw(self, n, labels, generator, device):
        return torch.rand(n, 2, generator=generator, device=device)


def blobs(n=200, seed=0):
    """Images of one bright square at a place of two coordinates: a plane of images, as a 2-D code wants it."""
    place = torch.randint(0, 20, (n, 2), generator=torch.Generator().manual_seed(seed))
    images = torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
    for image, (row, column) in zip(images, place.tolist(), strict=True):
        image[0, row : row + 8, column : column + 8] = 255
    return Digits(images, place[:, 0] // 2)


def small(kind="vae", prior="gaussian"):
    torch.manual_seed(0)
    if kind == "vae":
        return VAE(PRIORS[prior], hidden=(32,))
    return AdversarialAutoencoder(PRIORS[prior], hidden=(32,), discriminator_hidden=(16,))


@given(
    st.lists(st.floats(-3, 3), min_size=3, max_size=3),
    st.lists(st.floats(-6, 2), min_size=3, max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_closed_forms_are_those_of_the_normal_distribution(mean, log_variance):
    mean, log_variance = torch.tensor([mean]), torch.tensor([log_variance])
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    z = mean + 0.3
    assert losses.log_normal(z, mean, log_variance) == pytest.approx(q.log_prob(z).sum(1), rel=1e-4, abs=1e-4)
    assert losses.entropy_normal(log_variance) == pytest.approx(q.entropy().sum(1), rel=1e-4, abs=1e-4)
    kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum(1)
    assert losses.kl_to_standard_normal(mean, log_variance) == pytest.approx(kl, rel=1e-4, abs=1e-4)


def test_shapes():
    model, x = small(), blobs(5).pixels()
    mean, log_variance = model.posterior(x)
    assert mean.shape == log_variance.shape == (5, 2)
    z = model.encode(x)
    assert z.shape == (5, 2) and z.dtype == torch.float32
    assert model.decode(z).shape == model.sample(5).shape == (5, 1, 28, 28)
    assert not torch.equal(model.encode(x), model.encode(x))  # a draw, not the mean


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prior": Uniform()}, "needs log p.z.; Uniform has only samples"),
        ({"prior": Gaussian(2), "sigma": 0.0}, "sigma: .*0.0"),
        ({"prior": Gaussian(2), "sigma": -1.0}, "sigma:"),
        ({"prior": Gaussian(2), "sigma": math.nan}, "sigma:"),
    ],
)
def test_a_model_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        VAE(**options)


def test_a_code_of_the_wrong_width_is_refused():
    with pytest.raises(ValueError, match=r"\(N, 2\).*\(4, 3\)"):
        small().decode(torch.zeros(4, 3))


@pytest.mark.trains
@pytest.mark.parametrize("prior", PRIORS)
def test_training_climbs_the_bound(prior):
    torch.manual_seed(0)
    model, digits = VAE(PRIORS[prior], hidden=(64,)), blobs()
    before = bound_terms(model, digits)
    history = fit(model, digits, TrainingConfig(epochs=40, batch_size=50, device="cpu"), progress=False)
    after = bound_terms(model, digits)
    assert after["reconstruction"].value - after["kl"].value > before["reconstruction"].value - before["kl"].value + 50
    assert after["information"].value > before["information"].value + 0.3  # the code has become of use
    assert history.losses["reconstruction"][-1] < history.losses["reconstruction"][0]


@pytest.mark.trains
def test_the_kl_by_monte_carlo_is_the_closed_one_on_average():
    model = small()
    mean, log_variance = torch.tensor([[0.5, -1.0]]).repeat(200_000, 1), torch.tensor([[-2.0, 0.3]]).repeat(200_000, 1)
    z = Posteriors(mean, log_variance).draw(0)
    drawn = losses.log_normal(z, mean, log_variance) - model.prior.log_prob(z)
    assert float(drawn.mean()) == pytest.approx(float(model.kl(z, mean, log_variance)[0]), abs=0.02)


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("kind", ["vae", "aae"])
def test_the_three_forms_agree(kind, prior):
    spread = None if kind == "vae" else 0.1
    t = bound_terms(small(kind, prior), blobs(500), spread=spread, seed=3)
    first = t["kl"]
    second = t["cross_entropy"].value - t["entropy"].value
    third = t["information"].value + t["marginal_kl"].value
    error = sum(term.error for term in t.values())
    assert abs(first.value - second) < 4 * error and abs(first.value - third) < 4 * error
    assert 0 <= t["information"].value <= math.log(500)


def test_a_decoder_that_ignores_its_code_has_an_exact_bound():
    # Then p(x) = N(x; c, sigma² I), and with q(z|x) = p(z) the bound is no bound but the thing itself.
    model, digits = small(), blobs(50)
    for network, bias in ((model.decoder.net, 0.7), (model.encoder.net, 0.0)):
        last = [layer for layer in network if isinstance(layer, nn.Linear)][-1]
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, bias)
    t = bound_terms(model, digits)
    grey = torch.full((50, 1, 28, 28), torch.tensor(0.7).sigmoid())
    exact = float(losses.log_normal(digits.pixels(), grey, 2 * math.log(SIGMA)).mean())
    assert t["reconstruction"].value == pytest.approx(exact, rel=1e-5)
    assert t["kl"].value == pytest.approx(0, abs=1e-6)
    assert importance_weighted(model, digits, n_draws=5).value == pytest.approx(exact, rel=1e-5)


def test_more_draws_tighten_the_bound():
    model, digits = small(), blobs(100)
    t = bound_terms(model, digits)
    few, many = (importance_weighted(model, digits, n_draws=n).value for n in (2, 40))
    assert t["reconstruction"].value - t["kl"].value < few < many


def test_the_aggregated_posterior_is_the_mixture_of_all():
    q = Posteriors(torch.randn(30, 2), torch.randn(30, 2) - 3)
    z = torch.randn(40, 2)
    mixture = torch.distributions.MixtureSameFamily(
        torch.distributions.Categorical(torch.ones(30)),
        torch.distributions.Independent(torch.distributions.Normal(q.mean, (0.5 * q.log_variance).exp()), 1),
    )
    assert torch.allclose(q.log_aggregated(z, rows=7), mixture.log_prob(z), rtol=1e-4, atol=1e-4)


def test_information_is_that_of_the_extremes():
    images = blobs(64)
    model = small("aae")
    apart = Posteriors(10 * torch.arange(64.0)[:, None].repeat(1, 2), torch.full((64, 2), -4.0))
    z = apart.draw(0)
    assert float((apart.log_prob(z) - apart.log_aggregated(z)).mean()) == pytest.approx(math.log(64), abs=1e-3)
    alike = Posteriors(torch.zeros(64, 2), torch.zeros(64, 2))
    z = alike.draw(0)
    assert float((alike.log_prob(z) - alike.log_aggregated(z)).mean()) == pytest.approx(0, abs=1e-4)
    assert bound_terms(model, images, spread=50.0)["information"].value < 0.01


def test_a_deterministic_encoder_must_borrow_its_posterior():
    model, digits = small("aae"), blobs(20)
    with pytest.raises(ValueError, match="deterministic"):
        posteriors_of(model, digits)
    for spread in (0.0, -0.5, math.inf, math.nan):
        with pytest.raises(ValueError, match=f"spread: .*{spread}"):
            posteriors_of(model, digits, spread)
    q = posteriors_of(model, digits, 0.2)
    assert torch.allclose(q.mean, model.encode(digits.pixels())) and (0.5 * q.log_variance).exp() == pytest.approx(0.2)


@pytest.mark.parametrize("scale", [0.5, 2.5])  # the best is .1 nats and more above the next: no matter of rounding
def test_the_spread_that_is_lent_is_that_of_the_highest_bound(scale):
    model, digits = small("aae", "mixture"), blobs(40)
    with torch.no_grad():
        for layer in model.decoder.modules():
            if isinstance(layer, nn.Linear):
                layer.weight *= scale  # a steeper decoder asks for narrower posteriors
    spreads, x = [0.01 * 1.3**k for k in range(14)], digits.pixels()
    assert torch.tensor(SPREADS).allclose(torch.tensor(spreads))

    @torch.no_grad()
    def total(spread):
        q = posteriors_of(model, digits, spread)
        z = q.draw(0)
        likelihood = torch.distributions.Normal(model.decode(z), SIGMA).log_prob(x).sum((1, 2, 3))
        lent = torch.distributions.Normal(q.mean, spread).log_prob(z).sum(1)
        return float((likelihood + model.prior.log_prob(z) - lent).mean())

    found = [total(spread) for spread in spreads]
    assert best_spread(model, digits) == pytest.approx(spreads[found.index(max(found))])


def test_the_floor_of_the_marginal_kl_shrinks_with_the_number_of_images():
    prior = Gaussian(2)
    floors = [marginal_kl_floor(Posteriors(torch.zeros(n, 2), torch.full((n, 2), -4.0)), prior) for n in (100, 3000)]
    assert floors[0] > 5 * floors[1] > 0


def test_the_priors_entropy():
    assert entropy_of(Gaussian(2)) == pytest.approx(1 + math.log(2 * math.pi), abs=0.02)


def test_each_form_of_the_bound_is_drawn_for_itself(monkeypatch):
    seeds, draw = [], Posteriors.draw
    monkeypatch.setattr(Posteriors, "draw", lambda q, seed: seeds.append(seed) or draw(q, seed))
    model, digits = small(prior="mixture"), blobs(20)
    assert bound_terms(model, digits) == bound_terms(model, digits, seed=0)
    first = seeds[: len(seeds) // 2]
    assert len(set(first)) == len(first) == 5
    assert importance_weighted(model, digits, n_draws=2) == importance_weighted(model, digits, n_draws=2, seed=0)
    q = posteriors_of(model, digits)
    assert marginal_kl_floor(q, model.prior) == marginal_kl_floor(q, model.prior, 0)


def test_the_bound_as_a_measure():
    train, test = blobs(100), blobs(60, seed=1)
    model = small("aae", "mixture")
    found = bound(model, train, test)
    spread = best_spread(model, train)
    assert found["total"].reference == importance_weighted(model, test, spread=spread, n_draws=20).value
    blind = torch.distributions.Normal(train.pixels().mean(0), SIGMA).log_prob(test.pixels()).sum((1, 2, 3)).mean()
    assert found["reconstruction"].reference == pytest.approx(float(blind), rel=1e-5)
    assert found["kl"].reference == 0
    assert found["total"].value == pytest.approx(found["reconstruction"].value - found["kl"].value)
    assert found["information"].reference == pytest.approx(math.log(60))


@pytest.mark.trains
@given(st.sampled_from(sorted(PRIORS)), st.integers(0, 50), st.integers(1500, 3000))
@settings(max_examples=15, deadline=None, derandomize=True)  # a share of few points: its chance errors are not news
def test_codes_that_follow_the_prior_have_holes_in_one_of_128(name, seed, n):
    prior = PRIORS[name]
    z = prior.sample(n, generator=torch.Generator().manual_seed(seed + 100))
    assert prior_holes(z, prior, seed).value == pytest.approx(2**-NEIGHBOURS, abs=8e-3)


def test_codes_that_are_noise_alone_have_no_fewer_holes():
    # A collapsed posterior is the prior, drawn by the seed: the measure must not draw the same samples again.
    model = small()
    nn.init.zeros_(model.encoder.net[-1].weight)
    nn.init.zeros_(model.encoder.net[-1].bias)
    z = codes_of(model, blobs(2000))
    assert prior_holes(z, model.prior).value == pytest.approx(2**-NEIGHBOURS, abs=5e-3)


def test_a_hole_is_found_where_it_is():
    prior = Gaussian(2)
    z = prior.sample(20_000, generator=torch.Generator().manual_seed(5))
    z = z[z.norm(dim=1) > 1]  # nothing within a distance of 1, where 1 − exp(−1/2) of the mass lies
    measured = prior_holes(z, prior)
    assert measured.value == pytest.approx(1 - math.exp(-0.5), abs=0.07)
    assert measured.reference == 2**-7
    assert in_hole(torch.tensor([[0.0, 0.0], [1.5, 0.0]]), z, prior).tolist() == [True, False]


@pytest.mark.parametrize(
    ("points", "z", "message"),
    [
        (torch.zeros(3, 3), torch.zeros(20, 2), "expected points"),
        (torch.zeros(3), torch.zeros(20, 2), "expected points"),
        (torch.zeros(3, 2), torch.zeros(7, 2), "expected more than 7 codes, got 7"),
    ],
)
def test_holes_of_what_has_none_are_refused(points, z, message):
    with pytest.raises(ValueError, match=message):
        in_hole(points, z, Gaussian(2))
