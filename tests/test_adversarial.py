"""The adversarial autoencoder, its three posteriors, their measure, and the zoo's runs of them (chapter 2)."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aae_core import zoo
from aae_core.data import Digits
from aae_core.metrics import codes_of, decode_all, posterior_spread, prior_swd
from aae_core.models import POSTERIORS, AdversarialAutoencoder, NoisyCodeAAE
from aae_core.models.adversarial import RECIPES
from aae_core.networks import GaussianEncoder, NoisyEncoder
from aae_core.priors import Gaussian
from aae_core.training import Batch, TrainingConfig, fit
from plain_descent import plain_descent

SMALL = {"hidden": (64,), "discriminator_hidden": (64,)}


def small(posterior="deterministic", dim=2, **options):
    torch.manual_seed(0)
    return AdversarialAutoencoder(Gaussian(dim), posterior, **SMALL | options)


@pytest.fixture(scope="module")
def blobs():
    """512 images of a bright square at one of many places: easily rebuilt from two numbers."""
    torch.manual_seed(0)
    images = torch.zeros(512, 1, 28, 28, dtype=torch.uint8)
    for image, (top, left) in zip(images, torch.randint(0, 19, (512, 2)).tolist(), strict=True):
        image[0, top : top + 9, left : left + 9] = 255
    return Digits(images, torch.randint(10, (512,)))


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("dim", [1, 2, 5])
def test_shapes_and_ranges(posterior, dim):
    model = small(posterior, dim)
    x = torch.rand(7, 1, 28, 28)
    z = model.encode(x)
    assert z.shape == (7, dim)
    assert z.dtype == torch.float32
    for images in (model.decode(z), model.sample(3)):
        assert images.shape[1:] == (1, 28, 28)
        assert 0 <= images.min() <= images.max() <= 1
    assert len(model.sample(3)) == 3


def test_only_a_random_posterior_gives_an_image_several_codes():
    x = torch.rand(4, 1, 28, 28)
    for posterior in POSTERIORS:
        model = small(posterior)
        assert torch.equal(model.encode(x), model.encode(x)) == (posterior == "deterministic")


@pytest.mark.parametrize("encoder", [GaussianEncoder(2, (8,)), NoisyEncoder(2, (8,), noise_dim=3)])
def test_a_random_posterior_without_its_noise_is_refused(encoder):
    x = torch.rand(4, 1, 28, 28)
    with pytest.raises(ValueError, match=rf"noise: .*\(4, {encoder.noise_dim}\)"):
        encoder(x)
    for wrong in (torch.zeros(4, encoder.noise_dim + 1), torch.zeros(3, encoder.noise_dim), torch.zeros(4)):
        with pytest.raises(ValueError, match=r"noise: .*\(4, "):
            encoder(x, wrong)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="posterior: .*'normal'"):
        small("normal")
    with pytest.raises(ValueError, match=r"z: .*\(N, 2\).*\(4, 3\)"):
        small().decode(torch.zeros(4, 3))


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.floats(-3, 3), st.floats(-3, 3))
def test_the_gaussian_encoder_is_mean_plus_scaled_noise(dim, mean, log_variance):
    encoder = GaussianEncoder(dim, (4,))
    with torch.no_grad():
        encoder.net[-1].weight.zero_()
        encoder.net[-1].bias.copy_(torch.cat([torch.full((dim,), mean), torch.full((dim,), log_variance)]))
    x, noise = torch.rand(6, 1, 28, 28), torch.randn(6, dim)
    expected = mean + torch.tensor(log_variance / 2).exp() * noise
    torch.testing.assert_close(encoder(x, noise), expected)
    assert all(part.shape == (6, dim) for part in encoder.moments(x))


def test_gradients_pass_through_the_draw():
    for encoder in (GaussianEncoder(2, (8,)), NoisyEncoder(2, (8,))):
        encoder(torch.rand(4, 1, 28, 28), torch.randn(4, encoder.noise_dim)).square().sum().backward()
        assert all(parameter.grad.abs().sum() > 0 for parameter in encoder.parameters())


def test_the_noise_is_an_input_like_the_image():
    encoder = NoisyEncoder(2, (8,), noise_dim=3)
    assert encoder.net[0].in_features == 784 + 3
    x = torch.rand(1, 1, 28, 28).expand(5, -1, -1, -1)
    assert encoder(x, torch.randn(5, 3)).std(0).min() > 0


def one_step(model, seed=2):
    """The model's networks by name, flattened, before and after a step of plain descent."""
    torch.manual_seed(seed)
    x = torch.rand(8, 1, 28, 28)
    names = ("encoder", "decoder", "discriminator")
    before = {k: torch.cat([p.detach().flatten().clone() for p in getattr(model, k).parameters()]) for k in names}
    found = model.step(Batch(x, torch.zeros(8, dtype=torch.int64)), plain_descent(model))
    after = {k: torch.cat([p.detach().flatten() for p in getattr(model, k).parameters()]) for k in names}
    return before, after, found


@pytest.mark.parametrize("posterior", POSTERIORS)
def test_a_step_moves_all_three_networks(posterior):
    before, after, found = one_step(small(posterior))
    assert all(not torch.equal(before[name], after[name]) for name in before)
    assert set(found) == {"reconstruction", "fooling", "discrimination"}
    assert all(loss.ndim == 0 and loss.isfinite() for loss in found.values())


def test_the_encoder_feels_the_discriminator_by_its_weight_alone():
    def encoder_after(weight, scale):
        model = small(adversarial_weight=weight)
        with torch.no_grad():
            for parameter in model.discriminator.parameters():
                parameter.mul_(scale)
        return one_step(model)[1]["encoder"]

    assert torch.equal(encoder_after(0, 1), encoder_after(0, 3))
    assert not torch.equal(encoder_after(1, 1), encoder_after(1, 3))


def test_fooling_does_not_change_the_discriminator():
    weights = [one_step(small(adversarial_weight=weight))[1]["discriminator"] for weight in (0, 100)]
    assert torch.equal(*weights)


def trained(blobs, posterior, weight):
    model = small(posterior, adversarial_weight=weight, gradient_penalty=0.1)
    fit(model, blobs, TrainingConfig(epochs=40, batch_size=64, learning_rate=2e-3), progress=False)
    return model


def error(model, digits):
    return (decode_all(model, codes_of(model, digits)) - digits.pixels()).square().mean()


@pytest.mark.parametrize(
    "posterior", [pytest.param("deterministic", marks=pytest.mark.trains), "gaussian", "universal"]
)
def test_the_adversary_brings_codes_to_the_prior_and_digits_are_still_rebuilt(blobs, posterior):
    with_it, without = trained(blobs, posterior, 0.1), trained(blobs, posterior, 0)
    near, far = (prior_swd(codes_of(model, blobs), model.prior) for model in (with_it, without))
    assert near.value < far.value / 10  # of twenty-four runs, in two kinds of arithmetic, none came above a fiftieth
    assert near.value < 0.5  # nor above .29
    assert error(with_it, blobs) < 0.8 * error(small(posterior), blobs)


def test_codes_of_a_random_posterior_can_be_had_again(blobs):
    model = small("universal")
    assert torch.equal(codes_of(model, blobs), codes_of(model, blobs))
    assert not torch.equal(codes_of(model, blobs), codes_of(model, blobs, seed=1))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    codes_of(model, blobs)
    assert torch.equal(torch.rand(3), expected), "measuring must not disturb the source of randomness"


def test_posterior_spread_is_the_noise_of_one_image(blobs):
    assert posterior_spread(small(), blobs).value == 0
    model = small("gaussian")
    with torch.no_grad():
        model.encoder.net[-1].weight.zero_()
        model.encoder.net[-1].bias.copy_(torch.tensor([0.0, 0.0, *2 * [2 * torch.tensor(0.3).log()]]))
    spread = posterior_spread(model, blobs, n_draws=64)
    assert spread.value == pytest.approx(0.3, rel=0.03)
    assert spread.reference == pytest.approx(0.3, rel=0.1), "these codes know nothing of their image"


@pytest.mark.parametrize("name", [r.name for r in RECIPES])
def test_a_model_of_the_zoo_draws(name):
    model = zoo.load(name)
    assert model.posterior == name.removeprefix("aae-")
    images = model.sample(16)
    assert images.shape == (16, 1, 28, 28)
    assert images.flatten(1).std(0).max() > 0.1, "samples should differ"


def noisy(**options):
    torch.manual_seed(0)
    return NoisyCodeAAE(Gaussian(2), hidden=(8,), discriminator_hidden=(8,), code_noise=0.5, grow=(2, 4), **options)


def test_a_codes_width_grows_with_the_adversary_and_a_saved_model_remembers_how_far_it_is():
    model, x = noisy(adversarial_weight=0.1), torch.rand(1, 1, 28, 28).expand(20_000, -1, -1, -1)
    optimizers = plain_descent(model, 0.0)
    batch = Batch(x[:4], torch.zeros(4, dtype=torch.int64))
    widths, weights = [], []
    for step in range(6):
        if step == 3:
            state, model = model.state_dict(), noisy(adversarial_weight=0.1)
            model.load_state_dict(state)
        model.step(batch, optimizers)
        widths.append(model.encode(x).detach().std(0).mean().item())
        weights.append(float(model.adversarial_weight))
    shares = torch.tensor([0.2, 0.2, 0.6, 1.0, 1.0, 1.0])
    assert widths == pytest.approx((0.5 * shares).tolist(), rel=0.03)
    assert weights == pytest.approx((0.1 * shares).tolist())
    model.eval()
    assert torch.equal(model.encode(x[:3]), model.encode(x[:3]))  # the width is of training alone


def test_decoder_and_discriminator_see_the_same_draw_of_a_code_with_a_width():
    model, seen = noisy(), {"decoder": [], "discriminator": []}
    for name, inputs in seen.items():
        getattr(model, name).register_forward_pre_hook(lambda _, given, inputs=inputs: inputs.append(given[0].detach()))
    x = torch.rand(6, 1, 28, 28)
    model.step(Batch(x, torch.zeros(6, dtype=torch.int64)), plain_descent(model, 0.0))
    (decoded,), mean = seen["decoder"], model.eval().encode(x)
    assert any(torch.equal(decoded, codes) for codes in seen["discriminator"])
    assert not any(torch.allclose(mean, codes) for codes in [decoded, *seen["discriminator"]])


@pytest.mark.parametrize(
    ("options", "message"),
    [({"code_noise": -1.0, "grow": (0, 1)}, "code_noise"), ({"code_noise": 1.0, "grow": (4, 4)}, "grow")],
)
def test_a_width_that_cannot_be_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        NoisyCodeAAE(Gaussian(2), **options)
