"""What the style code still tells about the digit (chapter 5)."""

from __future__ import annotations

import math
import warnings

import numpy as np

from aae_core.data import Digits
from aae_core.metrics.measure import Measure, codes_of
from aae_core.step import AnyModel


def style_leak(model: AnyModel, probe_on: Digits, test: Digits, seed: int = 0) -> dict[str, Measure]:
    """How well a linear and a nonlinear probe read the digit from the style code alone.

    The linear probe is logistic regression; the other is a perceptron of 2 × 128 units with early stopping. Both learn
    on the codes of `probe_on` and are scored on those of `test`. The perceptron stops after 60 passes, converged or not.

    Returns:
        ``linear`` and ``mlp``; against the share of the most frequent class, which needs no code at all.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    z, y = codes_of(model, probe_on).numpy(), probe_on.labels.cpu().numpy()
    z_test, y_test = codes_of(model, test).numpy(), test.labels.cpu().numpy()
    majority = float(np.bincount(y_test).max() / len(y_test))
    size = min(256, len(y) - math.ceil(0.1 * len(y)))  # early stopping holds a tenth back
    probes = {
        "linear": LogisticRegression(max_iter=1000),
        "mlp": MLPClassifier((128, 128), early_stopping=True, batch_size=size, max_iter=60, random_state=seed),
    }
    scores = {}
    for name, probe in probes.items():
        with warnings.catch_warnings():
            if name == "mlp":
                warnings.simplefilter("ignore", ConvergenceWarning)
            scores[name] = make_pipeline(StandardScaler(), probe).fit(z, y).score(z_test, y_test)
    return {k: Measure(float(score), majority, "the most frequent class") for k, score in scores.items()}
