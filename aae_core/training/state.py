"""What the next epoch of a run depends on, as tensors and plain numbers under names: for a checkpoint, and back from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

Counters = dict[str, dict[str, object]]
"""Of each module by its name, what it keeps in plain numbers and words, such as a count of steps: it is in no ``state_dict``."""


class State:
    """The state of a model, of its optimizers, and of the running average of its weights, where there is one."""

    def __init__(
        self, model: nn.Module, average: AveragedModel | None, optimizers: Mapping[str, torch.optim.Optimizer]
    ) -> None:
        self.model, self.average, self.optimizers = model, average, optimizers
        self._began = _counters(model)

    def weights(self) -> dict[str, Any]:
        """The model's parameters and buffers, also those buffers that ``state_dict`` does not list."""
        return self.model.state_dict() | dict(self.model.named_buffers())

    def tensors(self) -> dict[str, Tensor]:
        """All tensors, each under the name of what it belongs to."""
        found = {f"model/{name}": tensor for name, tensor in self.weights().items()}
        if self.average is not None:
            found |= {f"average/{name}": tensor for name, tensor in self.average.state_dict().items()}
        for part, optimizer in self.optimizers.items():
            for index, state in optimizer.state_dict()["state"].items():
                found |= {f"optimizers/{part}/{index}/{name}": tensor for name, tensor in state.items()}
        return found

    def counters(self) -> Counters:
        """Those that the run has changed."""
        return {
            name: {key: value for key, value in each.items() if self._began[name].get(key) != value}
            for name, each in _counters(self.model).items()
            if each != self._began[name]
        }

    def put_back(self, tensors: Mapping[str, Tensor], counters: Counters) -> None:
        """Takes up what :meth:`tensors` and :meth:`counters` gave.

        Raises:
            RuntimeError, ValueError, KeyError, TypeError, AttributeError: it is of another model.
        """
        kept: dict[str, dict[str, Tensor]] = defaultdict(dict)
        for name, tensor in tensors.items():
            kept[name.partition("/")[0]][name.partition("/")[2]] = tensor
        weights = self.model.state_dict().keys()
        self.model.load_state_dict({name: value for name, value in kept["model"].items() if name in weights})
        for name, buffer in self.model.named_buffers():
            buffer.copy_(kept["model"][name])
        known = _counters(self.model)
        for name, module in self.model.named_modules():
            vars(module).update({key: value for key, value in counters.get(name, {}).items() if key in known[name]})
        if self.average is not None:
            self.average.load_state_dict(kept["average"])
        for part, optimizer in self.optimizers.items():
            state: dict[int, dict[str, Tensor]] = defaultdict(dict)
            for name, tensor in kept["optimizers"].items():
                of, index, what = name.rsplit("/", 2)
                if of == part:
                    state[int(index)][what] = tensor
            optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _counters(model: nn.Module) -> Counters:
    return {
        name: {
            key: value
            for key, value in vars(module).items()
            if key != "training" and isinstance(value, bool | int | float | str)
        }
        for name, module in model.named_modules()
    }
