"""The training loop of every model: :func:`fit` draws batches, the model's own ``step`` says what is learnt from them.

What costs time is arranged once, before the loop: the images lie on the device as one ``uint8`` tensor, each epoch
is permuted once and then sliced, optimizers are fused, products run in bfloat16 where that is faster, and
no step waits for a number. Started as several processes (:mod:`aae_core.training.processes`), the loop trains one model in all of
them, each on its share of every batch.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import islice, repeat
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, IterableDataset

from aae_core.data import Digits, is_build
from aae_core.step import AnyModel, Batch
from aae_core.training.checkpoint import take
from aae_core.training.config import SEEDS_APART, TrainingConfig, TrainingError, seed_everything
from aae_core.training.device import choose_device, choose_precision
from aae_core.training.history import History
from aae_core.training.processes import Processes
from aae_core.training.progress import progress_bar
from aae_core.training.run import Run
from aae_core.training.verdicts import verdicts

Loader = DataLoader[tuple[Tensor, Tensor]]


def fit(
    model: AnyModel,
    data: Digits | Loader,
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    callback: Callable[[int, nn.Module], None] | None = None,
) -> History:
    """Trains `model` in place and returns what was recorded.

    Called in each of several processes (:mod:`aae_core.training.processes`), it leaves the same model in all of them, as one process
    would with the same `batch_size`, but for the noise, which each draws for its own images, and for batch normalisation.
    On GPUs this is synchronised. On CPUs each process normalises by its share of the batch, and the running statistics
    are set to their mean over the processes after each epoch. A checkpoint does not depend on the number of processes.

    Args:
        model: has ``step`` and ``parts`` (see :class:`aae_core.step.Model`); afterwards in evaluation mode, on the chosen device.
        data: digits in memory; or, for data that does not fit there, a DataLoader of (images in [0, 1], labels),
            whose last batch is left out where it is a single image, from which batch norm learns nothing.
        folder: keeps a checkpoint there after each epoch; where epochs are short and the model is large, after every few, and
            of those between them the last is written when the run is interrupted or fails, but not when its process is
            killed. Of several processes, the first writes and reads it. It holds the model's state and what its modules
            count in plain numbers; noise is to come from torch, which each epoch seeds.
        resume: goes on from the folder's checkpoint, to the same weights as a run that never stopped. `config` may name
            another number of epochs, not below those that are done: the schedules are those of the new number from there on.
        overwrite: gives up a run that the folder holds.
        progress: shows a progress bar; in a log, a line now and then.
        callback: called with (step, model) before the first step and after each one, of several processes in the first
            alone; it must not train the model.

    Raises:
        TrainingError: a loss, a gradient or a weight is not a finite number; the checkpoint to resume from is missing, damaged, of
            another run, or of more epochs; the folder cannot be written, has no room, or another run is under way there.
        ValueError: the folder holds a run, and neither to resume nor to overwrite it was asked for; a batch that the processes cannot share out evenly, or data that they cannot share.
        LostProcess: another process has ended.
    """
    device = choose_device(config.device)
    processes = Processes(device)
    model.to(device).train()
    processes.synchronise_norms(model)
    processes.begin_equal(model)
    data = data.to(device) if isinstance(data, Digits) else data
    pairs_of = getattr(model, "pairs_of", 0)
    _check_data(data, config, processes, pairs_of)
    total_steps = config.epochs * _steps_per_epoch(data, config)
    folder = None if folder is None else Path(folder)
    with ExitStack() as held:
        if folder is not None:  # of several processes the first writes, and the others hear what it is refused
            enter = partial(take, folder, resume=resume, overwrite=overwrite)
            processes.from_first(lambda: held.enter_context(enter()))
        run = Run(model, data, config, processes, total_steps, folder)
        if resume:
            run.restore()
            _say_if_done(run)
        begun = run.history.precision if resume else None
        precision = processes.from_first(lambda: choose_precision(config.precision, device, begun))
        run.history.precision = precision
        if folder is not None:
            processes.from_first(lambda: run.prepare(overwrite))
        run.history.processes = processes.count
        first = processes.index == 0
        tell = callback if callback is not None and first else _tell_nobody
        if run.step == 0:
            tell(0, model)

        begin = time.perf_counter() - run.history.seconds
        log_every = max(1, run.total_steps // 300)
        bar = progress_bar(run.total_steps, "step", done=run.step, show=progress and first)
        with torch.random.fork_rng(), _compiled(model, config.compile), bar, run.keeper.at_a_break():
            for epoch in range(run.history.epochs, config.epochs):
                # Seeding by epoch is what makes a resumed run equal to one that never stopped.
                seed = config.seed * SEEDS_APART + epoch
                seed_everything(processes.seed(seed))
                if epoch >= config.freeze_norms_from * config.epochs:
                    _freeze_norms(model)
                for batch in _batches(data, config, device, processes, seed, pairs_of):
                    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                        losses = model.step(batch, run.optimizers)
                    run.after_step(losses)
                    if run.step % log_every == 0 or run.step in (1, run.total_steps):
                        told = {"epoch": f"{epoch + 1}/{config.epochs}"}
                        bar.set_postfix(told | {name: f"{value:.4f}" for name, value in run.flush().items()})
                        _say(run.new_warnings(), processes)
                    tell(run.step, model)
                    bar.update()
                processes.average_statistics(model, run.average)
                run.end_epoch(time.perf_counter() - begin)
    run.finish()
    if first and isinstance(data, Digits):
        more = verdicts(model, data, run.history.losses, config, run.total_steps)
        run.history.warnings += more
        _say(more, processes)
    return run.history


def _tell_nobody(step: int, model: nn.Module) -> None:
    pass


def _say_if_done(run: Run) -> None:
    epochs = run.config.epochs
    if run.history.epochs == epochs and run.processes.index == 0:
        warnings.warn(
            f"Nothing is left to train: all {epochs} epochs are done. More of them make the run longer.", stacklevel=3
        )


def _say(found: list[str], processes: Processes) -> None:
    """Warns once, in the first process; a page of the book reads what it shows itself."""
    for each in found if processes.index == 0 and not is_build() else ():
        warnings.warn(each, stacklevel=3)


@contextmanager
def _compiled(model: AnyModel, wanted: bool) -> Iterator[None]:
    """Has the networks compiled, but for discriminators, as long as batches of one size go through them."""
    parts = model.parts() if wanted else {}
    networks = [network for part, each in parts.items() if part != "discriminator" for network in each]
    networks = [network for network in networks if not isinstance(network, nn.ParameterList)]
    for network in networks:
        network.compile()
    try:
        yield
    except RuntimeError as error:
        if not type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(
            f"compile: torch.compile cannot compile the networks on this machine ({reason}). Leave --compile out, or "
            "install a C++ compiler; for a GPU, what torch.compile needs there."
        ) from error
    finally:
        for network in networks:
            network._compiled_call_impl = None


def _freeze_norms(model: nn.Module) -> None:
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def _check_data(data: Digits | Loader, config: TrainingConfig, processes: Processes, pairs_of: int) -> None:
    """Refuses data from which no batch can be drawn as `config` asks for it."""
    if isinstance(data, Digits):
        processes.check_shares("batch_size", min(config.batch_size, len(data)))
        processes.check_shares("labelled_batch", config.labelled_batch)
        if config.labelled_batch and (not data.n_classes or config.labelled_batch % data.n_classes):
            raise ValueError(
                f"labelled_batch: expected a multiple of the data's {data.n_classes} classes, for equally many of each, "
                f"got {config.labelled_batch}."
            )
    elif isinstance(data, Dataset):
        raise ValueError("data: a Dataset gives one image at a time. Put it into a DataLoader.")
    elif not len(data):
        raise ValueError(
            "data: the DataLoader has no batch: its data are fewer than a batch, and drop_last leaves them out."
        )
    elif pairs_of:
        raise ValueError("pairs_of: pairs of one style are drawn from images in memory, not from a DataLoader.")
    elif config.labelled_batch:
        raise ValueError("labelled_batch: labelled images are drawn from digits in memory, not from a DataLoader.")
    elif processes.count > 1:
        raise ValueError("data: several processes share out digits in memory; a DataLoader is for one process.")


def _steps_per_epoch(data: Digits | Loader, config: TrainingConfig) -> int:
    if isinstance(data, Digits):
        return max(1, len(data) // config.batch_size)
    size = getattr(data, "batch_size", None)
    if size is None or isinstance(
        data.dataset, IterableDataset
    ):  # a list of batches, or a stream: they say what one is
        return len(data)
    single = len(data.sampler) % size == 1 < len(data)  # type: ignore[arg-type]  # it is no stream's
    return len(data) - single


def _batches(
    data: Digits | Loader, config: TrainingConfig, device: torch.device, processes: Processes, seed: int, pairs_of: int
) -> Iterator[Batch]:
    """One epoch. A short last batch is left out: it would weigh each of its images more, and upset batch norm."""
    if not isinstance(data, Digits):
        for k, (images, labels) in enumerate(islice(data, _steps_per_epoch(data, config))):
            if k == 0 and images.ndim == 4:  # images, and not points or rows
                _check_images(images)
            yield Batch(images.to(device, non_blocking=True), labels.to(device, non_blocking=True))
        return
    size = min(config.batch_size, len(data))
    labelled: Iterator[tuple[Tensor, Tensor] | None] = repeat(None)
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
    for images, labels in data.batches(own, order, share=share, pairs_of=pairs_of):
        if len(labels) == own:
            drawn = next(labelled)
            yield Batch(images, labels, drawn and Batch(*drawn))


def _check_images(images: Tensor) -> None:
    """Refuses a DataLoader's images that are not as :class:`aae_core.step.Batch` says; its first batch is looked at.

    Raises:
        ValueError: they are no floating-point numbers, or outside [0, 1].
    """
    if not images.is_floating_point():
        raise ValueError(f"data: expected float images in [0, 1], got {images.dtype}. Divide bytes by 255.")
    low, high = float(images.min()), float(images.max())
    if not (low >= -0.01 and high <= 1.01):
        raise ValueError(f"data: expected images in [0, 1], got {low:.4g} … {high:.4g}. Shift and scale them.")
