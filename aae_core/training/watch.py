"""What goes wrong in a training: numbers that are none, adversaries of which one has stopped playing, a model that did not learn.

Each fault that appendix A explains is named with its section there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from aae_core.data import Digits
from aae_core.step import AnyModel

SECTIONS = {
    "both win": "Which samples are real?",
    "above a draw": "Gradients that belong to somebody else",
    "won": "How steep a discriminator may be",
    "cannot see": "A discriminator that cannot see",
    "class won": "Corners that nobody reaches",
    "unused": "Corners that nobody reaches",
    "mean": "An epoch is not a unit",
}
"""Where appendix A explains a fault."""
DRAW = math.log(2)
NEVER = 2**31 - 1


class Watch:
    """Notes the first step at which a loss or a gradient was not a finite number.

    The note is taken on the device, which nothing waits for; on a CPU, where asking costs nothing, :meth:`first` may follow each step.
    """

    def __init__(self, optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
        self.parameters = {
            name: [parameter for group in optimizer.param_groups for parameter in group["params"]]
            for name, optimizer in optimizers.items()
        }
        self.names = [f"the gradient of '{name}'" for name, each in self.parameters.items() for _ in each]
        self.bad: Tensor | None = None

    def note(self, step: int, names: Sequence[str], values: Tensor) -> None:
        """Looks at the losses of a step, (K,) with their `names`, and at the gradients that it left."""
        self.losses = names
        gradients = [p.new_zeros(()) if p.grad is None else p.grad for each in self.parameters.values() for p in each]
        found = torch.cat([values, torch.stack(torch._foreach_norm(gradients))]).isfinite()
        if self.bad is None:
            self.bad = torch.full_like(found, NEVER, dtype=torch.int32)
        self.bad = torch.where(found, self.bad, self.bad.clamp(max=step))

    def first(self) -> tuple[int, list[str]] | None:
        """The step, and in words what was not finite in it; None as long as all was. Waits for the device."""
        if self.bad is None or (step := int(self.bad.min())) == NEVER:
            return None
        names = [*(f"the loss '{name}'" for name in self.losses), *self.names]
        return step, list(dict.fromkeys(name for name, at in zip(names, self.bad.tolist(), strict=True) if at == step))


def one_sided(steps: Sequence[int], losses: Mapping[str, Sequence[float]], total_steps: int) -> Iterator[str]:
    """Warnings of discriminators that have won, or that have given up, for the last quarter of a run, 500 steps at least.

    Args:
        steps: at which means were recorded.
        losses: the means; a discriminator's is "discrimination", or "style" and "category" where there are two.
        total_steps: of the whole run.
    """
    long = max(500, total_steps // 4)
    recent = [k for k, step in enumerate(steps) if step > steps[-1] - long]
    if steps[-1] < long or len(recent) < 10:
        return
    mean = {name: sum(values[k] for k in recent) / len(recent) for name, values in losses.items()}
    for name in ("discrimination", "style", "category"):
        loss = mean.get(name, DRAW)
        if name == "discrimination" and max(loss, mean.get("fooling", DRAW)) < 0.45:
            yield _told("both win", f"Both adversaries win: '{name}' is {loss:.2f}, 'fooling' {mean['fooling']:.2f}")
        elif loss < 0.1:
            fault = "class won" if name == "category" else "won"
            yield _told(fault, f"A discriminator has won: for {long:,} steps '{name}' has been {loss:.2f}")
        elif loss > 1.05 * DRAW:
            yield _told("above a draw", f"A discriminator guesses: for {long:,} steps '{name}' has been {loss:.2f}")


@torch.no_grad()
def verdicts(
    model: AnyModel, data: Digits, losses: Mapping[str, Sequence[float]], total_steps: int, n: int = 1000
) -> list[str]:
    """Warnings of a trained model, by what it makes of the first `n` images it learnt from: it rebuilds them badly, its codes
    lie elsewhere than the prior and its discriminator does not know, or classes are left unused. The caller's randomness stays.
    """
    x, y = data.pixels(slice(n)), data.labels[:n]
    found = []
    with torch.random.fork_rng():
        if hasattr(model, "reconstruct"):
            error = float((model.reconstruct(x, y) - x).square().mean())
            of_the_mean = float((x.mean(0) - x).square().mean())
            if error >= of_the_mean:
                item = "row" if x.shape[1:3] == (1, 1) else "image"  # of a table
                found.append(
                    f"The trained model rebuilds its own training {item}s with a squared error of {error:.4f}, no better than "
                    f"their mean {item} ({of_the_mean:.4f}). It was kept all the same. Train it for more epochs, or at another "
                    f"rate. See appendix A, '{SECTIONS['mean']}'."
                )
        if total_steps >= 500 and len(x) >= 200:
            last = losses.get("discrimination", losses.get("style", [0.0]))[-10:]
            drawn = sum(last) / len(last)
            if abs(drawn - DRAW) < 0.02 and hasattr(model, "prior") and hasattr(model, "encode"):
                z, prior = model.encode(x), model.prior.sample(len(x), device=x.device)
                away = float((z.sort(0).values - prior.sort(0).values).abs().mean() / prior.std())
                if away > 1:  # of the prior's spread; codes of a run cut short are often half of it away
                    about = (
                        f"The discriminator calls it a draw ({drawn:.2f}), and the codes lie elsewhere than the prior"
                    )
                    found.append(_told("cannot see", about))
            if hasattr(model, "probabilities"):
                chances = model.probabilities(x)
                used = chances.argmax(1).bincount(minlength=chances.shape[1]) > 0
                # With labels each class is wanted; without, a few clusters may stay empty.
                wanted = chances.shape[1] if "classification" in losses else chances.shape[1] / 3
                if len(x) >= 20 * len(used) and int(used.sum()) < wanted:
                    about = (
                        f"Of {len(used)} classes {int((~used).sum())} are given to none of {len(x):,} training items"
                    )
                    found.append(_told("unused", about))
    return found


def _told(fault: str, about: str) -> str:
    return f"{about}. See appendix A, '{SECTIONS[fault]}'."
