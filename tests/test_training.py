"""The loop: it learns, repeats itself, resumes to the same weights, refuses nonsense and stops at NaN."""

import io
import os
import pickle
import re
import sys
import time
import warnings
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from aae_core.data import DataError, Digits
from aae_core.models import SupervisedAAE
from aae_core.priors import GaussianMixture
from aae_core.recipes import RECIPES, recipe
from aae_core.training import (
    CHECKPOINT,
    Batch,
    History,
    TrainingConfig,
    TrainingError,
    choose_device,
    choose_precision,
    descend,
    fit,
    progress_bar,
    seed_everything,
)
from plain_descent import plain_descent
from waiting import eventually

CONFIG = TrainingConfig(epochs=3, batch_size=32, precision="float32", device="cpu")


def bars(n: int = 256) -> Digits:
    """Ten kinds of image: a bright row whose height is the label."""
    labels = torch.arange(n) % 10
    images = torch.zeros(n, 1, 28, 28, dtype=torch.uint8)
    images[torch.arange(n), 0, 2 * labels + 3] = 255
    return Digits(images, labels)


def small(**options) -> SupervisedAAE:
    seed_everything(0)
    return SupervisedAAE(3, hidden=(32, 32), discriminator_hidden=(32,), **options)


def weights(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.trains
def test_training_lowers_the_reconstruction_error_and_records_it():
    model = small()
    history = fit(model, bars(), replace(CONFIG, epochs=20), progress=False)
    first, last = history.losses["reconstruction"][0], history.losses["reconstruction"][-1]
    assert last < 0.5 * first
    assert history.steps[0] == 1 and history.steps[-1] == 20 * 8 and history.epochs == 20 and history.seconds > 0
    assert set(history.losses) == {"reconstruction", "fooling", "discrimination"}
    assert not model.training


@pytest.mark.trains
def test_the_same_seed_gives_the_same_weights_and_another_seed_others():
    runs = []
    for seed in (0, 0, 1):
        model = small()
        torch.rand(7)  # what the caller drew before must not matter
        fit(model, bars(), replace(CONFIG, seed=seed), progress=False)
        runs.append(weights(model))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])


def test_training_leaves_the_callers_randomness_alone():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    fit(_made_quietly(), bars(), CONFIG, progress=False)
    assert torch.equal(torch.rand(4), expected)


def _made_quietly() -> SupervisedAAE:
    with torch.random.fork_rng():
        return small()


@pytest.mark.trains
@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_resumed_run_equals_one_that_never_stopped(tmp_path, average):
    config = replace(CONFIG, epochs=4, constant_until=0.5, ema_decay=average)
    whole = small(batch_norm=(1,))
    fit(whole, bars(), config, progress=False)

    class Stop(Exception):
        pass

    def stop_in_the_third_epoch(step, model):
        if step == 20:
            raise Stop

    part = small(batch_norm=(1,))
    with pytest.raises(Stop):
        fit(part, bars(), config, folder=tmp_path, progress=False, callback=stop_in_the_third_epoch)
    resumed = small(batch_norm=(1,))
    history = fit(resumed, bars(), config, folder=tmp_path, resume=True, progress=False)
    assert torch.equal(weights(whole), weights(resumed))
    assert history.steps[-1] == 32 and not list(tmp_path.glob("*.partial"))


def test_resuming_needs_a_checkpoint_of_the_same_run(tmp_path):
    with pytest.raises(TrainingError, match=CHECKPOINT):
        fit(small(), bars(), CONFIG, folder=tmp_path, resume=True, progress=False)
    fit(small(), bars(), CONFIG, folder=tmp_path, progress=False)
    before = (tmp_path / CHECKPOINT).read_bytes()
    with pytest.raises(TrainingError, match=r"\(seed 0, now 9\)"):
        fit(small(), bars(), replace(CONFIG, seed=9), folder=tmp_path, resume=True, progress=False)
    with pytest.raises(TrainingError, match=r"\(n_data 256, now 257, "):
        fit(small(), bars(257), CONFIG, folder=tmp_path, resume=True, progress=False)  # as many steps, other data
    with pytest.raises(TrainingError, match=r"\(model, options, prior, .*GaussianMixture\)"):
        other = small()  # its weights have the same shapes
        other.prior = GaussianMixture(10)
        fit(other, bars(), CONFIG, folder=tmp_path, resume=True, progress=False)
    assert (tmp_path / CHECKPOINT).read_bytes() == before


def visible(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if not name.startswith(".")]


def hostile(path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple:
            return Path.touch, (path.with_name("ran"),)

    path.write_bytes(pickle.dumps(Runs()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1000]),
        lambda path: path.write_bytes(b""),
        lambda path: torch.save([1], path),
        hostile,
    ],
    ids=["cut off", "empty", "of something else", "hostile"],
)
def test_a_damaged_checkpoint_is_named_and_left_as_it_is(tmp_path, spoil, recwarn):
    fit(small(), bars(), CONFIG, folder=tmp_path, progress=False)
    path = tmp_path / CHECKPOINT
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(TrainingError, match=re.escape(str(path))):
        fit(small(), bars(), replace(CONFIG, epochs=9), folder=tmp_path, resume=True, progress=False)
    assert path.read_bytes() == before and visible(tmp_path) == [CHECKPOINT]
    assert not [warning for warning in recwarn if "pickle" in str(warning.message)]


def test_an_epoch_that_cannot_be_written_leaves_the_last_one(tmp_path, monkeypatch):
    fit(small(), bars(), CONFIG, folder=tmp_path, progress=False)
    before = (tmp_path / CHECKPOINT).read_bytes()
    longer = replace(CONFIG, epochs=CONFIG.epochs + 1)

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=rf"epoch {longer.epochs} .*No space left.* epoch {CONFIG.epochs} in "):
        fit(small(), bars(), longer, folder=tmp_path, resume=True, progress=False)
    assert (tmp_path / CHECKPOINT).read_bytes() == before and visible(tmp_path) == [CHECKPOINT]


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_a_finished_run_is_made_longer_and_not_shorter(tmp_path, ema_decay):
    config = replace(CONFIG, epochs=2, ema_decay=ema_decay, constant_until=0.5)
    model = small()
    fit(model, bars(), config, folder=tmp_path, progress=False)
    with pytest.warns(UserWarning, match="2 epochs"):
        again = small()
        fit(again, bars(), config, folder=tmp_path, resume=True, progress=False)
    assert torch.equal(weights(again), weights(model))
    history = fit(again, bars(), replace(config, epochs=5), folder=tmp_path, resume=True, progress=False)
    assert history.epochs == 5 and history.steps[-1] == 5 * 8 and not torch.equal(weights(again), weights(model))
    with pytest.raises(TrainingError, match="5 epochs.* 3 "):
        fit(small(), bars(), replace(config, epochs=3), folder=tmp_path, resume=True, progress=False)


def test_rates_of_a_run_that_is_made_longer_are_those_of_the_new_length(tmp_path):
    rates = []

    class Watch(SupervisedAAE):
        def step(self, batch, optimizers):
            rates.append(optimizers["autoencoder"].param_groups[0]["lr"] / CONFIG.learning_rate)
            return super().step(batch, optimizers)

    for epochs in (2, 8):
        model = small()
        model.__class__ = Watch
        config = replace(CONFIG, epochs=epochs, constant_until=0.5, final_rate=0.1)
        fit(model, bars(), config, folder=tmp_path, resume=epochs == 8, progress=False)
    assert len(rates) == 8 * 8 and rates[15] < 0.3
    assert rates[16:32] == [1.0] * 16 and rates[48] == pytest.approx(0.55, abs=0.02)


def test_a_log_has_a_line_now_and_then_and_one_at_the_end(monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    fit(small(), bars(), CONFIG)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("step 24 of 24, ") and "epoch 3/3" in line and "reconstruction 0." in line

    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with progress_bar(100, "step") as bar:
        for _ in range(100):
            now[0] += 1
            bar.update()
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        *(f"step {n} of 100, {n} s, {100 - n} s left" for n in (30, 60, 90)),
        "step 100 of 100, 100 s",
    ]
    with pytest.raises(TrainingError), progress_bar(100, "step") as bar:
        bar.update()
        raise TrainingError
    for silent in ({"TQDM_DISABLE": "1"}, {}):
        for name, value in silent.items():
            monkeypatch.setenv(name, value)
        fit(small(), bars(), CONFIG, progress=bool(silent))
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert capsys.readouterr().err == ""


def test_the_clock_of_a_bar_in_a_terminal_goes_on_while_nothing_else_does(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar(3, "measure") as bar:
        bar.set_description("measuring two_sample")
        before = len(sys.stderr.getvalue())
        eventually(lambda: len(sys.stderr.getvalue()) > before)
    assert "measuring two_sample" in sys.stderr.getvalue()


def test_a_loss_that_is_not_a_number_stops_the_run_at_once():
    model = small()
    with torch.no_grad():
        model.encoder.net[0].weight[0, 0] = float("nan")
    steps = []
    with pytest.raises(TrainingError, match=r"'reconstruction'.* at step 1 of 24\. .*Kept: nothing"):
        fit(model, bars(), CONFIG, progress=False, callback=lambda step, _: steps.append(step))
    assert steps == [0]


def test_descend_moves_its_own_parameters_and_leaves_no_gradient_elsewhere():
    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
    before, untouched = first.weight.clone(), second.weight.clone()
    descend(second(first(torch.ones(3, 2))).sum(), optimizer)
    assert not torch.equal(first.weight, before)
    assert torch.equal(second.weight, untouched) and second.weight.grad is None


def test_descend_leaves_alone_what_the_loss_does_not_reach():
    near, far, x = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1), torch.ones(3, 2)
    optimizer = torch.optim.Adam([*near.parameters(), *far.parameters()], lr=0.1)
    descend((near(x) + far(x)).sum(), optimizer)
    before = far.weight.clone()
    descend(near(x).sum(), optimizer)  # Adam's momentum would carry a gradient of zeros on
    assert torch.equal(far.weight, before)


def test_gradients_are_of_single_precision():
    network, x = torch.nn.Linear(64, 64), torch.rand(256, 64)
    (expected,) = torch.autograd.grad(network(x).square().sum(), [network.weight])
    before = network.weight.detach().clone()
    descend(network(x).square().sum(), torch.optim.SGD(network.parameters(), lr=1.0))
    torch.testing.assert_close(before - network.weight.detach(), expected, rtol=1e-5, atol=1e-4)


def test_rate_is_constant_then_falls_linearly():
    rates = []
    model = small()
    config = replace(CONFIG, epochs=10, constant_until=0.5, final_rate=0.1)

    class Watch(SupervisedAAE):
        def step(self, batch, optimizers):
            rates.append(optimizers["autoencoder"].param_groups[0]["lr"] / config.learning_rate)
            return super().step(batch, optimizers)

    model.__class__ = Watch
    fit(model, bars(), config, progress=False)
    assert rates[: len(rates) // 2] == [1.0] * 40
    assert rates[60] == pytest.approx(0.55, abs=0.01) and rates[-1] == pytest.approx(0.1, abs=0.03)


def test_norms_are_frozen_for_the_last_share_of_the_run_only():
    seen = []

    class Watch(SupervisedAAE):
        def step(self, batch, optimizers):
            seen.append(self.encoder.net[1].training)
            return super().step(batch, optimizers)

    model = small(batch_norm=(0,))
    model.__class__ = Watch
    fit(model, bars(), replace(CONFIG, epochs=4, freeze_norms_from=0.5), progress=False)
    assert seen == [True] * 16 + [False] * 16


def test_parts_may_learn_at_rates_of_their_own_and_must_be_named_right():
    frozen = small()
    before = weights(frozen.discriminator)
    fit(frozen, bars(), replace(CONFIG, learning_rate={"autoencoder": 1e-3, "discriminator": 1e-12}), progress=False)
    assert torch.allclose(before, weights(frozen.discriminator), atol=1e-8)
    for setting in ("learning_rate", "final_rate"):
        with pytest.raises(ValueError, match=rf"{setting}: .*\['autoencoder', 'discriminator'\]"):
            fit(small(), bars(), replace(CONFIG, **{setting: {"encoder": 1e-3}}), progress=False)


@pytest.mark.trains
def test_averaged_weights_lie_closer_to_the_start_than_the_last_ones():
    start = weights(small())
    last, averaged = small(), small()
    fit(last, bars(), CONFIG, progress=False)
    fit(averaged, bars(), replace(CONFIG, ema_decay=0.95), progress=False)
    assert 0 < (weights(averaged) - start).norm() < (weights(last) - start).norm()


@pytest.mark.trains
def test_bfloat16_trains_to_about_the_same_error():
    errors = []
    for precision in ("float32", "bfloat16"):
        history = fit(small(), bars(), replace(CONFIG, epochs=15, precision=precision), progress=False)
        assert history.precision == precision
        errors.append(history.losses["reconstruction"][-1])
    assert errors[1] == pytest.approx(errors[0], rel=0.15)


def test_in_bfloat16_a_phase_sees_what_the_phase_before_it_learnt():
    seed_everything(0)
    network, x = torch.nn.Linear(8, 8), torch.rand(4, 8)
    optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
    with torch.autocast("cpu", torch.bfloat16):
        descend(network(x).square().mean(), optimizer)
        after = network(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(after, network(x))


def test_a_dataloader_is_trained_on_by_the_same_loop():
    digits = bars()
    loader = DataLoader(TensorDataset(digits.pixels(), digits.labels), batch_size=32, shuffle=True)
    history = fit(small(), loader, replace(CONFIG, epochs=10), progress=False)
    assert history.steps[-1] == 80 and history.losses["reconstruction"][-1] < history.losses["reconstruction"][0]


@pytest.fixture
def compiled_calls(monkeypatch) -> list:
    """Grows by one where a compiled network is called. Compiled for real, but for the last stage, which builds C++ for a minute."""
    calls, really = [], torch.compile

    def quickly(function, **_):
        compiled = really(function, backend="aot_eager")
        return lambda *inputs, **options: calls.append(1) or compiled(*inputs, **options)

    monkeypatch.setattr(torch, "compile", quickly)
    return calls


def test_a_run_that_is_interrupted_leaves_no_network_compiled(compiled_calls):
    model = small()

    def interrupt(step, model):
        if step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(model, bars(), replace(CONFIG, compile=True), progress=False, callback=interrupt)
    assert compiled_calls
    compiled_calls.clear()
    model.reconstruct(bars().pixels(), bars().labels)
    assert not compiled_calls


@pytest.mark.parametrize("name", {type(each.make(seed=0)): each.name for each in reversed(RECIPES.values())}.values())
def test_compiled_networks_take_the_same_steps(name, compiled_calls):
    labelled_batch = min(20, recipe(name).training.labelled_batch)
    config = replace(CONFIG, epochs=1, labelled_batch=labelled_batch)
    states = []
    for compiling in (False, True):
        model = recipe(name).make(seed=0)
        fit(model, bars(64), replace(config, compile=compiling), progress=False)
        assert bool(compiled_calls) == compiling
        states.append(model.state_dict())
    plain, fused = states
    assert plain.keys() == fused.keys()
    for key, value in plain.items():
        torch.testing.assert_close(fused[key], value, rtol=1e-4, atol=1e-5, msg=lambda text, key=key: f"{key}: {text}")


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_never_waits_for_a_number(name, monkeypatch):
    """On the meta device there are shapes and no numbers: to ask for one, or to mix devices, is an error there."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # which does not know that device
    model = recipe(name).make(seed=0).to("meta").train()
    images, labels = torch.empty(8, 1, 28, 28, device="meta"), torch.empty(8, dtype=torch.int64, device="meta")
    known = Batch(images, labels) if recipe(name).training.labelled_batch else None
    losses = model.step(Batch(images, labels, known), plain_descent(model))
    assert losses and {loss.device.type for loss in losses.values()} == {"meta"}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("betas", (0.5, 1.0)),
        ("constant_until", 1.2),
        ("final_rate", -0.1),
        ("final_rate", {"autoencoder": 2.0}),
        ("freeze_norms_from", 1.1),
        ("ema_decay", 1.0),
        ("device", "tpu"),
        ("precision", "float16"),
        ("seed", -1),
        ("seed", 2**31),
        ("seed", 0.5),
    ],
)
def test_settings_outside_their_range_are_refused_by_name(setting, value):
    with pytest.raises(ValueError, match=f"{setting}: expected"):
        TrainingConfig(**{setting: value})
    with pytest.raises(DataError, match="batch_size"):
        TrainingConfig(batch_size=0)


def test_a_device_that_is_not_there_is_refused_with_what_is():
    missing = next(name for name in ("cuda", "mps") if str(choose_device()) != name)
    with pytest.raises(ValueError, match=f"{missing} .*cpu"):
        choose_device(missing)


def test_a_history_says_in_one_line_what_a_notebook_should_show():
    history = History()
    assert repr(history) == "History(0 steps, 0.0 s: no loss yet)"
    history.record(1200, {"reconstruction": 0.01234, "fooling": 0.7})
    history.seconds = 3.21
    assert repr(history) == "History(1,200 steps, 3.2 s: reconstruction 0.01234, fooling 0.7)"


@torch.no_grad()
def squared_error(model: SupervisedAAE) -> float:
    x, y = bars().pixels(), bars().labels
    return float((model.reconstruct(x, y) - x).square().mean())


@pytest.mark.trains
@pytest.mark.parametrize("steps", [8, 64])
def test_the_running_average_forgets_the_first_weights_in_a_short_run_too(steps):
    """However short the run, what is kept rebuilds nearly as well as the last weights, and not as the first ones."""
    config = replace(CONFIG, epochs=steps // 8, learning_rate=3e-3)
    errors = []
    for ema_decay in (0.0, 0.999):
        model = small()
        first = squared_error(model)
        fit(model, bars(), replace(config, ema_decay=ema_decay), progress=False)
        errors.append(squared_error(model))
    last, averaged = errors
    assert averaged < first - (first - last) / 2


@pytest.mark.trains
def test_a_model_worse_than_the_mean_image_is_said_to_be_so():
    with pytest.warns(UserWarning, match="mean image.*epochs") as caught:
        history = fit(small(), bars(), replace(CONFIG, epochs=1, learning_rate=1e-9), progress=False)
    assert history.warnings == [str(caught[0].message)] and caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not fit(small(), bars(), replace(CONFIG, epochs=20, learning_rate=3e-3), progress=False).warnings


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_goes_on_keeps_its_precision(tmp_path, monkeypatch, precision):
    """Whatever this processor would choose for a run that begins."""
    config = replace(CONFIG, precision="auto", epochs=1)
    monkeypatch.setenv("AAE_PRECISION", precision)
    fit(small(), bars(), config, folder=tmp_path / "run", progress=False)
    monkeypatch.delenv("AAE_PRECISION")
    history = fit(small(), bars(), replace(config, epochs=2), folder=tmp_path / "run", resume=True, progress=False)
    assert history.precision == precision and history.epochs == 2


def test_the_environment_may_choose_the_precision(monkeypatch):
    cpu = torch.device("cpu")
    for precision in ("float32", "bfloat16"):
        monkeypatch.setenv("AAE_PRECISION", precision)
        assert choose_precision("auto", cpu) == precision
        assert choose_precision("float32", cpu) == "float32"
    monkeypatch.setenv("AAE_PRECISION", "float64")
    with pytest.raises(ValueError, match="AAE_PRECISION: .*float64"):
        choose_precision("auto", cpu)
    monkeypatch.delenv("AAE_PRECISION")
    assert choose_precision("auto", cpu) in ("float32", "bfloat16")
