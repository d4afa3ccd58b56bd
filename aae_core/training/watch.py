"""What goes wrong in a training: numbers that are none, losses that are given probabilities, adversaries of which one has stopped playing.

Each fault that appendix A explains is named with its section there; :mod:`aae_core.training.verdicts` looks at the trained model.
Two of its sections have no warning. "Where is the KL?" is about no fault, and "Weights of a moment ago" cannot happen under `fit`:
its optimizers drop autocast's copies after each step. A step's own ``loss.backward()`` that reaches a network of another phase is
seen by what comes of it alone; ``descend`` does not let it reach any.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

SECTIONS = {
    "both adversaries win": "Which samples are real?",
    "a discriminator does worse than guess": "Gradients that belong to somebody else",
    "a discriminator has won": "How steep a discriminator may be",
    "a tie, and codes elsewhere than the prior": "A discriminator that cannot see",
    "right in training and wrong afterwards": "Codes that depend on their company",
    "a loss of probabilities in place of logits": "Probabilities where logits belong",
    "an error near the mean image's, after few steps": "An epoch is not a unit",
    "another label, the same picture": "A decoder that is never told",
    "the class discriminator has won": "Corners that nobody reaches",
    "classes that are given to no image": "Corners that nobody reaches",
    "an error near the mean image's, after many": "The scale trap",
    "samples that are all alike": "Grey samples",
}
"""What `fit` warns of, and where appendix A explains it."""
TIE = math.log(2)
NEVER = 2**31 - 1
TAKES_LOGITS = ("LogSoftmax", "LogSigmoid", "Softplus", "BinaryCrossEntropyWithLogits", "Log")
GIVES_PROBABILITIES = ("Softmax", "Sigmoid")
PASSES_ON = (
    *("Neg", "Add", "Sub", "Rsub", "Clamp", "ClampMin", "Clone", "ToCopy", "Alias"),
    *("View", "UnsafeView", "Squeeze", "Unsqueeze", "Select", "Slice", "Split", "Index", "Gather"),
)
"""Nodes of autograd's graph that leave a probability one, or one less than it."""


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
        loss = mean.get(name, TIE)
        if name == "discrimination" and max(loss, mean.get("fooling", TIE)) < 0.45:
            yield told(
                "both adversaries win", f"Both adversaries win: '{name}' is {loss:.2f}, 'fooling' {mean['fooling']:.2f}"
            )
        elif loss < 0.1:
            fault = "the class discriminator has won" if name == "category" else "a discriminator has won"
            yield told(fault, f"A discriminator has won: for {long:,} steps '{name}' has been {loss:.2f}")
        elif loss > 1.05 * TIE:
            yield told(
                "a discriminator does worse than guess",
                f"A discriminator guesses: for {long:,} steps '{name}' has been {loss:.2f}",
            )


def of_probabilities(losses: Mapping[str, Tensor]) -> Iterator[str]:
    """Warnings of losses, each a scalar, that take the logarithm of a sigmoid or a softmax in two steps, or the softmax of one.

    Autograd's graph of a single step tells; a loss that its step has detached shows none.
    """
    for name, loss in losses.items():
        open_: list[Any] = [loss.grad_fn]
        seen: set[Any] = {None}
        while open_:
            if (node := open_.pop()) not in seen:
                seen.add(node)
                before = [each for each, _ in node.next_functions]
                open_ += before
                if _kind(node) in TAKES_LOGITS and any(map(_is_probability, before)):
                    yield told(
                        "a loss of probabilities in place of logits", f"The loss '{name}' is given probabilities"
                    )
                    break


def _is_probability(node: Any) -> bool:
    while node is not None and _kind(node) in PASSES_ON:
        before = [each for each, _ in node.next_functions if each is not None]
        node = before[0] if len(before) == 1 else None  # a sum of two is another thing
    return node is not None and _kind(node) in GIVES_PROBABILITIES


def _kind(node: Any) -> str:
    return str(node.name()).rpartition("Backward")[0]


def told(fault: str, about: str) -> str:
    """A warning: what was seen, and the section on the fault, one of :data:`SECTIONS`."""
    return f"{about}. See appendix A, '{SECTIONS[fault]}'."
