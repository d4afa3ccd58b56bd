"""The ladders of chapters 6 and 7: what each ingredient of two recipes is worth, on full MNIST.

    python -m benchmarks.ladder [RECIPE …] [--data DIR] [--epochs 6] [--seeds 0]

Writes ``ladder.json`` beside a recipe's weights: for each rung and seed its measures of validation digits. Of clusters
that is the error by both ways of naming and how many are in use; one half of the digits names them, the other is
counted. Runs that the file already has are not made again, unless their length is another.
"""

from __future__ import annotations

import json

import torch
from torch import nn

from aae_core import metrics, zoo
from aae_core.data import Digits, Splits
from aae_core.models import clustering_model, reading_model
from aae_core.models.semi_supervised import RUNGS
from aae_core.recipes import recipe
from aae_core.training import TrainingConfig, fit, seed_everything
from benchmarks.retrained import asked

FILE = "ladder.json"
N_CLUSTERS = 16
LADDERS = {
    "semi-supervised-100": {rung: reading_model for rung in RUNGS if rung != "normalised"},
    f"clustering-{N_CLUSTERS}": {rung: lambda rung: clustering_model(N_CLUSTERS, rung) for rung in RUNGS},
}


def measures_of(model: nn.Module, labelled: bool, validation: Digits) -> dict[str, float]:
    """The measures of a trained model: by name, the values alone."""
    if labelled:
        return {"error": round(metrics.test_error(model, validation).value, 5)}
    half = len(validation) // 2
    named, counted = validation.subset(slice(half)), validation.subset(slice(half, None))
    found = metrics.clustering_error(model, named, counted)
    return {name: round(measure.value, 5) for name, measure in found.items()}


def climb(name: str, rung: str, config: TrainingConfig, splits: Splits) -> dict[str, float]:
    """Trains the model of one rung of a recipe's ladder and measures it."""
    chosen = recipe(name)
    with torch.random.fork_rng():
        seed_everything(config.seed)
        model = LADDERS[name][rung](rung)
    fit(model, chosen.training_digits(splits, config.seed), config)
    return measures_of(model.eval(), bool(chosen.labelled), splits.validation)


def main() -> None:
    """Reads the arguments, trains what is missing, writes the files."""
    arguments = asked(__doc__, list(LADDERS), seeds=[0], epochs=6)
    splits = arguments.splits
    for name in arguments.recipes:
        path = zoo.ZOO / name / FILE
        path.parent.mkdir(parents=True, exist_ok=True)
        chosen = recipe(name).with_training(epochs=arguments.epochs).training
        settings = {
            "epochs": chosen.epochs,
            "batch_size": chosen.batch_size,
            "steps": chosen.epochs * (len(splits.train) // chosen.batch_size),
            "images": len(splits.train),
        }
        kept = json.loads(path.read_text()) if path.exists() else {}
        rungs = kept["rungs"] if kept.get("settings") == settings else {}
        for seed in arguments.seeds:
            config = recipe(name).with_training(epochs=arguments.epochs, seed=seed).training
            for rung in LADDERS[name]:
                runs = rungs.setdefault(rung, {})
                if str(seed) not in runs:
                    runs[str(seed)] = climb(name, rung, config, splits)
                    print(name, rung, seed, runs[str(seed)], flush=True)
                    path.write_text(json.dumps({"settings": settings, "rungs": rungs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
