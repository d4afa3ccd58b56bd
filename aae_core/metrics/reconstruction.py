"""How well images are rebuilt, against principal component analysis."""

from __future__ import annotations

import numpy as np
import torch

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, codes_of, decode_all, rebuild_all
from aae_core.step import AnyModel

CHOICES = 10
"""How many choices of letters to show :func:`alphabet_mse` takes the mean of."""


def test_mse(model: AnyModel, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel of the reconstruction; against PCA with as many components.

    A decoder that takes a class gets what the model itself infers, where it infers one, else the label.
    """
    x_hat = rebuild_all(model, test)
    value = float((x_hat - test.pixels().cpu()).square().mean())
    return Measure(value, pca_mse(train, test, model.code_dim), f"PCA with {model.code_dim} components")


def class_mse(model: AnyModel, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel as :func:`test_mse`; against a PCA of each class, which is so told the class as well."""
    parts = [(train.subset(train.labels == k), test.subset(test.labels == k)) for k in range(model.n_classes)]
    # each class with its weight among the test images
    reference = sum(len(b) * pca_mse(a, b, model.code_dim) for a, b in parts) / len(test)
    x_hat = rebuild_all(model, test)
    value = float((x_hat - test.pixels().cpu()).square().mean())
    return Measure(value, reference, f"PCA with {model.code_dim} components for each class")


def other_mse(model: AnyModel, train: Digits, test: Digits) -> Measure:
    """Mean squared error per pixel of letters drawn from *another* letter's style; against the mean of their class.

    Of both sets, as many images in turn as there are classes are a face's, one of each class in order. Each letter of a
    face is drawn from each other one of it.
    """
    n = model.n_classes
    z, x, x_train = (t.cpu().unflatten(0, (-1, n)) for t in (codes_of(model, test), test.pixels(), train.pixels()))
    y = torch.arange(n).repeat(len(x))
    drawn = (decode_all(model, z.roll(k, 1).flatten(0, 1), y).view_as(x) for k in range(1, n))
    value = sum(float((each - x).square().mean()) for each in drawn) / (n - 1)
    return Measure(value, float((x_train.mean(0) - x).square().mean()), "the mean of each class")


def alphabet_mse(model: AnyModel, train: Digits, test: Digits, seed: int = 0) -> dict[str, Measure]:
    """Mean squared error per pixel of a face's letters that are *not* shown, drawn from the mean style of one, three and ten that
    are, by number; against the mean of their class. Means over :data:`CHOICES` choices of letters. Both sets as in :func:`other_mse`.
    """
    n = model.n_classes
    z, x, x_train = (t.cpu().unflatten(0, (-1, n)) for t in (codes_of(model, test), test.pixels(), train.pixels()))
    centre, order = x_train.mean(0), np.random.default_rng(seed)
    found = {}
    for k in (1, 3, 10):
        errors = []
        for _ in range(CHOICES):
            shown, rest = torch.from_numpy(order.permutation(n)).split([k, n - k])
            drawn = decode_all(model, z[:, shown].mean(1).repeat_interleave(n - k, 0), rest.repeat(len(x)))
            errors.append(
                [float((each - x[:, rest]).square().mean()) for each in (drawn.view_as(x[:, rest]), centre[rest])]
            )
        value, reference = np.mean(errors, 0).tolist()
        found[str(k)] = Measure(value, reference, "the mean of each class")
    return found


def hairline_share(model: AnyModel, test: Digits) -> Measure:
    """Squared error of the lightest fifth of faces, each letter rebuilt from its own style, as a share of that of an empty
    picture; against the same of the heaviest fifth. The set is as in :func:`other_mse`.
    """
    n = model.n_classes
    x, x_hat = (t.cpu().unflatten(0, (-1, n)) for t in (test.pixels(), rebuild_all(model, test)))
    share = ((x_hat - x).square().flatten(2).mean(2) / x.square().flatten(2).mean(2)).mean(1)
    weight = x.flatten(1).mean(1)
    light, heavy = weight <= weight.quantile(0.2), weight >= weight.quantile(0.8)
    return Measure(float(share[light].mean()), float(share[heavy].mean()), "the same of the heaviest fifth")


def pca_mse(train: Digits, test: Digits, n_components: int) -> float:
    """Mean squared error per pixel of `test` rebuilt from the principal components of `train`."""
    from sklearn.decomposition import PCA

    x, x_test = (digits.pixels().flatten(1).cpu().numpy() for digits in (train, test))
    n, pixels = x.shape
    k = min(n_components, n, pixels)
    # The covariance solver sees as many numbers as there are pairs of pixels, however many images there are. Of large
    # images those are too many, and where the images are few the components that are asked for are sooner found one by one.
    solver = (
        "randomized"
        if pixels > 2048
        else "covariance_eigh"
        if n > 4 * pixels
        else "arpack"
        if k < min(n, pixels)
        else "full"
    )
    pca = PCA(k, svd_solver=solver, random_state=0).fit(x)
    return float(np.square(pca.inverse_transform(pca.transform(x_test)) - x_test).mean())
