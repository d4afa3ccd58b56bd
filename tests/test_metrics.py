"""The measures: right on cases whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from aae_core import metrics
from aae_core.data import Digits
from aae_core.priors import Gaussian
from test_training import bars


class Stand(torch.nn.Module):
    """A model whose codes are what the test says: the label, or noise, in two dimensions."""

    def __init__(self, tells: bool) -> None:
        super().__init__()
        self.anchor = torch.nn.Parameter(torch.zeros(()))
        self.tells, self.prior, self.n_classes = tells, Gaussian(2), 10
        self.decoder = SimpleNamespace(n_classes=10)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        row = x[:, 0].amax(2).argmax(1).float()  # the height of the bar, from which the label follows
        noise = torch.randn(len(x), 2, generator=torch.Generator().manual_seed(len(x)))
        return torch.stack([row, row.square()], 1) / 10 + 0.01 * noise if self.tells else noise

    def decode(self, z: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return bars(10).pixels()[y]


class Reader(torch.nn.Module):
    """A judge that reads bars without fail."""

    def probabilities(self, x: torch.Tensor) -> torch.Tensor:
        rows = x[:, 0].amax(2).argmax(1)
        return torch.nn.functional.one_hot((rows - 3) // 2, 10).float()


def test_pca_with_all_components_rebuilds_and_with_none_to_spare_does_not():
    digits = bars(100)
    assert metrics.pca_mse(digits, digits, 9) == pytest.approx(0, abs=1e-10)
    assert metrics.pca_mse(digits, digits, 2) > 0.01


def test_sliced_wasserstein_of_a_shift_is_the_mean_length_of_its_projection():
    a = torch.randn(4000, 2, generator=torch.Generator().manual_seed(0))
    assert metrics.sliced_wasserstein(a, a) == 0
    shifted = metrics.sliced_wasserstein(a, a + torch.tensor([3.0, 0.0]), n_directions=4000)
    assert shifted == pytest.approx(3 * 2 / np.pi, rel=0.05)
    with pytest.raises(ValueError, match="one shape"):
        metrics.sliced_wasserstein(a, a[:10])


def test_samples_of_the_prior_pass_as_such_and_a_shifted_cloud_does_not():
    prior = Gaussian(3)
    z = prior.sample(3000, generator=torch.Generator().manual_seed(5))
    same, far = metrics.prior_swd(z, prior), metrics.prior_swd(z + 1, prior)
    assert same.value < 2 * same.reference and far.value > 10 * far.reference
    assert metrics.two_sample(z, prior).value == pytest.approx(0.5, abs=0.03)
    assert metrics.two_sample(z + 1, prior).value > 0.65


def test_codes_that_are_nothing_but_noise_are_measured_as_independent_draws_of_the_prior():
    class Noise(Stand):
        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return torch.randn(len(x), 2)

    digits, prior = bars(3000), Gaussian(2)
    for seed in (0, 3):
        z = metrics.codes_of(Noise(False), digits, seed=seed)
        distance, told = metrics.prior_swd(z, prior, seed), metrics.two_sample(z, prior, seed)
        assert 0.7 < distance.value / distance.reference < 1.5
        assert told.value == pytest.approx(0.5, abs=0.03)
        samples = prior.sample(len(z), generator=torch.Generator().manual_seed(seed))
        assert (z - samples).norm(dim=1).median() > 1  # 1.67 for independent codes


def test_the_distance_between_samples_of_the_prior_is_no_accident_of_one_draw():
    prior = Gaussian(2)
    z = prior.sample(500, generator=torch.Generator().manual_seed(5))
    steady, noisy = ([metrics.prior_swd(z, prior, seed, n) for seed in range(20)] for n in (8, 2))
    for name in ("value", "reference"):
        assert np.std([getattr(m, name) for m in steady]) < 0.75 * np.std([getattr(m, name) for m in noisy])
    assert metrics.prior_swd(z, prior) == steady[0]
    with pytest.raises(ValueError, match="at least 2, got 1"):
        metrics.prior_swd(z, prior, n_draws=1)
    with pytest.raises(ValueError, match=r"codes \(N, 2\), got \(500, 1\)"):
        metrics.prior_swd(z[:, :1], prior)


def test_a_code_that_is_the_label_leaks_all_and_noise_leaks_nothing():
    digits = bars(800)
    tells = metrics.style_leak(Stand(True), digits, digits)
    assert tells["mlp"].value > 0.9 and tells["mlp"].reference == pytest.approx(0.1)
    silent = metrics.style_leak(Stand(False), digits.subset(slice(0, 700)), digits.subset(slice(0, 600)))
    assert silent["linear"].value < 0.2


def test_drawn_as_asked_is_read_as_asked():
    model, judge, digits = Stand(False), Reader(), bars(200)
    assert metrics.sample_accuracy(model, judge, digits, n=50).value == 1
    assert metrics.swap_accuracy(model, judge, digits).value == 1
    assert metrics.swap_accuracy(model, judge, digits).reference == 1
    model.decode = lambda z, y: bars(10).pixels()[(y + 1) % 10]
    assert metrics.sample_accuracy(model, judge, digits, n=50).value == 0
    assert metrics.test_error(judge, digits).value == 0


def test_swaps_never_ask_for_the_digit_that_was_there():
    asked = []

    class Spy(Stand):
        def decode(self, z, y):
            asked.append(y)
            return super().decode(z, y)

    digits = bars(500)
    metrics.swap_accuracy(Spy(False), Reader(), digits)
    assert not (torch.cat(asked) == digits.labels).any()
    assert set(torch.cat(asked).tolist()) == set(range(10))


def test_evaluate_names_what_it_does_not_know():
    splits = type("S", (), {"train": bars(), "test": bars(), "validation": bars()})()
    with pytest.raises(ValueError, match="'training'"):
        metrics.evaluate(Stand(False), splits, ["prior_swd"], None, split="training")
    with pytest.raises(ValueError, match="'beauty'. Choose from: test_mse"):
        metrics.evaluate(Stand(False), splits, ["beauty"], None)
    found = metrics.evaluate(Stand(False), splits, ["prior_swd", "style_leak"], None)
    assert list(found) == ["prior_swd", "style_leak_linear", "style_leak_mlp"]
    assert set(found["prior_swd"].as_dict()) == {"value", "reference", "reference_is"}


def test_codes_come_in_the_order_of_the_digits():
    digits = bars(25)
    z = metrics.codes_of(Stand(True), Digits(digits.images, digits.labels), batch_size=7)
    assert z.shape == (25, 2) and torch.allclose(z[:, 0] * 10, (2.0 * digits.labels + 3), atol=1)
