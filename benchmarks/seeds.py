"""Do several seeds train sooner as one model, whose networks are stacked (torch.func), than one after another?

On one processor. Seeds that run side by side in processes of their own (``aae reproduce --jobs``) keep all processors busy,
so the stacked model must win here to win there.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from aae_core.recipes import recipe
from aae_core.training import fit
from benchmarks.pairs import Measured, Setting, alternate, ratios, timed

SEEDS = (2, 4)
STEPS, STEPS_QUICK = 60, 2


class Stacked(nn.Module):
    """Networks of one shape as one module; of a batch, each sees its own part, the first network the first part.

    Shape: what the networks take, (seeds · N, …) → what they give, (seeds · N, …).
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.n = len(networks)
        stacked, _ = stack_module_state(list(networks))
        self.names = list(stacked)
        self.stacked = nn.ParameterList([stacked[name].detach() for name in self.names])
        self.shape = [copy.deepcopy(networks[0]).to("meta")]  # in a list: its weights are none of this module's

    def forward(self, x: Tensor) -> Tensor:
        weights = dict(zip(self.names, self.stacked, strict=True))
        each = vmap(lambda own, part: functional_call(self.shape[0], own, (part,)))
        return each(weights, x.unflatten(0, (self.n, -1))).flatten(0, 1)


def stacked_model(name: str, n: int) -> nn.Module:
    """Recipe `name`'s model with stacked networks: it trains `n` seeds by the very step that trains one."""
    models = [recipe(name).make(seed) for seed in range(n)]
    for part in ("encoder", "decoder", "discriminator"):
        setattr(models[0], part, Stacked([getattr(model, part) for model in models]))
    return models[0]


def measure(setting: Setting) -> list[Measured]:
    name, steps = "aae-small", STEPS_QUICK if setting.quick else STEPS
    config = replace(recipe(name).training, epochs=1, ema_decay=0.0, device="cpu")
    size = config.batch_size

    def one_after_another(n: int) -> float:
        digits = setting.digits(steps * size)
        return sum(timed(fit, recipe(name).make(seed), digits, config, progress=False) for seed in range(n))

    def stacked(n: int) -> float:
        digits = setting.digits(steps * size * n)
        return timed(fit, stacked_model(name, n), digits, replace(config, batch_size=n * size), progress=False)

    found = []
    for n in SEEDS:
        runs = {
            "one after another, s": lambda n=n: one_after_another(n),
            "as one model, s": lambda n=n: stacked(n),
        }
        figures = alternate(runs, setting.rounds)
        found.append(
            Measured(
                f"seeds/{n}",
                f"{name} from {n} seeds: seconds one after another over those as one stacked model",
                ratios(figures["one after another, s"], figures["as one model, s"]),
                figures,
                note="from 1.5 on, several seeds would be trained as one model",
            )
        )
    return found
