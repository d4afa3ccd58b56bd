"""A run: optimizers and their learning-rate schedule, averaged weights, the history, and the checkpoint that holds them all."""

from __future__ import annotations

import math
import os
import pickle
import shutil
import warnings
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from aae_core.step import AnyModel
from aae_core.training.config import TrainingConfig
from aae_core.training.processes import Processes

CHECKPOINT = "checkpoint.pt"


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says what happened, what was kept, and what to do."""


@dataclass(repr=False)
class History:
    """What a run recorded: the mean of each loss over stretches of steps, what the run cost, and what was warned of."""

    steps: list[int] = field(default_factory=list)
    losses: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int = 0
    precision: str = "float32"
    processes: int = 1
    warnings: list[str] = field(default_factory=list)

    def record(self, step: int, means: Mapping[str, float]) -> None:
        """Adds the mean losses of the steps up to `step`."""
        self.steps.append(step)
        for name, value in means.items():
            self.losses.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        """One line: a cell of a notebook that ends with a run shows it."""
        last = ", ".join(f"{name} {values[-1]:.4g}" for name, values in self.losses.items())
        return f"History({self.steps[-1] if self.steps else 0:,} steps, {self.seconds:.1f} s: {last or 'no loss yet'})"

    def as_dict(self) -> dict[str, object]:
        """The history as plain data, ready for JSON."""
        return asdict(self)


class Run:
    """The moving parts of one call of :func:`aae_core.training.fit`: optimizers, schedules, averaged weights, history."""

    def __init__(
        self, model: nn.Module, config: TrainingConfig, processes: Processes, total_steps: int, n_data: int
    ) -> None:
        self.model, self.config, self.processes = model, config, processes
        self.total_steps, self.n_data = total_steps, n_data
        self._described = describe_model(model)  # as it begins: some options grow while it learns
        self.optimizers = _optimizers(model, config)
        for optimizer in self.optimizers.values():
            processes.average_gradients(optimizer)
        self.rates = _by_part("learning_rate", config.learning_rate, self.optimizers)
        self.final_rates = _by_part("final_rate", config.final_rate, self.optimizers)
        self.average = None
        if config.ema_decay:
            # Buffers too: the running statistics of batch normalisation belong to the averaged weights.
            self.average = AveragedModel(model, multi_avg_fn=_warmed_up(config.ema_decay), use_buffers=True)
        self.history = History()
        self.step = 0
        self._sum: Tensor | None = None
        self._summed = 0
        runs = processes.from_all(self._identity())
        if odd := [index for index, run in enumerate(runs) if run != runs[0]]:
            raise TrainingError(
                f"Process {odd[0]} has other settings or data than process 0: {runs[odd[0]]}, not {runs[0]}. "
                "Start all with the same command, and let all find the same data."
            )

    def _set_rates(self) -> None:
        """Learning rates of the next step: constant at first, then linear down to the final share."""
        start = self.config.constant_until * self.total_steps
        done = max(0.0, self.step - start) / max(1.0, self.total_steps - start)
        for name, optimizer in self.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = self.rates[name] * (1.0 + done * (self.final_rates[name] - 1.0))

    def after_step(self, losses: dict[str, Tensor]) -> None:
        self.step += 1
        self._set_rates()
        if self.average is not None:
            self.average.update_parameters(self.model)
        self._names = list(losses)
        values = torch.stack([loss.detach() for loss in losses.values()])
        self._sum = values if self._sum is None else self._sum + values
        self._summed += 1

    def flush(self, folder: Path | None) -> dict[str, float]:
        """Records the mean losses since the last call; the one place that waits for the device."""
        assert self._sum is not None  # there has been a step
        mean = self._sum / self._summed
        self.processes.average([mean])
        means = dict(zip(self._names, mean.tolist(), strict=True))
        bad = [name for name, value in means.items() if not math.isfinite(value)]
        if bad:
            kept = f"the checkpoint of epoch {self.history.epochs} in {folder}" if folder else "nothing"
            raise TrainingError(
                f"Training stopped: the loss '{bad[0]}' is {means[bad[0]]} by step {self.step}. Kept: {kept}. "
                "Lower the learning rate, or look for images outside [0, 1]."
            )
        self.history.record(self.step, means)
        self._sum, self._summed = None, 0
        return means

    def save(self, folder: Path) -> None:
        """Writes the checkpoint whole or not at all."""
        folder.mkdir(parents=True, exist_ok=True)
        state = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "history": self.history.as_dict(),
            "step": self.step,
            "run": self._identity(),
        }
        partial = folder / (CHECKPOINT + ".partial")
        try:
            with partial.open("wb") as file:
                torch.save(state, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, folder / CHECKPOINT)
        except (OSError, RuntimeError) as error:  # torch says of a full disk only that it could not write
            reason = _reason(error, folder)
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            kept = f"the checkpoint of epoch {self.history.epochs - 1}" if (folder / CHECKPOINT).exists() else "nothing"
            raise TrainingError(
                f"{folder / CHECKPOINT}: epoch {self.history.epochs} could not be written ({reason}). Kept: {kept}. "
                "Make room, or choose another folder, and resume."
            ) from error

    def restore(self, folder: Path | None) -> None:
        path = Path(folder or ".") / CHECKPOINT
        state = self.processes.from_first(lambda: self._read(path))
        try:
            self.model.load_state_dict(state["model"])
            if self.average is not None:
                self.average.load_state_dict(state["average"])
            for name, optimizer in self.optimizers.items():
                optimizer.load_state_dict(state["optimizers"][name])
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"{path}: the checkpoint does not fit this model. It was left as it is; resume the model that it is of, or "
                "choose another folder."
            ) from error
        self.history = History(**state["history"])
        self.step = state["step"]
        self._set_rates()  # those of the checkpoint are of a run as long as was planned then

    def _read(self, path: Path) -> dict[str, Any]:
        if not path.exists():
            raise TrainingError(f"{path}: there is no checkpoint to resume from. Start without resuming.")
        try:
            with warnings.catch_warnings(action="ignore"):  # of a file that is none of ours
                state = torch.load(path, map_location="cpu", weights_only=True)
            whole = isinstance(state, dict) and {"model", "average", "optimizers", "history", "step", "run"} <= set(
                state
            )
        except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
            whole = False
        if not whole:
            raise TrainingError(
                f"{path}: damaged, or no checkpoint of a run. It was left as it is. Start without resuming, in another folder."
            )
        # A checkpoint from before the data's length was kept says nothing about it.
        ours, theirs = _but_for_length(self._identity()), _but_for_length(state["run"])
        if odd := [name for name in ours if theirs.get(name, ours[name]) != ours[name]]:
            what = ", ".join(_difference(name, theirs[name], ours[name]) for name in odd)
            raise TrainingError(
                f"{path}: the checkpoint is of another run ({what}). It was left as it is; resume with the same settings, "
                "or choose another folder."
            )
        if (done := state["history"]["epochs"]) > self.config.epochs:
            raise TrainingError(
                f"{path}: {done} epochs are done, {self.config.epochs} were asked for. It was left as it is; ask for {done} "
                "or more, or choose another folder."
            )
        return state

    def finish(self) -> None:
        """Leaves the averaged weights, where there are any, in the model."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()

    def _identity(self) -> dict[str, object]:
        config = asdict(self.config) | {"device": None, "precision": None}
        del config["compile"]  # neither does it matter; and older checkpoints do not know it
        config |= {"learning_rate": str(config["learning_rate"]), "final_rate": str(config["final_rate"])}
        lengths = {"total_steps": self.total_steps, "n_data": self.n_data}
        return config | lengths | {"betas": list(self.config.betas), "model": self._described}


def describe_model(model: nn.Module) -> dict[str, Any]:
    """A model as it is built, as plain data: its class, its options, and the layers of its parts."""

    def plain(value: object) -> object:
        if isinstance(value, Tensor):
            return value.tolist()
        if isinstance(value, Mapping):
            return {str(name): plain(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [plain(each) for each in value]
        if isinstance(value, nn.Module):
            return repr(value)
        if hasattr(value, "__dict__"):  # a prior, a corruption
            return {"kind": type(value).__name__} | {name: plain(each) for name, each in vars(value).items()}
        return value if value is None or isinstance(value, bool | int | float | str) else type(value).__name__

    own = {name: value for name, value in vars(model).items() if name != "training" and not name.startswith("_")}
    return {
        "model": type(model).__name__,
        "options": {name: plain(value) for name, value in own.items()},
        "layers": {
            name: [repr(layer) for layer in part.modules() if not list(layer.children())]
            for name, part in model.named_children()
        },
    }


def _difference(name: str, theirs: object, ours: object) -> str:
    """How two runs differ in what stands under `name`, down to the first entry that is another."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        odd = next(key for key in {**theirs, **ours} if theirs.get(key) != ours.get(key))
        return _difference(f"{name}, {odd}", theirs.get(odd), ours.get(odd))
    return f"{name} {str(theirs)[:80]}, now {str(ours)[:80]}"


def _reason(error: Exception, folder: Path) -> str:
    with suppress(OSError):
        if shutil.disk_usage(folder).free < 2**20:
            return "the disk is full"
    return str(error).splitlines()[0][:200]


def _but_for_length(run: dict[str, Any]) -> dict[str, Any]:
    """What makes a run the one that it is, whatever the number of its epochs."""
    rest = {name: value for name, value in run.items() if name not in ("epochs", "total_steps")}
    return rest | {"steps an epoch": run["total_steps"] // run["epochs"]}


def _warmed_up(decay: float) -> Callable[[Any, Any, Tensor | int], None]:
    """An exponential moving average whose decay grows with the number of states it holds, up to `decay`.

    With a fixed decay the first weights would weigh decayᵗ after t steps: nearly all, for as long as t is small.
    """

    def update(averaged: Any, current: Any, count: Tensor | int) -> None:
        t = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + t) / (10 + t)))(averaged, current, count)

    return update


def _optimizers(model: AnyModel, config: TrainingConfig) -> dict[str, torch.optim.Optimizer]:
    parts = model.parts()
    rates = _by_part("learning_rate", config.learning_rate, parts)
    return {
        name: torch.optim.Adam(
            [parameter for network in networks for parameter in network.parameters()],
            lr=rates[name],
            betas=config.betas,
            fused=True,
        )
        for name, networks in parts.items()
    }


def _by_part(setting: str, value: float | Mapping[str, float], parts: Collection[str]) -> Mapping[str, float]:
    """A setting that may be one number or one for each part, as one for each part."""
    if not isinstance(value, Mapping):
        return dict.fromkeys(parts, value)
    if set(value) != set(parts):
        raise ValueError(f"{setting}: expected rates for {sorted(parts)}, got {sorted(value)}.")
    return value
