"""The code behind the book: adversarial autoencoders, the loop that trains them, and what measures them.

``aae_core.load("supervised")`` gives a trained model; the modules are named after what they hold.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Threads of torch that wait for each other keep their cores busy, on a busy machine the very cores that those they wait for need:
# training takes ten times as long. They shall sleep instead. OpenMP reads this once, when torch is first imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if TYPE_CHECKING:
    from aae_core.data import load_dataset, load_digits
    from aae_core.recipes import recipe
    from aae_core.training import TrainingConfig, fit
    from aae_core.zoo import card, load

_PLACES = {
    "load": "zoo",
    "card": "zoo",
    "load_digits": "data",
    "load_dataset": "data",
    "recipe": "recipes",
    "fit": "training",
    "TrainingConfig": "training",
}
__all__ = [*_PLACES]


def __getattr__(name: str) -> object:
    """Imports a public name when it is first used, so that ``import aae_core`` itself costs nothing."""
    if name not in _PLACES:
        raise AttributeError(f"module 'aae_core' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"aae_core.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_PLACES])
