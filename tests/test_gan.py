"""Chapter 1: the game, the toy on the line, the measures of samples, and what the recipe reached."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aae_core import losses, metrics, zoo
from aae_core.data import Digits
from aae_core.metrics import densities, variety
from aae_core.models.gan import GAN, spherical
from aae_core.models.toy import Draws, IncreasingGenerator
from aae_core.networks import Decoder, Discriminator, ImageDiscriminator
from aae_core.priors import Gaussian
from aae_core.recipes import recipe
from aae_core.training import Batch, TrainingConfig, fit
from plain_descent import plain_descent

GRID = np.linspace(-30, 30, 12_001)
place = st.floats(-5, 5)
width = st.floats(0.3, 3)


def normal(mean, std, x=GRID):
    return np.exp(-0.5 * ((x - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def small(**options):
    torch.manual_seed(0)
    return GAN(Decoder(3, (8,)), ImageDiscriminator((8,)), Gaussian(3), **options)


# --- the theory -------------------------------------------------------------------------------------------------------


@given(a=place, b=place, s=width, t=width)
@settings(max_examples=50, deadline=None)
def test_the_value_of_the_best_discriminator_is_the_jensen_shannon_divergence(a, b, s, t):
    p, q = normal(a, s), normal(b, t)
    best = densities.optimal_discriminator(p, q)
    divergence = densities.jensen_shannon(GRID, p, q)
    assert -1e-9 <= divergence <= math.log(2) + 1e-9
    assert densities.value(GRID, p, q, best) == pytest.approx(-math.log(4) + 2 * divergence, abs=1e-7)


@given(a=place, b=place, slope=st.floats(-3, 3), shift=st.floats(-3, 3))
@settings(max_examples=50, deadline=None)
def test_no_discriminator_beats_the_best_one(a, b, slope, shift):
    p, q = normal(a, 1), normal(b, 1)
    other = np.clip(1 / (1 + np.exp(-np.clip(slope * GRID + shift, -50, 50))), 1e-12, 1 - 1e-12)
    best = densities.optimal_discriminator(p, q)
    assert densities.value(GRID, p, q, other) <= densities.value(GRID, p, q, best) + 1e-9


def test_the_divergence_at_its_two_ends():
    p = normal(0, 1)
    assert densities.jensen_shannon(GRID, p, p) == pytest.approx(0, abs=1e-12)
    assert densities.jensen_shannon(GRID, normal(-15, 1), normal(15, 1)) == pytest.approx(math.log(2), abs=1e-6)
    assert densities.value(GRID, p, p, np.full_like(p, 0.5)) == pytest.approx(-math.log(4), abs=1e-9)
    assert densities.optimal_discriminator(np.zeros(2), np.zeros(2)).tolist() == [0.5, 0.5]


@given(logit=st.floats(-30, 30))
@settings(deadline=None)
def test_the_two_losses_of_the_generator_by_their_gradients(logit):
    slopes = []
    for loss in (losses.generator_minimax, losses.generator):
        at = torch.tensor([logit], dtype=torch.float64, requires_grad=True)
        loss(at).backward()
        slopes.append(float(at.grad))
    d = 1 / (1 + math.exp(-logit))
    assert slopes == pytest.approx([-d, d - 1], abs=1e-8)  # softplus is taken as linear beyond 20


def test_the_losses_are_the_value_of_the_game():
    real, fake = torch.randn(50), torch.randn(50)
    value = real.sigmoid().log().mean() + (1 - fake.sigmoid()).log().mean()
    assert float(losses.discriminator(real, fake)) == pytest.approx(-float(value) / 2, abs=1e-6)
    assert float(losses.generator_minimax(fake)) == pytest.approx(float((1 - fake.sigmoid()).log().mean()), abs=1e-6)


# --- the toy ----------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_generator_of_the_line_rises_and_its_density_is_that_of_its_samples(seed):
    torch.manual_seed(seed)
    generator = IncreasingGenerator()
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter))
        made = generator(torch.linspace(-5, 5, 1001)[:, None])[:, 0]
        samples = generator(torch.randn(50_000, 1))[:, 0].numpy()
    assert (made.diff() > 0).all()
    x = np.linspace(-60, 60, 120_001)
    density = generator.density(x)
    assert densities.trapezoid(density, x) == pytest.approx(1, abs=0.01)
    for bound in np.quantile(samples, [0.1, 0.5, 0.9]):
        below = densities.trapezoid(np.where(x <= bound, density, 0), x)
        assert below == pytest.approx(float((samples <= bound).mean()), abs=0.02)


@pytest.mark.trains
def test_the_toy_learns_the_data():
    data = torch.distributions.Normal(-1.0, 0.6)
    x = np.linspace(-6, 6, 1201)
    p_data = data.log_prob(torch.from_numpy(x)).exp().numpy()
    torch.manual_seed(0)
    generator = IncreasingGenerator(4)
    with torch.no_grad():
        generator.offset.fill_(1.0)
    model = GAN(generator, Discriminator(1, (32, 32), slope=0.2), Gaussian(1))
    before = densities.jensen_shannon(x, p_data, generator.density(x))
    batches = Draws(lambda n: data.sample((n, 1)), 256, 400)
    config = TrainingConfig(epochs=1, batch_size=256, learning_rate=0.01, constant_until=0.4, precision="float32")
    history = fit(model, batches.loader(), config, progress=False)
    after = densities.jensen_shannon(x, p_data, generator.density(x))
    assert before > 0.2 and after < 0.03
    assert history.steps[-1] == 400 and history.losses["discrimination"][-1] == pytest.approx(math.log(2), abs=0.08)


def test_draws_never_repeat():
    torch.manual_seed(0)
    batches = list(Draws(lambda n: torch.randn(n, 2), 5, 3).loader())
    assert len(batches) == 3 and all(x.shape == (5, 2) and y.tolist() == [-1] * 5 for x, y in batches)
    assert len(torch.cat([x for x, _ in batches]).unique(dim=0)) == 15


# --- the model --------------------------------------------------------------------------------------------------------


def test_shapes_and_names():
    model = small()
    assert model.sample(5).shape == (5, 1, 28, 28) and model.decode(torch.zeros(2, 3)).shape == (2, 1, 28, 28)
    assert model.decoder is model.generator and model.code_dim == 3 and model.decoder.n_classes == 0
    assert model.discriminator(model.sample(5)).shape == (5,)
    assert not any(name.startswith("decoder") for name in model.state_dict())
    assert 0 <= model.sample(5).min() and model.sample(5).max() <= 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: small(game="zero-sum"), "game: .*'zero-sum'"),
        (lambda: small(generator_every=0), "generator_every: .*1.*0"),
        (lambda: small().sample(3, 4), "y: .*labels"),
        (lambda: small().decode(torch.zeros(2, 4)), r"z: .*\(N, 3\).*\(2, 4\)"),
        (lambda: ImageDiscriminator()(torch.zeros(2, 3, 28, 28)), r"x: .*\(N, 1, 28, 28\).*\(2, 3, 28, 28\)"),
        (lambda: spherical(torch.zeros(2), torch.zeros(3), torch.zeros(1)), r"a, b: .*\(2,\).*\(3,\)"),
        (lambda: variety.pairwise_distance(torch.zeros(1, 4)), "x: .* two .*1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_each_move_changes_its_own_player_alone():
    model = small(generator_every=2)
    moving = plain_descent(model)
    batch = Batch(torch.rand(8, 1, 28, 28), torch.full((8,), -1))

    def state(network):
        return torch.cat([p.detach().flatten().clone() for p in network.parameters()])

    g, d = state(model.generator), state(model.discriminator)
    found = model.step(batch, moving)
    assert set(found) == {"discrimination", "fooling"} and all(loss.ndim == 0 for loss in found.values())
    assert torch.equal(state(model.generator), g) and not torch.equal(state(model.discriminator), d)
    model.step(batch, moving)
    assert not torch.equal(state(model.generator), g)

    # Were the generator to help the discriminator, its weights would move with the discriminator's optimizer alone.
    for parameter in model.generator.parameters():
        parameter.grad = None
    model.step(batch, moving)
    assert all(parameter.grad is None for parameter in model.generator.parameters())


@pytest.mark.trains
def test_the_minimax_game_stalls_before_a_sure_discriminator_and_the_other_does_not():
    moves = {}
    for game in ("minimax", "non-saturating"):
        model = small(game=game)
        last = model.discriminator.net[-1]
        with torch.no_grad():
            last.weight.mul_(1e-3)
            last.bias.fill_(-15.0)  # sure that everything is made
        logits = model.discriminator.eval()(model.sample(16))
        assert logits.max() < -10
        made = model.generator(model.prior.sample(16))
        logits = model.discriminator(made)
        loss = losses.generator(logits) if game == "non-saturating" else losses.generator_minimax(logits)
        moves[game] = sum(float(g.abs().sum()) for g in torch.autograd.grad(loss, model.generator.parameters()))
    assert moves["minimax"] < 1e-4 * moves["non-saturating"]


# --- measures ---------------------------------------------------------------------------------------------------------


class Reader(nn.Module):
    """A judge that reads the digit from how much ink there is, and is sure of it unless there is none."""

    def probabilities(self, x):
        ink = x.flatten(1).mean(1)
        sure = torch.eye(10)[(ink * 10).long().clamp(max=9)] * 0.99 + 0.001
        return torch.where(ink[:, None] == 0, torch.full((len(x), 10), 0.1), sure)


def shades(n):
    return (torch.arange(n) % 10 / 10 + 0.05)[:, None, None, None].expand(n, 1, 28, 28).clone()


def test_measures_of_samples_on_images_whose_answers_are_known():
    judge, images = Reader(), shades(100)
    assert variety.confidence(judge, images) == 1
    assert variety.confidence(judge, torch.cat([images, torch.zeros_like(images)])) == 0.5
    assert variety.class_shares(judge, images).tolist() == pytest.approx([0.1] * 10)
    assert variety.effective_number(torch.full((10,), 0.1)) == pytest.approx(10)
    assert variety.effective_number(torch.eye(10)[3]) == pytest.approx(1)
    assert variety.pairwise_distance(images[:1].repeat(5, 1, 1, 1)) == 0
    two = torch.stack([torch.zeros(4), torch.ones(4)])
    assert variety.pairwise_distance(two) == pytest.approx(2)


@given(shares=st.lists(st.floats(0.01, 1), min_size=2, max_size=12))
@settings(deadline=None)
def test_the_effective_number_lies_between_one_and_all(shares):
    p = torch.tensor(shares)
    assert 1 - 1e-4 <= variety.effective_number(p / p.sum()) <= len(shares) + 1e-3


def test_a_generator_of_one_image_is_found_out():
    class Stuck(nn.Module):
        prior = Gaussian(2)

        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def decode(self, z):
            return shades(4)[3:].expand(len(z), -1, -1, -1)

    real = Digits((shades(200) * 255).round().byte(), torch.arange(200) % 10)
    model, judge = Stuck(), Reader()
    drawn, seen = judge.probabilities(variety.samples_of(model, 50)), judge.probabilities(real.pixels())
    assert metrics.sample_confidence(drawn, seen).value == 1
    coverage = metrics.class_coverage(drawn, seen)
    assert coverage["effective"].value == pytest.approx(1) and coverage["rarest"].value == 0
    assert coverage["effective"].reference > 9
    distance = metrics.sample_distance(model, real, n=50)
    assert distance.value == 0 and distance.reference > 1


# --- the arc ----------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), dim=st.integers(2, 64))
@settings(max_examples=60, deadline=None)
def test_the_arc_starts_and_ends_where_it_should_and_keeps_its_length(seed, dim):
    a, b = torch.randn(2, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    way = spherical(a, b, torch.linspace(0, 1, 5, dtype=torch.float64))
    assert way.shape == (5, dim)
    assert torch.allclose(way[0], a, atol=1e-6) and torch.allclose(way[-1], b, atol=1e-6)
    unit = spherical(a / a.norm(), b / b.norm(), torch.linspace(0, 1, 5, dtype=torch.float64))
    assert torch.allclose(unit.norm(dim=1), torch.ones(5, dtype=torch.float64), atol=1e-3)


def test_between_a_code_and_itself_the_arc_stays():
    a = torch.randn(6)
    assert torch.allclose(spherical(a, a, torch.linspace(0, 1, 3)), a.repeat(3, 1), atol=1e-5)


# --- the recipe -------------------------------------------------------------------------------------------------------


@pytest.mark.trains
def test_a_short_run_of_the_recipe_draws_strokes():
    torch.manual_seed(0)
    images = torch.zeros(256, 1, 28, 28, dtype=torch.uint8)
    for k in range(256):  # upright and level bars
        images[(k, 0, slice(4, 24), slice(11, 16)) if k % 2 else (k, 0, slice(11, 16), slice(4, 24))] = 255
    chosen = recipe("gan").with_training(epochs=40, batch_size=64, ema_decay=0.9, device="cpu")
    model = chosen.make(seed=0)
    real = images.float().div(255)
    before = torch.cdist(model.sample(64).flatten(1), real.flatten(1)).min(1).values.mean()
    fit(model, Digits(images, torch.zeros(256, dtype=torch.int64)), chosen.training, progress=False)
    after = torch.cdist(model.sample(64).flatten(1), real.flatten(1)).min(1).values.mean()
    assert after < 0.75 * before


def test_the_zoos_generator_draws_what_its_card_says():
    model, judge = zoo.load("gan"), zoo.load("judge")
    images = variety.samples_of(model, 2000, seed=7)
    card = zoo.card("gan")["measures"]
    assert variety.confidence(judge, images) == pytest.approx(card["sample_confidence"]["value"], abs=0.05)
    assert int((variety.class_shares(judge, images) > 0.02).sum()) == 10
