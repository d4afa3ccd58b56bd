"""The supervised adversarial autoencoder (chapter 5): shapes, both discriminators, refusals, and a run that learns."""

import math

import pytest
import torch

import aae_core
from aae_core import losses
from aae_core.data import embedded
from aae_core.metrics import swap_accuracy
from aae_core.models import SupervisedAAE
from aae_core.networks import Decoder, Discriminator, Encoder, ScaledTanh, one_hot
from aae_core.training import Batch, TrainingConfig, fit, seed_everything
from plain_descent import plain_descent


@pytest.fixture
def model():
    seed_everything(0)
    return SupervisedAAE(4, hidden=(32, 32), discriminator_hidden=(16,)).eval()


def test_shapes_and_ranges(model):
    x, y = torch.rand(6, 1, 28, 28), torch.arange(6)
    z = model.encode(x)
    assert z.shape == (6, 4) and z.dtype == torch.float32
    images = model.decode(z, y)
    assert images.shape == (6, 1, 28, 28) and 0 <= images.min() and images.max() <= 1
    assert model.sample(5).shape == (5, 1, 28, 28)
    assert torch.equal(model.decode(z, y), model.decoder(z, y))


def test_a_sample_of_one_digit_is_decoded_under_it(model):
    torch.manual_seed(1)
    asked = model.sample(3, 7)
    torch.manual_seed(1)
    assert torch.equal(asked, model.decode(model.prior.sample(3), torch.tensor([7, 7, 7])))


@pytest.mark.parametrize("label_in_discriminator", [True, False])
def test_one_step_moves_every_part_and_reports_its_losses(label_in_discriminator):
    seed_everything(0)
    model = SupervisedAAE(
        4, (32,), label_in_discriminator=label_in_discriminator, discriminator_hidden=(16,), gradient_penalty=0.1
    )
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    found = model.step(Batch(torch.rand(8, 1, 28, 28), torch.arange(8)), plain_descent(model, 1.0))
    assert all(value.ndim == 0 and math.isfinite(value.detach()) for value in found.values())
    still = [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])]
    assert not still


def test_only_the_conditional_discriminator_looks_at_the_label(model):
    z = torch.randn(5, 4)
    y = torch.arange(5)
    assert not torch.equal(model.discriminator(z, y), model.discriminator(z, 9 - y))
    with pytest.raises(ValueError, match=r"y: .*labels \(N,\)"):
        model.discriminator(z)
    assert SupervisedAAE(4, (8,), label_in_discriminator=False).discriminator.n_classes == 0


def test_what_does_not_fit_is_refused(model):
    with pytest.raises(ValueError, match=r"\(N, 4\).*\(2, 5\)"):
        model.decode(torch.zeros(2, 5), torch.zeros(2).long())
    with pytest.raises(ValueError, match="0 … 9.*0 … 10"):
        model.decode(torch.zeros(2, 4), torch.tensor([0, 10]))
    with pytest.raises(ValueError, match=r"y: .*labels \(N,\)"):
        model.decoder(torch.zeros(2, 4))
    with pytest.raises(ValueError, match="y: .*leave y out"):
        Decoder(4)(torch.zeros(2, 4), torch.zeros(2).long())
    with pytest.raises(ValueError, match="n: .*1.*0"):
        model.sample(0, 3)


@pytest.mark.trains
def test_the_label_in_the_discriminator_makes_swapped_styles_readable():
    """The chapter's claim, on the embedded digits: a short run with D(z, y) beats one with D(z)."""
    splits, judge = embedded(), aae_core.load("judge")
    read = {}
    for label_in_discriminator in (False, True):
        seed_everything(0)
        options = {"discriminator_hidden": (256, 256), "slope": 0.2, "batch_norm": (1,)}
        model = SupervisedAAE(8, (256, 256), label_in_discriminator=label_in_discriminator, **options)
        config = TrainingConfig(epochs=6, batch_size=128, learning_rate=2e-3, device="cpu")
        fit(model, splits.train, config, progress=False)
        read[label_in_discriminator] = swap_accuracy(model, judge, splits.test).value
    assert read[True] > read[False] + 0.15


def test_turned_axes_draw_the_same_pictures_and_come_sorted_by_effect(model):
    x, y = torch.rand(20, 1, 28, 28), torch.arange(20) % 10
    before = model.decode(model.encode(x), y), model.discriminator(model.encode(x), y), model.encode(x)
    model.align_axes()
    z = model.encode(x)
    assert torch.allclose(model.decode(z, y), before[0], atol=1e-5)
    assert torch.allclose(model.discriminator(z, y), before[1], atol=1e-5)
    assert not torch.allclose(z, before[2], atol=1e-2)
    assert torch.allclose(z.norm(dim=1), before[2].norm(dim=1), atol=1e-4)
    start, labels = model.prior.sample(500), torch.arange(500) % 10
    effects = []
    for shift in 0.1 * torch.eye(4):
        change = model.decode(start + shift, labels) - model.decode(start - shift, labels)
        effects.append(change.square().mean().item())
        assert change.mean() > 0
    assert effects == sorted(effects, reverse=True)


def test_losses_at_a_draw_are_log_two():
    logits = torch.zeros(10)
    assert losses.discriminator(logits, logits).item() == pytest.approx(math.log(2))
    assert losses.generator(logits).item() == pytest.approx(math.log(2))


def test_losses_agree_with_their_definition_and_survive_large_logits():
    real, fake = torch.randn(50), torch.randn(50)
    by_hand = -0.5 * torch.sigmoid(real).log().mean() - 0.5 * (1 - torch.sigmoid(fake)).log().mean()
    assert losses.discriminator(real, fake).item() == pytest.approx(by_hand.item(), abs=1e-5)
    sure = torch.tensor([200.0], requires_grad=True)
    loss = losses.discriminator(-sure, sure)
    loss.backward()
    assert loss.item() == pytest.approx(200.0) and sure.grad.item() == pytest.approx(1.0)


def test_gradient_penalty_of_a_linear_discriminator_is_its_squared_slope():
    slope = torch.tensor([3.0, -4.0])
    z = torch.randn(9, 2)
    plain, smooth = losses.smooth_discriminator(lambda z: z @ slope, z, torch.randn(9, 2), weight=0.5)
    assert (smooth - plain).item() == pytest.approx(0.5 * 2 * 25.0, rel=1e-5)
    plain, same = losses.smooth_discriminator(lambda z: z @ slope, z, z, weight=0.0)
    assert plain is same
    assert not z.requires_grad


def test_codes_that_lead_back_to_the_encoder_are_no_matter_of_the_discriminator():
    codes = torch.randn(9, 2, requires_grad=True) * 2
    with pytest.raises(ValueError, match="z:"):
        losses.smooth_discriminator(lambda z: z.sum(1), torch.randn(9, 2), codes, weight=0.5)


def test_networks_have_the_widths_they_are_given():
    assert [m.out_features for m in Encoder(5, (7, 6)).net if hasattr(m, "out_features")] == [7, 6, 5]
    for heads, first, last in ((False, 8, 1), (True, 5, 3)):
        linear = [m for m in Discriminator(5, (7, 6), n_classes=3, heads=heads).net if hasattr(m, "out_features")]
        assert linear[0].in_features == first and [m.out_features for m in linear] == [7, 6, last]
    norms = [m for m in Encoder(5, (7, 6), batch_norm=(1,)).net if isinstance(m, torch.nn.BatchNorm1d)]
    assert [norm.num_features for norm in norms] == [6]


def test_scaled_tanh_is_a_tanh_between_zero_and_one():
    a = torch.linspace(-4, 4, 9)
    assert torch.allclose(ScaledTanh()(a), (torch.tanh(a) + 1) / 2, atol=1e-6)


def test_one_hot_is_one_where_the_label_is():
    assert one_hot(torch.tensor([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]
