"""Chapter 7's ladder: what each ingredient of the clustering recipe is worth, with 16 clusters, on full MNIST.

    python benchmarks/ladder.py [--data DIR] [--epochs 6] [--seeds 0]

Writes ``ladder.json`` beside the weights of ``clustering-16``: for each rung and seed the error by both ways of naming
and the clusters in use. All are of validation digits: one half of them names the clusters, the other is counted. Runs
that the file already has are not made again, unless their length is another.
"""

from __future__ import annotations

import argparse
import json

import torch

from aae_core import metrics, zoo
from aae_core.data import Digits, load_digits
from aae_core.recipes import recipe
from aae_core.recipes.semi_supervised import RUNGS, clustering_model
from aae_core.training import TrainingConfig, fit, seed_everything

RECIPE, FILE = "clustering-16", "ladder.json"
N_CLUSTERS = 16


def measures_of_rung(rung: str, config: TrainingConfig, train: Digits, validation: Digits) -> dict[str, float]:
    """Trains the model of one rung and measures it: by name, the values alone."""
    with torch.random.fork_rng():
        seed_everything(config.seed)
        model = clustering_model(N_CLUSTERS, rung)
    fit(model, train.hide_labels(0, config.seed), config)
    half = len(validation) // 2
    named, counted = validation.subset(slice(half)), validation.subset(slice(half, None))
    found = metrics.clustering_error(model.eval(), named, counted)
    return {name: round(measure.value, 5) for name, measure in found.items()}


def main() -> None:
    """Reads the arguments, trains what is missing, writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="folder with MNIST's four files")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    arguments = parser.parse_args()
    splits = load_digits(arguments.data)
    if not splits.is_full:
        parser.error("the ladder is of full MNIST; name its folder with --data")
    path = zoo.ZOO / RECIPE / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    chosen = recipe(RECIPE).with_training(epochs=arguments.epochs).training
    settings = {
        "epochs": chosen.epochs,
        "batch_size": chosen.batch_size,
        "steps": chosen.epochs * (len(splits.train) // chosen.batch_size),
        "images": len(splits.train),
        "n_clusters": N_CLUSTERS,
    }
    kept = json.loads(path.read_text()) if path.exists() else {}
    rungs = kept["rungs"] if kept.get("settings") == settings else {}
    for seed in arguments.seeds:
        config = recipe(RECIPE).with_training(epochs=arguments.epochs, seed=seed).training
        for rung in RUNGS:
            runs = rungs.setdefault(rung, {})
            if str(seed) not in runs:
                runs[str(seed)] = measures_of_rung(rung, config, splits.train, splits.validation)
                print(rung, seed, runs[str(seed)], flush=True)
                path.write_text(json.dumps({"settings": settings, "rungs": rungs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
