"""The measures: right on cases whose answer is known."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from aae_core import metrics
from aae_core.data import Digits, Splits
from aae_core.metrics import Judge, parzen_window
from aae_core.metrics.measure import log_sum_exp
from aae_core.metrics.parzen_window import BANDWIDTHS
from aae_core.priors import Gaussian
from aae_core.training import Batch, TrainingConfig, fit, seed_everything
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


def test_of_images_beyond_all_measure_one_is_looked_at(monkeypatch):
    for most, n in ((1, 1), (3 * 784, 3), (10**9, 20)):
        monkeypatch.setattr("aae_core.metrics.measure.MOST", most)
        assert metrics.few_enough(bars(20)) == len(metrics.looked_at(bars(20))) == n


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


def test_a_cloud_far_from_the_prior_is_always_told_from_it():
    z = Gaussian(1).sample(60, generator=torch.Generator().manual_seed(5)) + 9
    assert (
        metrics.two_sample(z, Gaussian(1)).value == pytest.approx(1)
        and metrics.two_sample(z, Gaussian(1)).reference == 0.5
    )


@pytest.mark.parametrize("width", [2, 4])
def test_codes_of_another_width_than_the_priors_are_refused(width):
    with pytest.raises(ValueError, match=rf"z: .*3\).*{width}\)"):
        metrics.prior_swd(torch.zeros(9, width), Gaussian(3))


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
    with pytest.raises(ValueError, match="2.* 1"):
        metrics.prior_swd(z, prior, n_draws=1)
    with pytest.raises(ValueError, match=r"codes \(N, 2\), got \(500, 1\)"):
        metrics.prior_swd(z[:, :1], prior)


def test_a_code_that_is_the_label_leaks_all_and_noise_leaks_nothing():
    digits = bars(800)
    tells = metrics.style_leak(Stand(True), digits, digits)
    assert tells["mlp"].value > 0.9 and tells["mlp"].reference == pytest.approx(0.1)
    silent = metrics.style_leak(Stand(False), digits.subset(slice(0, 700)), digits.subset(slice(0, 600)))
    assert silent["linear"].value < 0.2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [60, 280, 3000])
def test_the_probes_warn_of_nothing_however_few_the_images(n):
    metrics.style_leak(Stand(False), bars(n), bars(60))


def test_drawn_as_asked_is_read_as_asked():
    model, judge, digits = Stand(False), Reader(), bars(200)
    assert metrics.sample_accuracy(model, judge, digits, n=50).value == 1
    assert metrics.swap_accuracy(model, judge, digits).value == 1
    assert metrics.swap_accuracy(model, judge, digits).reference == 1
    model.decode = lambda z, y: bars(10).pixels()[(y + 1) % 10]
    assert metrics.sample_accuracy(model, judge, digits, n=50).value == 0
    assert metrics.test_error(judge, digits).value == 0


def test_what_measures_share_is_made_once():
    encoded, read = [], []

    class Model(Stand):
        def encode(self, x):
            encoded.append(len(x))
            return super().encode(x)

    class Spy(Reader):
        def probabilities(self, x):
            read.append(len(x))
            return super().probabilities(x)

    splits = Splits(bars(300), bars(60), bars(70), source="bars", checksum="")
    model = Model(False)
    found = metrics.evaluate(model, splits, ["prior_swd", "prior_holes", "sample_accuracy", "swap_accuracy"], Spy())
    assert sorted(read) == [70, 70, 10_000]  # the real digits, the swapped ones, the samples
    assert encoded == [70]
    alone = metrics.swap_accuracy(model, Reader(), splits.test)
    assert found["swap_accuracy"] == alone


def test_the_logarithm_of_a_sum_of_exponentials_is_torchs_wherever_the_terms_lie():
    x = torch.randn(50, 300, generator=torch.Generator().manual_seed(0)) * torch.logspace(-2, 4, 50)[:, None]
    x[0], x[1, 3], x[2, 5] = -torch.inf, torch.inf, -torch.inf
    assert torch.equal(log_sum_exp(x), x.logsumexp(1))


def test_swaps_never_ask_for_the_digit_that_was_there():
    asked = []

    class Spy(Stand):
        def decode(self, z, y):
            asked.append(y)
            return super().decode(z, y)

    digits = bars(500)
    metrics.swap_accuracy(Spy(False), Reader(), digits)
    assert set(((torch.cat(asked) - digits.labels) % 10).tolist()) == set(range(1, 10))


def test_the_judge_sees_images_shifted_by_up_to_two_pixels_each_way():
    seen = set()

    class Spy(Judge):
        def forward(self, x):
            seen.update(divmod(int(image.argmax()), 28) for image in x)
            return super().forward(x)

    seed_everything(0)
    judge = Spy(width=1, n_features=2)
    dot = torch.zeros(2, 1, 28, 28)
    dot[:, :, 10, 14] = 1
    for _ in range(300):
        judge.step(Batch(dot, torch.tensor([0, 1])), {"judge": torch.optim.SGD(judge.parameters(), 0.0)})
    assert seen == {(10 + i, 14 + j) for i in range(-2, 3) for j in range(-2, 3)}


def test_the_judge_learns_to_read():
    seed_everything(0)
    judge = Judge(width=4, n_features=32)
    config = TrainingConfig(epochs=10, batch_size=32, learning_rate=3e-3, device="cpu", precision="float32")
    fit(judge, bars(320), config, progress=False)
    assert metrics.test_error(judge, bars(50)).value < 0.4 < metrics.test_error(judge, bars(50)).reference


def test_evaluate_names_what_it_does_not_know():
    splits = Splits(bars(), bars(), bars(), source="bars", checksum="")
    with pytest.raises(ValueError, match="'training'"):
        metrics.evaluate(Stand(False), splits, ["prior_swd"], None, split="training")
    with pytest.raises(ValueError, match="'beauty'.*test_mse"):
        metrics.evaluate(Stand(False), splits, ["beauty"], None)
    found = metrics.evaluate(Stand(False), splits, ["prior_swd", "style_leak"], None)
    assert list(found) == ["prior_swd", "style_leak_linear", "style_leak_mlp"]
    assert set(found["prior_swd"].as_dict()) == {"value", "reference", "reference_is"}


def test_codes_come_in_the_order_of_the_digits():
    digits = bars(25)
    z = metrics.codes_of(Stand(True), Digits(digits.images, digits.labels), batch_size=7)
    assert z.shape == (25, 2) and torch.allclose(z[:, 0] * 10, (2.0 * digits.labels + 3), atol=1)


def test_clusters_are_named_by_their_surest_image_or_by_their_majority():
    probabilities = torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]])
    labels = torch.tensor([4, 7, 7, 1, 2])
    assert metrics.name_by_example(probabilities, labels).tolist() == [4, 2]
    assert metrics.name_by_majority(probabilities, labels).tolist() == [7, 1]


def test_an_empty_cluster_takes_the_name_of_its_nearest_image():
    probabilities = torch.tensor([[0.9, 0.1, 0.0], [0.6, 0.2, 0.2], [0.5, 0.5, 0.0]])
    labels = torch.tensor([4, 7, 7])
    assert metrics.name_by_majority(probabilities, labels).tolist() == [7, 7, 7]
    assert metrics.clusters_in_use(probabilities) == 1


def test_a_cluster_is_in_use_that_holds_a_share_of_the_images():
    few = torch.nn.functional.one_hot(torch.tensor([0] * 998 + [1, 4]), 5).float()
    assert metrics.clusters_in_use(few) == 3 and metrics.clusters_in_use(few, least=0.002) == 1
    assert metrics.clusters_in_use(torch.eye(5)[:2]) == 2  # more clusters than images


def test_clustering_error_counts_images_in_clusters_of_another_name():
    digits = bars(100)

    class Clusters:
        n_classes = 20

        @staticmethod
        def probabilities(x):
            right = Reader().probabilities(x)
            sure = torch.cat([0.9 * right, torch.zeros(len(x), 10)], 1)
            sure[:7] = torch.nn.functional.one_hot(torch.full((7,), 10), 20).float()  # seven stand apart
            return sure

    found = metrics.clustering_error(Clusters, digits, digits)
    kept = digits.labels[:7].mode().values
    assert found["majority"].value == pytest.approx(float((digits.labels[:7] != kept).float().mean()) * 0.07)
    assert found["paper"].value <= 0.07
    assert found["in_use"].value == 11 and found["in_use"].reference == 20
    assert found["majority"].reference == pytest.approx(0.9)


def test_parzen_windows_know_a_gaussian():
    """Many samples of N(0, s²) per pixel under a narrow window: the log density is near the true one in few dimensions."""
    generator = torch.Generator().manual_seed(0)
    samples, test = (torch.randn(n, 2, generator=generator) * 0.5 for n in (10_000, 2000))
    truth = torch.distributions.Normal(0, 0.5).log_prob(test).sum(1).mean()
    found = metrics.parzen_of(samples, test[:500], test)
    assert found["value"] == pytest.approx(float(truth), abs=0.05)
    assert 0 < found["error"] < 0.05
    assert (BANDWIDTHS[0], BANDWIDTHS[-1]) == (0.1, 0.3981) and list(BANDWIDTHS) == sorted(BANDWIDTHS)
    with pytest.raises(ValueError, match="bandwidth: .*0"):
        metrics.log_likelihoods(torch.ones(2, 2), 0, 4)


def test_a_window_is_chosen_on_a_thousand_validation_digits_for_both(monkeypatch):
    seen, digits = [], bars(1200)
    answer = {"value": 1.0, "error": 0.1, "bandwidth": 0.2}
    monkeypatch.setattr(parzen_window, "parzen_of", lambda *sets: seen.append(sets) or answer)
    monkeypatch.setattr(parzen_window, "samples_of", lambda model, n, seed: digits.pixels(slice(0, n)))
    metrics.parzen(None, digits, digits, digits.subset(slice(0, 50)), n=30)
    for samples, validation, test in seen:
        assert len(samples) == 30 and torch.equal(validation, digits.pixels(slice(0, 1000))) and len(test) == 50
    assert len(seen) == 2


def test_parzen_prefers_blurred_averages_to_what_it_should_measure():
    """What chapter 9 warns of: a few sharp samples lose to as many centres, though real images are sharp."""
    x = bars(200).pixels()
    centres = torch.stack([x[bars(200).labels == k].mean(0) for k in range(10)])
    sharp = metrics.parzen_of(x[:5], x[:50], x[50:])["value"]
    assert metrics.parzen_of(centres, x[:50], x[50:])["value"] > sharp


def test_frechet_distance_of_gaussians_is_the_known_one():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (50_000, 3)), rng.normal(1, 2, (50_000, 3))
    assert metrics.frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert metrics.frechet_distance(a, b) == pytest.approx(3 * 1 + 3 * (1 - 2) ** 2, rel=0.03)


def test_kernel_distance_of_one_distribution_is_zero_on_average_from_few_points_as_from_many():
    """Fréchet's is not: the fewer points, the further apart two samples of one distribution."""
    rng = np.random.default_rng(0)

    def mean(distance, n, shift=0.0):
        return np.mean([distance(rng.normal(0, 1, (n, 3)), rng.normal(shift, 1, (n, 3))) for _ in range(100)])

    few, many, apart = (mean(metrics.kernel_distance, n, shift) for n, shift in ((20, 0), (200, 0), (20, 1)))
    assert abs(few) < 0.1 * apart and abs(many) < 0.1 * apart
    assert mean(metrics.frechet_distance, 20) > 3 * mean(metrics.frechet_distance, 200)


def test_kernel_distance_is_the_mean_over_pairs_of_different_points():
    def kernel(x, y):
        return (x @ y / 2 + 1) ** 3

    a, b = np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 2.0]])
    within = kernel(a[0], a[1]) + (kernel(b[0], b[1]) + kernel(b[0], b[2]) + kernel(b[1], b[2])) / 3
    between = np.mean([kernel(x, y) for x in a for y in b])
    assert metrics.kernel_distance(a, b) == pytest.approx(within - 2 * between)
    with pytest.raises(ValueError, match="a, b: .* 1 and 3"):
        metrics.kernel_distance(a[:1], b)


def test_each_class_is_measured_against_a_pca_of_its_own():
    """Two classes of 3 × 3 pixels: the one fills all nine dimensions, the other only two, and is rebuilt from two numbers."""
    torch.manual_seed(0)
    y = torch.arange(400) % 2
    x = torch.randn(400, 9)
    x[y == 1] = x[y == 1, :2] @ torch.linalg.qr(torch.randn(9, 2)).Q.T
    digits = Digits((128 + 20 * x).round().clamp(0, 255).byte().view(-1, 1, 3, 3), y, 2)
    model = Stand(tells=False)
    model.n_classes, model.code_dim, model.reconstruct = 2, 2, lambda x, y: torch.zeros_like(x)
    found = metrics.class_mse(model, digits, digits)
    assert found.value == pytest.approx(float(digits.pixels().square().mean()))
    apart = [metrics.pca_mse(part, part, 2) for part in (digits.subset(y == 0), digits.subset(y == 1))]
    assert apart[0] > 10 * apart[1]
    assert found.reference == pytest.approx(sum(apart) / 2)
