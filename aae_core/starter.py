"""A folder to begin with: a script that trains a recipe on data of your own, short enough to be changed all over."""

from __future__ import annotations

from pathlib import Path

SCRIPT = '''"""A model of your own data. Change what you like, then run it: python train.py"""

from pathlib import Path

import aae_core
from aae_core import zoo
from aae_core.data import kind_of

DATA = None  # Path("flowers"), a folder of images; Path("cells.npz"), an array; Path("wine.csv"), a table; None: MNIST
READING = {}  # of a folder: {"image_shape": (3, 32, 32)}; of a table: {"label": "quality"}
RECIPE = "aae-deterministic"  # aae recipes lists them
SETTINGS = {"hidden": (256, 256), "prior.dim": 8}  # options of the model, of its prior, of the training
STEPS = 2000
RUN = Path("runs/first")  # each run has a folder of its own

splits = aae_core.load_dataset(kind_of(DATA), DATA, **READING)
recipe = aae_core.recipe(RECIPE).with_settings(SETTINGS).with_steps(STEPS, len(splits.train))
card = zoo.run(recipe, splits, RUN, variant=str(SETTINGS))
for name, measure in card["measures"].items():
    print(f"{name}: {measure['value']:.4f}; {measure['reference_is']}: {measure['reference']:.4f}")
print(f"Look at it: aae explore {RUN}. The codes of any data: aae encode {RUN} --data PATH --out codes.csv")
'''
"""The script; ``aae init`` writes it."""


def start(folder: Path) -> Path:
    """Writes :data:`SCRIPT` into `folder`, which is made if need be, and returns its path.

    Raises:
        ValueError: there is one already.
    """
    path = folder / "train.py"
    if path.exists():
        raise ValueError(f"{path}: is there already, and stays as it is. Name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPT, "utf-8")
    return path
