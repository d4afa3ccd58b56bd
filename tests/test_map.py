"""The map explorer on Python's side: what it sends to the page, and what it refuses."""

import base64
import io
import math

import numpy as np
import pytest
import torch
import traitlets
from PIL import Image

from aae_core.explorers import MapExplorer
from aae_core.explorers.map import MOST, PICTURED, choose, points_of, square
from aae_core.models import ReductionAAE, SemiSupervisedAAE
from some_digits import random_digits


def reduction(code_dim=2, **options):
    """A model that was never trained."""
    torch.manual_seed(0)
    return ReductionAAE(code_dim, hidden=(16, 16), discriminator_hidden=(8, 8), **options)


@pytest.fixture(scope="module")
def model():
    return reduction()


@pytest.fixture(scope="module")
def explorer(model):
    return MapExplorer(model, random_digits(500))


def test_it_begins_at_the_first_head_with_the_distance_of_the_training(model, explorer):
    assert explorer.z == pytest.approx(model.heads[0].tolist()) and explorer.distance == 6.0
    assert explorer.start == [explorer.z, 6.0] and explorer.reach == 12.0
    assert np.allclose(explorer.heads, model.heads.tolist())
    assert (explorer.name, explorer.decoder["code_dim"], explorer.decoder["n_classes"]) == ("map", 2, 0)
    moved = MapExplorer(model, random_digits(30), z=torch.tensor([1.0, -2.0]), distance=1.5)
    assert (moved.z, moved.distance, moved.start) == ([1.0, -2.0], 1.5, [[1.0, -2.0], 1.5])


def test_points_and_images_are_those_of_the_same_digits(model, explorer):
    digits = choose(model, random_digits(500))
    numbers = np.frombuffer(base64.b64decode(explorer.points), "<i2", 1000).reshape(-1, 2)
    with torch.no_grad():
        real = model.eval().represent(digits.pixels())
    assert np.abs(numbers * explorer.about["points"]["scale"] - real.numpy()).max() < 1e-3
    labels = np.frombuffer(base64.b64decode(explorer.points), np.uint8)[2000:]
    assert labels.tolist() == digits.labels.tolist()
    bytes_ = np.frombuffer(base64.b64decode(explorer.images), np.uint8)
    greys = np.stack([bytes_ >> 4, bytes_ & 15], 1).reshape(-1, 28, 28) / 15
    assert explorer.about["images"]["count"] == len(greys) == PICTURED
    assert np.abs(greys - digits.pixels(slice(0, PICTURED))[:, 0].numpy()).max() <= 1 / 30 + 1e-6


def test_a_page_stays_small_however_many_digits_there_are(model):
    many = MapExplorer(model, random_digits(MOST + 1000))
    assert many.about["points"]["count"] == MOST and many.about["images"]["count"] == PICTURED
    assert len(many.points) + len(many.images) < 240_000


def test_making_it_leaves_the_model_in_its_mode(model):
    model.train()
    points = points_of(model, random_digits(40))
    assert model.training and not points.requires_grad
    assert torch.equal(
        points, points_of(model.eval(), random_digits(40))
    )  # batch normalisation by its running statistics


def test_the_map_holds_all_points_and_heads(model, explorer):
    left, right, bottom, top = explorer.extent
    assert right - left == top - bottom
    for x, y in [*points_of(model, random_digits(500)).tolist(), *explorer.heads]:
        assert left < x < right and bottom < y < top
    assert square(torch.tensor([[3.0, 3.0]])) == [2, 4, 2, 4]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("z", [0.0], "z: .*2.*1"),
        ("z", [0.0, math.nan], "z:"),
        ("distance", -0.1, "distance: .*0 … 12.*-0.1"),
        ("distance", 12.5, "distance: .*0 … 12.*12.5"),
        ("distance", math.nan, "distance: .*0 … 12"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(model, explorer, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        MapExplorer(model, random_digits(30), **{trait: value})
    before = getattr(explorer, trait)
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, trait, value)
    assert getattr(explorer, trait) == before


@pytest.mark.parametrize(
    ("model", "digits", "message"),
    [
        ("model", random_digits(10), "model: .* str"),
        (SemiSupervisedAAE(2, hidden=(8, 8)), random_digits(10), "model: .* SemiSupervisedAAE"),
        (reduction(3), random_digits(10), r"model: .*\(10, 3\)"),
        (reduction(), random_digits(10, shape=(1, 14, 14)), r"digits: .*\(1, 28, 28\).*\(1, 14, 14\)"),
        (reduction(), random_digits(10, [-1, 1]), "digits: .*label"),
    ],
)
def test_what_cannot_be_mapped_is_refused(model, digits, message):
    with pytest.raises(ValueError, match=message):
        MapExplorer(model, digits)


def test_the_still_is_the_map(model, explorer):
    image = Image.open(io.BytesIO(base64.b64decode(explorer.poster))).convert("RGBA")
    assert image.width == image.height == 880
    left, right, bottom, top = explorer.extent
    for x, y in explorer.heads:  # a disc about every head
        at = round((x - left) / (right - left) * 880), round((top - y) / (top - bottom) * 880)
        assert np.asarray(image.crop((at[0] - 8, at[1] - 8, at[0] + 8, at[1] + 8)).getchannel("A")).min() > 200
    assert "500 held-out digits" in explorer.poster_alt
