"""The drawing explorer on Python's side: what it sends to the page, and what it refuses."""

import base64
import math

import numpy as np
import pytest
import torch
import traitlets
from torch import nn

from aae_core.data import embedded
from aae_core.explorers import DrawExplorer, LetterExplorer, PageDecoder, PageEncoder, StyleExplorer
from aae_core.models import AdversarialAutoencoder, SupervisedAAE
from aae_core.networks import Decoder, Encoder, GaussianEncoder
from aae_core.priors import Gaussian


def small(n_out=4, **options):
    """A model that was never trained, with `n_out` numbers out of its encoder."""
    torch.manual_seed(0)
    model = SupervisedAAE(4, hidden=(16,), **options)
    model.encoder = Encoder(n_out, hidden=(16,))
    return model


@pytest.fixture(scope="module")
def digits():
    return embedded().test


def test_the_page_receives_the_encoder_and_a_held_out_image_of_each_digit(digits):
    model = small(batch_norm=(0,))
    explorer = DrawExplorer(model, digits)
    state = explorer.get_state()
    assert state["encoder"]["sizes"] == [784, 16, 4] and state["encoder"]["n_logits"] == 0
    assert "weights" not in state["encoder"] and isinstance(state["encoder_weights"], str)
    images = np.frombuffer(base64.b64decode(state["examples"]), np.uint8).reshape(-1, 28, 28)
    assert state["example_labels"] == list(range(10)) and len(images) == 10
    first = digits.images[(digits.labels == 3).nonzero()[0, 0], 0]
    assert (images[3] == first.numpy()).all()
    assert (explorer.z, explorer.drawing, explorer.example, explorer.name) == ([0.0] * 4, [], None, "draw")
    assert explorer.poster and "followed by 0, 1," in explorer.poster_alt


def test_its_decoder_is_the_style_explorers_so_that_a_page_loads_it_once(digits):
    model = small()
    assert DrawExplorer(model, digits).weights == StyleExplorer(model).weights


def test_batch_norm_is_folded_into_the_encoder():
    torch.manual_seed(0)
    model = SupervisedAAE(4, hidden=(16, 16), batch_norm=(1,), slope=0.2)
    for _ in range(3):
        model.encoder(3 * torch.rand(64, 1, 28, 28))  # statistics other than those to begin with
    images = torch.rand(5, 1, 28, 28)
    model.eval()
    with torch.no_grad():
        real = model.encoder(images)
    found = PageEncoder(model, PageDecoder(model)).codes(images)
    assert (found - real).abs().max() < 4e-3 * real.abs().max()


def test_logits_before_the_code_are_found_by_the_widths(digits):
    model = small(14).eval()
    encoder = PageEncoder(model, PageDecoder(model))
    images = digits.pixels()[:5]
    assert encoder.n_logits == 10 and encoder.codes(images).shape == (5, 4)
    with torch.no_grad():
        assert (encoder.codes(images) - model.encoder(images)[:, 10:]).abs().max() < 4e-3
    without, with_bars = DrawExplorer(small(), digits).room, DrawExplorer(model, digits).room
    assert with_bars[1] > without[1] and with_bars[3] > without[3]


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("drawing", [[0.1, 0.2, 0.3]], "drawing:"),
        ("drawing", [[]], "drawing:"),
        ("drawing", [[0.1, 1.5]], "drawing:"),
        ("drawing", [[0.1, math.nan]], "expected"),
        ("drawing", "ink", "drawing"),
        ("pen", 0.5, "pen: .*0.03 … 0.2.*0.5"),
        ("pen", math.nan, "pen:"),
        ("example", 10, "example: .*0 … 9.*10"),
        ("z", [0.0] * 3, "z: .*4.*3"),
        ("label", 10, "label: .*0 … 9"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(digits, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=message):
        DrawExplorer(small(), digits, **{trait: value})
    explorer = DrawExplorer(small(), digits, drawing=[[0.1, 0.2, 0.3, 0.4]])
    with pytest.raises(traitlets.TraitError, match=message):
        setattr(explorer, trait, value)
    assert explorer.drawing == [[0.1, 0.2, 0.3, 0.4]] and explorer.pen == 0.09 and explorer.example is None


def test_a_drawing_may_be_an_array(digits):
    explorer = DrawExplorer(small(), digits)
    explorer.drawing = [np.array([0.25, 0.5, 0.75, 0.5]), (0.5, 0.5)]
    assert explorer.drawing == [[0.25, 0.5, 0.75, 0.5], [0.5, 0.5]]


def random_posterior():
    model = small()
    model.encoder = GaussianEncoder(4, hidden=(16,))
    return model


def other_images():
    model = small()
    model.decoder = Decoder(4, hidden=(16,), n_classes=10, image_shape=(1, 14, 14))
    return model


def doubled():
    class Doubled(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(784, 4))

        def forward(self, x):
            return 2 * self.net(x)

    model = small()
    model.encoder = Doubled()
    return model


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Decoder(4, hidden=(16,), n_classes=10), "encoder.*Decoder"),
        (lambda: small(7), "encoder: .*4 .*10 .*7 "),
        (random_posterior, "encoder: .* 8 "),
        (other_images, r"\(1, 28, 28\)"),
        (doubled, "encoder: .*Doubled"),
    ],
)
def test_a_model_that_does_not_fit_is_refused(digits, make, message):
    with pytest.raises(ValueError, match=message):
        DrawExplorer(make(), digits)


def test_a_model_without_classes_writes_one_picture(digits):
    explorer = DrawExplorer(AdversarialAutoencoder(Gaussian(3), hidden=(16,)), digits)
    assert explorer.names == [""] and explorer.encoder["n_logits"] == 0


def test_the_letter_explorer_names_the_fonts_whose_styles_are_nearest(digits):
    model = small(n_classes=26)
    styles = torch.eye(4)
    explorer = LetterExplorer(model, digits, ("abcd", styles), names="ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    assert explorer.nearest(torch.tensor([0.2, 0.9, 0.3, 0.1])) == ["b", "c", "a"]
    assert explorer.get_state()["letters"] and explorer.title == "Write a letter" and len(explorer.names) == 26
    with pytest.raises(ValueError, match=r"fonts: .*\(3, 4\).*\(4, 4\)"):
        LetterExplorer(model, digits, ("abc", styles))
