"""Chapter 2's table: the three posteriors, each trained from several seeds.

    python -m benchmarks.posteriors [RECIPE …] [--data DIR] [--seeds 0 1 2]

Writes ``seeds.json`` beside each recipe's weights: its measures on the test digits for each seed. The zoo's own run is
taken from its card; seeds that the file already has are not trained again, unless the recipe has another length now.
"""

from __future__ import annotations

import json

from aae_core import zoo
from aae_core.data import Splits
from aae_core.models.adversarial import RECIPES
from aae_core.recipes import recipe
from benchmarks.retrained import asked, length_of, retrained


def measures_of_seed(name: str, seed: int, splits: Splits) -> dict[str, float]:
    """The measures of `name` trained from `seed`: by name, their values alone."""
    about = zoo.card(name)
    if about["seed"] == seed:
        return {measure: about["measures"][measure]["value"] for measure in recipe(name).measures}
    found = retrained(recipe(name).with_training(seed=seed), splits)
    return {measure: found[measure] for measure in recipe(name).measures}


def main() -> None:
    """Reads the arguments, trains what is missing, writes the files."""
    arguments = asked(__doc__, [each.name for each in RECIPES], seeds=[0, 1, 2])
    for name in arguments.recipes:
        path = zoo.folder_of(name) / "seeds.json"
        settings = length_of(recipe(name))
        kept = json.loads(path.read_text()) if path.exists() else {}
        seeds = kept["seeds"] if kept.get("settings") == settings else {}
        for seed in arguments.seeds:
            if str(seed) not in seeds:
                seeds[str(seed)] = measures_of_seed(name, seed, arguments.splits)
                print(name, seed, {k: round(v, 4) for k, v in seeds[str(seed)].items()}, flush=True)
                path.write_text(json.dumps({"settings": settings, "seeds": seeds}, indent=1) + "\n")


if __name__ == "__main__":
    main()
