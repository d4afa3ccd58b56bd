"""How far is a step from the floor: its matrix products alone, one after another, on matrices that lie ready?

And from what bounds it as well: the passes over memory that no step can be without, which are Adam's over the weights and its
sums, the running average's, and, in bfloat16, the casts of weights and activations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from aae_core.recipes import Recipe, recipe
from aae_core.training import Precision, fit, has_fast_bfloat16
from benchmarks.pairs import Measured, Setting, alternate, ratios, timed

BARS: dict[Precision, float] = {"bfloat16": 1.3, "float32": 1.15}
PRODUCTS = (torch.ops.aten.mm.default, torch.ops.aten.addmm.default)
UPDATES = (torch.ops.aten._fused_adam_.default, torch.ops.aten._foreach_lerp_.Scalar)
Pass = Callable[[], object]


class Noted(TorchDispatchMode):
    """Notes what is computed within it: pairs of empty matrices as those that are multiplied, and passes over memory to repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: list[tuple[Tensor, Tensor]] = []
        self.passes: list[Pass] = []

    def __torch_dispatch__(
        self, function: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        named = dict(kwargs or {})
        if function in PRODUCTS:
            left, right = args[-2:]
            self.pairs.append((torch.empty_like(left), torch.empty_like(right)))
        elif function in UPDATES:
            own, own_named = tree_map_only(Tensor, torch.clone, (args, named))
            self.passes.append(lambda: function(*own, **own_named))
        elif function is torch.ops.aten._to_copy.default and named.get("dtype", args[0].dtype) != args[0].dtype:
            source, target = torch.zeros_like(args[0]), torch.empty_like(args[0], dtype=named["dtype"])
            self.passes.append(lambda: target.copy_(source))
        return function(*args, **named)


def of_a_step(chosen: Recipe, setting: Setting, precision: Precision) -> tuple[list[tuple[Tensor, Tensor]], list[Pass]]:
    """Pairs of random matrices, such as one step of the recipe multiplies, and its passes over memory."""
    digits = setting.digits(chosen.training.batch_size)
    pairs: list[tuple[Tensor, Tensor]] = []
    passes: list[Pass] = []
    with Noted() as noted:

        def take(step: int, model: nn.Module) -> None:
            """Up to the step's end: afterwards `fit` looks once at what it has trained."""
            if step:
                pairs.extend(noted.pairs)
                passes.extend(noted.passes)

        fit(chosen.make(seed=0), digits, _config(chosen, precision), progress=False, callback=take)
    return [(left.normal_(), right.normal_()) for left, right in pairs], passes


def multiply(pairs: Sequence[tuple[Tensor, Tensor]], results: Sequence[Tensor], times: int) -> None:
    """Multiplies all `pairs` into `results`, that many times."""
    for _ in range(times):
        for (left, right), result in zip(pairs, results, strict=True):
            torch.mm(left, right, out=result)


def measure(setting: Setting) -> list[Measured]:
    return [each for name in ("supervised", "supervised-post") for each in _of_recipe(recipe(name), setting)]


def _of_recipe(chosen: Recipe, setting: Setting) -> list[Measured]:
    steps = 2 if setting.quick else 60
    digits = setting.digits(steps * chosen.training.batch_size)
    found = []
    for precision, bar in BARS.items():
        if precision == "bfloat16" and not has_fast_bfloat16(torch.device("cpu")):
            continue
        config = _config(chosen, precision)
        pairs, passes = of_a_step(chosen, setting, precision)
        results = [left @ right for left, right in pairs]

        def one_fit(config=config) -> float:
            return timed(fit, chosen.make(seed=0), digits, config, progress=False) / steps

        def one_floor(pairs=pairs, results=results) -> float:
            return timed(multiply, pairs, results, steps) / steps

        @torch.no_grad()
        def one_bound(pairs=pairs, results=results, passes=passes) -> float:
            def whole() -> None:
                for _ in range(steps):
                    multiply(pairs, results, 1)
                    for again in passes:
                        again()

            return timed(whole) / steps

        runs = {"step, s": one_fit, "floor, s": one_floor, "floor and passes, s": one_bound}
        figures = alternate(runs, setting.rounds)
        name = f"floor/{precision}-{config.batch_size}"
        batch = f"{chosen.name} in {precision} at batch {config.batch_size}"
        found += [
            Measured(
                name,
                f"{batch}: seconds of a step over those of its products",
                ratios(figures["step, s"], figures["floor, s"]),
                {key: figures[key] for key in ("step, s", "floor, s")},
                at_most=bar,
                note=f"{len(pairs)} products a step; everything that fit does is in the step, the average of weights too",
            ),
            Measured(
                f"{name}-bound",
                f"{batch}: seconds of its products and its passes over memory over those of the products, which no step could be below",
                ratios(figures["floor and passes, s"], figures["floor, s"]),
                {key: figures[key] for key in ("floor and passes, s", "floor, s")},
                note=f"{len(passes)} passes: Adam, the average of weights, casts",
            ),
        ]
    return found


def _config(chosen: Recipe, precision: Precision):
    return replace(chosen.training, epochs=1, precision=precision, device="cpu")
