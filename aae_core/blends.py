"""Chapter 9's counterexample on full MNIST: blends of stored digits, which rebuild nothing, by the Parzen-window measure.

    python -m aae_core.blends --data DIR

A sample is a random blend of a training digit and its nearest neighbours; how many neighbours is chosen on validation
digits, and the test digits are looked at once. Recorded beside the runs of ``likelihood``, as a variant that nobody trains.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import torch
from sklearn.decomposition import PCA
from torch import Tensor

from aae_core import metrics
from aae_core.data import Digits, load_digits
from aae_core.records import record

BLENDS = "blends of stored digits"
N_SAMPLES, NEIGHBOURS = 10_000, (8, 16, 32, 64)
PARTS = {"mean": "value", "error": "error", "bandwidth": "bandwidth"}
CODE_DIM = 8  # of the model that the figure is for, and so of the PCA that the error is read against


def blends(train: Digits, seed: int = 0) -> dict[int, Tensor]:
    """For each number of neighbours k, `N_SAMPLES` images (N, 1, 28, 28), each of a training digit and k − 1 more."""
    generator = torch.Generator().manual_seed(seed)
    x = train.pixels().flatten(1)
    # Neighbours by 50 principal components: nearly the same ones, and many times as fast.
    components = PCA(50, svd_solver="covariance_eigh").fit(x.numpy())
    short = torch.from_numpy(components.transform(x.numpy())).float()
    first = short[torch.randperm(len(x), generator=generator)[:N_SAMPLES]]
    nearest = torch.cat(
        [torch.cdist(part, short).topk(max(NEIGHBOURS), largest=False).indices for part in first.split(500)]
    )
    found = {}
    for k in NEIGHBOURS:
        # In proportion to these, all blends are alike probable.
        share = -torch.rand(len(first), k, generator=generator).log()
        share /= share.sum(1, keepdim=True)
        mixed = sum((share[:, [j]] * x[nearest[:, j]] for j in range(k)), torch.zeros(()))
        found[k] = mixed.view(-1, *train.images.shape[1:])
    return found


def main() -> None:
    """Reads the arguments, measures, records."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with MNIST's four files")
    splits = load_digits(parser.parse_args().data)
    if not splits.is_full:
        parser.error("the counterexample is of full MNIST; name its folder with --data")
    few, more = splits.validation.pixels(slice(0, 1000)), splits.validation.pixels(slice(1000, 3000))
    made = blends(splits.train)
    k = max(made, key=lambda k: metrics.parzen_of(made[k], few, more)["value"])
    score = metrics.parzen_of(made[k], few, splits.test.pixels())
    # It has no encoder: whatever it is shown, the best that it can give back is the mean of what it draws.
    blind = float((splits.test.pixels() - made[k].mean(0)).square().mean())
    pca = metrics.pca_mse(splits.train, splits.test, CODE_DIM)
    measures: dict[str, dict[str, object]] = {f"parzen_{name}": {"value": score[part]} for name, part in PARTS.items()}
    measures["test_mse"] = {"value": blind, "reference": pca, "reference_is": f"PCA with {CODE_DIM} components"}
    about = {
        "recipe": "likelihood",
        "variant": BLENDS,
        "split": "test",
        "made": datetime.now(UTC).date().isoformat(),
        "seed": 0,
        "epochs": 0,
    }
    built = {"model": "blends", "options": {"neighbours": k, "samples": N_SAMPLES}}
    data = {"dataset": "mnist", "train": len(splits.train), "checksum": splits.checksum}
    record([about | {"precision": "float32", "data": data, "configuration": built, "measures": measures}])
    print(measures)


if __name__ == "__main__":
    main()
