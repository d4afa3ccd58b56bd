"""How far is a step from the floor: its matrix products alone, one after another, on matrices that lie ready?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from aae_core.recipes import Recipe, recipe
from aae_core.training import Precision, fit, has_fast_bfloat16
from benchmarks.pairs import Measured, Setting, alternate, ratios, timed

BARS: dict[Precision, float] = {"bfloat16": 1.5, "float32": 1.3}


class Products(TorchDispatchMode):
    """Notes the matrix products that are computed within it: pairs of empty matrices of the same shapes and strides."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Tensor]] = []

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        if function in (torch.ops.aten.mm.default, torch.ops.aten.addmm.default):
            left, right = args[-2:]
            self.pairs.append((torch.empty_like(left), torch.empty_like(right)))
        return function(*args, **(kwargs or {}))


def products_of_a_step(chosen: Recipe, setting: Setting, precision: Precision) -> list[tuple[Tensor, Tensor]]:
    """Pairs of random matrices, such as one step of the recipe multiplies."""
    digits = setting.digits(chosen.training.batch_size)
    pairs: list[tuple[Tensor, Tensor]] = []
    with Products() as products:

        def take(step: int, model: nn.Module) -> None:
            """Up to the step's end: afterwards `fit` looks once at what it has trained."""
            if step:
                pairs.extend(products.pairs)

        fit(chosen.make(seed=0), digits, _config(chosen, precision), progress=False, callback=take)
    return [(left.normal_(), right.normal_()) for left, right in pairs]


def multiply(pairs: Sequence[tuple[Tensor, Tensor]], results: Sequence[Tensor], times: int) -> None:
    """Multiplies all `pairs` into `results`, that many times."""
    for _ in range(times):
        for (left, right), result in zip(pairs, results, strict=True):
            torch.mm(left, right, out=result)


def measure(setting: Setting) -> list[Measured]:
    chosen = recipe("supervised")
    steps = 2 if setting.quick else 60
    digits = setting.digits(steps * chosen.training.batch_size)
    found = []
    for precision, bar in BARS.items():
        if precision == "bfloat16" and not has_fast_bfloat16(torch.device("cpu")):
            continue
        config = _config(chosen, precision)
        pairs = products_of_a_step(chosen, setting, precision)
        results = [left @ right for left, right in pairs]

        def one_fit(config=config) -> float:
            return timed(fit, chosen.make(seed=0), digits, config, progress=False) / steps

        def one_floor(pairs=pairs, results=results) -> float:
            return timed(multiply, pairs, results, steps) / steps

        figures = alternate({"step, s": one_fit, "floor, s": one_floor}, setting.rounds)
        found.append(
            Measured(
                f"floor/{precision}",
                f"supervised in {precision} at batch {config.batch_size}: seconds of a step over those of its products",
                ratios(figures["step, s"], figures["floor, s"]),
                figures,
                at_most=bar,
                note=f"{len(pairs)} products a step; everything that fit does is in the step, the average of weights too",
            )
        )
    return found


def _config(chosen: Recipe, precision: Precision):
    return replace(chosen.training, epochs=1, precision=precision, device="cpu")
