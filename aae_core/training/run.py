"""A run: optimizers and their learning-rate schedule, averaged weights, the history, and what of them a checkpoint holds."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from aae_core.data import Digits
from aae_core.training import checkpoint
from aae_core.training.checkpoint import CHECKPOINT
from aae_core.training.config import TrainingConfig, TrainingError
from aae_core.training.history import History
from aae_core.training.identity import but_for_length, checksum, describe_model, difference
from aae_core.training.keeping import Keeper
from aae_core.training.optimizers import by_part, optimizers_of, warmed_up
from aae_core.training.processes import Processes
from aae_core.training.state import State
from aae_core.training.watch import Watch, of_probabilities, one_sided

LOOKS, RARE_LOOKS = {"cpu": (1, 10)}, (100, 100)
"""Steps from one look at losses and gradients, and at weights and statistics, to the next: a GPU has to be waited for."""


class Run:
    """The moving parts of one call of :func:`aae_core.training.fit`: optimizers, schedules, averaged weights, history."""

    def __init__(
        self,
        model: nn.Module,
        data: Digits | DataLoader[Any],
        config: TrainingConfig,
        processes: Processes,
        total_steps: int,
        folder: Path | None,
    ) -> None:
        self.model, self.config, self.processes, self.folder = model, config, processes, folder
        self.total_steps = total_steps
        self.order = (
            None if isinstance(data, Digits) else getattr(data, "generator", None)
        )  # of a DataLoader with a source of its own
        self._described = describe_model(model)  # as it begins: some options grow while it learns
        self._data: dict[str, Any] = {"n_data": len(data), "checksum of the data": None}
        if isinstance(data, Digits) and (folder is not None or processes.count > 1):
            self._data["checksum of the data"] = checksum(data)
        self.optimizers = optimizers_of(model, config)
        for optimizer in self.optimizers.values():
            processes.average_gradients(optimizer)
        self.rates = by_part("learning_rate", config.learning_rate, self.optimizers)
        self.final_rates = by_part("final_rate", config.final_rate, self.optimizers)
        self.average = None
        if config.ema_decay:
            # Buffers too: the running statistics of batch normalisation belong to the averaged weights.
            self.average = AveragedModel(model, multi_avg_fn=warmed_up(config.ema_decay), use_buffers=True)
        self.state = State(model, self.average, self.optimizers)
        self.watch = Watch(self.optimizers)
        self.history = History()
        self.step = 0
        self.keeper = Keeper(folder)
        self._sum: Tensor | None = None
        self._summed = 0
        self._of_first_step: list[str] = []
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
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        self._sum = values if self._sum is None else self._sum + values
        self._summed += 1
        self.watch.note(self.step, self._names, values)
        if self.step == 1:
            self._of_first_step = list(of_probabilities(losses))
        look, look_at_weights = LOOKS.get(values.device.type, RARE_LOOKS)
        if self.step % look == 0:
            self._stop_if_diverged()
        if self.step % look_at_weights == 0:
            self.check_weights()

    def flush(self) -> dict[str, float]:
        """Records the mean losses since the last call, which waits for the device.

        Raises:
            TrainingError: a loss or a gradient was not a finite number.
        """
        self._stop_if_diverged()
        assert self._sum is not None  # there has been a step
        mean: Tensor = self._sum / self._summed
        self.processes.average([mean])
        means = dict(zip(self._names, mean.tolist(), strict=True))
        self.history.record(self.step, means)
        self._sum, self._summed = None, 0
        return means

    def new_warnings(self) -> list[str]:
        """What is to be said of the losses, each fault once a run."""
        found = [*self._of_first_step, *one_sided(self.history.steps, self.history.losses, self.total_steps)]
        told = {warning.partition("See ")[2] for warning in self.history.warnings}
        new = [warning for warning in found if warning.partition("See ")[2] not in told]
        self.history.warnings += new
        return new

    def _stop_if_diverged(self) -> None:
        if (found := self.watch.first()) is not None:
            self._stop(found[0], " and ".join(found[1]))

    def _stop(self, step: int, what: str) -> None:
        with suppress(TrainingError):
            self.keeper.write_held()
        rates = ", ".join(f"{name} {each.param_groups[0]['lr']:.3g}" for name, each in self.optimizers.items())
        raise TrainingError(
            f"Training stopped: {what} is not a finite number at step {step} of {self.total_steps}. Learning rates: {rates}. "
            f"Kept: {self.keeper.kept()}. Lower the learning rate, or look for images outside [0, 1]."
        )

    def _tensors(self) -> dict[str, Tensor]:
        """All tensors that the next epoch depends on. Its noise begins anew."""
        further = {"sum": self._sum, "order": None if self.order is None else self.order.get_state()}
        return self.state.tensors() | {name: tensor for name, tensor in further.items() if tensor is not None}

    def prepare(self, overwrite: bool) -> None:
        """Refuses before the training what could not be kept after it; notes whether the folder's run is to be given up.

        Raises:
            TrainingError: the model's state is not all tensors, or the disk has no room for it.
        """
        if odd := [name for name, value in self.state.weights().items() if not isinstance(value, Tensor)]:
            raise TrainingError(f"{odd[0]}: a checkpoint keeps tensors, and this part of the model's state is none.")
        assert self.folder is not None
        parameters = [parameter for each in self.watch.parameters.values() for parameter in each]
        size = sum(tensor.nbytes for tensor in [*self._tensors().values(), *(() if self.step else 2 * parameters)])
        checkpoint.check_room(self.folder, size)
        self.keeper.overwrites = overwrite

    def end_epoch(self, seconds: float) -> None:
        """Counts an epoch, after as many seconds of training in all, and keeps it where there is a folder.

        Raises:
            TrainingError: what it learnt is not finite, or cannot be written.
        """
        self._stop_if_diverged()
        self.check_weights()
        self.history.epochs += 1
        self.history.seconds = seconds
        if self.folder is not None and self.processes.index == 0:
            about = {
                "step": self.step,
                "summed": self._summed,
                "history": self.history.as_dict(),
                "run": self._identity(),
                "counters": self.state.counters(),
            }
            self.keeper.end_epoch(self._tensors(), about, last=self.history.epochs == self.config.epochs)

    def check_weights(self) -> None:
        """Stops a run of whose weights or statistics one is not a finite number.

        Raises:
            TrainingError: so it is.
        """
        state = {name: value for name, value in self.state.weights().items() if torch.is_floating_point(value)}
        if torch.stack([norm.float() for norm in torch._foreach_norm([*state.values()])]).isfinite().all():
            return  # a norm takes a tenth of the time of a look at each number
        finite = torch.stack([value.isfinite().all() for value in state.values()]).tolist()
        if not all(finite):
            self._stop(self.step, f"the weight '{list(state)[finite.index(False)]}'")

    def restore(self) -> None:
        """Takes up the folder's checkpoint.

        Raises:
            TrainingError: it is damaged, of another run, or of more epochs.
        """
        assert self.folder is not None
        path = self.folder / CHECKPOINT
        tensors, about = self.processes.from_first(lambda: self._read(path))
        try:
            self.state.put_back(tensors, about["counters"])
            if self.order is not None:
                self.order.set_state(tensors["order"])
            if about["summed"]:
                self._sum, self._summed = tensors["sum"].to(next(self.model.parameters()).device), about["summed"]
            self.history, self.step = History.from_dict(about["history"]), int(about["step"])
            self.keeper.epoch, self.keeper.step = self.history.epochs, self.step
            self._set_rates()  # those of the checkpoint are of a run as long as was planned then
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise TrainingError(
                f"{path}: the checkpoint does not fit this model. It was left as it is; resume the model that it is of, or "
                "choose another folder."
            ) from error

    def _read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, about = checkpoint.read(path)
        try:
            ours, theirs = but_for_length(self._identity()), but_for_length(about["run"])
            done = int(about["history"]["epochs"])
            odd = [name for name in ours | theirs if theirs.get(name) != ours.get(name)]
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise TrainingError(f"{path}: no checkpoint of a run of this version. It was left as it is.") from error
        if odd:
            what = ", ".join(difference(name, theirs.get(name), ours.get(name)) for name in odd)
            raise TrainingError(
                f"{path}: the checkpoint is of another run ({what}). It was left as it is; resume with the same settings, "
                "or choose another folder."
            )
        if done > self.config.epochs:
            raise TrainingError(
                f"{path}: {done} epochs are done, {self.config.epochs} were asked for. It was left as it is; ask for {done} "
                "or more, or choose another folder."
            )
        return tensors, about

    def finish(self) -> None:
        """Leaves the averaged weights, where there are any, in the model."""
        if self.average is not None:
            self.model.load_state_dict(self.average.module.state_dict())
        self.model.eval()

    def _identity(self) -> dict[str, object]:
        config = asdict(self.config) | {"device": None, "precision": None}
        del config["compile"]  # neither does it matter
        lengths = {"total_steps": self.total_steps} | self._data
        return json.loads(json.dumps(config | lengths | {"model": self._described}, default=dict))
