"""Measures of a trained model on held-out digits, each with the reference that makes it readable.

Pixels are in [0, 1]. Random draws come from a seed, so that a number can be had again. scikit-learn is imported
by the measures that use it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn

from aae_core.data import Digits, Splits
from aae_core.models.judge import Judge
from aae_core.priors import Prior


@dataclass(frozen=True)
class Measure:
    """One figure: its value, the value to read it against, and what that reference is."""

    value: float
    reference: float
    reference_is: str

    def as_dict(self) -> dict[str, float | str]:
        """The measure as plain data, ready for JSON."""
        return asdict(self)


@torch.no_grad()
def codes_of(model: nn.Module, digits: Digits, batch_size: int = 2000) -> Tensor:
    """The model's codes of all `digits`, ``float32`` (N, code_dim), on the CPU."""
    device = next(model.parameters()).device
    starts = range(0, len(digits), batch_size)
    return torch.cat([model.encode(digits.pixels(slice(i, i + batch_size)).to(device)).cpu() for i in starts])


@torch.no_grad()
def decode_all(model: nn.Module, z: Tensor, y: Tensor | None = None, batch_size: int = 2000) -> Tensor:
    """Images (N, 1, 28, 28) of codes (N, code_dim) and, for a model that takes them, labels (N,), on the CPU."""
    device = next(model.parameters()).device
    labels = (None,) * len(z.split(batch_size)) if y is None else y.split(batch_size)
    parts = zip(z.split(batch_size), labels, strict=True)
    return torch.cat([model.decode(*(t.to(device) for t in part if t is not None)).cpu() for part in parts])


def test_mse(model: nn.Module, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel of the reconstruction; against PCA with as many components."""
    z = codes_of(model, test)
    x_hat = decode_all(model, z, test.labels.cpu() if model.decoder.n_classes else None)
    value = float((x_hat - test.pixels().cpu()).square().mean())
    return Measure(value, pca_mse(train, test, z.shape[1]), f"PCA with {z.shape[1]} components")


def pca_mse(train: Digits, test: Digits, n_components: int) -> float:
    """Mean squared error per pixel of `test` rebuilt from the principal components of `train`."""
    from sklearn.decomposition import PCA

    x, x_test = (digits.pixels().flatten(1).cpu().numpy() for digits in (train, test))
    # The covariance solver sees 784 × 784 numbers, however many images there are.
    pca = PCA(n_components, svd_solver="covariance_eigh").fit(x)
    return float(np.square(pca.inverse_transform(pca.transform(x_test)) - x_test).mean())


def sliced_wasserstein(a: Tensor, b: Tensor, n_directions: int = 256, seed: int = 0) -> float:
    """Sliced Wasserstein-1 distance between two samples of equal size, both (N, d).

    The mean, over random directions, of the mean distance between the sorted projections (Bonneel et al. 2015).

    Raises:
        ValueError: the two samples differ in shape.
    """
    if a.shape != b.shape:
        raise ValueError(f"expected two samples of one shape, got {tuple(a.shape)} and {tuple(b.shape)}.")
    directions = torch.randn(a.shape[1], n_directions, generator=torch.Generator().manual_seed(seed))
    directions /= directions.norm(dim=0)
    return float(((a @ directions).sort(0).values - (b @ directions).sort(0).values).abs().mean())


def prior_swd(z: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """Sliced Wasserstein-1 distance between codes and as many prior samples; against two samples of the prior."""
    generator = torch.Generator().manual_seed(seed)
    a, b, c = (prior.sample(len(z), generator=generator) for _ in range(3))
    return Measure(sliced_wasserstein(z, a), sliced_wasserstein(b, c), "the same between two samples of the prior")


def two_sample(z: Tensor, prior: Prior, seed: int = 0) -> Measure:
    """Accuracy, by five-fold cross-validation, of a fresh classifier that tells codes from prior samples."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    samples = prior.sample(len(z), generator=torch.Generator().manual_seed(seed))
    x = torch.cat([z, samples]).numpy()
    y = np.repeat([0, 1], len(z))
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    classifier = HistGradientBoostingClassifier(max_iter=100, random_state=seed)
    return Measure(float(cross_val_score(classifier, x, y, cv=folds).mean()), 0.5, "chance")


def judged_accuracy(judge: Judge, images: Tensor, labels: Tensor) -> float:
    """Share of `images` that the judge reads as `labels`."""
    return float((judge.probabilities(images).argmax(1) == labels.cpu()).float().mean())


def judge_reference(judge: Judge, test: Digits) -> tuple[float, str]:
    """The judge's accuracy on real digits, which no drawn digit is expected to exceed."""
    return judged_accuracy(judge, test.pixels(), test.labels), "the judge on real digits"


def sample_accuracy(model: nn.Module, judge: Judge, test: Digits, n: int = 10_000, seed: int = 0) -> Measure:
    """Share of digits drawn for k, in random styles, that the judge reads as k; against its score on real digits."""
    generator = torch.Generator().manual_seed(seed)
    z = model.prior.sample(n, generator=generator)
    y = torch.arange(n) % model.n_classes
    return Measure(judged_accuracy(judge, decode_all(model, z, y), y), *judge_reference(judge, test))


def swap_accuracy(model: nn.Module, judge: Judge, test: Digits, seed: int = 0) -> Measure:
    """Share of test styles that, decoded under another digit drawn at random, are read as that digit."""
    z = codes_of(model, test)
    shift = torch.randint(1, model.n_classes, (len(z),), generator=torch.Generator().manual_seed(seed))
    y = (test.labels.cpu() + shift) % model.n_classes
    return Measure(judged_accuracy(judge, decode_all(model, z, y), y), *judge_reference(judge, test))


def style_leak(model: nn.Module, probe_on: Digits, test: Digits, seed: int = 0) -> dict[str, Measure]:
    """How well a linear and a nonlinear probe read the digit from the style code alone.

    The linear probe is logistic regression; the other is a perceptron of 2 × 128 units with early stopping. Both learn
    on the codes of `probe_on` and are scored on those of `test`.

    Returns:
        ``linear`` and ``mlp``; against the share of the most frequent digit, which needs no code at all.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z, y = codes_of(model, probe_on).numpy(), probe_on.labels.cpu().numpy()
    z_test, y_test = codes_of(model, test).numpy(), test.labels.cpu().numpy()
    majority = float(np.bincount(y_test).max() / len(y_test))
    probes = {
        "linear": LogisticRegression(max_iter=1000),
        "mlp": MLPClassifier((128, 128), early_stopping=True, batch_size=256, max_iter=60, random_state=seed),
    }
    scores = {k: make_pipeline(StandardScaler(), probe).fit(z, y).score(z_test, y_test) for k, probe in probes.items()}
    return {k: Measure(float(score), majority, "the most frequent digit") for k, score in scores.items()}


def test_error(judge: Judge, test: Digits) -> Measure:
    """Share of `test` that a classifier reads wrongly; against chance."""
    return Measure(1 - judged_accuracy(judge, test.pixels(), test.labels), 0.9, "chance")


@dataclass(frozen=True)
class Trial:
    """What a measure may look at."""

    model: nn.Module
    train: Digits
    held_out: Digits
    judge: Judge | None
    seed: int


MEASURES: dict[str, Callable[[Trial], Measure | dict[str, Measure]]] = {
    "test_mse": lambda t: test_mse(t.model, t.train, t.held_out),
    "prior_swd": lambda t: prior_swd(codes_of(t.model, t.held_out), t.model.prior, t.seed),
    "two_sample": lambda t: two_sample(codes_of(t.model, t.held_out), t.model.prior, t.seed),
    "sample_accuracy": lambda t: sample_accuracy(t.model, t.judge, t.held_out, seed=t.seed),
    "swap_accuracy": lambda t: swap_accuracy(t.model, t.judge, t.held_out, t.seed),
    "style_leak": lambda t: style_leak(t.model, t.train, t.held_out, t.seed),
    "test_error": lambda t: test_error(t.model, t.held_out),
}
"""The measures by name, as recipes list them. Some give several figures, by name."""


def evaluate(
    model: nn.Module, splits: Splits, measures: Sequence[str], judge: Judge | None, split: str = "test", seed: int = 0
) -> dict[str, Measure]:
    """All of `measures` of `model` on one split.

    Args:
        measures: names in :data:`MEASURES`.
        judge: reads what the model draws; only some measures need it.
        split: "test" or "validation".

    Returns:
        A :class:`Measure` for each name, and for each part of a measure with several (``style_leak_linear``).

    Raises:
        ValueError: an unknown split or measure.
    """
    if split not in ("test", "validation"):
        raise ValueError(f"split: expected 'test' or 'validation', got {split!r}.")
    if unknown := [name for name in measures if name not in MEASURES]:
        raise ValueError(f"measures: there is no {unknown[0]!r}. Choose from: {', '.join(MEASURES)}.")
    trial = Trial(model, splits.train, getattr(splits, split), judge, seed)
    found: dict[str, Measure] = {}
    for name in measures:
        result = MEASURES[name](trial)
        found |= {name: result} if isinstance(result, Measure) else {f"{name}_{k}": m for k, m in result.items()}
    return found
