"""The map of chapter 8: a class and a style add up to a place, and heads that are too close are pushed apart."""

from importlib import resources

import numpy as np
import pytest
import torch
from sklearn.manifold import trustworthiness

from aae_core import metrics
from aae_core.data import Digits, embedded
from aae_core.metrics.judge import Judge
from aae_core.models import ReductionAAE


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return ReductionAAE(2, hidden=(32, 32), discriminator_hidden=(16,), head_distance=5.0, head_weight=0.5).eval()


def test_a_place_is_the_head_of_the_class_and_the_style(model):
    z = torch.randn(3, 2)
    assert torch.allclose(model.place(z, torch.tensor([4, 0, 9])), model.heads[[4, 0, 9]] + z)
    between = torch.zeros(1, 10)
    between[0, [4, 9]] = 0.5
    assert torch.allclose(model.place(torch.zeros(1, 2), between)[0], (model.heads[4] + model.heads[9]) / 2)


def test_penalty_is_linear_in_what_is_missing_and_zero_beyond():
    two = ReductionAAE(2, n_classes=2, hidden=(8,), discriminator_hidden=(8,), head_distance=5.0, head_weight=0.5)
    for distance, penalty in ((0.0, 2.5), (1.0, 2.0), (4.0, 0.5), (5.0, 0.0), (9.0, 0.0)):
        two.heads.data = torch.tensor([[0.0, 0.0], [distance, 0.0]])
        assert float(two.further_losses()["heads"].detach()) == pytest.approx(penalty)


def test_every_pair_counts_once(model):
    model.heads.data = torch.zeros(10, 2)
    assert float(model.further_losses()["heads"].detach()) == pytest.approx(0.5 * 45 * 5.0)


def test_measures_serve_a_decoder_that_sees_the_class_as_a_place(model):
    few = embedded().test.subset(slice(0, 40))
    error = metrics.test_mse(model, few, few)
    with torch.no_grad():
        logits, z = model.infer(few.pixels())
        rebuilt = model.decode(z, logits.softmax(1))
    assert error.value == pytest.approx(float((rebuilt - few.pixels()).square().mean()), rel=1e-4)
    assert 0 <= metrics.sample_accuracy(model, Judge().eval(), few, n=20).value <= 1


def test_a_map_is_read_by_the_nearest_head_whatever_the_encoder_says_of_the_class(model):
    few = embedded().test.subset(slice(0, 40))
    nearest = torch.cdist(model.represent(few.pixels()), model.heads).argmin(1)
    assert metrics.map_error(model, Digits(few.images, nearest)).value == 0
    assert metrics.map_error(model, few).reference == pytest.approx(1 - 1 / len(few.labels.unique()))
    assert metrics.map_error(model, Digits(few.images, (nearest + 1) % 10)).value == 1


def test_umaps_places_are_those_of_the_embedded_digits_in_their_order():
    """Neighbours on the map are neighbours among the images, as they would not be in another order."""
    images = embedded().test.pixels().flatten(1).numpy()
    places = np.loadtxt(resources.files("aae_core.data") / "umap.csv", delimiter=",")
    assert places.shape == (len(images), 2)
    assert trustworthiness(images, places, n_neighbors=10) > 0.9
    assert trustworthiness(images, places[::-1], n_neighbors=10) < 0.7
