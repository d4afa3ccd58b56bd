"""Label information in the adversary: the roll, the model, its recipes, and the measures of chapter 4."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aae_core import metrics
from aae_core.data import UNLABELLED, DataError, embedded
from aae_core.metrics import best_match, neighbour_style, region_accuracy, region_matched, style_of
from aae_core.models import LabelledAAE
from aae_core.priors import Gaussian, GaussianMixture, SwissRoll
from aae_core.recipes import recipe
from aae_core.training import Batch, TrainingConfig, fit, seed_everything
from aae_core.zoo import card, load
from plain_descent import plain_descent

REGIONAL = (GaussianMixture(), SwissRoll())
SMALL = {"hidden": (32,), "discriminator_hidden": (32,)}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# The swiss roll


@settings(max_examples=25, deadline=None)
@given(u=st.floats(0, 1), across=st.floats(-3, 3))
def test_a_place_on_the_roll_is_the_equation_s(u: float, across: float) -> None:
    roll = SwissRoll(0.1)
    on_arc = roll.at(torch.tensor([u]), torch.zeros(1))[0]
    r, angle = 3 * math.sqrt(u), 4 * math.pi * math.sqrt(u)
    assert on_arc.tolist() == pytest.approx([r * math.cos(angle), r * math.sin(angle)], abs=1e-4)
    off_arc = roll.at(torch.tensor([u]), torch.tensor([across]))[0]
    assert float((off_arc - on_arc).norm()) == pytest.approx(0.1 * abs(across), abs=1e-4)


@settings(max_examples=25, deadline=None)
@given(u=st.floats(0.01, 0.99))
def test_across_is_at_right_angles_to_the_arc_and_outwards(u: float) -> None:
    roll, v = SwissRoll(0.1), torch.tensor([u], dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    tangent = roll.at(v + 1e-6, zero) - roll.at(v - 1e-6, zero)
    across = roll.at(v, zero + 1) - roll.at(v, zero)
    assert float((tangent / tangent.norm() * across).sum()) == pytest.approx(0, abs=1e-5)
    assert float((roll.at(v, zero) * across).sum()) > 0


@settings(max_examples=25, deadline=None)
@given(thickness=st.floats(0, 0.2), n=st.integers(1, 300), seed=st.integers(0, 2**31))
def test_every_sample_of_a_segment_lies_in_its_region(thickness: float, n: int, seed: int) -> None:
    roll = SwissRoll(thickness)
    labels = torch.randint(10, (n,), generator=seeded(seed))
    z = roll.sample(n, labels, seeded(seed))
    assert z.shape == (n, 2) and z.dtype == torch.float32
    assert z.norm(dim=1).max() <= 3 + 6 * thickness
    # Where the arc begins, r = 0: a thick sample there may pass the centre. And a border is known to 1/2000.
    u = roll.nearest(z)
    strayed = (roll.region(z) != labels) & ((u * 10 - labels - 0.5).abs() > 0.51)
    assert strayed.float().mean() <= 0.02 + 1 / n


def test_the_roll_s_segments_are_nearly_of_one_length() -> None:
    arc = SwissRoll(0).at(torch.linspace(0, 1, 10_001), torch.zeros(10_001))
    lengths = (arc[1:] - arc[:-1]).norm(dim=1).view(10, -1).sum(1)
    assert lengths.max() / lengths.min() < 1.2


def test_the_whole_roll_is_drawn_evenly() -> None:
    shares = torch.bincount(SwissRoll().region(SwissRoll().sample(20_000, generator=seeded(0)))) / 20_000
    assert shares.tolist() == pytest.approx([0.1] * 10, abs=0.01)


def test_the_same_generator_gives_the_same_roll() -> None:
    assert torch.equal(SwissRoll().sample(9, generator=seeded(3)), SwissRoll().sample(9, generator=seeded(3)))


@pytest.mark.parametrize("thickness", [-0.1, 0.6, math.nan])
def test_a_roll_too_thick_or_negative_is_refused(thickness: float) -> None:
    with pytest.raises(ValueError, match="thickness: .*0 … 0.5"):
        SwissRoll(thickness)


@pytest.mark.parametrize("prior", REGIONAL)
@pytest.mark.parametrize("wrong", [-1, 10])
def test_labels_outside_their_range_are_refused(prior: SwissRoll, wrong: int) -> None:
    with pytest.raises(ValueError, match="labels: expected"):
        prior.sample(2, torch.tensor([0, wrong]))
    with pytest.raises(ValueError, match=r"labels: .*\(2,\)"):
        prior.sample(2, torch.tensor([0, 1, 2]))


def test_a_code_of_the_wrong_width_and_a_prior_without_regions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(N, 2\).*\(4, 3\)"):
        SwissRoll().region(torch.zeros(4, 3))
    with pytest.raises(ValueError, match="Gaussian"):
        Gaussian(2).region(torch.zeros(4, 2))
    with pytest.raises(NotImplementedError, match="SwissRoll.*density"):
        SwissRoll().log_prob(torch.zeros(4, 2))


@pytest.mark.parametrize("prior", REGIONAL)
def test_a_middle_place_lies_in_its_own_region(prior: SwissRoll) -> None:
    k = torch.arange(10)
    along = torch.full((10,), 0.5)
    assert torch.equal(prior.region(prior.place(k, along, torch.zeros(10))), k)


# The model


@pytest.mark.parametrize("prior", REGIONAL)
def test_a_step_moves_each_part_and_reports_its_losses(prior: SwissRoll) -> None:
    torch.manual_seed(0)
    model = LabelledAAE(prior, **SMALL, gradient_penalty=0.1)
    before = [p.clone() for p in model.parameters()]
    labels = torch.tensor([3, UNLABELLED, 9, UNLABELLED])
    found = model.step(Batch(torch.rand(4, 1, 28, 28), labels), plain_descent(model))
    assert set(found) == {"reconstruction", "fooling", "discrimination"}
    assert all(loss.ndim == 0 and math.isfinite(loss.item()) for loss in found.values())
    assert all(not torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_the_real_pairs_are_a_label_s_own_region_and_the_whole_prior_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = LabelledAAE(SwissRoll(), **SMALL)
    seen = []

    def watch(network, z_prior, z, label, *, weight):
        seen.append((z_prior, label))
        loss = network(z_prior, label).mean()
        return loss, loss

    monkeypatch.setattr("aae_core.losses.smooth_discriminator", watch)
    labels = torch.cat([torch.arange(10).repeat(50), torch.full((500,), UNLABELLED)])
    model.step(Batch(torch.rand(1000, 1, 28, 28), labels), plain_descent(model))
    ((z_prior, label),) = seen
    assert torch.equal(label[:500], labels[:500]) and (label[500:] == 10).all()
    regions = SwissRoll().region(z_prior)
    assert (regions[:500] == labels[:500]).float().mean() > 0.98
    assert torch.bincount(regions[500:], minlength=10).min() > 20


def test_encoder_and_decoder_take_no_label() -> None:
    model = LabelledAAE(GaussianMixture(), **SMALL)
    assert model.decoder.n_classes == 0
    assert model.discriminator.n_classes == 11
    assert model.encode(torch.rand(3, 1, 28, 28)).shape == (3, 2)
    assert model.decode(torch.zeros(3, 2)).shape == (3, 1, 28, 28)


def test_samples_come_from_the_region_asked_for() -> None:
    model = LabelledAAE(SwissRoll(0), **SMALL)
    for n, y in ((4, None), (4, 7), (3, torch.tensor([0, 5, 9]))):
        images = model.sample(n, y)
        assert images.shape == (n, 1, 28, 28) and images.min() >= 0 and images.max() <= 1
    with pytest.raises(ValueError, match="labels: .*0 … 9.*10 … 10"):
        model.sample(2, 10)


def test_a_prior_without_a_region_per_class_is_refused() -> None:
    with pytest.raises(ValueError, match="prior: .*Gaussian"):
        LabelledAAE(Gaussian(2))


@pytest.mark.trains
def test_a_short_training_brings_codes_home() -> None:
    digits = embedded()
    seed_everything(0)
    model = LabelledAAE(recipe("labels-mixture").make(seed=0).prior, (256, 256), discriminator_hidden=(256, 256))
    told = recipe("labels-mixture").training_digits(digits, seed=0)
    before = region_accuracy(metrics.codes_of(model, digits.test), digits.test.labels, model.prior).value
    config = TrainingConfig(epochs=10, batch_size=64, learning_rate=2e-3, ema_decay=0.9, device="cpu")
    history = fit(model, told, config, progress=False)
    after = region_accuracy(metrics.codes_of(model, digits.test), digits.test.labels, model.prior).value
    assert after > max(0.4, before + 0.2)
    assert history.losses["reconstruction"][-1] < 0.8 * history.losses["reconstruction"][0]


# Recipes and labels


def test_a_recipe_shows_a_fifth_of_the_labels_in_equal_parts() -> None:
    told = recipe("labels-mixture").training_digits(embedded(), seed=0)
    counts = told.labels[told.labels != UNLABELLED].bincount(minlength=10)
    assert len(set(counts.tolist())) == 1
    assert float(counts.sum() / len(told)) == pytest.approx(0.2, abs=0.005)


def test_the_baseline_sees_no_label_at_all() -> None:
    told = recipe("labels-mixture-none").training_digits(embedded(), seed=0)
    assert (told.labels == UNLABELLED).all()


def test_more_labels_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match="balanced"):
        embedded().train.hide_labels(10_000, seed=0)


# Measures


def test_regions_are_matched_as_suits_the_digits_best() -> None:
    y = torch.arange(10).repeat(30)
    assert best_match((y + 3) % 10, y) == 1.0
    assert best_match(torch.zeros_like(y), y) == pytest.approx(0.1)


@pytest.mark.parametrize("prior", REGIONAL)
def test_region_measures_know_the_best_and_the_worst(prior: SwissRoll) -> None:
    y = torch.arange(10).repeat(200)
    z = prior.sample(len(y), y, seeded(1))
    own, moved = region_accuracy(z, y, prior), region_accuracy(z, (y + 1) % 10, prior)
    assert own.value == pytest.approx(own.reference, abs=0.02) and own.value > 0.97
    assert moved.value < 0.02
    matched = region_matched(z, (y + 1) % 10, prior)
    assert matched.value == pytest.approx(own.value, abs=1e-6)
    assert 0.1 <= matched.reference < 0.2


def bar(slant: float, half_width: float, shift: int = 0) -> torch.Tensor:
    """A straight stroke (1, 1, 28, 28), soft at its edges."""
    rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    inside = half_width + 0.5 - (columns - 13.5 - shift + slant * (rows - 13.5)).abs()
    return (inside.clamp(0, 1) * ((rows - 13.5).abs() < 9))[None, None]


@settings(max_examples=25, deadline=None)
@given(slant=st.floats(-0.5, 0.5), half_width=st.floats(1.0, 2.5), shift=st.integers(-3, 3))
def test_slant_and_thickness_are_those_of_the_stroke(slant: float, half_width: float, shift: int) -> None:
    found = style_of(bar(slant, half_width, shift))[0]
    assert float(found[0]) == pytest.approx(slant, abs=0.02)
    true = 2 * half_width / math.hypot(1, slant)  # across the stroke, not along the row
    assert float(found[1]) == pytest.approx(true, rel=0.3)
    narrow = style_of(bar(slant, half_width, shift)[..., 2:26])  # pictures need not be square
    assert narrow[0] == pytest.approx(found, abs=1e-4)


def test_width_grows_with_width_alone() -> None:
    narrow, wide, leaning = style_of(torch.cat([bar(0, 2), bar(0, 5), bar(0.4, 2)]))[:, 2].tolist()
    assert wide > 1.5 * narrow
    assert leaning == pytest.approx(narrow, rel=0.1)


def test_neighbours_in_a_code_that_is_the_slant_share_it() -> None:
    slants = np.random.default_rng(0).uniform(-0.5, 0.5, 120)
    images = torch.cat([bar(s, 1.5) for s in slants])
    y = torch.arange(120) % 2
    slant = torch.tensor(slants, dtype=torch.float32)[:, None]
    told = neighbour_style(slant.repeat(1, 2), images, y)
    blind = neighbour_style(torch.randn(120, 2, generator=seeded(0)), images, y)
    assert told["slant"].value < 0.2 and {each.reference for each in told.values()} == {1.0}
    assert 0.8 < blind["slant"].value < 1.2
    with pytest.raises(ValueError, match="y: .* 0 .* 3 .* 5 "):
        neighbour_style(slant[:6].repeat(1, 2), images[:6], y[:6])


# The zoo's cards


def measured(name: str) -> dict[str, metrics.Measure]:
    return {key: metrics.Measure(**found) for key, found in card(name)["measures"].items()}


def test_the_zoo_s_weights_do_what_their_card_says() -> None:
    digits = embedded().test  # none of them was trained on
    model = load("labels-mixture")
    z = metrics.codes_of(model, digits)
    said = measured("labels-mixture")
    # Few digits: the accuracy's standard error is 0.011, and how well their pixels are rebuilt differs from set to set.
    assert region_accuracy(z, digits.labels, model.prior).value == pytest.approx(
        said["region_accuracy"].value, abs=0.05
    )
    assert metrics.test_mse(model, embedded().train, digits).value == pytest.approx(said["test_mse"].value, rel=0.15)
