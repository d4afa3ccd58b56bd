"""How far is a step from the floor: its matrix products alone, one after another, on matrices that lie ready?

And how far from what it computes in all: every kernel of the step, called again on the same tensors, without the loop, the modules
and autograd. A loop that computes by torch's kernels, one at a time, cannot be below that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from aae_core.recipes import Recipe, recipe
from aae_core.training import Precision, TrainingConfig, fit, has_fast_bfloat16
from benchmarks.pairs import Measured, Setting, alternate, ratios, timed

BARS: dict[Precision, float] = {"bfloat16": 1.3, "float32": 1.15}
PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)


@dataclass
class Step:
    """What one step computes: pairs of matrices as it multiplies them, and all its kernels, ready to be called again."""

    pairs: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    kernels: list[partial[Any]] = field(default_factory=list)

    def multiply(self, times: int) -> float:
        """Seconds that the products take, each `times`, into matrices that are there before."""
        results = [left @ right for left, right in self.pairs]

        def products() -> None:
            for _ in range(times):
                for (left, right), result in zip(self.pairs, results, strict=True):
                    torch.mm(left, right, out=result)

        return timed(products)

    @torch.no_grad()
    def compute(self, times: int) -> float:
        """Seconds that all kernels take, each `times`."""

        def all_kernels() -> None:
            for _ in range(times):
                for kernel in self.kernels:
                    kernel()

        return timed(all_kernels)


class Noted(TorchDispatchMode):
    """Notes in `step` what is computed within it."""

    def __init__(self) -> None:
        super().__init__()
        self.step = Step()

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if function in PRODUCTS:
            left, right = args[-2:]
            self.step.pairs.append((torch.empty_like(left), torch.empty_like(right)))
        if function.namespace == "aten" and not function.is_view:
            self.step.kernels.append(partial(function, *args, **named))
        return function(*args, **named)


def of_a_step(chosen: Recipe, setting: Setting, precision: Precision) -> Step:
    """What a step of the recipe computes, but for the first, which begins Adam's sums; its products on random matrices."""
    steps: list[Step] = []
    with Noted() as noted:

        def end(step: int, model: nn.Module) -> None:
            steps.append(noted.step)
            noted.step = Step()

        digits = setting.digits(2 * chosen.training.batch_size)
        fit(chosen.make(seed=0), digits, _config(chosen, precision), progress=False, callback=end)
    second = steps[2]  # the callback is called before the first as well
    return replace(second, pairs=[(left.normal_(), right.normal_()) for left, right in second.pairs])


def measure(setting: Setting) -> list[Measured]:
    recipes = [recipe(name) for name in ("supervised", "supervised-post")]
    precisions = [each for each in BARS if each == "float32" or has_fast_bfloat16(torch.device("cpu"))]
    return [each for chosen in recipes for precision in precisions for each in _measure(chosen, precision, setting)]


def _measure(chosen: Recipe, precision: Precision, setting: Setting) -> list[Measured]:
    steps = 2 if setting.quick else 60
    digits = setting.digits(steps * chosen.training.batch_size)
    config, step = _config(chosen, precision), of_a_step(chosen, setting, precision)
    runs = {
        "step, s": lambda: timed(fit, chosen.make(seed=0), digits, config, progress=False) / steps,
        "products, s": lambda: step.multiply(steps) / steps,
        "kernels, s": lambda: step.compute(steps) / steps,
    }
    figures = alternate(runs, setting.rounds)
    name = f"floor/{precision}-{config.batch_size}"
    batch = f"{chosen.name} in {precision} at batch {config.batch_size}"
    least = ratios(figures["kernels, s"], figures["products, s"])
    return [
        Measured(
            name,
            f"{batch}: seconds of a step over those of its products",
            ratios(figures["step, s"], figures["products, s"]),
            {key: figures[key] for key in ("step, s", "products, s")},
            at_most=BARS[precision],
            bound=median(least),
            note=f"{len(step.pairs)} products a step; everything that fit does is in the step, the average of weights too",
        ),
        Measured(
            f"{name}-kernels",
            f"{batch}: seconds of all its kernels over those of the products, which no step of these kernels could be below",
            least,
            {key: figures[key] for key in ("kernels, s", "products, s")},
            note=f"{len(step.kernels)} kernels, called again on the same tensors without the loop, the modules and autograd",
        ),
    ]


def _config(chosen: Recipe, precision: Precision) -> TrainingConfig:
    return replace(chosen.training, epochs=1, precision=precision, device="cpu")
