"""The training loop of every model: :func:`fit` draws batches, the model's own ``step`` says what is learnt from them.

What costs time is arranged once, before the loop: the images lie on the device as one ``uint8`` tensor, each epoch
is permuted once and then sliced, optimizers are fused, products run in bfloat16 where the processor has them, and
no step waits for a number. Started as several processes (:mod:`aae_core.processes`), the loop trains one model in all of
them, each on its share of every batch.
"""

from __future__ import annotations

import math
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from aae_core.data import N_CLASSES, Digits, check_batch_size
from aae_core.processes import Processes

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["auto", "float32", "bfloat16"]
Optimizers = Mapping[str, torch.optim.Optimizer]
CHECKPOINT = "checkpoint.pt"


class Batch(NamedTuple):
    """What a step sees: images ``float32`` (N, C, H, W) in [0, 1] and labels ``int64`` (N,).

    Where few labels are known, a step may see a batch of labelled images as well, drawn beside the epoch's own.
    """

    images: Tensor
    labels: Tensor
    labelled: Batch | None = None


class Model(Protocol):
    """What :func:`fit` asks of a model, beside being an ``nn.Module``."""

    def parts(self) -> dict[str, list[nn.Module]]: ...

    def step(self, batch: Batch, optimizers: Optimizers) -> dict[str, Tensor]: ...


class TrainingError(RuntimeError):
    """A run that cannot go on; the message says what happened, what was kept, and what to do."""


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Args:
        epochs: passes over the data, at least 1.
        batch_size: images a step; where several processes train, of all of them together.
        labelled_batch: labelled images that join each step, equally many of each class; 0 for none.
        learning_rate: Adam's rate; or one for each of the model's parts, by name.
        betas: Adam's decay of the first and second moment.
        constant_until: share of the run at full rate, 0 … 1; from there the rate falls linearly to `final_rate`.
        final_rate: share of the learning rate that is left at the end; or one for each of the model's parts, by name.
        freeze_norms_from: share of the run, 0 … 1, after which batch normalisation stops looking at the batch and uses its
            running statistics, as it will when the model is used.
        ema_decay: decay of the running average of the weights that the trained model keeps; 0 keeps the last ones. The
            average warms up with the step t, by a decay of min(`ema_decay`, (1 + t) / (10 + t)), so that a short run's
            forgets the first weights too.
        seed: of the order of the batches and of all noise. The seed of a model's first weights is its maker's.
        device: "auto" takes a GPU where there is one.
        precision: "auto" takes bfloat16 for the products where the processor has them, else float32.
        compile: has ``torch.compile`` fuse the networks' operations, which takes a minute at first. Discriminators stay as
            they are: a penalty differentiates their gradient, and compiled code has no second derivative.

    Raises:
        ValueError: a value outside its range.
    """

    epochs: int = 20
    batch_size: int = 256
    labelled_batch: int = 0
    learning_rate: float | Mapping[str, float] = 1e-3
    betas: tuple[float, float] = (0.5, 0.999)
    constant_until: float = 1.0
    final_rate: float | Mapping[str, float] = 0.01
    freeze_norms_from: float = 1.0
    ema_decay: float = 0.0
    seed: int = 0
    device: Device = "auto"
    precision: Precision = "auto"
    compile: bool = False

    def __post_init__(self) -> None:
        check_batch_size(self.batch_size)
        rates, final_rates = (
            each.values() if isinstance(each, Mapping) else [each] for each in (self.learning_rate, self.final_rate)
        )
        for name, ok, wanted in (
            ("epochs", isinstance(self.epochs, int) and self.epochs >= 1, "a whole number of at least 1"),
            (
                "labelled_batch",
                self.labelled_batch >= 0 and self.labelled_batch % N_CLASSES == 0,
                f"a multiple of {N_CLASSES}, for equally many of each class",
            ),
            ("learning_rate", all(0 < rate < math.inf for rate in rates), "positive rates"),
            ("betas", all(0 <= beta < 1 for beta in self.betas), "two decays in [0, 1)"),
            ("constant_until", 0 <= self.constant_until <= 1, "a share in [0, 1]"),
            ("final_rate", all(0 <= rate <= 1 for rate in final_rates), "shares in [0, 1]"),
            ("freeze_norms_from", 0 <= self.freeze_norms_from <= 1, "a share in [0, 1]"),
            ("ema_decay", 0 <= self.ema_decay < 1, "a decay in [0, 1)"),
            ("device", self.device in ("auto", "cpu", "cuda", "mps"), "auto, cpu, cuda or mps"),
            ("precision", self.precision in ("auto", "float32", "bfloat16"), "auto, float32 or bfloat16"),
        ):
            if not ok:
                raise ValueError(f"{name}: expected {wanted}, got {getattr(self, name)!r}.")
        check_seed(self.seed)


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


def seed_everything(seed: int) -> None:
    """Seeds torch's global source of randomness, from which weights and noise are drawn."""
    torch.manual_seed(seed)


def check_seed(seed: int) -> None:
    """Refuses a seed that one of the sources of randomness would not take: torch, NumPy and scikit-learn share this range.

    Raises:
        ValueError: it is none of 0 … 2³¹ − 1.
    """
    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise ValueError(f"seed: expected a whole number in 0 … 2³¹ − 1, got {seed!r}.")


def choose_device(device: Device = "auto") -> torch.device:
    """The device of that name; "auto" prefers CUDA, then Apple's MPS, then the CPU.

    Raises:
        ValueError: the named device is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if device == "auto":
        return torch.device(next(name for name, is_there in there.items() if is_there))
    if not there.get(device, False):
        raise ValueError(
            f"device: {device} is not available here. Choose one of: {', '.join(n for n in there if there[n])}."
        )
    return torch.device(device)


def has_bfloat16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware, rather than by emulation."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type != "cpu":
        return False
    checks = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16", "amx_tile"))
    return any(check is not None and check() for check in checks)


def choose_precision(precision: Precision, device: torch.device) -> Precision:
    """What "auto" comes to on `device`: the environment variable ``AAE_PRECISION`` where it is set, else bfloat16 where
    the device has it.

    Raises:
        ValueError: the variable names no precision.
    """
    if precision == "auto":
        precision = os.environ.get("AAE_PRECISION") or ("bfloat16" if has_bfloat16(device) else "float32")
    if precision not in ("float32", "bfloat16"):
        raise ValueError(f"AAE_PRECISION: expected float32 or bfloat16, got {precision!r}.")
    return precision


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step of `optimizer` down `loss`, touching the gradients of its own parameters and of no others.

    Another part of the model may lie on the way (the discriminator, when the encoder fools it): it is
    differentiated through, but neither receives gradients nor keeps stale ones. Where several processes train,
    :func:`fit` has told the optimizer to step along the mean of their gradients.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast(loss.device.type, enabled=False):
        loss.backward(inputs=parameters)
    optimizer.step()
    torch.clear_autocast_cache()  # it holds the weights as they were: the next phase must see what this one learnt


def fit(
    model: nn.Module,
    data: Digits | DataLoader,
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    resume: bool = False,
    progress: bool = True,
    callback: Callable[[int, nn.Module], None] | None = None,
) -> History:
    """Trains `model` in place and returns what was recorded.

    Called in each of several processes (:mod:`aae_core.processes`), it leaves the same model in all of them, as one process
    would with the same `batch_size`, but for the noise, which each draws for its own images, and for batch normalisation.
    On GPUs this is synchronised. On CPUs each process normalises by its share of the batch, and the running statistics
    are set to their mean over the processes after each epoch. A checkpoint does not depend on the number of processes.

    Args:
        model: has ``step`` and ``parts`` (see :class:`Model`); afterwards in evaluation mode, on the chosen device.
        data: digits in memory; or, for data that does not fit there, a DataLoader of (images in [0, 1], labels).
        folder: keeps a checkpoint there after each epoch; of several processes, the first writes and reads it.
        resume: goes on from the folder's checkpoint, to the same weights as a run that never stopped. `config` may name
            another number of epochs, not below those that are done: the schedules are those of the new number from there on.
        progress: shows a progress bar; in a log, a line now and then.
        callback: called with (step, model) before the first step and after each one, of several processes in the first
            alone; it must not train the model.

    Raises:
        TrainingError: a loss is not a number; or the checkpoint to resume from is missing, of another run, or of more epochs.
        ValueError: a batch that the processes cannot share out evenly, or data that they cannot share.
        LostProcess: another process has ended.
    """
    device = choose_device(config.device)
    processes = Processes(device)
    bfloat16 = choose_precision(config.precision, device) == "bfloat16"
    model.to(device).train()
    processes.synchronise_norms(model)
    processes.begin_equal(model)
    data = data.to(device) if isinstance(data, Digits) else data
    _check_data(data, config, processes)
    run = _Run(model, config, processes, total_steps=config.epochs * _steps_per_epoch(data, config), n_data=len(data))
    run.history.precision = "bfloat16" if bfloat16 else "float32"
    if resume:
        run.restore(folder)
        if run.history.epochs == config.epochs and processes.index == 0:
            warnings.warn(
                f"Nothing is left to train: all {config.epochs} epochs are done. More of them make the run longer.",
                stacklevel=2,
            )
    run.history.processes = processes.count
    if processes.index > 0:
        progress, callback = False, None
    if callback is not None and run.step == 0:
        callback(0, model)

    begin = time.perf_counter() - run.history.seconds
    log_every = max(1, run.total_steps // 300)
    bar = progress_bar(run.total_steps, "step", done=run.step, show=progress)
    with torch.random.fork_rng(), _compiled(model, config.compile), bar:
        for epoch in range(run.history.epochs, config.epochs):
            # Seeding by epoch is what makes a resumed run equal to one that never stopped.
            seed = config.seed * 1_000_003 + epoch
            seed_everything(processes.seed(seed))
            if epoch >= config.freeze_norms_from * config.epochs:
                _freeze_norms(model)
            for batch in _batches(data, config, device, processes, seed):
                with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
                    losses = model.step(batch, run.optimizers)
                run.after_step(losses)
                if run.step % log_every == 0 or run.step in (1, run.total_steps):
                    told = {"epoch": f"{epoch + 1}/{config.epochs}"}
                    bar.set_postfix(told | {name: f"{value:.4f}" for name, value in run.flush(folder).items()})
                if callback is not None:
                    callback(run.step, model)
                bar.update()
            processes.average_statistics(model, run.average)
            run.history.epochs = epoch + 1
            run.history.seconds = time.perf_counter() - begin
            if folder is not None and processes.index == 0:
                run.save(folder)
    run.finish()
    run.history.warnings = []
    if processes.index == 0 and isinstance(data, Digits) and (worse := _worse_than_the_mean(model, data)):
        run.history.warnings.append(worse)
        warnings.warn(worse, stacklevel=2)
    return run.history


class _Run:
    """The moving parts of one call of :func:`fit`: optimizers, schedules, averaged weights, history."""

    def __init__(
        self, model: nn.Module, config: TrainingConfig, processes: Processes, total_steps: int, n_data: int
    ) -> None:
        self.model, self.config, self.processes = model, config, processes
        self.total_steps, self.n_data = total_steps, n_data
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
        torch.save(state, partial)
        os.replace(partial, folder / CHECKPOINT)

    def restore(self, folder: Path | None) -> None:
        path = Path(folder or ".") / CHECKPOINT
        state = self.processes.from_first(lambda: self._read(path))
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.history = History(**state["history"])
        self.step = state["step"]
        self._set_rates()  # those of the checkpoint are of a run as long as was planned then

    def _read(self, path: Path) -> dict[str, Any]:
        if not path.exists():
            raise TrainingError(f"{path}: there is no checkpoint to resume from. Start without resuming.")
        state = torch.load(path, map_location="cpu", weights_only=True)
        # A checkpoint from before the data's length was kept says nothing about it.
        ours, theirs = _but_for_length(self._identity()), _but_for_length(state["run"])
        if odd := [name for name in ours if theirs.get(name, ours[name]) != ours[name]]:
            what = ", ".join(f"{name} {theirs[name]}, now {ours[name]}" for name in odd)
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
        return config | {"betas": list(self.config.betas), "total_steps": self.total_steps, "n_data": self.n_data}


def _but_for_length(run: dict[str, Any]) -> dict[str, Any]:
    """What makes a run the one that it is, whatever the number of its epochs."""
    rest = {name: value for name, value in run.items() if name not in ("epochs", "total_steps")}
    return rest | {"steps an epoch": run["total_steps"] // run["epochs"]}


def _warmed_up(decay: float) -> Callable[[list[Tensor], list[Tensor], Tensor], None]:
    """An exponential moving average whose decay grows with the number of states it holds, up to `decay`.

    With a fixed decay the first weights would weigh decayᵗ after t steps: nearly all, for as long as t is small.
    """

    def update(averaged: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        t = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + t) / (10 + t)))(averaged, current, count)

    return update


def _optimizers(model: nn.Module, config: TrainingConfig) -> dict[str, torch.optim.Optimizer]:
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


@contextmanager
def _compiled(model: Model, wanted: bool) -> Iterator[None]:
    """Has the networks compiled, but for discriminators, as long as batches of one size go through them."""
    parts = model.parts() if wanted else {}
    networks = [network for part, each in parts.items() if part != "discriminator" for network in each]
    networks = [network for network in networks if not isinstance(network, nn.ParameterList)]
    for network in networks:
        network.compile()
    try:
        yield
    finally:
        for network in networks:
            network._compiled_call_impl = None


@torch.no_grad()
def _worse_than_the_mean(model: nn.Module, data: Digits, n: int = 1000) -> str:
    """A warning of an autoencoder that rebuilds the first `n` images it learnt from no better than their mean image would."""
    if not hasattr(model, "reconstruct"):
        return ""
    x, y = data.pixels(slice(n)), data.labels[:n]
    with torch.random.fork_rng():
        error = float((model.reconstruct(x, y) - x).square().mean())
    of_the_mean = float((x.mean(0) - x).square().mean())
    if error < of_the_mean:
        return ""
    return (
        f"The trained model rebuilds its own training images with a squared error of {error:.4f}, no better than their "
        f"mean image ({of_the_mean:.4f}). It was kept all the same. Train it for more epochs, or at another rate."
    )


def _freeze_norms(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def _check_data(data: Digits | DataLoader, config: TrainingConfig, processes: Processes) -> None:
    """Refuses data from which no batch can be drawn as `config` asks for it."""
    if isinstance(data, Digits):
        processes.check_shares("batch_size", min(config.batch_size, len(data)))
        processes.check_shares("labelled_batch", config.labelled_batch)
    elif config.labelled_batch:
        raise ValueError("labelled_batch: labelled images are drawn from digits in memory, not from a DataLoader.")
    elif processes.count > 1:
        raise ValueError("data: several processes share out digits in memory; a DataLoader is for one process.")


def _steps_per_epoch(data: Digits | DataLoader, config: TrainingConfig) -> int:
    return max(1, len(data) // config.batch_size) if isinstance(data, Digits) else len(data)


def _batches(
    data: Digits | DataLoader, config: TrainingConfig, device: torch.device, processes: Processes, seed: int
) -> Iterator[Batch]:
    """One epoch. A short last batch is left out: it would weigh each of its images more, and upset batch norm."""
    if not isinstance(data, Digits):
        for images, labels in data:
            yield Batch(images.to(device, non_blocking=True), labels.to(device, non_blocking=True))
        return
    size, labelled = min(config.batch_size, len(data)), repeat(None)
    order = draws = None  # torch's global source of randomness: alone, a run draws everything from it
    share, labelled_share = slice(None), slice(None)
    if processes.count > 1:
        # All draw the same whole batches, and each takes every count-th image of them. What is left over at the end
        # of the epoch is cut off first: it might be a full share for one process and not for the next.
        order, draws = torch.Generator().manual_seed(seed), torch.Generator(device).manual_seed(seed + 1)
        share = slice(processes.index, len(data) // size * size, processes.count)
        labelled_share = slice(processes.index, None, processes.count)
    if config.labelled_batch:
        labelled = data.labelled_draws(config.labelled_batch, draws, share=labelled_share)
    own = size // processes.count
    for images, labels in data.batches(own, order, share=share):
        if len(labels) == own:
            drawn = next(labelled)
            yield Batch(images, labels, drawn and Batch(*drawn))


def progress_bar(total: int, unit: str, *, done: int = 0, show: bool = True) -> Any:
    """A bar of tqdm's in a terminal or a notebook; elsewhere, as in a log, an object like it that writes a line now and then.

    The environment variable ``TQDM_DISABLE`` silences both, as the book's build does.

    Args:
        total: how many there are.
        unit: of what, one of them.
        done: how many are done before.
        show: False is silence as well.
    """
    from tqdm.auto import tqdm

    if not show or os.environ.get("TQDM_DISABLE") == "1":
        return tqdm(disable=True)
    in_notebook = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
    if not in_notebook and not sys.stderr.isatty():
        return _Lines(total, unit, done)
    bar = tqdm(total=total, initial=done, unit=unit, leave=False)
    return bar if in_notebook else _Ticking(bar)


class _Lines:
    """Progress in a log: on stderr, at most a line each half minute, and one at the end."""

    EVERY = 30.0  # seconds

    def __init__(self, total: int, unit: str, done: int) -> None:
        self.total, self.unit, self.n, self.begun_at = total, unit, done, done
        self.begun = self.said = time.monotonic()
        self.about = ""

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None and self.n > self.begun_at:
            self._say()

    def set_postfix(self, what: Mapping[str, str]) -> None:
        self.about = ", ".join(f"{name} {value}" for name, value in what.items())

    def set_description(self, what: str) -> None:
        """A stage that begins: a line of its own."""
        print(what, file=sys.stderr, flush=True)

    def update(self, n: int = 1) -> None:
        self.n += n
        if time.monotonic() - self.said >= self.EVERY and self.n < self.total:
            self._say()

    def _say(self) -> None:
        self.said = time.monotonic()
        line = f"{self.unit} {self.n:,} of {self.total:,}, {self.said - self.begun:.0f} s"
        print(f"{line}: {self.about}" if self.about else line, file=sys.stderr, flush=True)


class _Ticking:
    """A bar in a terminal whose clock goes on while one long piece of work is under way."""

    def __init__(self, bar: Any) -> None:
        self.bar, self.ended = bar, threading.Event()
        self.set_postfix, self.set_description, self.update = bar.set_postfix, bar.set_description, bar.update

    def __enter__(self) -> _Ticking:
        self.clock = threading.Thread(target=self._tick, daemon=True)
        self.clock.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.clock.join()
        self.bar.close()

    def _tick(self) -> None:
        while not self.ended.wait(1.0):
            self.bar.refresh()
