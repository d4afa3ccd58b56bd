"""The benchmarks: they run and say what they should; the plain loop trains what ``fit`` trains. No time is tested."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from aae_core.data import embedded
from aae_core.models import SupervisedAAE
from aae_core.recipes import recipe
from aae_core.training import TrainingConfig, fit, seed_everything
from benchmarks import floor, plain_loop, quality, seeds
from benchmarks.growth import exponents
from benchmarks.pairs import Measured, Setting, alternate, pinned
from benchmarks.run import NAMES, app, kind, table

ROOT = Path(__file__).parents[1]
# Batch normalisation takes these away again: their gradient is rounding noise, of which Adam makes a whole step.
BEFORE_NORMS = {"encoder.net.2.bias", "decoder.net.2.bias"}


def figures(measures: list[dict]) -> list[float]:
    return [x for each in measures for x in (each["value"], *each["spread"], *each["medians"].values())]


QUICK = {"floor"}  # the rest takes minutes in all


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in NAMES]
)
def test_each_runs_and_keeps_its_figures_beside_those_of_others(name, tmp_path):
    out = tmp_path / "results.json"
    out.write_text(json.dumps({"another kind": {}, kind(): {"another": {"measures": []}}}))
    # A process of its own: it pins itself to a core, and drives a browser where the tests may drive one already.
    command = [sys.executable, "-m", "benchmarks.run", name, "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = json.loads(out.read_text("utf-8"))
    assert list(kinds) == ["another kind", kind()] and kinds["another kind"] == {}
    results = kinds[kind()]
    assert list(results) == ["another", name]
    found = results[name]
    assert {"date", "revision", "quick", "data", "machine", "versions", "measures"} == set(found)
    assert found["quick"] is True and {"aae_core", "python", "torch"} <= set(found["versions"])
    assert {"processor", "cores", "threads", "pinned", "load_before"} <= set(found["machine"])
    assert all(math.isfinite(x) for x in figures(found["measures"])) and found["measures"]
    for each in found["measures"]:
        assert each["name"].startswith(f"{name}/") and each["about"] and each["medians"]
        assert each["spread"][0] <= each["value"] <= each["spread"][1] and each["rounds"] >= 1
        assert (each["met"] is None) == (set(each["bar"].values()) == {None})
        assert each["name"] in done.stdout


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    done = CliRunner().invoke(app, ["speed"])
    assert done.exit_code == 2 and "speed" in done.output and "growth" in done.output


@pytest.mark.parametrize("name", ["supervised", "supervised-post"])
def test_a_step_of_the_plain_loop_is_a_step_of_fit(name):
    """From the same weights, on the same batch, with the same samples of the prior.

    Adam's first step goes by a gradient's sign, and one near zero has either, by rounding: a weight in a hundred may differ.
    """
    chosen, digits = recipe(name), embedded().train.subset(slice(64))
    batches = [(digits.pixels(), digits.labels)]
    ours, plain = chosen.make(seed=0), chosen.make(seed=0)
    before = copy.deepcopy(ours)
    assert all(isinstance(net.net[3], torch.nn.BatchNorm1d) for net in (ours.encoder, ours.decoder))
    config = replace(chosen.training, epochs=1, ema_decay=0.0, seed=0, device="cpu", precision="float32")
    history = fit(ours, batches, config, progress=False)
    optimizers = plain_loop.make_optimizers(plain, config.learning_rate, config.betas)
    with torch.random.fork_rng():
        seed_everything(0)  # as fit does before its first epoch
        log = plain_loop.train_one_epoch(plain, batches, *optimizers)
    assert {key: values[0] for key, values in history.losses.items()} == pytest.approx(log, abs=1e-5)
    for (key, got), want, start in zip(
        ours.state_dict().items(), plain.state_dict().values(), before.state_dict().values(), strict=True
    ):
        assert key in BEFORE_NORMS or torch.isclose(got, want, rtol=0, atol=1e-5).float().mean() > 0.99, key
        assert not torch.equal(got, start), key


def test_the_plain_loop_sees_the_same_pixels_and_learns():
    digits = embedded().train.subset(slice(512))
    image, label = plain_loop.DigitsAsMNIST(digits)[3]
    assert torch.equal(image, digits.pixels()[3]) and label == int(digits.labels[3])
    seed_everything(0)
    model = SupervisedAAE(3, hidden=(64, 64), discriminator_hidden=(32,))
    loader = plain_loop.make_loader(digits, 64)
    optimizers = plain_loop.make_optimizers(model, 1e-3, (0.5, 0.999))
    logs = [plain_loop.train_one_epoch(model, loader, *optimizers) for _ in range(6)]
    assert logs[-1]["reconstruction"] < 0.7 * logs[0]["reconstruction"]


def test_a_step_multiplies_no_matrices_that_it_need_not():
    """Three networks of three layers: a product for the output, one for the weights, one for the input if that learns."""
    chosen = recipe("supervised")
    step = floor.of_a_step(chosen, Setting(quick=True), "float32")
    reconstruct = 3 * 3 + (2 * 3 - 1) + 2 * 3 + 3  # forward; encoder, decoder; through the discriminator
    discriminate = 2 * (3 + 2 * 3 - 1)
    assert len(step.pairs) == reconstruct + chosen.make(seed=0).discriminator_steps * discriminate
    assert all(left.shape[1] == right.shape[0] for left, right in step.pairs)


def test_the_kernels_of_a_step_are_all_that_it_computes():
    chosen = recipe("supervised")
    step = floor.of_a_step(chosen, Setting(quick=True), "float32")
    with torch.no_grad(), floor.Noted() as again:
        for kernel in step.kernels:
            kernel()
    assert len(again.step.pairs) == len(step.pairs) and len(again.step.kernels) == len(step.kernels)
    names = [kernel.func.name() for kernel in step.kernels]
    assert (
        "aten::_fused_adam_" in names and "aten::_foreach_lerp_.Scalar" in names
    )  # Adam, and the average of the weights


def test_stacked_networks_do_and_learn_what_each_does_alone():
    model = seeds.stacked_model("aae-small", 3)
    alone = [recipe("aae-small").make(seed) for seed in range(3)]
    x = embedded().train.pixels(slice(12))
    rebuilt = model.decoder(model.encoder(x))
    parts = [each.decoder(each.encoder(part)) for each, part in zip(alone, x.chunk(3), strict=True)]
    torch.testing.assert_close(rebuilt, torch.cat(parts), rtol=0, atol=1e-5)
    (rebuilt - x).square().mean().backward()
    sum((part - own).square().mean() / 3 for part, own in zip(parts, x.chunk(3), strict=True)).backward()
    for name, gradient in zip(model.encoder.names, model.encoder.stacked, strict=True):
        expected = torch.stack([each.encoder.get_parameter(name).grad for each in alone])
        torch.testing.assert_close(gradient.grad, expected, rtol=0, atol=1e-5)


def test_quality_that_is_never_reached_is_told():
    splits = embedded()
    digits = splits.train.subset(slice(256))
    goal = quality.Goal({"test_mse": 0.0, "style_leak_mlp": 0.0}, digits, splits.test)
    _, epochs, reached = quality.ours(recipe("supervised"), digits, goal, (1, 2), seed=0)
    assert epochs == 2 and not reached
    _, epochs, reached = quality.plain(recipe("supervised"), digits, goal, patience=2, seed=0)
    assert epochs == 2 and not reached


def test_runs_take_turns_and_the_warm_up_does_not_count():
    order = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    found = alternate({"a": lambda: run("a"), "b": lambda: run("b")}, rounds=2)
    assert order == ["a", "b"] * 3 and found == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_pinning_ends_with_the_benchmark():
    before = torch.get_num_threads()
    with pinned(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_exponents_are_those_of_a_power():
    sizes = (1, 2, 4)
    assert exponents(sizes, {str(n): [3.0 * n**2, 5.0 * n] for n in sizes}) == pytest.approx([2.0, 1.0])


def test_a_bar_is_met_by_the_median():
    rounds = [1.0, 3.0, 9.0]
    assert Measured("x/a", "", rounds, {}, at_least=3.0).met and not Measured("x/a", "", rounds, {}, at_least=3.1).met
    assert Measured("x/a", "", rounds, {}, at_most=3.0).met and not Measured("x/a", "", rounds, {}, at_most=2.9).met
    assert Measured("x/a", "", rounds, {}).met is None
    text = table({"x": {"measures": [Measured("x/a", "what", rounds, {"s": rounds}, at_most=2.9).as_dict()]}})
    assert "missed" in text and "≤ 2.9" in text


@pytest.mark.parametrize(("bound", "verdict"), [(None, "missed"), (2.8, "missed"), (2.95, "out of reach")])
def test_a_bar_is_out_of_reach_where_the_bound_misses_it(bound, verdict):
    each = Measured("x/a", "what", [3.0], {"s": [3.0]}, at_most=2.9, bound=bound)
    assert each.verdict == verdict and verdict in table({"x": {"measures": [each.as_dict()]}})
    assert Measured("x/a", "what", [2.9], {}, at_most=2.9, bound=2.95).verdict == "met"
    assert Measured("x/a", "what", [1.0], {}, at_least=2.0, bound=1.5).verdict == "out of reach"
    assert Measured("x/a", "what", [1.0], {}, bound=1.5).verdict == ""


def test_the_config_of_the_benchmark_is_the_recipes():
    """Else the plain loop's constant rate, or a rate for each part, would be another training."""
    for name in ("supervised", "supervised-post"):
        config: TrainingConfig = recipe(name).training
        assert isinstance(config.learning_rate, float)
