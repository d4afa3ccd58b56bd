"""One small example of every explorer: the cell that makes it, and a control that moves it by keyboard."""

from __future__ import annotations

from dataclasses import dataclass

MODELS = """
import numpy as np
import torch
from torch import nn

from aae_core.data import Digits
from aae_core.explorers import (
    CompareExplorer, DrawExplorer, LaboratoryExplorer, MapExplorer, ParzenExplorer, ParzenSeries, RegionExplorer,
    StyleExplorer, TrainingExplorer, TrainingRecorder, WalkExplorer,
)
from aae_core.models import VAE, AdversarialAutoencoder, LabelledAAE, ReductionAAE, SupervisedAAE
from aae_core.networks import Decoder
from aae_core.priors import Gaussian, GaussianMixture


def lively(module):
    "Never trained, but what it draws differs from code to code."
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, 0, 2 / layer.in_features**0.5)
    return module.eval()


torch.manual_seed(0)
torch.set_num_threads(1)
small = {"hidden": (16,)}
digits = Digits(torch.randint(0, 256, (100, 1, 28, 28), dtype=torch.uint8), torch.arange(100) % 10)
"""


@dataclass(frozen=True)
class Case:
    """An explorer: how a cell makes it, the slider and the key that move it, and what that does to its trait."""

    make: str
    title: str
    slider: str
    key: str
    trait: str
    first: str  # its value to begin with, and after the key, as Python prints it
    moved: str


CASES = {
    "style": Case(
        "StyleExplorer(lively(Decoder(2, (16,), n_classes=10)))",
        "Style explorer", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
    ),
    "walk": Case(
        "WalkExplorer(lively(Decoder(3, (16,))))",
        "Latent walk", "Along the walk", "ArrowRight", "t", "0.5", "0.51",
    ),
    "training": Case(
        "recorder = TrainingRecorder(digits, steps=4, frames=2)\n"
        "for step in (0, 1, 4):\n"
        "    recorder(step, lively(AdversarialAutoencoder(Gaussian(2), **small)))\n"
        "TrainingExplorer(recorder)",
        "Training explorer", "Training step", "ArrowLeft", "frame", "2", "1",
    ),
    "compare": Case(
        "CompareExplorer({'Gaussian': {'VAE': lively(VAE(Gaussian(2), **small)),"
        " 'AAE': lively(AdversarialAutoencoder(Gaussian(2), **small))}}, digits)",
        "Two decoders, one point", "Code, z1", "ArrowRight", "z", "[0.0, 0.0]", "[0.1, 0.0]",
    ),
    "region": Case(
        "RegionExplorer(lively(LabelledAAE(GaussianMixture(), (16,), discriminator_hidden=(8,))),"
        " GaussianMixture().sample(100, digits.labels), digits.labels, label=None)",
        "Region explorer", "Codes of held-out digits, z1", "ArrowRight", "z", "[1.4, 0.0]", "[1.5, 0.0]",
    ),
    "map": Case(
        "MapExplorer(lively(ReductionAAE(2, hidden=(16, 16), discriminator_hidden=(8, 8))), digits)",
        "A map of digits", "distance to keep", "ArrowRight", "distance", "6.0", "6.1",
    ),
    "parzen": Case(
        "ParzenExplorer({name: ParzenSeries(digits.pixels(slice(k, k + 20)), (0, 1 + k, k), (0.1, 0.2, 0.4))"
        " for k, name in enumerate('ab')})",
        "What a Parzen window rewards", "bandwidth", "End", "bandwidth", "0.2", "0.4",
    ),
    "draw": Case(
        "DrawExplorer(lively(SupervisedAAE(2, (16,), discriminator_hidden=(8,))), digits)",
        "Write a digit", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
    ),
    "laboratory": Case(
        "LaboratoryExplorer(digits)",
        "The AAE laboratory", "Adversarial weight λ", "ArrowRight", "weight", "0.05", "0.1",
    ),
}  # fmt: skip


def make_all() -> dict[str, object]:
    """The explorers of :data:`CASES`, made in this process."""
    names: dict[str, object] = {}
    exec(MODELS, names)
    made = {}
    for name, case in CASES.items():
        *before, last = case.make.split("\n")
        exec("\n".join(before), names)
        made[name] = eval(last, names)
    return made
