"""One small example of every explorer: the cell that makes it, what moves it by keyboard, and what an address may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

MODELS = """
import numpy as np
import torch
from torch import nn

from aae_core.data import Digits
from aae_core.explorers import (
    CompareExplorer, DrawExplorer, FlowExplorer, LaboratoryExplorer, LetterExplorer, MapExplorer, ParzenExplorer, ParzenSeries,
    RegionExplorer, RowExplorer, StyleExplorer, TrainingExplorer, TrainingRecorder, UnusualExplorer, WalkExplorer,
)
from aae_core.models import VAE, AdversarialAutoencoder, LabelledAAE, ReductionAAE, SupervisedAAE
from aae_core.models.elsewhere import CodeFlow, FirstStage
from aae_core.networks import Decoder, Encoder
from aae_core.priors import Gaussian, GaussianMixture, SwissRoll


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
sketch = {
    "size": {"kind": "number", "low": -3.0, "middle": 1.0, "high": 20.0, "gaps": True},
    "colour": {"kind": "category", "categories": ["blue", "green", "red"], "gaps": True},
}
"""


WIDTHS = (320, 390, 600, 1280)


@dataclass(frozen=True)
class State:
    """An explorer as a cell makes it, and a selector of what is seen in this state."""

    make: str
    shows: str
    room_at: tuple[int, ...] = WIDTHS  # of the window, where it is as high as the room that it asks for
    moved: str = ""  # the address that moves it, of those in `valid`; without one, a key does


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
    valid: dict[str, dict[str, Any]]  # addresses, and the traits that they set
    broken: tuple[str, ...]  # what stands after its name in addresses that set nothing
    slack: float = 24  # how far its height may be from the room that it asks for, in CSS pixels
    room_at: tuple[int, ...] = WIDTHS
    further: dict[str, State] = field(default_factory=dict)  # what looks otherwise than its first page


CASES = {
    "style": Case(
        "StyleExplorer(lively(Decoder(2, (16,), n_classes=10)))",
        "Style explorer", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
        {"style.z=1,-0.5": {"z": [1, -0.5]}, "style.z=2,0&style.digit=3": {"z": [2, 0], "label": 3}},
        ("z=1,2,3", "z=a,b", "z=1,", "digit=10", "digit=x", "z=Infinity,0", "z", "z=%zz"),
        further={
            "a digit picked": State(
                "StyleExplorer(lively(Decoder(8, (16,), n_classes=10)), label=4)", ".aae-strip >> nth=7", room_at=()
            ),
            "15 numbers": State("StyleExplorer(lively(Decoder(15, (8,), n_classes=10)))", "[aria-label='style 15']"),
            "16 classes": State("StyleExplorer(lively(Decoder(3, (8,), n_classes=16)))", ".aae-tile >> nth=15"),
            "45 classes": State("StyleExplorer(lively(Decoder(2, (8,), n_classes=45)))", "select"),
            "no class": State("StyleExplorer(lively(Decoder(2, (8,))))", ".aae-tile:only-child"),
        },
    ),
    "walk": Case(
        "WalkExplorer(lively(Decoder(3, (16,))))",
        "Latent walk", "Along the walk", "ArrowRight", "t", "0.5", "0.51",
        {"walk.from=1,0,-1": {"start": [1, 0, -1]}, "walk.t=0.25&walk.to=0,2,0": {"t": 0.25, "end": [0, 2, 0]}},
        ("t=1.5", "t=", "t=x", "from=1,2", "nudge=a", "to=NaN,0,0"), slack=60,
        further={
            f"{n} of 10 numbers": State(
                f"WalkExplorer(lively(Decoder(10, (8,))), coordinates=list(range({n})))",
                f"[aria-label^='coordinate {n},']",
            )
            for n in (1, 8)
        },
    ),
    "training": Case(
        "recorder = TrainingRecorder(digits, steps=16, frames=4)\n"
        "for step in (0, 1, 4, 9, 16):\n"
        "    recorder(step, lively(AdversarialAutoencoder(Gaussian(2), **small)))\n"
        "TrainingExplorer(recorder)",
        "Training explorer", "Training step", "ArrowLeft", "frame", "4", "3",
        {"training.frame=0": {"frame": 0}, "training.frame=1&training.digit=7": {"frame": 1, "label": 7}},
        ("frame=99", "frame=-1", "frame=x", "digit=10"), slack=60,
    ),
    "compare": Case(
        "CompareExplorer({name: {'VAE': lively(VAE(prior, **small)),"
        " 'AAE': lively(AdversarialAutoencoder(prior, **small))}"
        " for name, prior in (('Gaussian', Gaussian(2)), ('Mixture', GaussianMixture()))}, digits)",
        "Two decoders, one point", "Code, z1", "ArrowRight", "z", "[0.0, 0.0]", "[0.1, 0.0]",
        {"compare.z=1,-0.5&compare.prior=1&compare.codes=1": {"z": [1, -0.5], "group": 1, "under": 1}},
        ("z=1", "z=a,b", "prior=2", "codes=-1", "prior=x", "prior="), slack=60,
        further={
            "four decoders": State(
                "CompareExplorer({'Gaussian': {name: lively(VAE(Gaussian(2), **small)) for name in 'abcd'}}, digits)",
                ".aae-card >> nth=3", room_at=(320, 390, 760, 1280),
            )
        },
    ),
    "flow": Case(
        "first = lively(FirstStage(2, (16,)))\n"
        "FlowExplorer(first, CodeFlow(torch.randn(100, 2), hidden=(8,), n_steps=4).eval(), digits)",
        "Noise and codes", "Time between noise and codes", "ArrowLeft", "frame", "4", "3",
        {"flow.frame=1": {"frame": 1}, "flow.frame=2&flow.cloud=1": {"frame": 2, "cloud": 1}},
        ("frame=5", "frame=-1", "frame=x", "frame=", "cloud=2", "cloud="), slack=60,
    ),
    "region": Case(
        "RegionExplorer(lively(LabelledAAE(GaussianMixture(), (16,), discriminator_hidden=(8,))),"
        " GaussianMixture().sample(100, digits.labels), digits.labels, label=None)",
        "Region explorer", "Codes of held-out digits, z1", "ArrowRight", "z", "[1.4, 0.0]", "[1.5, 0.0]",
        {"region.digit=6": {"label": 6}, "region.z=0.5,0.5": {"z": [0.5, 0.5]}},
        ("z=1", "z=a,b", "digit=10", "z=NaN,0"), slack=60, room_at=(),
        further={
            f"in a {name}": State(
                f"RegionExplorer(lively(LabelledAAE({prior}(), (16,), discriminator_hidden=(8,))),"
                f" {prior}().sample(100, digits.labels), digits.labels)", ".aae-walks",
            )
            for name, prior in (("petal", "GaussianMixture"), ("roll", "SwissRoll"))
        },
    ),
    "map": Case(
        "MapExplorer(lively(ReductionAAE(2, hidden=(16, 16), discriminator_hidden=(8, 8))), digits)",
        "A map of digits", "distance to keep", "ArrowRight", "distance", "6.0", "6.1",
        {"map.z=1.5,-2&map.distance=3.5": {"z": [1.5, -2], "distance": 3.5}},
        ("z=1", "z=a,b", "distance=-1", "distance=1e9", "distance="), slack=50,
    ),
    "parzen": Case(
        "ParzenExplorer({name: ParzenSeries(digits.pixels(slice(k, k + 20)), (0, 1 + k, k), (0.1, 0.2, 0.4))"
        " for k, name in enumerate('ab')})",
        "What a Parzen window rewards", "bandwidth", "End", "bandwidth", "0.2", "0.4",
        {"parzen.bandwidth=0.35&parzen.seed=3": {"bandwidth": 0.35, "seed": 3}},
        ("bandwidth=0.7", "bandwidth=", "seed=-1", "seed=x"), slack=50,
    ),
    "rows": Case(
        "RowExplorer(lively(Decoder(2, (16,), n_classes=2, image_shape=(1, 1, 6))), sketch, names=['a', 'b'])",
        "Row explorer", "code 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
        {"rows.z=1,-0.5": {"z": [1, -0.5]}, "rows.z=2,0&rows.class=1": {"z": [2, 0], "label": 1}},
        ("z=1,2,3", "z=a,b", "class=2", "class=x", "class=", "z=Infinity,0"),
    ),
    "draw": Case(
        "DrawExplorer(lively(SupervisedAAE(2, (16,), discriminator_hidden=(8,))), digits)",
        "Write a digit", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
        {"draw.ink=0000.8c8c&draw.pen=0.15": {"pen": 0.15}, "draw.ours=5": {"example": 5}},
        ("ink=abc", "ink=zzzz", "ink=00.00", "ink=%zz", "ours=10", "pen=9", "pen="),
        further={
            "with chances": State(
                "telling = lively(SupervisedAAE(2, (16,), discriminator_hidden=(8,)))\n"
                "telling.encoder = lively(Encoder(12, (16,)))\n"
                "DrawExplorer(telling, digits)", ".aae-number", moved="draw.ours=5",
            )
        },
    ),
    "unusual": Case(
        "UnusualExplorer(lively(AdversarialAutoencoder(Gaussian(2), **small)), digits.parted(2)[0], digits.parted(2)[1])",
        "What is unusual?", "false alarms", "End", "rate", "0.05", "0.5",
        {"unusual.rate=0.2&unusual.score=both": {"rate": 0.2, "kind": "both"}, "unusual.ours=5": {"example": 5},
         "unusual.ink=0000.8c8c&unusual.pen=0.15": {"pen": 0.15}},
        ("rate=0.9", "rate=", "score=luck", "ours=999", "ink=abc", "pen=9"), slack=50,
    ),
    "letter": Case(
        "LetterExplorer(lively(SupervisedAAE(2, (16,), discriminator_hidden=(8,), n_classes=26)), digits,"
        " (['Flat', 'Steep'], torch.tensor([[0.0, 9.0], [9.0, 0.0]])), names='ABCDEFGHIJKLMNOPQRSTUVWXYZ')",
        "Write a letter", "style 2", "ArrowRight", "z", "[0.0, 0.0]", "[0.0, 0.05]",
        {"letter.ink=0000.8c8c&letter.pen=0.15": {"pen": 0.15}, "letter.ours=5&letter.digit=25": {"example": 5, "label": 25}},
        ("ink=abc", "ink=zzzz", "ours=10", "digit=26", "pen=9"),
    ),
    "laboratory": Case(
        "LaboratoryExplorer(digits)",
        "The AAE laboratory", "Adversarial weight λ", "ArrowRight", "weight", "0.05", "0.1",
        {"laboratory.prior=petals&laboratory.seed=7": {"prior": "petals", "seed": 7},
         "laboratory.data=ring&laboratory.weight=0.2": {"data": "ring", "weight": 0.2},
         "laboratory.drawing=00__.aB&laboratory.rate=0.0003": {"drawing": "00__.aB", "rate": 0.0003}},
        ("prior=cube", "seed=", "rate=1e9", "drawing=a", "data=cubes"), room_at=(1280,),
        further={
            "a prior to draw": State("LaboratoryExplorer(digits, prior='drawn')", ".aae-easel", room_at=()),
        },
    ),
}  # fmt: skip


FIRST = {name: State(case.make, ".aae-picture", case.room_at, moved=[*case.valid][-1]) for name, case in CASES.items()}
FURTHER = {f"{name}, {what}": state for name, case in CASES.items() for what, state in case.further.items()}


def make_all(states: dict[str, State] = FIRST) -> dict[str, object]:
    """The explorers of those states, made in this process."""
    names: dict[str, object] = {}
    exec(MODELS, names)
    made = {}
    for name, state in states.items():
        *before, last = state.make.split("\n")
        exec("\n".join(before), names)
        made[name] = eval(last, names)
    return made
